import Logging

enum SpeechProviders {
    static func make(from: SpeechConfiguration, logger: Logger) throws -> any SpeechToText {
        throw GatewayError.state(problem: "no provider", hint: "none")
    }
}
