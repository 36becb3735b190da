import Conversation
import JSONText

/// What gateway and speech service say to each other over one socket. Both sides count in big-endian.
///
/// To the service: first its own source (u32 length, bytes; closed reading and grammar included), which `python -c` reads and runs; then requests: u32 length
/// of a JSON object, u32 length of the audio, the object, the audio (s16le, 16 kHz mono).
/// From it: u32 length, JSON object. The first says `ready` or `refused`; then one a request, in their order.
enum WhisperFraming {
    /// An answer is a few transcripts; more is not ours.
    static let answerBytesMax = 64 * 1024

    /// The parts of the service as one program: the command grammar as a text of it, the closed reading, the service.
    static func program(grammar: [UInt8], closed: [UInt8], service: [UInt8]) -> [UInt8] {
        precondition(!grammar.contains(UInt8(ascii: "\\")), "the grammar stands in a plain Python text")
        let source = Array("COMMANDS = \"\"\"".utf8) + grammar + Array("\"\"\"\n".utf8) + closed + service
        return word(source.count) + source
    }

    static func request(_ clip: SpeechClip) -> [UInt8] {
        let head: JSONValue = [
            "language": .string(clip.language), "vocabulary": .array(clip.vocabulary.map { .string($0) }),
            "people": .integer(Int64(clip.people)), "wake_phrase": JSONValue(clip.wakePhrase),
        ]
        let json = head.bytes
        var frame = word(json.count) + word(clip.samples.count * 2) + json
        frame.reserveCapacity(frame.count + clip.samples.count * 2)
        for sample in clip.samples {
            frame.append(UInt8(truncatingIfNeeded: sample))
            frame.append(UInt8(truncatingIfNeeded: sample >> 8))
        }
        return frame
    }

    /// Length of the answer that the four bytes announce; nil when over the maximum.
    static func answerLength(_ head: ArraySlice<UInt8>) -> Int? {
        let length = head.reduce(0) { $0 << 8 | Int($1) }
        return length <= answerBytesMax ? length : nil
    }

    static func greeting(_ json: JSONValue) -> Greeting? {
        if let reason = json["refused"]?.string { return .refused(reason: reason) }
        guard let milliseconds = json["ready"]?.integer else { return nil }
        return .ready(loadMilliseconds: milliseconds)
    }

    enum Greeting: Equatable {
        case ready(loadMilliseconds: Int64)
        case refused(reason: String)
    }

    /// - Throws: `SpeechError.broken` when the service answered what it should not.
    static func transcripts(_ json: JSONValue, model: String) throws(SpeechError) -> [TurnReply.Transcript] {
        if let reason = json["failed"]?.string { throw .broken(reason: reason) }
        guard let list = json["transcripts"]?.array, list.count <= TurnReply.transcriptsMax,
            let milliseconds = json["milliseconds"]?.integer
        else { throw .broken(reason: "answer without transcripts") }
        var transcripts: [TurnReply.Transcript] = []
        for item in list {
            guard let text = item["text"]?.string, let confidence = item["confidence"]?.integer,
                (0...1000).contains(confidence), let language = item["language"]?.string
            else { throw .broken(reason: "unreadable transcript") }
            // The closed reading is another voter: it can only say commands.
            let engine = item["reading"]?.string == "grammar" ? WhisperModel.closedEngine : WhisperModel.engine
            transcripts.append(
                .init(
                    text: text, confidenceMilli: confidence, language: language, engine: engine, model: model,
                    milliseconds: milliseconds))
        }
        return transcripts
    }

    private static func word(_ count: Int) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: count >> $0) }
    }
}
