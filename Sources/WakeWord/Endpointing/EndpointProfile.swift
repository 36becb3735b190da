/// When a turn ends. Three named sets; every number can be set, and the one that ended a turn is in its trace.
public struct EndpointProfile: Sendable, Equatable {
    public var name: String
    /// Silence behind the last word that ends the turn.
    public var hangoverMilliseconds: Int
    /// No word for so long cancels the turn.
    public var noSpeechMilliseconds: Int
    /// From here on the first short pause ends the turn.
    public var softCapMilliseconds: Int
    /// The turn ends here whatever is said: speech services refuse more than 30 s.
    public var hardCapMilliseconds: Int
    /// Less than this is a cough.
    public var leastSpeechMilliseconds: Int

    public init(
        name: String, hangoverMilliseconds: Int, noSpeechMilliseconds: Int = 4_000, softCapMilliseconds: Int = 15_000,
        hardCapMilliseconds: Int = 28_000, leastSpeechMilliseconds: Int = 250
    ) {
        precondition(hangoverMilliseconds > 0 && noSpeechMilliseconds > 0)
        precondition(softCapMilliseconds <= hardCapMilliseconds)
        self.name = name
        self.hangoverMilliseconds = hangoverMilliseconds
        self.noSpeechMilliseconds = noSpeechMilliseconds
        self.softCapMilliseconds = softCapMilliseconds
        self.hardCapMilliseconds = hardCapMilliseconds
        self.leastSpeechMilliseconds = leastSpeechMilliseconds
    }

    public static let normal = EndpointProfile(name: "normal", hangoverMilliseconds: 700)
    /// When the other side has understood a stable sentence already.
    public static let quick = EndpointProfile(name: "quick", hangoverMilliseconds: 500)
    /// For lists of items and numbers, with time to look at the shelf.
    public static let dictation = EndpointProfile(name: "dictation", hangoverMilliseconds: 1_200)
    /// The answer to the counter's own question.
    public static let followUp = EndpointProfile(
        name: "follow-up", hangoverMilliseconds: 700, noSpeechMilliseconds: 6_000)

    /// While a talk button is held down the silence ends nothing; letting go does.
    public static let held = EndpointProfile(
        name: "held", hangoverMilliseconds: 28_000, noSpeechMilliseconds: 28_000, softCapMilliseconds: 28_000)

    /// The set with that name.
    public static func named(_ name: String) -> EndpointProfile? {
        [normal, quick, dictation, followUp].first { $0.name == name }
    }
}

/// How the ear ended a turn. A button, the server or an interruption end it from outside.
public struct Endpoint: Sendable, Equatable {
    public enum Reason: String, Sendable, CaseIterable {
        case silence
        /// Nobody spoke: cancel with a soft tone.
        case noSpeech = "no_speech"
        case softCap = "soft_cap"
        case hardCap = "hard_cap"
        /// The talk button was let go.
        case button
    }

    public var reason: Reason
    /// Absolute indices; nil when nobody spoke.
    public var speechStart: UInt64?
    public var speechEnd: UInt64?
    /// Index behind the last sample of the turn.
    public var endSample: UInt64

    public init(reason: Reason, speechStart: UInt64?, speechEnd: UInt64?, endSample: UInt64) {
        self.reason = reason
        self.speechStart = speechStart
        self.speechEnd = speechEnd
        self.endSample = endSample
    }
}
