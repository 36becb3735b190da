import Glibc
import Synchronization

/// The ear: keeps a device open through every accident and fills a `SampleRing` with 16 kHz mono sound.
///
/// Any thread may call it. The work is on its own thread; see the doorplate in AudioError.swift.
public final class Microphone: Sendable {
    public let ring: SampleRing
    let configuration: MicrophoneConfiguration
    let board = CaptureBoard()
    let post: EventPost
    /// Rung when a mute or the end is wanted, to get the capture thread out of its wait.
    let command = WakeUp()
    let isStopping = Atomic<Bool>(false)
    private let mustReopen = Atomic<Bool>(false)
    private let mutes = Atomic<UInt8>(0)
    private let thread = Atomic<UInt>(0)

    /// - Parameter onEvent: called one at a time on a thread of its own that may log and block.
    public init(
        configuration: MicrophoneConfiguration, ring: SampleRing,
        onEvent: @escaping @Sendable (CaptureEvent) -> Void
    ) {
        self.configuration = configuration
        self.ring = ring
        let board = board
        post = EventPost(onEvent: onEvent) { board.eventsDropped.wrappingAdd(1, ordering: .relaxed) }
    }

    /// Starts hearing. A missing device is no error here: it is told as an event and tried again for ever.
    public func start() {
        precondition(thread.load(ordering: .relaxed) == 0, "a microphone is started once")
        isStopping.store(false, ordering: .relaxed)
        post.start()
        thread.store(UInt(AudioThread.start(name: "capture") { [self] in run() }), ordering: .relaxed)
    }

    /// Closes the device, wipes the ring, ends the threads and waits for them.
    public func stop() {
        let thread = thread.exchange(0, ordering: .relaxed)
        guard thread != 0 else { return }
        isStopping.store(true, ordering: .releasing)
        command.signal()
        pthread_join(pthread_t(thread), nil)
        post.close()
        ring.wipe()
        board.state.store(MicrophoneState.stopped.rawValue, ordering: .releasing)
    }

    /// Closes the device and wipes the ring. Returns at once; `state` is `.muted` when it is done, within one period.
    public func mute(_ reason: MuteReason) {
        mutes.bitwiseOr(reason.rawValue, ordering: .sequentiallyConsistent)
        command.signal()
    }

    /// Takes one reason back; the device opens when none is left.
    public func unmute(_ reason: MuteReason) {
        mutes.bitwiseAnd(~reason.rawValue, ordering: .sequentiallyConsistent)
        command.signal()
    }

    /// Closes the device and opens it again: for the watch over the house, when a device pretends to be well and gives
    /// nothing. Returns at once; a muted or lost microphone is opened by its own rules.
    public func reopen() {
        mustReopen.store(true, ordering: .sequentiallyConsistent)
        command.signal()
    }

    /// Why it is muted, or to be muted; empty when it is not.
    public var muteReasons: [MuteReason] {
        let mutes = mutes.load(ordering: .acquiring)
        return MuteReason.allCases.filter { mutes & $0.rawValue != 0 }
    }

    public var state: MicrophoneState { MicrophoneState(rawValue: board.state.load(ordering: .acquiring)) ?? .stopped }

    /// Digital silence for more than two seconds: a mute switch behind the device, or an unplugged capsule.
    public var isFlat: Bool { board.isFlat.load(ordering: .relaxed) }

    public var level: LevelReading {
        let level = board.level.load(ordering: .relaxed)
        return LevelReading(
            rms: Int(level & 0xFFFF), peak: Int(level >> 16 & 0xFFFF), floor: Int(level >> 32 & 0xFFFF))
    }

    public var counters: CaptureCounters {
        CaptureCounters(
            samples: board.samples.load(ordering: .relaxed), overruns: board.overruns.load(ordering: .relaxed),
            silenceSamples: board.silenceSamples.load(ordering: .relaxed),
            opens: board.opens.load(ordering: .relaxed), losses: board.losses.load(ordering: .relaxed),
            clippedSamples: board.clippedSamples.load(ordering: .relaxed),
            eventsDropped: board.eventsDropped.load(ordering: .relaxed),
            wakeUps: board.wakeUps.load(ordering: .relaxed))
    }

    /// Samples of silence inside the range that stand for lost sound; more than 1,600 (100 ms) mark an utterance.
    public func gapSamples(in range: Range<UInt64>) -> Int { board.gaps.samples(in: range) }

    /// When a sample was in the air, milliseconds of the steady clock (CLOCK_MONOTONIC).
    public func monotonicMilliseconds(ofSample index: UInt64) -> Int64 {
        (ring.originNanoseconds.load(ordering: .acquiring) + Int64(index) * 62_500) / 1_000_000
    }

    // The capture thread --------------------------------------------------------------------------------------

    var isMuted: Bool { mutes.load(ordering: .acquiring) != 0 }
    var mustStop: Bool { isStopping.load(ordering: .acquiring) }

    /// Whether a reopening was asked for since the last look.
    func takeReopen() -> Bool { mustReopen.exchange(false, ordering: .sequentiallyConsistent) }

    func show(_ state: MicrophoneState) { board.state.store(state.rawValue, ordering: .releasing) }

    private func run() {
        let isRealTime = AudioThread.askForRealTime(priority: configuration.priority)
        switch configuration.backend {
        case .alsa(let device): ALSACapture(microphone: self, device: device, isRealTime: isRealTime).run()
        case .file(let path, let pace):
            FileCapture(microphone: self, path: path, pace: pace, isRealTime: isRealTime).run()
        case .null: FileCapture(microphone: self, path: nil, pace: .realTime, isRealTime: isRealTime).run()
        }
    }

    /// Wipes, says so, and waits for the mute's end. The device is closed already.
    func stayMuted() {
        ring.wipe()
        board.level.store(0, ordering: .relaxed)
        board.isFlat.store(false, ordering: .relaxed)
        show(.muted)
        post.send(.muted(atSample: ring.end))
        while isMuted, !mustStop { command.wait(milliseconds: -1) }
        if !mustStop { show(.opening) }
    }
}
