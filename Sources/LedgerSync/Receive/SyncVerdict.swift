import Ledger

/// A batch whose signature, payload hash and inner chain are already verified.
public struct VerifiedBatch: Sendable {
    public var epoch: Int64
    public var firstSeq: Int64
    /// Hash of the entry before `firstSeq`, as the batch says.
    public var previousHash: [UInt8]
    /// Chain hash of each entry; at least one.
    public var hashes: [[UInt8]]
    /// The bytes as they came; stored, never encoded again.
    public var envelope: [UInt8]
    public var trace: String

    public init(
        epoch: Int64, firstSeq: Int64, previousHash: [UInt8], hashes: [[UInt8]], envelope: [UInt8], trace: String
    ) {
        self.epoch = epoch
        self.firstSeq = firstSeq
        self.previousHash = previousHash
        self.hashes = hashes
        self.envelope = envelope
        self.trace = trace
    }

    public init(_ batch: SyncBatch, envelope: [UInt8], trace: String) {
        self.init(
            epoch: batch.header.epoch, firstSeq: batch.header.firstSeq, previousHash: batch.header.prevHash,
            hashes: batch.entries.map(\.hash), envelope: envelope, trace: trace)
    }

    public var throughSeq: Int64 { firstSeq + Int64(hashes.count) - 1 }
    public var headHash: [UInt8] { hashes[hashes.count - 1] }
}

/// What became of a batch.
public enum SyncOutcome: Hashable, Sendable {
    /// Stored with this receipt.
    case appended(receipt: [UInt8], entries: Int)
    /// Held already; a receipt of then, byte for byte.
    case replayed(receipt: [UInt8])
    /// Entries before the batch are missing here.
    case gap(nextSeq: Int64, head: [UInt8])
    /// Another history than the one held. The batch is in quarantine, the ledger as it was.
    case fork(epoch: Int64, nextSeq: Int64, head: [UInt8])
}

/// Where a device's chain and its chain of receipts stand.
public struct HeldHead: Hashable, Sendable {
    public var epoch: Int64
    public var nextSeq: Int64
    public var hash: [UInt8]
    public var receipts: Int64
    public var receiptHash: [UInt8]

    public init(epoch: Int64, nextSeq: Int64, hash: [UInt8], receipts: Int64, receiptHash: [UInt8]) {
        self.epoch = epoch
        self.nextSeq = nextSeq
        self.hash = hash
        self.receipts = receipts
        self.receiptHash = receiptHash
    }
}

/// Decides what a batch is to the chain held. Plain: the receiver does what it says.
///
/// - Source: the receiver's algorithm of the sync design, C.4.
public enum SyncVerdict: Hashable, Sendable {
    /// Take the entries behind the first `overlap`.
    case append(overlap: Int)
    /// All of it is held, if the hash held at its last entry is its head's.
    case replay
    case gap
    case fork

    public static func of(_ batch: VerifiedBatch, at held: HeldHead) -> SyncVerdict {
        // A new epoch is opened by the owner's word (`new-epoch`): any other is another history.
        if batch.epoch < held.epoch { return .replay }
        guard batch.epoch == held.epoch else { return .fork }
        if batch.firstSeq > held.nextSeq { return .gap }
        if batch.throughSeq < held.nextSeq { return .replay }
        // The part already held must be the same: each hash covers all before it, so its last one decides.
        let overlap = Int(held.nextSeq - batch.firstSeq)
        let claimed = overlap == 0 ? batch.previousHash : batch.hashes[overlap - 1]
        return claimed == held.hash ? .append(overlap: overlap) : .fork
    }
}
