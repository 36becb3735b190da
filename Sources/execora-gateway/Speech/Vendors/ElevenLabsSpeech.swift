import AsyncHTTPClient
import Conversation
import Glibc
import JSONText

/// ElevenLabs Scribe over REST: a multipart form with the Ogg Opus file. Source: elevenlabs/elevenlabs-python @54e5899.
struct ElevenLabsSpeech: SpeechToText {
    static let keyTermsMax = 200

    private let url: String
    private let model: String
    private let language: String?
    private let call: ProviderCall

    init(_ configuration: SpeechConfiguration.Vendor, call: ProviderCall) {
        url =
            (configuration.url ?? "https://api.elevenlabs.io").withoutSlash + "/v1/speech-to-text?enable_logging=false"
        model = configuration.model ?? "scribe_v2"
        language = configuration.language
        self.call = call
    }

    var name: String { "elevenlabs" }

    func transcribe(_ speech: SpeechClip) async throws -> [TurnReply.Transcript] {
        var form = MultipartForm(boundary: "execora-\(speech.turn)")
        form.add("model_id", model)
        // Left out, the language is detected: right for a mix of two.
        if let language = language ?? (speech.language.count == 2 ? speech.language : nil) {
            form.add("language_code", language)
        }
        form.add("timestamps_granularity", "word")
        form.add("file_format", "other")
        for term in speech.keyTerms(atMost: Self.keyTermsMax) { form.add("keyterms", term) }
        form.addOgg("file", speech.oggOpus)
        let started = ContinuousClock.now
        let body = try await call.send(.post(url, contentType: form.contentType, form.bytes), turn: speech.turn)
        guard let json = try? JSONValue(parsing: body), let text = json["text"]?.string,
            text.count <= HTTPSpeech.textCharactersMax
        else { throw SpeechError.broken(reason: "answer without a text") }
        return speech.transcripts(
            [(text, Self.confidence(json["words"]?.array ?? []))], language: json["language_code"]?.string ?? "",
            engine: "elevenlabs:\(model)", since: started)
    }

    /// The geometric mean of the words' probabilities, in thousandths.
    static func confidence(_ words: [JSONValue]) -> Int64 {
        let sure = words.filter { $0["type"]?.string == "word" }.compactMap { $0["logprob"]?.number }
        guard !sure.isEmpty else { return HTTPSpeech.confidenceUntold }
        return Int64((exp(min(0, sure.reduce(0, +) / Double(sure.count))) * 1000).rounded())
    }
}
