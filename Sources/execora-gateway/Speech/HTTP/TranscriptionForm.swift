/// The form of OpenAI's `POST /audio/transcriptions`. Source: openai/openai-openapi 2.3.0.
enum TranscriptionForm {
    /// Whisper servers read about 224 tokens of prompt; some refuse more. The most useful words come first.
    static let promptCharactersMax = 600

    /// - Parameter language: ISO 639-1; nil lets the server guess, which is right for a mix of two.
    static func of(_ clip: SpeechClip, model: String, language: String?) -> MultipartForm {
        var form = MultipartForm(boundary: "execora-\(clip.turn)")
        form.add("model", model)
        form.add("response_format", "json")
        form.add("temperature", "0")
        if let language = language ?? (clip.language.count == 2 ? clip.language : nil) {
            form.add("language", language)
        }
        let words = prompt(clip)
        if !words.isEmpty { form.add("prompt", words) }
        form.addOgg("file", clip.oggOpus)
        return form
    }

    /// Bare words with commas, the wake word's first, never a whole command.
    static func prompt(_ clip: SpeechClip) -> String {
        var prompt = ""
        for word in [clip.wakePhrase].compactMap({ $0 }) + clip.vocabulary {
            guard prompt.count + word.count + 2 <= promptCharactersMax else { break }
            prompt += (prompt.isEmpty ? "" : ", ") + word
        }
        return prompt
    }
}
