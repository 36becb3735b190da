import Ledger

/// What was heard in one turn, as text.
public struct Utterance: Hashable, Sendable {
    /// The best transcript, any script.
    public var text: String
    /// How sure the speech engine was, 0 to 1000.
    public var confidenceMilli: Int64
    /// The turn it was said in. Command ids come from it, so the same turn handed in twice writes once.
    public var turn: ULID?
    /// True when it comes from the spool: read back and asked about, never executed silently.
    public var isLate: Bool
    /// Other transcripts of the same sound. They are parsed too and have a vote.
    public var alternatives: [Alternative]
    /// Where the words come from.
    public var origin: Origin
    /// Who wrote `text` down: one engine told to keep to one language is one voter.
    public var voter: String
    /// SHA-256 of the best transcript, kept as evidence in the events of the turn; the words are not.
    public var transcriptHash: [UInt8]?

    /// What language models made of the words: one more voter between them, never enough alone.
    public var opinions: [TurnOpinion]

    /// Typed words are what somebody meant; words heard by an engine are one opinion of what was said.
    public enum Origin: Hashable, Sendable {
        case written, heard
    }

    /// Another transcript. Second thoughts of one voter have one vote between them.
    public struct Alternative: Hashable, Sendable {
        public var text: String
        public var voter: String
        /// How sure its engine was, 0 to 1000.
        public var confidenceMilli: Int64

        public init(_ text: String, voter: String, confidenceMilli: Int64 = 1000) {
            self.text = text
            self.voter = voter
            self.confidenceMilli = confidenceMilli
        }
    }

    public init(
        text: String, confidenceMilli: Int64 = 1000, turn: ULID? = nil, isLate: Bool = false,
        alternatives: [Alternative] = [], origin: Origin = .written, voter: String = "",
        opinions: [TurnOpinion] = []
    ) {
        self.text = text
        self.confidenceMilli = confidenceMilli
        self.turn = turn
        self.isLate = isLate
        self.alternatives = alternatives
        self.origin = origin
        self.voter = voter
        self.opinions = opinions
    }

    /// Scalars of a transcript that are read; what is longer is cut. A minute of fast speech is about 900.
    public static let scalarsMax = 1200
    /// Alternatives that are read; more are passed over.
    public static let alternativesMax = 8
}
