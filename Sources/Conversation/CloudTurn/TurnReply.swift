import JSONText
import Ledger

/// What the gateway made of a turn: words, never deeds.
public struct TurnReply: Hashable, Sendable {
    public var turn: ULID
    public var verdict: Verdict
    /// Best first. Empty when nothing was understood.
    public var transcripts: [Transcript]
    /// What language models made of the words; each is one more vote, none decides alone.
    public var opinions: [TurnOpinion]
    /// Milliseconds from the last audio byte to this reply being made, by the gateway's clock.
    public var milliseconds: Int64

    public enum Verdict: String, Hashable, Sendable {
        case heard, late, rejected, failed
    }

    public struct Transcript: Hashable, Sendable {
        public var text: String
        /// 0 to 1000.
        public var confidenceMilli: Int64
        /// "hi", "en" as the engine heard it, with the script where it was told to keep to one ("hi-Deva", "hi-Latn");
        /// empty when it did not say.
        public var language: String
        public var engine: String
        /// SHA-256 of the model, hex, where the engine tells.
        public var model: String
        public var milliseconds: Int64

        public init(
            text: String, confidenceMilli: Int64, language: String, engine: String, model: String, milliseconds: Int64
        ) {
            self.text = text
            self.confidenceMilli = confidenceMilli
            self.language = language
            self.engine = engine
            self.model = model
            self.milliseconds = milliseconds
        }
    }

    public init(
        turn: ULID, verdict: Verdict, transcripts: [Transcript], opinions: [TurnOpinion] = [], milliseconds: Int64
    ) {
        self.turn = turn
        self.verdict = verdict
        self.transcripts = transcripts
        self.opinions = opinions
        self.milliseconds = milliseconds
    }

    public static let transcriptsMax = 8
    public static let opinionsMax = 4

    public var json: JSONValue {
        [
            "turn": .string(turn.description), "verdict": .string(verdict.rawValue),
            "milliseconds": .integer(milliseconds),
            "transcripts": .array(
                transcripts.map {
                    [
                        "text": .string($0.text), "confidence": .integer($0.confidenceMilli),
                        "language": .string($0.language), "engine": .string($0.engine), "model": .string($0.model),
                        "milliseconds": .integer($0.milliseconds),
                    ]
                }),
            "opinions": .array(opinions.map(\.json)),
        ]
    }

    /// The gateway's word is checked like anybody's.
    public init(json: JSONValue) throws(TurnWireError) {
        guard let turn = json["turn"]?.string.flatMap({ ULID($0) }),
            let verdict = json["verdict"]?.string.flatMap({ Verdict(rawValue: $0) }),
            let milliseconds = json["milliseconds"]?.integer,
            let list = json["transcripts"]?.array, list.count <= Self.transcriptsMax
        else { throw .malformed("reply") }
        var transcripts: [Transcript] = []
        for item in list {
            guard let text = item["text"]?.string, let confidence = item["confidence"]?.integer,
                (0...1000).contains(confidence), let language = item["language"]?.string,
                let engine = item["engine"]?.string, let model = item["model"]?.string,
                let taken = item["milliseconds"]?.integer
            else { throw .malformed("transcript") }
            transcripts.append(
                Transcript(
                    text: text, confidenceMilli: confidence, language: language, engine: engine, model: model,
                    milliseconds: taken))
        }
        // A gateway of before opinions sends none.
        let said = json["opinions"]?.array ?? []
        guard said.count <= Self.opinionsMax else { throw .malformed("reply") }
        var opinions: [TurnOpinion] = []
        for opinion in said { opinions.append(try TurnOpinion(json: opinion)) }
        self.init(
            turn: turn, verdict: verdict, transcripts: transcripts, opinions: opinions, milliseconds: milliseconds)
    }
}
