import JSONText
import Ledger
import LedgerSync
import Seals

/// The receiving side of sync.md C.4 in memory: one list of stored events, stored receipts, gap, replay, overlap, fork.
final class SimulatedGateway {
    struct Stored: Hashable {
        var epoch: Int64
        var seq: Int64
        var body: [UInt8]
        var hash: [UInt8]
    }

    let receiptKey: SigningKey
    let deviceKey: VerifyingKey
    let shop: [UInt8]
    let device: [UInt8]
    var storeID = KnownEnvelopes.storeID
    private(set) var stored: [Stored] = []
    /// How often an event was applied, by place: more than once is the fault this simulation looks for.
    private(set) var applied: [String: Int] = [:]
    private var receipts: [(throughSeq: Int64, bytes: [UInt8])] = []
    /// Events of this seq are refused as malformed.
    var poisonedSeq: Int64?
    /// Answers this instead, while set.
    var override: SyncAnswer?
    private(set) var batchesSeen = 0
    var clock: Int64 = 1_790_000_000_000

    init(shop: [UInt8], deviceKey: VerifyingKey, receiptKey: SigningKey) {
        self.shop = shop
        self.deviceKey = deviceKey
        self.receiptKey = receiptKey
        device = DeviceIdentity.deviceID(of: deviceKey)
    }

    /// As a server restored from last week's backup: a state that once was, at a receipt no later than `seq`.
    func restore(through latest: Int64) {
        let seq = receipts.last { $0.throughSeq <= latest }?.throughSeq ?? 0
        stored.removeAll { $0.seq > seq }
        receipts.removeAll { $0.throughSeq > seq }
        for place in applied.keys where !stored.contains(where: { "\($0.epoch)/\($0.seq)" == place }) {
            applied[place] = nil
        }
    }

    func head(epoch: Int64) -> (seq: Int64, hash: [UInt8]) {
        let last = stored.last { $0.epoch == epoch }
        return (last?.seq ?? 0, last?.hash ?? ChainLink.start)
    }

    func answer(_ bytes: [UInt8]) -> SyncAnswer {
        batchesSeen += 1
        if let override { return override }
        let batch: SyncBatch
        do { batch = try SyncBatch.read(bytes, key: deviceKey) } catch {
            return refuse(error.httpStatus, [.init("code", "malformed")])
        }
        guard batch.header.shop == shop, batch.header.device == device else {
            return refuse(403, [.init("code", "identity")])
        }
        if let poisonedSeq, batch.entries.contains(where: { $0.seq == poisonedSeq }) {
            return refuse(422, [.init("code", "chain")])
        }
        let epoch = batch.header.epoch
        let (seq, hash) = head(epoch: epoch)
        guard batch.header.firstSeq <= seq + 1 else {
            return refuse(
                409,
                [.init("code", "gap"), .init("next_seq", .integer(seq + 1)), .init("head", .string(Hex.text(hash)))])
        }
        let mine = stored.filter { $0.epoch == epoch }
        for entry in batch.entries where entry.seq <= seq {
            guard mine[Int(entry.seq) - 1].hash == entry.hash else { return refuse(409, [.init("code", "fork")]) }
        }
        if batch.header.lastSeq <= seq {
            // Replay: the stored receipt, the same bytes.
            guard let receipt = receipts.first(where: { $0.throughSeq >= batch.header.lastSeq }) else {
                return refuse(500, [.init("code", "lost_receipt")])
            }
            return .answered(status: 200, body: receipt.bytes, retryAfterSeconds: nil)
        }
        let before = batch.header.firstSeq <= seq ? hash : batch.header.prevHash
        guard before == hash else { return refuse(409, [.init("code", "fork")]) }
        for entry in batch.entries where entry.seq > seq {
            stored.append(Stored(epoch: epoch, seq: entry.seq, body: entry.body, hash: entry.hash))
            applied["\(epoch)/\(entry.seq)", default: 0] += 1
        }
        clock += 1
        let receipt = Receipt(
            shop: shop, device: device, epoch: epoch, throughSeq: batch.header.lastSeq, headHash: batch.header.headHash,
            server: WallTime(milliseconds: clock), storeID: storeID, number: Int64(receipts.count) + 1,
            previousReceiptHash: receipts.last.map { Receipt.hash(of: $0.bytes) } ?? ChainLink.start)
        guard let signed = try? receipt.signed(by: receiptKey) else { return refuse(500, []) }
        receipts.append((batch.header.lastSeq, signed))
        return .answered(status: 200, body: signed, retryAfterSeconds: nil)
    }

    private func refuse(_ status: Int, _ members: [JSONValue.Member]) -> SyncAnswer {
        let body = JSONValue.object([.init("error", .object(members + [.init("message", "refused")]))])
        return .answered(status: status, body: body.bytes, retryAfterSeconds: nil)
    }
}
