import JSONText
import Ledger
import LedgerSync
import Seals

/// The receiving side of the sync design (C.4) in memory, for one device: what it holds, its receipts, replay, overlap,
/// gap and fork.
final class SimulatedReceiver {
    private let device: [UInt8]
    private let shop: [UInt8]
    private let deviceKey: VerifyingKey
    private let receiptKey: SigningKey
    private(set) var hashes: [[UInt8]] = []
    private(set) var applied = 0
    private(set) var replayed = 0
    private var receipts: [(throughSeq: Int64, bytes: [UInt8])] = []

    init(shop: [UInt8], deviceKey: VerifyingKey, receiptKey: SigningKey) {
        (self.shop, self.deviceKey, self.receiptKey) = (shop, deviceKey, receiptKey)
        device = DeviceIdentity.deviceID(of: deviceKey)
    }

    var head: [UInt8] { hashes.last ?? ChainLink.start }

    func answer(_ bytes: [UInt8], at: WallTime) -> SyncAnswer {
        let batch: SyncBatch
        do { batch = try SyncBatch.read(bytes, key: deviceKey) } catch {
            return refuse(error.httpStatus, [.init("code", .string(error.code))])
        }
        let held = Int64(hashes.count)
        guard batch.header.firstSeq <= held + 1 else {
            return refuse(
                409,
                [
                    .init("code", "gap"), .init("next_seq", .integer(held + 1)),
                    .init("head", .string(Hex.text(head))),
                ])
        }
        for entry in batch.entries where entry.seq <= held {
            guard hashes[Int(entry.seq) - 1] == entry.hash else { return refuse(409, [.init("code", "fork")]) }
        }
        if batch.header.lastSeq <= held {
            replayed += 1
            guard let receipt = receipts.first(where: { $0.throughSeq >= batch.header.lastSeq }) else {
                return refuse(500, [.init("code", "lost_receipt")])
            }
            return .answered(status: 200, body: receipt.bytes, retryAfterSeconds: nil)
        }
        guard batch.header.firstSeq <= held || batch.header.prevHash == head else {
            return refuse(409, [.init("code", "fork")])
        }
        for entry in batch.entries where entry.seq > held {
            hashes.append(entry.hash)
            applied += 1
        }
        let receipt = Receipt(
            shop: shop, device: device, epoch: 1, throughSeq: batch.header.lastSeq, headHash: batch.header.headHash,
            server: at, storeID: [UInt8](repeating: 6, count: 16), number: Int64(receipts.count) + 1,
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
