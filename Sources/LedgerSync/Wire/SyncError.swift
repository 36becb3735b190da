// LedgerSync: stored events enter, signed batches leave; receipts enter, the cursor moves.
// Batch and receipt are read and written here for both sides, device and gateway, so there is one definition.
// No thread of its own: the runner belongs to the book's thread; batches and receipts are values.
// Largest it holds: one batch in flight (96 kB, `SyncLimits.wireBytesMax`) and the events it came from.

/// Why a batch or receipt is not taken, shaped by what each side does about it.
public enum SyncError: Error, Equatable {
    /// Bytes that are no envelope of this form, or not in the one canonical encoding. The gateway answers 400.
    case malformed(String)
    /// Past a limit of `SyncLimits`, by name. 413.
    case tooLarge(String)
    /// Signed by another key, or changed on the way. 422.
    case notAuthentic
    /// Well signed, but the events do not chain to the head the header names. 422.
    case brokenChain(seq: Int64)

    /// What the gateway answers.
    public var httpStatus: Int {
        switch self {
        case .malformed: 400
        case .tooLarge: 413
        case .notAuthentic, .brokenChain: 422
        }
    }

    /// One word for the wire and the logs.
    public var code: String {
        switch self {
        case .malformed: "malformed"
        case .tooLarge: "too_large"
        case .notAuthentic: "signature"
        case .brokenChain: "chain"
        }
    }
}

/// What one batch may be at most. The gateway refuses more; the device never makes more.
public enum SyncLimits {
    public static let eventsMax = 1000
    /// Payload before compression. With no compression the wire's limit is reached first.
    public static let payloadBytesMax = 256 * 1024
    /// The whole envelope.
    public static let wireBytesMax = 96 * 1024
    /// One event. A longer one is never sent: sync waits before it and the technician is called (`SyncEvent.parked`).
    public static let eventBytesMax = 8 * 1024
    public static let headerBytesMax = 512
    /// A receipt, with its signature.
    public static let receiptBytesMax = 1024

    /// Magic, header length, signature.
    static let fixedBytes = 4 + 2 + 64
}
