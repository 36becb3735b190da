import Conversation
import Logging
import ServiceLifecycle

/// Providers tried in their order: the first that answers is believed, an empty answer included ("nothing was said"
/// is an answer). Only when all fail does the turn, with the last one's error.
struct SpeechChain: SpeechToText {
    private let providers: [any SpeechToText]
    private let logger: Logger

    init(_ providers: [any SpeechToText], logger: Logger) {
        self.providers = providers
        self.logger = logger
    }

    func transcribe(_ speech: SpeechClip) async throws -> [TurnReply.Transcript] {
        var last: any Error = SpeechError.refused(reason: "no speech recognition is configured")
        for provider in providers {
            do { return try await provider.transcribe(speech) } catch let error as CancellationError {
                throw error
            } catch {
                last = error
                logger.warning(
                    "a speech provider failed, trying the next",
                    metadata: [
                        "turn": "\(speech.turn)", "provider": "\(type(of: provider))",
                        "reason": "\((error as? SpeechError).map { "\($0)" } ?? "\(type(of: error))")",
                    ])
            }
        }
        throw last
    }

    var isReady: Bool {
        get async {
            for provider in providers where await provider.isReady { return true }
            return false
        }
    }

    func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for provider in providers { group.addTask { try await provider.run() } }
            try await group.waitForAll()
        }
    }
}
