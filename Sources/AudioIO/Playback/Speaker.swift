import Glibc
import Synchronization

/// The voice's way out: plays clips one after the other on a thread of its own. Any thread may call it.
///
/// A missing device never holds anybody up: the clip takes its length unheard, an event says so.
public final class Speaker: Sendable {
    /// Clips waiting, the one that sounds not counted. When so many wait `play` refuses.
    public static let clipsMax = 8
    /// Remembered spans of own sound, for `spoke(in:)`; the oldest goes.
    static let spansMax = 16

    private struct State {
        var waiting: [SoundClip] = []
        var isPlaying = false
        var mustInterrupt = false
        var isStopping = false
        /// Steady milliseconds, the room's tail included; an open end is `.max`.
        var spans: [Range<Int64>] = []
    }

    let configuration: SpeakerConfiguration
    /// Where what was played is noted, for the echo canceller; nil on boards without one.
    let reference: EchoReference?
    let command = WakeUp()
    private let state = Mutex(State())
    private let clock: @Sendable () -> Int64
    let onEvent: @Sendable (SpeakerEvent) -> Void
    private let thread = Atomic<UInt>(0)

    /// - Parameters:
    ///   - clock: steady milliseconds on the same clock as the microphone's (CLOCK_MONOTONIC outside tests).
    ///   - reference: told of every sample that leaves an ALSA device.
    ///   - onEvent: called on the playback thread; keep it short.
    public init(
        configuration: SpeakerConfiguration, clock: @escaping @Sendable () -> Int64,
        reference: EchoReference? = nil, onEvent: @escaping @Sendable (SpeakerEvent) -> Void
    ) {
        self.configuration = configuration
        self.clock = clock
        self.reference = reference
        self.onEvent = onEvent
    }

    public func start() {
        precondition(thread.load(ordering: .relaxed) == 0, "a speaker is started once")
        thread.store(
            UInt(AudioThread.start(name: "playback") { [self] in PlaybackLoop(speaker: self).run() }),
            ordering: .relaxed)
    }

    /// Interrupts what sounds, ends every waiting clip as interrupted, ends the thread and waits for it.
    public func stop() {
        let thread = thread.exchange(0, ordering: .relaxed)
        guard thread != 0 else { return }
        interrupt()
        state.withLock { $0.isStopping = true }
        command.signal()
        pthread_join(pthread_t(thread), nil)
    }

    /// Takes a clip to be played behind those that wait.
    /// - Returns: false when `clipsMax` wait already, or the clip is empty, or the speaker is stopping; its `onEnd` is
    ///   not called then.
    @discardableResult
    public func play(_ clip: SoundClip) -> Bool {
        let isTaken = state.withLock { state in
            guard !clip.samples.isEmpty, !state.isStopping, state.waiting.count < Self.clipsMax else { return false }
            state.waiting.append(clip)
            return true
        }
        if isTaken { command.signal() }
        return isTaken
    }

    /// Silence now: drops what sounds and what waits.
    public func interrupt() {
        let dropped = state.withLock { state in
            if state.isPlaying { state.mustInterrupt = true }
            defer { state.waiting = [] }
            return state.waiting
        }
        command.signal()
        for clip in dropped { clip.onEnd?(.interrupted) }
    }

    /// Whether the counter hears, or is about to hear, itself: a clip waits or sounds, or the room still rings of it.
    public var isSpeaking: Bool {
        let now = clock()
        return state.withLock { state in
            state.isPlaying || !state.waiting.isEmpty || state.spans.contains { $0.contains(now) }
        }
    }

    /// Whether own sound, the room's tail included, was in the air in these steady milliseconds: for samples that are
    /// looked at later than they were heard.
    public func spoke(in range: Range<Int64>) -> Bool {
        state.withLock { $0.spans.contains { $0.overlaps(range) } }
    }

    // The playback thread's side ------------------------------------------------------------------------------

    var mustStop: Bool { state.withLock { $0.isStopping } }
    var mustInterrupt: Bool { state.withLock { $0.mustInterrupt || $0.isStopping } }

    func now() -> Int64 { clock() }

    func next() -> SoundClip? {
        state.withLock { state in
            guard !state.waiting.isEmpty else { return nil }
            state.isPlaying = true
            state.mustInterrupt = false
            return state.waiting.removeFirst()
        }
    }

    func started(_ clip: SoundClip, atMilliseconds time: Int64) {
        state.withLock { state in
            if state.spans.count == Self.spansMax { state.spans.removeFirst() }
            state.spans.append(time..<Int64.max)
        }
        clip.onStart?(time)
    }

    func ended(_ clip: SoundClip, _ end: SoundClip.End) {
        let now = clock()
        state.withLock { state in
            if let last = state.spans.indices.last, state.spans[last].upperBound == .max {
                let start = state.spans[last].lowerBound
                state.spans[last] = start..<max(start, now + configuration.tailMilliseconds)
            }
            state.isPlaying = false
            state.mustInterrupt = false
        }
        clip.onEnd?(end)
    }
}
