import AsyncHTTPClient
import Conversation
import JSONText
import Logging
import NIOCore

/// Speech recognition by a server in the form of OpenAI's `audio/transcriptions`: OpenAI itself, or one of the many that
/// speak so. The clip goes up as the Ogg Opus file it is.
///
/// The key stands in the request's header and nowhere else; neither it nor what was said is logged, and of an error body
/// only its `code` is told on (the message may quote the key).
struct HTTPSpeech: SpeechToText {
    /// All tries together. When it passes: the turn goes to the next provider.
    static let answerTimeMax = Duration.seconds(15)
    /// A transcript is a few hundred bytes; verbose ones some kB.
    static let answerBytesMax = 256 * 1024
    static let textCharactersMax = 2000
    /// The plain form tells no probability. A little over the 650 from which the device believes a transcript.
    static let confidenceUntold: Int64 = 700

    private let url: String
    private let model: String
    private let language: String?
    private let key: String?
    private let client: HTTPClient
    private let answerTimeMax: Duration
    private let logger: Logger

    init(
        _ configuration: SpeechConfiguration.HTTP, key: String?, client: HTTPClient = .shared,
        answerTimeMax: Duration = answerTimeMax, logger: Logger
    ) {
        var base = configuration.url
        while base.hasSuffix("/") { base.removeLast() }
        url = base + "/audio/transcriptions"
        model = configuration.model
        language = configuration.language
        self.key = key
        self.client = client
        self.answerTimeMax = answerTimeMax
        self.logger = logger
    }

    func transcribe(_ speech: SpeechClip) async throws -> [TurnReply.Transcript] {
        let form = TranscriptionForm(speech, model: model, language: language)
        var request = HTTPClientRequest(url: url)
        request.method = .POST
        request.headers.add(name: "content-type", value: form.contentType)
        request.headers.add(name: "accept", value: "application/json")
        if let key { request.headers.add(name: "authorization", value: "Bearer \(key)") }
        request.body = .bytes(form.bytes, length: .known(Int64(form.bytes.count)))

        let started = ContinuousClock.now
        let deadline = started + answerTimeMax
        for number in 1... {
            let (outcome, body) = try await attempt(request, by: deadline)
            switch RetryRule.step(after: outcome, try: number) {
            case .take:
                return try transcripts(body, clip: speech, milliseconds: started.duration(to: .now).milliseconds)
            case .giveUp(let error): throw error
            case .again(let pause):
                guard ContinuousClock.now + pause < deadline else { throw SpeechError.timedOut }
                logger.info("speech request is tried again", metadata: ["turn": "\(speech.turn)", "try": "\(number)"])
                try await Task.sleep(for: pause)
            }
        }
        throw SpeechError.timedOut
    }

    private func attempt(
        _ request: HTTPClientRequest, by deadline: ContinuousClock.Instant
    ) async throws -> (RetryRule.Outcome, [UInt8]) {
        let left = (deadline - .now).milliseconds
        guard left > 0 else { throw SpeechError.timedOut }
        do {
            let response = try await client.execute(request, timeout: .milliseconds(left))
            var bytes: [UInt8] = []
            for try await part in response.body {
                bytes += part.readableBytesView
                guard bytes.count <= Self.answerBytesMax else { throw SpeechError.broken(reason: "answer too long") }
            }
            // The client's own deadline may fire late on a busy machine; ours is the clock's.
            if ContinuousClock.now >= deadline { throw SpeechError.timedOut }
            let code = (try? JSONValue(parsing: bytes))?["error"]?["code"]?.string.flatMap(Self.plainCode)
            let seconds = response.headers.first(name: "retry-after").flatMap { Int($0) }.flatMap { $0 >= 0 ? $0 : nil }
            return (.status(Int(response.status.code), code: code, retryAfterSeconds: seconds), bytes)
        } catch let error as SpeechError {
            throw error
        } catch let error as CancellationError {
            throw error
        } catch let error as HTTPClientError {
            if Task.isCancelled { throw CancellationError() }
            if error == .deadlineExceeded || error == .readTimeout { throw SpeechError.timedOut }
            return (.noConnection, [])
        } catch {
            if ContinuousClock.now >= deadline { throw SpeechError.timedOut }
            return (.noConnection, [])
        }
    }

    private func transcripts(
        _ body: [UInt8], clip: SpeechClip, milliseconds: Int64
    ) throws(SpeechError) -> [TurnReply.Transcript] {
        guard let json = try? JSONValue(parsing: body), let text = json["text"]?.string,
            text.count <= Self.textCharactersMax
        else { throw .broken(reason: "answer without a text") }
        let said = WakePhrase.stripped(from: text.trimmed, phrase: clip.wakePhrase)
        guard !said.isEmpty else { return [] }
        let heard = json["languages"]?[0]?.string ?? json["language"]?.string ?? language ?? ""
        return [
            TurnReply.Transcript(
                text: said, confidenceMilli: Self.confidenceUntold, language: heard.count <= 16 ? heard : "",
                engine: "http:\(model)", model: "", milliseconds: milliseconds)
        ]
    }

    /// An error's code when it is one: a short word, nothing that could carry a secret.
    private static func plainCode(_ text: String) -> String? {
        guard text.utf8.count <= 48,
            text.utf8.allSatisfy({
                ($0 | 0x20 >= UInt8(ascii: "a") && $0 | 0x20 <= UInt8(ascii: "z")) || $0 == UInt8(ascii: "_")
            })
        else { return nil }
        return text
    }
}
