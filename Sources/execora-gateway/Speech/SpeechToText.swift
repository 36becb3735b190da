import Conversation
import Ledger
import ServiceLifecycle

/// The door to speech recognition. One value serves all turns at once; it bounds its own queue.
///
/// `run()` (of `Service`) keeps what the provider needs alive, such as a child process with a model, until
/// graceful shutdown; `serve` runs it beside the listeners. A provider that keeps nothing leaves the default.
protocol SpeechToText: Service {
    /// The words of one clip, best first, at most `TurnReply.transcriptsMax`; empty when nothing was said.
    ///
    /// - Throws: `SpeechError`; the turn is then answered with the verdict `failed`.
    func transcribe(_ speech: SpeechClip) async throws -> [TurnReply.Transcript]

    /// Whether a clip given now would be worked on at once; `/readyz` tells it on.
    var isReady: Bool { get async }

    /// As the configuration calls it ("deepgram"): for logs, metrics and prices.
    var name: String { get }
}

extension SpeechToText {
    var isReady: Bool { get async { true } }

    func run() async throws { try? await gracefulShutdown() }
}

/// What was said in one turn, whole, in both forms that providers take.
struct SpeechClip: Sendable {
    /// 16 kHz, mono; at most `TurnLimits.audioMaximum`.
    var samples: [Int16]
    /// The same as an Ogg Opus file (RFC 7845), for providers that take files.
    var oggOpus: [UInt8]
    /// "hi-en", "hi", "en".
    var language: String
    /// Bare words: names and products of the shop.
    var vocabulary: [String]
    /// So many of them, the first, are people.
    var people = 0
    var turn: ULID
    /// The wake word that opens the clip, as it is spoken ("okay nabu"); nil for a follow-up or a button.
    /// A recogniser that knows it takes it for granted and answers with what follows.
    var wakePhrase: String?
    /// Eight hex digits that stand for the shop in metrics; empty outside a turn.
    var shopHash = ""

    /// How the wake word of a model is spoken: its name in words.
    static func phrase(ofModel name: String) -> String {
        name.split(whereSeparator: { $0 == "_" || $0 == "-" || $0 == " " }).joined(separator: " ")
    }
}

/// Why a clip has no transcript, shaped by what may be done.
enum SpeechError: Error, Equatable {
    /// Starting, restarting or over its queue: the next provider, or the same one later.
    case busy
    /// No answer within the provider's deadline.
    case timedOut
    /// The provider said no: key, quota, unknown model. `reason` holds no speech and no key.
    case refused(reason: String)
    /// The provider answered what cannot be read, or ended in the middle.
    case broken(reason: String)
}
