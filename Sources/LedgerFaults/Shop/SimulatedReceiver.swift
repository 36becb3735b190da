import JSONText
import Ledger
import LedgerSync
import Seals

/// The receiving side for one device, with its shelf in memory: judging, replay, gap, fork and receipts are the gateway's
/// own (`SyncReceiver`).
final class SimulatedReceiver {
    private enum Unsigned: Error { case noKey }

    private struct Shelf: SyncShelf {
        var hashes: [[UInt8]] = []
        var receipts: [[UInt8]] = []
        var applied = 0
        var quarantined = 0

        func hash(epoch: Int64, seq: Int64) throws(Unsigned) -> [UInt8]? {
            epoch == 1 && seq >= 1 && seq <= hashes.count ? hashes[Int(seq) - 1] : nil
        }

        func newestReceipt(epoch: Int64) throws(Unsigned) -> [UInt8]? { receipts.last }

        mutating func keep(_ batch: VerifiedBatch, from seq: Int64, receipt: [UInt8], head: HeldHead) throws(Unsigned) {
            for hash in batch.hashes[Int(seq - batch.firstSeq)...] {
                hashes.append(hash)
                applied += 1
            }
            receipts.append(receipt)
        }

        mutating func quarantine(_ batch: VerifiedBatch) throws(Unsigned) { quarantined += 1 }
    }

    private let device: [UInt8]
    private let shop: [UInt8]
    private let deviceKey: VerifyingKey
    private let receiptKey: SigningKey
    private var shelf = Shelf()
    private var held = HeldHead(
        epoch: 1, nextSeq: 1, hash: ChainLink.start, receipts: 0, receiptHash: ChainLink.start)
    private(set) var replayed = 0

    init(shop: [UInt8], deviceKey: VerifyingKey, receiptKey: SigningKey) {
        (self.shop, self.deviceKey, self.receiptKey) = (shop, deviceKey, receiptKey)
        device = DeviceIdentity.deviceID(of: deviceKey)
    }

    var hashes: [[UInt8]] { shelf.hashes }
    var applied: Int { shelf.applied }
    var quarantined: Int { shelf.quarantined }
    var head: [UInt8] { held.hash }

    func answer(_ bytes: [UInt8], at: WallTime) -> SyncAnswer {
        let batch: SyncBatch
        do { batch = try SyncBatch.read(bytes, key: deviceKey) } catch {
            return refuse(error.httpStatus, [.init("code", .string(error.code))])
        }
        let receiver = SyncReceiver(
            shop: shop, device: device, storeID: [UInt8](repeating: 6, count: 16), nowMilliseconds: at.rawValue)
        let outcome: SyncOutcome
        do throws(Unsigned) {
            outcome = try receiver.take(
                VerifiedBatch(batch, envelope: bytes, trace: ""), at: &held, on: &shelf, sign: sign)
        } catch { return refuse(500, []) }
        switch outcome {
        case .appended(let receipt, _): return .answered(status: 200, body: receipt, retryAfterSeconds: nil)
        case .replayed(let receipt):
            replayed += 1
            return .answered(status: 200, body: receipt, retryAfterSeconds: nil)
        case .gap(let nextSeq, let head): return refuse(409, Self.conflict("gap", nextSeq, head))
        case .fork(_, let nextSeq, let head): return refuse(409, Self.conflict("fork", nextSeq, head))
        }
    }

    private func sign(_ content: ReceiptContent) throws(Unsigned) -> (bytes: [UInt8], hash: [UInt8]) {
        guard let bytes = try? content.receipt.signed(by: receiptKey) else { throw .noKey }
        return (bytes, Receipt.hash(of: bytes))
    }

    private static func conflict(_ code: String, _ nextSeq: Int64, _ head: [UInt8]) -> [JSONValue.Member] {
        [.init("code", .string(code)), .init("next_seq", .integer(nextSeq)), .init("head", .string(Hex.text(head)))]
    }

    private func refuse(_ status: Int, _ members: [JSONValue.Member]) -> SyncAnswer {
        let body = JSONValue.object([.init("error", .object(members + [.init("message", "refused")]))])
        return .answered(status: status, body: body.bytes, retryAfterSeconds: nil)
    }
}
