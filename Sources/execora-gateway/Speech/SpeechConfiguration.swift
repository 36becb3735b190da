/// The `stt` part of the gateway's configuration: which providers, tried in the order `http`, `embedded`.
/// Read and checked by `GatewayConfiguration`.
struct SpeechConfiguration: Hashable, Sendable {
    var embedded: Embedded?
    var http: HTTP?

    /// A Whisper model run by a child process on this machine.
    struct Embedded: Hashable, Sendable {
        /// The Python interpreter that has the pinned packages.
        var python: String
        /// The folder that holds `model.bin` and its companions.
        var model: String
    }

    /// A server in the form of OpenAI's `audio/transcriptions`.
    struct HTTP: Hashable, Sendable {
        /// Base URL; `/audio/transcriptions` is added.
        var url: String
        var model: String
        /// A 0600 file with the key; nil for a server that asks for none.
        var keyFile: String?
        /// Told to the server; nil lets it guess.
        var language: String?
    }
}
