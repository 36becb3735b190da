import Ledger

/// A batch whose signature, payload hash and inner chain are already verified.
struct VerifiedBatch: Sendable {
    var epoch: Int64
    var firstSeq: Int64
    /// Hash of the entry before `firstSeq`, as the batch says.
    var previousHash: [UInt8]
    /// Chain hash of each entry; at least one.
    var hashes: [[UInt8]]
    /// The bytes as they came; stored, never encoded again.
    var envelope: [UInt8]
    var trace: String

    var throughSeq: Int64 { firstSeq + Int64(hashes.count) - 1 }
    var headHash: [UInt8] { hashes[hashes.count - 1] }
}

/// A batch and who sent it.
struct BatchArrival: Sendable {
    var batch: VerifiedBatch
    var device: DeviceRecord
}

/// What became of a batch.
enum SyncOutcome: Hashable, Sendable {
    /// Stored with this receipt.
    case appended(receipt: [UInt8], entries: Int)
    /// Held already; the receipt of then, byte for byte.
    case replayed(receipt: [UInt8])
    /// Entries before the batch are missing here.
    case gap(nextSeq: Int64, head: [UInt8])
    /// Another history than the one held. The batch is in quarantine, the ledger as it was.
    case fork(epoch: Int64, nextSeq: Int64, head: [UInt8])
}

/// Where a device's chain and its chain of receipts stand.
struct HeldHead: Hashable, Sendable {
    var epoch: Int64
    var nextSeq: Int64
    var hash: [UInt8]
    var receipts: Int64
    var receiptHash: [UInt8]
}

/// Decides what a batch is to the chain held. Plain: the store does what it says.
///
/// - Source: the receiver's algorithm of the sync design, C.4.
enum SyncVerdict: Hashable, Sendable {
    /// Take the entries behind the first `overlap`.
    case append(overlap: Int)
    /// All of it is held, if the hash held at its last entry is its head's.
    case replay
    case gap
    case fork

    static func of(_ batch: VerifiedBatch, at held: HeldHead) -> SyncVerdict {
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
