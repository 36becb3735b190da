import Ledger

/// How careful the counter is. The defaults are the rules of the shop; a device may be stricter, not laxer.
public struct DialogueConfiguration: Sendable {
    /// Amounts above this are asked about first. Default 5000 rupees (which itself passes).
    public var askAbove = Paise(500_000)
    /// Below this confidence nothing is executed. Default 650 of 1000.
    public var repeatBelowMilli: Int64 = 650
    /// An open question lapses after this many seconds. Default 180; it may be shortened.
    public var questionLapsesSeconds: Int64 = 180
    /// Tells whether what was typed on the keypad is the owner's PIN. Default: nobody knows it, so no deletion.
    public var isOwnerPIN: @Sendable (String) -> Bool = { _ in false }

    public init() {}
}
