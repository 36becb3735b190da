import JSONText
import Ledger

/// What a turn says of itself before its audio: the first thing on the wire of `POST /v1/turns`.
/// Shared by device and gateway. Sample indices are absolute indices of the capture ring at 16 kHz.
public struct TurnHello: Hashable, Sendable {
    public var turn: ULID
    /// Model name, score and cutoff in thousandths of the wake that opened it; nil for a follow-up or a button.
    public var wake: Wake?
    /// Index of the first sample sent (pre-roll included).
    public var firstSampleIndex: UInt64
    /// True when the audio waited in the spool: the answer is "late" and nothing is executed silently.
    public var isLate: Bool
    /// When it was spoken, by the device's clock.
    public var spokenAt: WallTime
    /// Bare words that help recognition: names and products of the shop, never whole commands.
    public var vocabulary: [String]
    /// So many words of the vocabulary, the first, are names of people; the rest are products.
    public var people: Int
    /// "hi-en", "hi", "en".
    public var language: String

    public struct Wake: Hashable, Sendable {
        public var model: String
        public var scoreMilli: Int64
        public var cutoffMilli: Int64
        public var startSampleIndex: UInt64
        public var endSampleIndex: UInt64

        public init(
            model: String, scoreMilli: Int64, cutoffMilli: Int64, startSampleIndex: UInt64, endSampleIndex: UInt64
        ) {
            self.model = model
            self.scoreMilli = scoreMilli
            self.cutoffMilli = cutoffMilli
            self.startSampleIndex = startSampleIndex
            self.endSampleIndex = endSampleIndex
        }
    }

    /// Most words of vocabulary a hello carries; the rest is left out, most recently used first.
    public static let vocabularyMax = 200
    public static let sampleRateHertz = 16_000
    public static let frameSamples = 320

    public init(
        turn: ULID, wake: Wake?, firstSampleIndex: UInt64, isLate: Bool, spokenAt: WallTime, vocabulary: [String],
        people: Int = 0, language: String
    ) {
        self.turn = turn
        self.wake = wake
        self.firstSampleIndex = firstSampleIndex
        self.isLate = isLate
        self.spokenAt = spokenAt
        self.vocabulary = Array(vocabulary.prefix(Self.vocabularyMax))
        self.people = max(0, min(people, self.vocabulary.count))
        self.language = language
    }
}

extension TurnHello {
    public var json: JSONValue {
        [
            "turn": .string(turn.description),
            "codec": "opus", "rate": .integer(Int64(Self.sampleRateHertz)), "frame": .integer(Int64(Self.frameSamples)),
            "wake": wake.map {
                [
                    "model": .string($0.model), "score": .integer($0.scoreMilli), "cutoff": .integer($0.cutoffMilli),
                    "start": .integer(Int64(clamping: $0.startSampleIndex)),
                    "end": .integer(Int64(clamping: $0.endSampleIndex)),
                ]
            } ?? .null,
            "first": .integer(Int64(clamping: firstSampleIndex)),
            "late": .bool(isLate), "spoken": .integer(spokenAt.rawValue), "language": .string(language),
            "vocabulary": .array(vocabulary.map { .string($0) }), "people": .integer(Int64(people)),
        ]
    }

    public init(json: JSONValue) throws(TurnWireError) {
        guard let turn = json["turn"]?.string.flatMap({ ULID($0) }),
            let first = json["first"]?.integer, first >= 0,
            let isLate = json["late"]?.bool, let spoken = json["spoken"]?.integer,
            let language = json["language"]?.string,
            let words = json["vocabulary"]?.array?.compactMap(\.string), words.count <= Self.vocabularyMax
        else { throw .malformed("hello") }
        guard json["codec"]?.string == "opus", json["rate"]?.integer == Int64(Self.sampleRateHertz),
            json["frame"]?.integer == Int64(Self.frameSamples)
        else { throw .malformed("codec") }
        var wake: Wake?
        if let told = json["wake"], !told.isNull {
            guard let model = told["model"]?.string, let score = told["score"]?.integer,
                let cutoff = told["cutoff"]?.integer, let start = told["start"]?.integer, start >= 0,
                let end = told["end"]?.integer, end >= 0
            else { throw .malformed("wake") }
            wake = Wake(
                model: model, scoreMilli: score, cutoffMilli: cutoff, startSampleIndex: UInt64(start),
                endSampleIndex: UInt64(end))
        }
        self.init(
            turn: turn, wake: wake, firstSampleIndex: UInt64(first), isLate: isLate,
            spokenAt: WallTime(milliseconds: spoken), vocabulary: words,
            // A device of before tells none: then nobody is known to be a person.
            people: Int(clamping: json["people"]?.integer ?? 0), language: language)
    }

    /// `traceparent` of W3C Trace Context: the turn id is the trace id, its low half the span id.
    public var traceparent: String {
        func hex(_ word: UInt64) -> String {
            let digits = String(word, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }
        return "00-\(hex(turn.high))\(hex(turn.low))-\(hex(turn.low | 1))-01"
    }
}

public enum TurnWireError: Error, Equatable {
    case malformed(String)
    case tooLarge(String)
}
