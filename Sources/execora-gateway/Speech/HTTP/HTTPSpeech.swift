import AsyncHTTPClient
import Conversation
import JSONText
import Logging

/// Speech recognition by a server in the form of OpenAI's `audio/transcriptions`: OpenAI itself, or one of the many that
/// speak so. The clip goes up as the Ogg Opus file it is.
struct HTTPSpeech: SpeechToText {
    static let textCharactersMax = 2000
    /// The plain form tells no probability. A little over the 650 from which the device believes a transcript.
    static let confidenceUntold: Int64 = 700

    private let url: String
    private let model: String
    private let language: String?
    private let call: ProviderCall

    init(_ configuration: SpeechConfiguration.HTTP, call: ProviderCall) {
        url = configuration.url.withoutSlash + "/audio/transcriptions"
        model = configuration.model
        language = configuration.language
        self.call = call
    }

    var name: String { "http" }

    func transcribe(_ speech: SpeechClip) async throws -> [TurnReply.Transcript] {
        let form = TranscriptionForm.of(speech, model: model, language: language)
        let started = ContinuousClock.now
        let body = try await call.send(.post(url, contentType: form.contentType, form.bytes), turn: speech.turn)
        guard let json = try? JSONValue(parsing: body), let text = json["text"]?.string,
            text.count <= Self.textCharactersMax
        else { throw SpeechError.broken(reason: "answer without a text") }
        return speech.transcripts(
            [(text, Self.confidenceUntold)],
            language: json["languages"]?[0]?.string ?? json["language"]?.string ?? language ?? "",
            engine: "http:\(model)", since: started)
    }
}

extension SpeechClip {
    /// What an engine answered, as the device wants it: the wake word taken off, nothing said left out, at most
    /// `TurnReply.transcriptsMax`.
    func transcripts(
        _ said: [(text: String, confidenceMilli: Int64)], language: String, engine: String,
        since started: ContinuousClock.Instant
    ) -> [TurnReply.Transcript] {
        let milliseconds = started.duration(to: .now).milliseconds
        let heard = said.compactMap { one -> TurnReply.Transcript? in
            let text = WakePhrase.stripped(from: one.text.trimmed, phrase: wakePhrase)
            guard !text.isEmpty else { return nil }
            return TurnReply.Transcript(
                text: text, confidenceMilli: max(0, min(1000, one.confidenceMilli)),
                language: language.count <= 16 ? language : "", engine: engine, model: "",
                milliseconds: milliseconds)
        }
        return Array(heard.prefix(TurnReply.transcriptsMax))
    }

    /// Key terms that fit what a vendor takes: the words of the shop, most useful first.
    func keyTerms(atMost count: Int, charactersMax: Int = 49, wordsMax: Int = 5) -> [String] {
        Array(
            vocabulary.filter {
                !$0.isEmpty && $0.count <= charactersMax && $0.split(separator: " ").count <= wordsMax
            }.prefix(count))
    }
}

extension String {
    var withoutSlash: String {
        var base = self
        while base.hasSuffix("/") { base.removeLast() }
        return base
    }
}
