/// The multipart form of OpenAI's `POST /audio/transcriptions`, as bytes.
/// Source: openai/openai-openapi 2.3.0; RFC 7578 for the form.
struct TranscriptionForm {
    let boundary: String
    private(set) var bytes: [UInt8] = []

    /// Whisper servers read about 224 tokens of prompt; some refuse more. The most useful words come first.
    static let promptCharactersMax = 600

    /// - Parameter language: ISO 639-1; nil lets the server guess, which is right for a mix of two.
    init(_ clip: SpeechClip, model: String, language: String?) {
        // 80 random bits of the turn stand in the boundary; audio does not hold it by chance.
        boundary = "execora-\(clip.turn)"
        add("model", model)
        add("response_format", "json")
        add("temperature", "0")
        if let language = language ?? Self.language(of: clip) { add("language", language) }
        let words = Self.prompt(clip)
        if !words.isEmpty { add("prompt", words) }
        addFile(clip.oggOpus)
        bytes += Array("--\(boundary)--\r\n".utf8)
    }

    var contentType: String { "multipart/form-data; boundary=\(boundary)" }

    /// Bare words with commas, the wake word's first, never a whole command.
    static func prompt(_ clip: SpeechClip) -> String {
        var prompt = ""
        for word in [clip.wakePhrase].compactMap({ $0 }) + clip.vocabulary {
            guard prompt.count + word.count + 2 <= promptCharactersMax else { break }
            prompt += (prompt.isEmpty ? "" : ", ") + word
        }
        return prompt
    }

    private static func language(of clip: SpeechClip) -> String? { clip.language.count == 2 ? clip.language : nil }

    private mutating func add(_ name: String, _ value: String) {
        bytes += Array("--\(boundary)\r\nContent-Disposition: form-data; name=\"\(name)\"\r\n\r\n\(value)\r\n".utf8)
    }

    private mutating func addFile(_ content: [UInt8]) {
        let head = """
            --\(boundary)\r
            Content-Disposition: form-data; name="file"; filename="turn.ogg"\r
            Content-Type: audio/ogg\r
            \r

            """
        bytes += Array(head.utf8) + content + Array("\r\n".utf8)
    }
}
