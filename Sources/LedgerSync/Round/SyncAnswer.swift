import Ledger

/// A batch on its way out, with what the request carries beside it.
public struct OutgoingBatch: Hashable, Sendable {
    /// Names this try; comes back with the answer. Every try of the same events has a new one.
    public var id: ULID
    /// W3C trace context; the trace id is `id`'s bytes in hex.
    public var traceparent: String
    /// Body of `POST /v1/sync`, `contentType`.
    public var bytes: [UInt8]
    public var epoch: Int64
    public var firstSeq: Int64
    public var lastSeq: Int64

    public static let contentType = "application/x-execora-batch"
}

/// What became of one try.
public enum SyncAnswer: Hashable, Sendable {
    /// A complete HTTP answer.
    case answered(status: Int, body: [UInt8], retryAfterSeconds: Int64?)
    /// No answer: no line, refused by TLS, cut, too slow. Whether the gateway stored the batch is unknown.
    case lost
}

/// The one door to the cloud. The daemon fills it with its link.
public protocol SyncDoor: AnyObject {
    /// Takes a batch to be sent and returns at once. The answer goes to `SyncRunner.answered`, on the book's thread,
    /// at most once; a try without an answer is given up after `SyncConfiguration.answerMilliseconds`.
    func send(_ batch: OutgoingBatch)
}

/// What sync asks of the book. `LedgerStore` is the one on SQLite.
public protocol SyncBook: AnyObject {
    func head() throws(BookError) -> ChainHead
    /// Events behind `seq` in an epoch, in order, at most `limit`.
    func events(after seq: Int64, epoch: Int64, limit: Int) throws(BookError) -> [StoredEvent]
    func cursor() throws(BookError) -> SyncCursor
    func advance(to cursor: SyncCursor) throws(BookError)
}
