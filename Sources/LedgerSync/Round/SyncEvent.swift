import Ledger

/// What sync did, for the log, the trace and the technician. Identifiers, places and codes; never what an entry says.
public enum SyncEvent: Equatable, Sendable {
    case sent(ULID, firstSeq: Int64, lastSeq: Int64, bytes: Int)
    /// Stored on both sides: the cursor has moved.
    case receipted(ULID, Receipt, roundMilliseconds: Int64)
    /// The gateway holds what this book has a receipt for already: an idle round, or after `serverRollback`.
    case confirmed(ULID, Receipt, roundMilliseconds: Int64)
    /// The next try comes after so long.
    case failed(SyncDriver.Failure, retryMilliseconds: Int64)
    /// The gateway refuses this one entry (or it is too long to be sent). Alarm; selling goes on, entries behind it
    /// stay here.
    case parked(seq: Int64)
    /// The gateway lost what it had receipted; it is being sent again.
    case serverRollback(nextSeq: Int64, receiptedSeq: Int64)
    /// Alarm; see `SyncDriver.StopReason`.
    case stopped(SyncDriver.StopReason)
    /// The book refused to be read or written, or is no chain. Alarm.
    case bookFailed(BookError)
}

/// The times a round is made at.
public struct SyncMoment: Hashable, Sendable {
    /// A clock that runs through sleep (CLOCK_BOOTTIME) and is never set.
    public var monotonicMilliseconds: Int64
    public var wall: WallTime
    /// As in `SyncCircumstances`.
    public var wallQuality: Int64

    public init(monotonicMilliseconds: Int64, wall: WallTime, wallQuality: Int64) {
        self.monotonicMilliseconds = monotonicMilliseconds
        self.wall = wall
        self.wallQuality = wallQuality
    }
}
