import AsyncHTTPClient
import Conversation
import JSONText

/// Sarvam AI over REST: a multipart form with the Ogg Opus file, 30 s at most. Source: docs.sarvam.ai, `sarvamai` 0.1.39.
struct SarvamSpeech: SpeechToText {
    static let keyTermsMax = 100
    static let samplesMax = 30 * 16_000

    private let url: String
    private let model: String
    private let language: String?
    private let call: ProviderCall

    init(_ configuration: SpeechConfiguration.Vendor, call: ProviderCall) {
        url = (configuration.url ?? "https://api.sarvam.ai").withoutSlash + "/speech-to-text"
        model = configuration.model ?? "saaras:v4"
        language = configuration.language
        self.call = call
    }

    var name: String { "sarvam" }

    func transcribe(_ speech: SpeechClip) async throws -> [TurnReply.Transcript] {
        guard speech.samples.count <= Self.samplesMax else { throw SpeechError.refused(reason: "longer than 30 s") }
        var form = MultipartForm(boundary: "execora-\(speech.turn)")
        form.add("model", model)
        // Hindi words in Devanagari, English ones in Latin letters: as mixed speech is written.
        form.add("mode", speech.language == "en" ? "transcribe" : "codemix")
        // Commands are short, and detection wants 3 s: the language is always told.
        form.add("language_code", language ?? (speech.language == "en" ? "en-IN" : "hi-IN"))
        for term in speech.keyTerms(atMost: Self.keyTermsMax) { form.add("keyterms", term) }
        form.addOgg("file", speech.oggOpus)
        let started = ContinuousClock.now
        let body = try await call.send(.post(url, contentType: form.contentType, form.bytes), turn: speech.turn)
        guard let json = try? JSONValue(parsing: body), let text = json["transcript"]?.string,
            text.count <= HTTPSpeech.textCharactersMax
        else { throw SpeechError.broken(reason: "answer without a transcript") }
        return speech.transcripts(
            [(text, HTTPSpeech.confidenceUntold)], language: json["language_code"]?.string ?? "",
            engine: "sarvam:\(model)", since: started)
    }
}
