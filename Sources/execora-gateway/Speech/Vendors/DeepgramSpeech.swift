import AsyncHTTPClient
import Conversation
import JSONText

/// Deepgram's pre-recorded form: the Ogg Opus file is the body, everything else stands in the query.
/// Source: developers.deepgram.com (encoding, nova-3 language prompting), changelog 2026-10-23.
struct DeepgramSpeech: SpeechToText {
    /// Deepgram takes 500 tokens of key terms; names and products are two or three each.
    static let keyTermsMax = 100

    private let url: String
    private let model: String
    private let language: String?
    private let call: ProviderCall

    init(_ configuration: SpeechConfiguration.Vendor, call: ProviderCall) {
        url = (configuration.url ?? "https://api.deepgram.com").withoutSlash + "/v1/listen"
        model = configuration.model ?? "nova-3"
        language = configuration.language
        self.call = call
    }

    var name: String { "deepgram" }

    func transcribe(_ speech: SpeechClip) async throws -> [TurnReply.Transcript] {
        // Of a file in a container neither `encoding` nor `sample_rate` may be told.
        var query: [(String, String)] = [
            ("model", model), ("language", language ?? Self.language(of: speech)), ("smart_format", "true"),
            ("mip_opt_out", "true"),
        ]
        for term in speech.keyTerms(atMost: Self.keyTermsMax) { query.append(("keyterm", term)) }
        let started = ContinuousClock.now
        let body = try await call.send(
            .post(URLQuery.url(url, query), contentType: "audio/ogg", speech.oggOpus), turn: speech.turn)
        return try Self.transcripts(body, speech, engine: "deepgram:\(model)", since: started)
    }

    /// "multi" hears both languages in one sentence; it may write Hindi in either script.
    static func language(of speech: SpeechClip) -> String {
        switch speech.language {
        case "hi": "hi"
        case "en": "en-IN"
        default: "multi"
        }
    }

    static func transcripts(
        _ body: [UInt8], _ speech: SpeechClip, engine: String, since started: ContinuousClock.Instant
    ) throws(SpeechError) -> [TurnReply.Transcript] {
        guard let json = try? JSONValue(parsing: body),
            let channel = json["results"]?["channels"]?[0], let list = channel["alternatives"]?.array
        else { throw .broken(reason: "answer without alternatives") }
        var said: [(text: String, confidenceMilli: Int64)] = []
        for alternative in list {
            guard let text = alternative["transcript"]?.string, text.count <= HTTPSpeech.textCharactersMax else {
                throw .broken(reason: "unreadable transcript")
            }
            let sure = alternative["confidence"]?.number.map { Int64(($0 * 1000).rounded()) }
            said.append((text, sure ?? HTTPSpeech.confidenceUntold))
        }
        let language = channel["detected_language"]?.string ?? list.first?["languages"]?[0]?.string ?? ""
        return speech.transcripts(said, language: language, engine: engine, since: started)
    }
}

/// Names and values of a query, percent-encoded (RFC 3986, unreserved characters alone left as they are).
enum URLQuery {
    static func url(_ base: String, _ items: [(String, String)]) -> String {
        base + "?" + items.map { "\(escaped($0.0))=\(escaped($0.1))" }.joined(separator: "&")
    }

    static func escaped(_ text: String, keeping kept: String = "") -> String {
        var out = ""
        for byte in text.utf8 {
            let scalar = Unicode.Scalar(byte)
            let isPlain =
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                || "-._~".unicodeScalars.contains(scalar) || kept.unicodeScalars.contains(scalar)
            if isPlain {
                out.unicodeScalars.append(scalar)
            } else {
                let digits = String(byte, radix: 16, uppercase: true)
                out += "%" + (digits.count == 1 ? "0" : "") + digits
            }
        }
        return out
    }
}
