import Ledger

/// What a receiver keeps of one device. The gateway's is a table in SQLite or PostgreSQL, the simulation's lies in memory;
/// what is judged and promised on top of it is one code.
public protocol SyncShelf {
    associatedtype Failure: Error

    /// The hash held at an entry; nil when none is held there.
    mutating func hash(epoch: Int64, seq: Int64) throws(Failure) -> [UInt8]?
    mutating func newestReceipt(epoch: Int64) throws(Failure) -> [UInt8]?
    /// Keeps a batch's entries from `seq` on with its receipt, and that the chain now stands at `head`: all or nothing.
    mutating func keep(_ batch: VerifiedBatch, from seq: Int64, receipt: [UInt8], head: HeldHead) throws(Failure)
    /// Puts a batch aside for the operator.
    mutating func quarantine(_ batch: VerifiedBatch) throws(Failure)
}

/// What a receipt says; signed by whoever holds the key.
public struct ReceiptContent: Hashable, Sendable {
    public var shop: [UInt8]
    public var device: [UInt8]
    public var epoch: Int64
    public var throughSeq: Int64
    public var headHash: [UInt8]
    public var serverMilliseconds: Int64
    public var storeID: [UInt8]
    public var number: Int64
    public var previousHash: [UInt8]

    public var receipt: Receipt {
        Receipt(
            shop: shop, device: device, epoch: epoch, throughSeq: throughSeq, headHash: headHash,
            server: WallTime(milliseconds: serverMilliseconds), storeID: storeID, number: number,
            previousReceiptHash: previousHash)
    }
}

/// Takes batches of one device: store first, judge the business later. One thread.
public struct SyncReceiver: Sendable {
    public var shop: [UInt8]
    public var device: [UInt8]
    public var storeID: [UInt8]
    public var nowMilliseconds: Int64

    public init(shop: [UInt8], device: [UInt8], storeID: [UInt8], nowMilliseconds: Int64) {
        self.shop = shop
        self.device = device
        self.storeID = storeID
        self.nowMilliseconds = nowMilliseconds
    }

    /// - Parameters:
    ///   - held: where the chain stands; moved on when the batch is taken.
    ///   - sign: the receipt as bytes, and the hash that the next one names as its previous.
    public func take<Shelf: SyncShelf>(
        _ batch: VerifiedBatch, at held: inout HeldHead, on shelf: inout Shelf,
        sign: (ReceiptContent) throws(Shelf.Failure) -> (bytes: [UInt8], hash: [UInt8])
    ) throws(Shelf.Failure) -> SyncOutcome {
        switch SyncVerdict.of(batch, at: held) {
        case .gap: return .gap(nextSeq: held.nextSeq, head: held.hash)
        case .fork: break
        case .replay:
            // The newest receipt and not the batch's own: a device that is behind it is an old copy of itself, and learns
            // so here, at the first contact. One that only lost an answer sent its newest batch, and gets that one's.
            if try shelf.hash(epoch: batch.epoch, seq: batch.throughSeq) == batch.headHash,
                let receipt = try shelf.newestReceipt(epoch: batch.epoch)
            {
                return .replayed(receipt: receipt)
            }
        case .append(let overlap):
            let receipt = try sign(
                ReceiptContent(
                    shop: shop, device: device, epoch: batch.epoch, throughSeq: batch.throughSeq,
                    headHash: batch.headHash, serverMilliseconds: nowMilliseconds, storeID: storeID,
                    number: held.receipts + 1, previousHash: held.receiptHash))
            let next = HeldHead(
                epoch: batch.epoch, nextSeq: batch.throughSeq + 1, hash: batch.headHash, receipts: held.receipts + 1,
                receiptHash: receipt.hash)
            try shelf.keep(batch, from: held.nextSeq, receipt: receipt.bytes, head: next)
            held = next
            return .appended(receipt: receipt.bytes, entries: batch.hashes.count - overlap)
        }
        try shelf.quarantine(batch)
        return .fork(epoch: held.epoch, nextSeq: held.nextSeq, head: held.hash)
    }
}
