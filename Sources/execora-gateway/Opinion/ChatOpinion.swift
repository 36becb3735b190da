import AsyncHTTPClient
import Conversation
import JSONText
import Logging
import Synchronization

/// A language model behind OpenAI's chat completions, asked what a turn meant. Its word is checked by `TurnOpinion` and is
/// one vote on the device; when it fails, the turn is answered without it.
final class ChatOpinion: Sendable {
    private let configuration: OpinionConfiguration
    private let url: String
    private let call: ProviderCall
    private let meter: ProviderMeter
    private let logger: Logger
    private let breaker = Mutex(CircuitBreaker())

    init(_ configuration: OpinionConfiguration, call: ProviderCall, meter: ProviderMeter, logger: Logger) {
        self.configuration = configuration
        url = configuration.url.withoutSlash + "/chat/completions"
        self.call = call
        self.meter = meter
        self.logger = logger
    }

    /// - Throws: `SpeechError.refused` when the key file cannot be read.
    convenience init(_ configuration: OpinionConfiguration, meter: ProviderMeter, logger: Logger) throws {
        let call = ProviderCall(
            secret: try configuration.keyFile.map { try ProviderSecret($0) },
            answerTimeMax: .milliseconds(configuration.timeoutMilliseconds), logger: logger)
        self.init(configuration, call: call, meter: meter, logger: logger)
    }

    /// Whether these transcripts leave a doubt that a second reader may settle.
    func isWanted(for heard: [TurnReply.Transcript]) -> Bool {
        guard let best = heard.first else { return false }
        return best.confidenceMilli < configuration.askBelowMilli || heard.dropFirst().contains { $0.text != best.text }
    }

    struct Answer: Equatable, Sendable {
        /// Nil when what it said may not be used.
        var opinion: TurnOpinion?
        /// What it cost, by its own count.
        var tokens: Int64
    }

    /// - Returns: nil when it gave no answer, whatever the reason; never throws but for cancellation.
    func opinion(on heard: [TurnReply.Transcript], _ clip: SpeechClip) async throws -> Answer? {
        guard breaker.withLock({ $0.admits(at: .now) }) else { return nil }
        do {
            let body = OpinionPrompt.body(heard, clip, configuration).bytes
            let answer = try await call.send(.post(url, contentType: "application/json", body), turn: clip.turn)
            breaker.withLock { $0.succeeded() }
            return read(answer, clip)
        } catch let error as CancellationError {
            breaker.withLock { $0.abandoned() }
            throw error
        } catch {
            let reason = error as? SpeechError
            breaker.withLock {
                if case .refused = reason { $0.failed(refused: true, at: .now) } else { $0.failed(at: .now) }
            }
            meter.failed("llm")
            logger.warning(
                "the language model gave no opinion",
                metadata: ["turn": "\(clip.turn)", "reason": "\(reason.map { "\($0)" } ?? "\(type(of: error))")"])
            return nil
        }
    }

    private func read(_ bytes: [UInt8], _ clip: SpeechClip) -> Answer {
        guard let json = try? JSONValue(parsing: bytes) else { return refused("not JSON", clip) }
        let tokens = max(0, json["usage"]?["total_tokens"]?.integer ?? 0)
        if tokens > 0 { meter.tokens(tokens, of: "llm", shop: clip.shopHash) }
        guard let choice = json["choices"]?[0], choice["finish_reason"]?.string == "stop",
            choice["message"]?["refusal"]?.string == nil, let content = choice["message"]?["content"]?.string
        else { return refused("no whole answer", clip, tokens) }
        do {
            let opinion = try TurnOpinion(json: JSONValue(parsing: content), engine: "llm:\(configuration.model)")
            return Answer(opinion: opinion, tokens: tokens)
        } catch { return refused("outside the schema", clip, tokens) }
    }

    private func refused(_ reason: String, _ clip: SpeechClip, _ tokens: Int64 = 0) -> Answer {
        logger.info("an opinion was not usable", metadata: ["turn": "\(clip.turn)", "reason": "\(reason)"])
        return Answer(opinion: nil, tokens: tokens)
    }
}
