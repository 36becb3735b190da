import AsyncHTTPClient
import Logging

/// What the configuration asks for, put together: providers tried in turn.
enum SpeechProviders {
    /// - Throws: `SpeechError.refused` when a key file cannot be read; the configuration's check says it in full before.
    static func make(
        from configuration: SpeechConfiguration, meter: ProviderMeter = ProviderMeter(), client: HTTPClient = .shared,
        logger: Logger
    ) throws -> any SpeechToText {
        func call(
            _ keyFile: String?, _ header: ProviderCall.KeyHeader, _ timeoutMilliseconds: Int64
        ) throws -> ProviderCall {
            ProviderCall(
                secret: try keyFile.map { try ProviderSecret($0) }, keyHeader: header,
                answerTimeMax: .milliseconds(timeoutMilliseconds), client: client, logger: logger)
        }
        var providers: [any SpeechToText] = []
        for name in configuration.tried {
            switch name {
            case "http":
                guard let http = configuration.http else { continue }
                providers.append(
                    HTTPSpeech(http, call: try call(http.keyFile, .bearer, http.timeoutMilliseconds)))
            case "embedded":
                guard let embedded = configuration.embedded else { continue }
                providers.append(WhisperSpeech(embedded, logger: logger))
            default:
                guard let vendor = SpeechConfiguration.VendorName(rawValue: name),
                    let told = configuration.vendors[vendor]
                else { continue }
                switch vendor {
                case .deepgram:
                    providers.append(
                        DeepgramSpeech(told, call: try call(told.keyFile, .token, told.timeoutMilliseconds)))
                case .elevenlabs:
                    providers.append(
                        ElevenLabsSpeech(
                            told, call: try call(told.keyFile, .named("xi-api-key"), told.timeoutMilliseconds)))
                case .sarvam:
                    providers.append(
                        SarvamSpeech(
                            told,
                            call: try call(told.keyFile, .named("api-subscription-key"), told.timeoutMilliseconds)))
                }
            }
        }
        return SpeechChain(providers, meter: meter, logger: logger)
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
