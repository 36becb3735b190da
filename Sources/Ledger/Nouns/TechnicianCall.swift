/// What a technician did at the counter, as it stands in the journal for ever: who, what, how it ended. No parameters, no
/// answers, no name: a person is told by the machine's user number and by the mark of the token that was shown.
public struct TechnicianCall: Hashable, Sendable {
    /// Longest text of each field, bytes; longer is refused.
    public static let textBytesMax = 64

    /// Name in the socket's table, "audio.record".
    public var method: String
    /// "tech" or "service".
    public var level: String
    /// The caller's user number, as the kernel says; -1 where nobody called (the button was held).
    public var uid: Int64
    /// First 8 bytes of SHA-256 of the token shown, in hex; nil where none was.
    public var token: String?
    /// "ok", "failed" or "refused".
    public var result: String
    /// Equal calls in the minute that this record stands for, 1 or more.
    public var times: Int64

    public init(method: String, level: String, uid: Int64, token: String?, result: String, times: Int64) {
        self.method = method
        self.level = level
        self.uid = uid
        self.token = token
        self.result = result
        self.times = times
    }
}
