import Conversation
import Glibc
import Logging
import ServiceLifecycle
import Synchronization

/// Speech recognition on this machine: a Python child that holds the model, and a thread that feeds it one clip at a time
/// (the model takes both cores for half a second). The child is started at once, watched, and started again when it
/// ends; while it loads, clips wait in the queue.
final class WhisperSpeech: SpeechToText {
    /// From asking to answer, waiting included. When it passes: the clip fails, and a service that was at it is replaced.
    static let answerTimeMax = Duration.seconds(20)
    /// Hashing and loading the model and warming up; about 3 s on an idle machine.
    static let startTimeMax = Duration.seconds(90)

    private typealias Queue = WhisperQueue<CheckedContinuation<[TurnReply.Transcript], any Error>>

    private enum Phase: Equatable {
        case idle, starting, ready
        /// The service itself said why it will not work; it is tried again all the same, for who repairs the files.
        case refused(reason: String)
        case ending
    }

    private struct State {
        var phase = Phase.idle
        var queue = Queue()
        var nextID: UInt64 = 0
        var pid: pid_t?
        var ended: CheckedContinuation<Void, Never>?
        var isEnded = false
    }

    private let configuration: SpeechConfiguration.Embedded
    private let files: [(name: String, sha256: String)]
    private let model: String
    private let answerTimeMax: Duration
    private let logger: Logger
    private let bell = SpeechBell()
    private let state = Mutex(State())

    /// - Parameter files: what the model folder must hold, `model.bin` first.
    init(
        _ configuration: SpeechConfiguration.Embedded, files: [(name: String, sha256: String)] = WhisperModel.files,
        answerTimeMax: Duration = answerTimeMax, logger: Logger
    ) {
        self.configuration = configuration
        self.files = files
        self.model = files[0].sha256
        self.answerTimeMax = answerTimeMax
        self.logger = logger
    }

    var name: String { "embedded" }

    var isReady: Bool {
        get async { state.withLock { $0.phase == .ready && !$0.queue.isFull } }
    }

    /// The service's process; nil while there is none.
    var servicePID: pid_t? { state.withLock { $0.pid } }

    /// Whether clips are taken: from the start of `run()` to its end.
    var isRunning: Bool { state.withLock { $0.phase != .idle && $0.phase != .ending } }

    func transcribe(_ speech: SpeechClip) async throws -> [TurnReply.Transcript] {
        guard !speech.samples.isEmpty else { return [] }
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let job = Queue.Job(id: id, clip: speech, deadline: .now + answerTimeMax, waiter: continuation)
                let refusal = state.withLock { state -> SpeechError? in
                    if case .refused(let reason) = state.phase { return .refused(reason: reason) }
                    guard state.phase != .idle, state.phase != .ending, !state.queue.isFull else { return .busy }
                    state.queue.add(job)
                    return nil
                }
                if let refusal { continuation.resume(throwing: refusal) } else { bell.ring() }
            }
        } onCancel: {
            // A clip being worked on is finished; its answer goes nowhere.
            state.withLock { $0.queue.drop(id: id) }?.waiter.resume(throwing: CancellationError())
        }
    }

    /// Runs the service until graceful shutdown (or cancellation), then ends it.
    func run() async throws {
        state.withLock { $0.phase = .starting }
        startThread()
        try? await gracefulShutdown()
        state.withLock { $0.phase = .ending }
        bell.ring()
        await withCheckedContinuation { continuation in
            let isEnded = state.withLock { state in
                if !state.isEnded { state.ended = continuation }
                return state.isEnded
            }
            if isEnded { continuation.resume() }
        }
    }

    // What follows runs on the thread.

    private func startThread() {
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { argument in
                Unmanaged<WhisperSpeech>.fromOpaque(argument!).takeRetainedValue().work()
                return nil
            }, Unmanaged.passRetained(self).toOpaque())
        precondition(code == 0, "no thread for the speech service")
        pthread_detach(thread)
    }

    private func work() {
        var backoff = WhisperBackoff()
        while !isEnding {
            let started = ContinuousClock.now
            do throws(SpeechError) { try serve(&backoff) } catch {
                guard !isEnding else { break }
                if started.duration(to: .now) > WhisperBackoff.goodAfter { backoff.provedGood() }
                let pause = backoff.pause()
                if case .refused(let reason) = error { refuse(reason) }
                logger.warning(
                    "the speech service ended",
                    metadata: ["reason": "\(error)", "restart_in_ms": "\(pause.milliseconds)"])
                rest(for: pause)
            }
        }
        let (left, ended) = state.withLock { state in
            state.isEnded = true
            return (state.queue.empty(), state.ended)
        }
        for job in left { job.waiter.resume(throwing: SpeechError.busy) }
        ended?.resume()
    }

    private var isEnding: Bool { state.withLock { $0.phase == .ending } }

    /// One life of the service. Returns when the gateway ends.
    private func serve(_ backoff: inout WhisperBackoff) throws(SpeechError) {
        let child = try WhisperChild.start(python: configuration.python, model: configuration.model, files: files)
        let pid = child.pid
        state.withLock { $0.pid = pid }
        defer { state.withLock { $0.pid = nil } }
        let link = WhisperLink(socket: child.socket, bell: bell)

        let startBy = ContinuousClock.now + Self.startTimeMax
        let program = WhisperFraming.program(
            grammar: PackageResources.command_grammar_txt, closed: PackageResources.closed_grammar_py,
            service: PackageResources.whisper_service_py)
        try link.send(program, by: startBy, watch: watch)
        switch WhisperFraming.greeting(try link.answer(by: startBy, watch: watch)) {
        case .ready(let milliseconds):
            state.withLock { if $0.phase != .ending { $0.phase = .ready } }
            logger.info("the speech service is ready", metadata: ["model": "\(model)", "load_ms": "\(milliseconds)"])
        case .refused(let reason): throw .refused(reason: reason)
        case nil: throw .broken(reason: "unknown greeting")
        }
        defer { state.withLock { if $0.phase == .ready { $0.phase = .starting } } }

        while !isEnding {
            expireJobs()
            guard let job = state.withLock({ $0.queue.next() }) else {
                // Nothing to do: until the bell rings, or the service ends on its own.
                guard link.wait(until: nil) == .ready else { continue }
                throw .broken(reason: "the speech service ended while idle")
            }
            do throws(SpeechError) {
                try link.send(WhisperFraming.request(job.clip), by: job.deadline, watch: watch)
                let answer = try link.answer(by: job.deadline, watch: watch)
                backoff.provedGood()
                let outcome = Result { () throws(SpeechError) in
                    try WhisperFraming.transcripts(answer, model: model)
                }
                job.waiter.resume(with: outcome.mapError { $0 as any Error })
            } catch {
                // The service is in an unknown state (or busy with a clip nobody waits for): the next clip gets a new one.
                job.waiter.resume(throwing: error)
                throw error
            }
        }
    }

    /// While the thread waits for the service, clips in the queue may expire and the gateway may end.
    private var watch: WhisperLink.Watch {
        WhisperLink.Watch(
            nextLook: { self.state.withLock { $0.queue.earliestDeadline } },
            look: { () throws(SpeechError) in
                self.expireJobs()
                if self.isEnding { throw .busy }
            })
    }

    private func expireJobs() {
        for job in state.withLock({ $0.queue.expire(at: .now) }) { job.waiter.resume(throwing: SpeechError.timedOut) }
    }

    private func refuse(_ reason: String) {
        let left = state.withLock { state in
            if state.phase != .ending { state.phase = .refused(reason: reason) }
            return state.queue.empty()
        }
        for job in left { job.waiter.resume(throwing: SpeechError.refused(reason: reason)) }
    }

    private func rest(for pause: Duration) {
        let link = WhisperLink(socket: -1, bell: bell)
        let end = ContinuousClock.now + pause
        while !isEnding, ContinuousClock.now < end {
            expireJobs()
            _ = link.wait(until: min(end, state.withLock { $0.queue.earliestDeadline } ?? end))
        }
        state.withLock { if $0.phase != .ending { $0.phase = .starting } }
    }
}
