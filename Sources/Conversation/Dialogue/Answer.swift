import JSONText
import Ledger

/// What the counter answers to one utterance: what it understood, what it wrote and what it says.
///
/// `slots`, `speech` and `spoken` hold personal data: for the trace at service level and the speaker, never a log.
public struct Answer: Equatable, Sendable {
    /// As in the table of intents, or nil for keypad and clock.
    public var intent: String?
    /// Slot name to value: amounts in paise, quantities in thousandths, moments in ISO 8601 with offset.
    public var slots: JSONValue
    /// "OK", "CONFIRMATION_NEEDED", "CUSTOMER_NOT_FOUND", ... or nil.
    public var code: String?
    /// The line in Roman script with digits.
    public var speech: String
    /// The line for the voice: the same words unless the voice needs other ones.
    public var spoken: String
    public var confidenceMilli: Int64
    /// True when an answer is awaited: the ear opens without a wake word.
    public var opensEar: Bool
    public var gate: Gate
    /// Facts that are on flash now, in the order they were written.
    public var committed: [Committed]
    public var earcon: Earcon

    /// What is open after the answer.
    public enum Gate: String, Sendable {
        case none
        /// A yes or a no settles a written-down command.
        case yesNo = "yes-no"
        /// A bill was read back; a yes commits it.
        case draft
        /// One of several customers or drafts is to be named.
        case which
        /// Something is missing: an amount, a name, items.
        case slot
        /// Not understood or not sure: to be said again.
        case again = "repeat"
    }

    /// The sound before the words. A failure must not sound like a success.
    public enum Earcon: String, Sendable {
        case done, question, failure
    }

    public init(
        intent: String?, slots: JSONValue = .object([]), code: String?, speech: String, spoken: String? = nil,
        confidenceMilli: Int64 = 1000, opensEar: Bool = false, gate: Gate = .none, committed: [Committed] = [],
        earcon: Earcon = .done
    ) {
        self.intent = intent
        self.slots = slots
        self.code = code
        self.speech = speech
        self.spoken = spoken ?? speech
        self.confidenceMilli = confidenceMilli
        self.opensEar = opensEar
        self.gate = gate
        self.committed = committed
        self.earcon = earcon
    }
}
