import Ledger
import LedgerSync
import Seals

/// A book in memory: a chain of made-up events and a cursor that refuses to go back, as the real one's does.
final class MemoryBook: SyncBook {
    let device: [UInt8]
    private(set) var stored: [StoredEvent] = []
    private var kept = SyncCursor(epoch: 1, seq: 0, hash: ChainLink.start, receipt: [])
    /// Thrown by every call while set.
    var failure: BookError?
    private(set) var advances = 0

    init(device: [UInt8]) { self.device = device }

    /// A copy as an old flash image would be.
    init(copying other: MemoryBook, through seq: Int64) {
        device = other.device
        stored = other.stored.filter { $0.seq <= seq }
        kept = other.kept.seq <= seq ? other.kept : kept
    }

    func append(epoch: Int64 = 1, bodyBytes: Int = 40) {
        let last = stored.last.flatMap { $0.epoch == epoch ? $0 : nil }
        let seq = (last?.seq ?? 0) + 1
        let filler = [UInt8](repeating: UInt8(truncatingIfNeeded: seq), count: max(0, bodyBytes))
        let body = CBORValue.map([1: .integer(seq), 2: .text("udhaar"), 3: .bytes(filler)]).encoded
        let prev = last?.hash ?? ChainLink.start
        stored.append(
            StoredEvent(
                epoch: epoch, seq: seq, id: ULID(high: UInt64(epoch), low: UInt64(seq)), type: 1, body: body,
                prev: prev,
                hash: ChainLink.hash(device: device, epoch: epoch, seq: seq, prev: prev, body: body)))
    }

    /// Damages a stored event behind the book's back.
    func damage(seq: Int64) {
        guard let index = stored.firstIndex(where: { $0.seq == seq }) else { return }
        stored[index].body[1] ^= 0x01
    }

    func head() throws(BookError) -> ChainHead {
        if let failure { throw failure }
        guard let last = stored.last else { return ChainHead(epoch: 1, seq: 0, hash: ChainLink.start) }
        return ChainHead(epoch: last.epoch, seq: last.seq, hash: last.hash)
    }

    func events(after seq: Int64, epoch: Int64, limit: Int) throws(BookError) -> [StoredEvent] {
        if let failure { throw failure }
        return Array(stored.lazy.filter { $0.epoch == epoch && $0.seq > seq }.prefix(limit))
    }

    func cursor() throws(BookError) -> SyncCursor {
        if let failure { throw failure }
        return kept
    }

    func advance(to cursor: SyncCursor) throws(BookError) {
        if let failure { throw failure }
        guard (cursor.epoch, cursor.seq) > (kept.epoch, kept.seq) else { throw .damaged("a cursor that goes back") }
        kept = cursor
        advances += 1
    }
}

/// A generator with a seed, so a failing run can be run again.
struct Seeded: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

    mutating func next() -> UInt64 {
        // xorshift64* (Marsaglia 2003, Vigna 2016).
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        return state &* 2_685_821_657_736_338_717
    }

    mutating func below(_ limit: Int) -> Int { Int.random(in: 0..<limit, using: &self) }
    mutating func happens(_ perHundred: Int) -> Bool { below(100) < perHundred }
}
