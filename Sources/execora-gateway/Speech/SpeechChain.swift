import Conversation
import Logging
import ServiceLifecycle
import Synchronization

/// Providers tried in their order: the first that answers is believed, an empty answer included ("nothing was said"
/// is an answer). A provider whose circuit breaker is open is passed over. Only when all fail does the turn, with the
/// last one's error.
final class SpeechChain: SpeechToText {
    private let providers: [any SpeechToText]
    private let breakers: Mutex<[CircuitBreaker]>
    private let meter: ProviderMeter
    private let logger: Logger
    private let now: @Sendable () -> ContinuousClock.Instant

    init(
        _ providers: [any SpeechToText], meter: ProviderMeter = ProviderMeter(), logger: Logger,
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) {
        self.providers = providers
        breakers = Mutex(providers.map { _ in CircuitBreaker() })
        self.meter = meter
        self.logger = logger
        self.now = now
    }

    var name: String { "chain" }

    func transcribe(_ speech: SpeechClip) async throws -> [TurnReply.Transcript] {
        var last: any Error = SpeechError.busy
        for (place, provider) in providers.enumerated() {
            guard breakers.withLock({ $0[place].admits(at: now()) }) else { continue }
            do {
                let heard = try await provider.transcribe(speech)
                breakers.withLock { $0[place].succeeded() }
                meter.heard(by: provider.name, speech)
                return heard
            } catch let error as CancellationError {
                breakers.withLock { $0[place].abandoned() }
                throw error
            } catch {
                last = error
                let reason = error as? SpeechError
                breakers.withLock {
                    // A full queue says that the provider works.
                    if reason == .busy {
                        $0[place].abandoned()
                    } else if case .refused = reason {
                        $0[place].failed(refused: true, at: now())
                    } else {
                        $0[place].failed(at: now())
                    }
                }
                meter.failed(provider.name)
                logger.warning(
                    "a speech provider failed, trying the next",
                    metadata: [
                        "turn": "\(speech.turn)", "provider": "\(provider.name)",
                        "reason": "\(reason.map { "\($0)" } ?? "\(type(of: error))")",
                    ])
            }
        }
        throw last
    }

    var isReady: Bool {
        get async {
            for (place, provider) in providers.enumerated() {
                guard !breakers.withLock({ $0[place].isOpen(at: now()) }) else { continue }
                if await provider.isReady { return true }
            }
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
