import Conversation
import Logging
import Synchronization
import Testing

@testable import execora_gateway

/// Protects the counter: a vendor may fail, be slow or refuse; the shop still hears, and does not wait for what is down.
struct SpeechChainTests {
    private static let clip = SpokenClip.of([1, 2, 3], language: "hi-en", wakePhrase: nil, oggOpus: [])

    /// Answers what it is told to, counts how often it was asked.
    private final class Scripted: SpeechToText {
        let name: String
        private let state: Mutex<(outcome: Swift.Result<[TurnReply.Transcript], SpeechError>, asked: Int)>

        init(_ name: String, _ outcome: Swift.Result<[TurnReply.Transcript], SpeechError>) {
            self.name = name
            state = Mutex((outcome, 0))
        }

        var asked: Int { state.withLock { $0.asked } }
        func become(_ outcome: Swift.Result<[TurnReply.Transcript], SpeechError>) {
            state.withLock { $0.outcome = outcome }
        }

        func transcribe(_ speech: SpeechClip) async throws -> [TurnReply.Transcript] {
            try state.withLock {
                $0.asked += 1
                return try $0.outcome.get()
            }
        }
    }

    private final class Hands: Sendable {
        private let at = Mutex(ContinuousClock.now)
        var now: ContinuousClock.Instant { at.withLock { $0 } }
        func advance(_ duration: Duration) { at.withLock { $0 += duration } }
    }

    private let yes = [RecordingSpeech.transcript("yes")]

    @Test func `the next provider is asked when one fails, the first answer is believed`() async throws {
        let (broken, good) = (Scripted("a", .failure(.broken(reason: "x"))), Scripted("b", .success(yes)))
        let lines = LogLines()
        let meter = ProviderMeter()
        let chain = SpeechChain([broken, good], meter: meter, logger: GatewayLog.logger(write: lines.add))
        #expect(try await chain.transcribe(Self.clip).map(\.text) == ["yes"])
        #expect(lines.all.count == 1)
        #expect(meter.metrics.value("execora_provider_failures_total", labels: [("provider", "a")]) == 1)
        // Silence is an answer, not a failure.
        broken.become(.success([]))
        #expect(try await chain.transcribe(Self.clip).isEmpty)
        #expect(good.asked == 1)
    }

    @Test func `when all fail the turn does, with the last error`() async {
        let chain = SpeechChain(
            [Scripted("a", .failure(.timedOut)), Scripted("b", .failure(.refused(reason: "HTTP 401")))],
            logger: GatewayLog.logger(write: { _ in }))
        await #expect(throws: SpeechError.refused(reason: "HTTP 401")) { try await chain.transcribe(Self.clip) }
    }

    @Test func `a provider that is down is passed over, tried again later, and taken back`() async throws {
        let (down, good) = (Scripted("a", .failure(.timedOut)), Scripted("b", .success(yes)))
        let hands = Hands()
        let chain = SpeechChain([down, good], logger: GatewayLog.logger(write: { _ in }), now: { hands.now })
        for _ in 0..<6 { _ = try await chain.transcribe(Self.clip) }
        #expect(down.asked == CircuitBreaker.failuresMax && good.asked == 6)
        hands.advance(CircuitBreaker.pauseFirst)
        _ = try await chain.transcribe(Self.clip)
        _ = try await chain.transcribe(Self.clip)
        #expect(down.asked == CircuitBreaker.failuresMax + 1)
        hands.advance(CircuitBreaker.pauseFirst * 2)
        down.become(.success([RecordingSpeech.transcript("back")]))
        for _ in 0..<2 { #expect(try await chain.transcribe(Self.clip).map(\.text) == ["back"]) }
        #expect(good.asked == 8)
    }

    @Test func `a refused key opens the breaker at once, a full queue never does`() async throws {
        let (refused, busy) = (Scripted("a", .failure(.refused(reason: "HTTP 401"))), Scripted("b", .failure(.busy)))
        let hands = Hands()
        let chain = SpeechChain(
            [refused, busy, Scripted("c", .success(yes))], logger: GatewayLog.logger(write: { _ in }),
            now: { hands.now })
        for _ in 0..<5 { _ = try await chain.transcribe(Self.clip) }
        #expect(refused.asked == 1 && busy.asked == 5)
    }

    @Test func `when every breaker is open the turn is told to come back`() async {
        let hands = Hands()
        let chain = SpeechChain(
            [Scripted("a", .failure(.refused(reason: "x")))], logger: GatewayLog.logger(write: { _ in }),
            now: { hands.now })
        _ = try? await chain.transcribe(Self.clip)
        #expect(await chain.isReady == false)
        await #expect(throws: SpeechError.busy) { try await chain.transcribe(Self.clip) }
    }

    @Test func `audio and its cost are counted by provider and shop hash`() async throws {
        var clip = SpokenClip.of(.init(repeating: 0, count: 48_000), language: "hi", wakePhrase: nil, oggOpus: [])
        clip.shopHash = "00c0ffee"
        let meter = ProviderMeter(prices: .init(microsPerAudioMinute: ["a": 4300]))
        let chain = SpeechChain(
            [Scripted("a", .success(yes))], meter: meter, logger: GatewayLog.logger(write: { _ in }))
        _ = try await chain.transcribe(clip)
        let labels = [("provider", "a"), ("shop", "00c0ffee")]
        #expect(meter.metrics.value("execora_provider_audio_milliseconds_total", labels: labels) == 3000)
        #expect(meter.metrics.value("execora_cost_micro_usd_total", labels: labels) == 215)
    }
}

struct CircuitBreakerTests {
    @Test func `pauses double to their maximum and begin anew after a success`() {
        var breaker = CircuitBreaker()
        var now = ContinuousClock.now
        var pauses: [Duration] = []
        for _ in 0..<CircuitBreaker.failuresMax {
            let admits = breaker.admits(at: now)
            #expect(admits)
            breaker.failed(at: now)
        }
        for _ in 0..<8 {
            var pause = Duration.zero
            while !breaker.admits(at: now + pause) { pause += .seconds(1) }
            now += pause
            pauses.append(pause)
            breaker.failed(at: now)
        }
        #expect(pauses == [10, 20, 40, 80, 160, 300, 300, 300].map { .seconds($0) })
        #expect(breaker.isOpen(at: now))
        let admitsLater = breaker.admits(at: now + .seconds(300))
        #expect(admitsLater)
        breaker.succeeded()
        let admitsNow = breaker.admits(at: now)
        #expect(admitsNow && !breaker.isOpen(at: now))
    }

    @Test func `one call at a time tries an open breaker`() {
        var breaker = CircuitBreaker()
        let now = ContinuousClock.now
        breaker.failed(refused: true, at: now)
        let later = now + CircuitBreaker.pauseRefused
        let answers = [now, later, later].map { breaker.admits(at: $0) }
        #expect(answers == [false, true, false])
        breaker.abandoned()
        let admitsAgain = breaker.admits(at: later)
        #expect(admitsAgain)
    }
}
