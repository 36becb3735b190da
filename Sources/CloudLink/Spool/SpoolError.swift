import Seals

/// Why the spool did not keep or give a turn. Apart from `LinkError`, as its callers do other things about it:
/// a full disk is said aloud, a damaged turn is counted.
public enum SpoolError: Error, Equatable, Sendable {
    /// No room on the disk. Nothing half-written stays.
    case diskFull
    /// The turn alone is over what the spool may hold, or over the framing's limits.
    case tooLarge
    /// The file is not what was stored, or was sealed with another key; it was set aside as `.bad`.
    case damaged
    /// No such turn, any more.
    case missing
    /// The file system refused: `errno` and the operation. For the technician.
    case file(code: Int32, operation: String)
    case seal(SealError)
}
