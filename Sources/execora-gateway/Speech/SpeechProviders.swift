import Logging
import Seals

/// What the configuration asks for, put together: one provider, or several tried in turn.
enum SpeechProviders {
    /// - Throws: `SpeechError.refused` when a key file cannot be read; the configuration's check says it in full before.
    static func make(from configuration: SpeechConfiguration, logger: Logger) throws -> any SpeechToText {
        var providers: [any SpeechToText] = []
        if let http = configuration.http {
            var key: String?
            if let file = http.keyFile {
                do {
                    let bytes = try PrivateFile.read(file, secret: true)
                    key = String(decoding: bytes, as: UTF8.self).trimmed
                } catch { throw SpeechError.refused(reason: "the key file cannot be read as a private file") }
            }
            providers.append(HTTPSpeech(http, key: key, logger: logger))
        }
        if let embedded = configuration.embedded {
            providers.append(WhisperSpeech(embedded, logger: logger))
        }
        return providers.count == 1 ? providers[0] : SpeechChain(providers, logger: logger)
    }
}

extension String {
    /// Without white space at either end.
    var trimmed: String {
        let start = drop(while: \.isWhitespace)
        return String(
            start[..<(start.lastIndex { !$0.isWhitespace }.map { start.index(after: $0) } ?? start.startIndex)])
    }
}
