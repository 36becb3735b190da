import Ledger

/// When something is to happen, and which words said so.
public struct WhenReading: Hashable, Sendable {
    /// Always later than the moment it was read at.
    public var firesAt: WallTime
    /// ISO 8601 duration (PT5M, P1D, P1W, P1M), or nil for once.
    public var recurrence: String?
    /// The tokens that belong to the time: the amount of a reminder is not among them.
    public var used: Set<Int>
}

/// Reads reminder times as shops say them, in the shop's civil time (a fixed offset, Asia/Kolkata).
///
/// Rules: conversation.md, "Reminder times", and the acceptance suite's "Time".
public enum WhenReader {
    /// A day without an hour: 19:00. Monthly on a date: 09:00. Parts of the day: 9, 14, 18, 20.
    static let defaultHour: Int64 = 19
    static let monthlyHour: Int64 = 9
    /// Longest span or interval taken, in its own unit; beyond it the number was no span.
    static let countMax: Int64 = 999

    /// - Returns: nil when no time is said.
    public static func read(_ tokens: [Token], now: WallTime) -> WhenReading? {
        var scan = WhenScan(tokens)
        scan.run()
        guard scan.hasAny else { return nil }
        guard let (moment, recurrence) = WhenPlan(scan, now: CivilTime(now)).moment() else { return nil }
        return WhenReading(firesAt: moment.wallTime(), recurrence: recurrence, used: scan.used)
    }

    public static func read(_ text: String, now: WallTime) -> WhenReading? { read(Tokens(text).items, now: now) }
}
