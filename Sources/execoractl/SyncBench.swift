import Glibc
import JSONText
import Ledger
import LedgerSync
import Seals

/// Signs and reads batches of made-up entries on one core: what sync costs the counter, and what the gateway's check of
/// signature, digest, canonical form and chain costs, without disk or line.
enum SyncBench {
    /// As much as a payment's entry has.
    static let bodyBytes = 170
    /// How long each figure is taken over.
    static let nanoseconds: Int64 = 1_000_000_000

    static func run() -> Int32 {
        do {
            let key = try SigningKey.generate()
            for count in [1, 20, 400] { try measure(count, key) }
            return 0
        } catch {
            let line = Array("execoractl sync bench: \(error)\n".utf8)
            _ = write(2, line, line.count)
            return 1
        }
    }

    private static func measure(_ count: Int, _ key: SigningKey) throws {
        let device = DeviceIdentity.deviceID(of: key.verifyingKey)
        let shop = [UInt8](repeating: 7, count: 16)
        let events = chain(count, device)
        let circumstances = SyncCircumstances(
            bootID: shop, monotonicMilliseconds: 1, wall: WallTime(milliseconds: 1_790_000_000_000), wallQuality: 3)
        var bytes: [UInt8] = []
        let signed = try rate {
            bytes = try SyncBatch.sign(events, shop: shop, device: device, circumstances: circumstances, key: key).bytes
        }
        let read = try rate {
            guard try SyncBatch.read(bytes, key: key.verifyingKey).entries.count == count else {
                throw SyncError.malformed("another count")
            }
        }
        report("sync.batch\(count).sign", signed * Int64(count), "entries/s")
        report("sync.batch\(count).read", read * Int64(count), "entries/s")
        report("sync.batch\(count).size", Int64(bytes.count), "bytes")
    }

    private static func chain(_ count: Int, _ device: [UInt8]) -> [StoredEvent] {
        var events: [StoredEvent] = []
        var prev = ChainLink.start
        for seq in Int64(1)...Int64(count) {
            let body = CBORValue.map([1: .integer(seq), 2: .bytes([UInt8](repeating: 3, count: bodyBytes))]).encoded
            let hash = ChainLink.hash(device: device, epoch: 1, seq: seq, prev: prev, body: body)
            events.append(
                StoredEvent(
                    epoch: 1, seq: seq, id: ULID(high: 1, low: UInt64(seq)), type: 1, body: body, prev: prev, hash: hash
                ))
            prev = hash
        }
        return events
    }

    /// Times a second, over a second at least.
    private static func rate(_ body: () throws -> Void) rethrows -> Int64 {
        let start = now()
        var times: Int64 = 0
        while now() - start < nanoseconds {
            try body()
            times += 1
        }
        return times * 1_000_000_000 / (now() - start)
    }

    private static func report(_ bench: String, _ value: Int64, _ unit: String) {
        SocketCall.say(
            JSONValue.object([
                .init("bench", .string(bench)), .init("value", .integer(value)), .init("unit", .string(unit)),
                .init("peer", .null), .init("ratio", .null),
            ]).text)
    }

    private static func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
