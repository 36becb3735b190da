/// The door to synthetic speech. One value serves all requests.
protocol TextToSpeech: Sendable {
    /// As the configuration calls it.
    var name: String { get }
    /// What sets this voice apart from others: provider, model, speaker. Part of the cache's key.
    var voice: String { get }

    /// - Throws: `SpeechError`.
    func speak(_ line: SpokenLine) async throws -> SpokenAudio
}

/// One line to be said.
struct SpokenLine: Hashable, Sendable {
    var text: String
    /// "hi-en", "hi", "en".
    var language: String

    /// Bytes of UTF-8; an answer of the counter is under 300. Vendors take 2,500 characters and more.
    static let bytesMax = 2000
}

struct SpokenAudio: Hashable, Sendable {
    /// "audio/ogg", "audio/wav", ...
    var contentType: String
    var bytes: [UInt8]

    /// Half a minute of wav at 22 kHz.
    static let bytesMax = 2 << 20
}
