import AudioIO
import CLinux
import Diagnostics
import Glibc
import JSONText
import Synchronization

/// The daemon at the counter: a house with a microphone, a thread that listens, a socket for the technician, and the
/// watch over them. The calling thread becomes the control thread.
final class Appliance: @unchecked Sendable {
    // @unchecked: set up by the control thread before the others start; shared state is atomic.

    let house: House
    private(set) var microphone: Microphone!
    let startedAt: Int64
    private let systemd = Systemd()
    private let log: EventLog
    private let isStopping = Atomic<Bool>(false)
    private let firstFrameAt = Atomic<Int64>(-1)
    /// Set before the technician's sockets are open.
    private(set) var buttons: Buttons?
    /// What the card really gives since it was opened last, and when that was.
    struct Opened: Sendable {
        var parameters: CaptureParameters
        /// Monotonic milliseconds.
        var at: Int64
        /// Samples captured before.
        var samples: Int64
    }
    let opened = Mutex<Opened?>(nil)
    /// Set by the technician's `daemon.restart`.
    let wantsRestart = DoneFlag()
    /// systemd starts the daemon anew at this code (`RestartForceExitStatus=`): EX_TEMPFAIL of sysexits.
    static let restartCode: Int32 = 75
    /// What was told to systemd last; told again when it changes. The control thread's.
    private var toldStatus = ""

    /// Between two writings of the metrics file; collectors look once in 15 to 60 s.
    static let metricsTicks: Int64 = 15
    /// How often the control thread looks. Once a second: timers below it are in seconds.
    static let tickSeconds = 1
    /// Muted: nothing is heard, and sync may be a second late.
    static let mutedTickSeconds = 2

    private init(_ house: House, log: EventLog, startedAt: Int64) {
        self.house = house
        self.log = log
        self.startedAt = startedAt
        let configuration = house.configuration
        let backend: MicrophoneConfiguration.Backend =
            switch configuration.audioBackend {
            case .alsa: .alsa(device: configuration.captureDevice)
            case .file: .file(path: configuration.captureDevice, pace: .realTime)
            case .null: .null
            }
        var hearing = MicrophoneConfiguration(backend: backend)
        hearing.channel = configuration.captureChannel
        let repeated = FaultMemory()
        microphone = Microphone(configuration: hearing, ring: house.ring) {
            [unowned house, unowned self] event in
            repeated.faults.withLock { Self.tell(event, log, &$0) }
            switch event {
            case .muted:
                house.forgetSound()
                house.lamp.show(.muted)
            case .lost: house.order(.lost)
            case .opened(let parameters, _):
                let samples = Int64(clamping: microphone.counters.samples)
                opened.withLock {
                    $0 = Opened(parameters: parameters, at: Moment.monotonicMilliseconds(), samples: samples)
                }
                house.lamp.show(.dark)
            default: break
            }
        }
    }

    /// Runs until SIGTERM or SIGINT.
    /// - Returns: the exit code of the process.
    static func run(_ configuration: ApplianceConfiguration) -> Int32 {
        let startedAt = processStart()
        let log = EventLog(level: configuration.logLevel, format: configuration.logFormat)
        // Blocked before any thread is made, so that none but the control thread takes them.
        var signals = sigset_t()
        sigemptyset(&signals)
        for signal in [SIGTERM, SIGINT, SIGHUP] { sigaddset(&signals, signal) }
        pthread_sigmask(SIG_BLOCK, &signals, nil)

        let house: House
        do {
            house = try House(
                configuration, log: log,
                output: configuration.audioBackend == .alsa ? .alsa(device: configuration.playbackDevice) : .null)
        } catch {
            complain("execorad: \(error.line)")
            return error.exitCode
        }
        let appliance = Appliance(house, log: log, startedAt: startedAt)
        return appliance.run(signals)
    }

    private func run(_ signals: sigset_t) -> Int32 {
        house.start()
        let listening = Thread.start(name: "dsp") { [self] in listen() }
        microphone.start()
        buttons = Buttons.start(for: self)
        let counterDesk = CounterDesk(appliance: self)
        do { try counterDesk.open() } catch {
            complain(
                "execorad: the technician's sockets cannot be opened in \(house.configuration.runtimeFolder): \(error)")
            log.error("no technician's socket; everything else works")
        }
        let code = watch(signals, counterDesk)
        log.notice("stopping")
        systemd.stopping()
        counterDesk.close()
        buttons?.stop()
        microphone.stop()
        isStopping.store(true, ordering: .releasing)
        house.reader.bell.signal()
        pthread_join(listening, nil)
        house.stop()
        return code
    }

    /// The listening thread.
    private func listen() {
        while !isStopping.load(ordering: .acquiring) {
            // Two frames: one wake-up each 40 ms. Muted, only the bell ends the wait: with the first sound, or an order.
            _ = house.reader.wait(
                forSamples: 2 * Ear.frameSamples, milliseconds: microphone.state == .muted ? -1 : 500)
            house.hear()
            if firstFrameAt.load(ordering: .relaxed) < 0, house.ear.scored.load(ordering: .relaxed) > 0 {
                firstFrameAt.store(Moment.monotonicMilliseconds(), ordering: .relaxed)
            }
        }
    }

    /// The control thread: waits for signals, looks after the house once a second.
    /// - Returns: the exit code of the process.
    private func watch(_ told: sigset_t, _ counterDesk: CounterDesk) -> Int32 {
        var signals = told
        var isReady = false
        let start = StartWatch(now: Moment.monotonicMilliseconds())
        var ear = EarWatch()
        let metricsPath = getenv("EXECORA_METRICS").map { String(cString: $0) }
        var ticks: Int64 = 0
        while true {
            var wait = timespec(
                tv_sec: microphone.state == .muted ? Self.mutedTickSeconds : Self.tickSeconds, tv_nsec: 0)
            let signal = sigtimedwait(&signals, nil, &wait)
            if signal == SIGTERM || signal == SIGINT { return 0 }
            house.tick()
            counterDesk.tick()
            if let metricsPath, ticks % Self.metricsTicks == 0 { counterDesk.writeMetrics(to: metricsPath) }
            ticks += 1
            let captured = microphone.counters.samples
            let scored = house.ear.scored.load(ordering: .relaxed)
            if wantsRestart.isSet {
                log.notice("a restart was asked for")
                return Self.restartCode
            }
            let action = ear.look(microphone.state, captured: captured, scored: scored)
            if !isReady {
                switch start.look(microphone.state, scored: scored, now: Moment.monotonicMilliseconds()) {
                case .ready:
                    isReady = true
                    systemd.ready()
                    // Starting read models, packs and certificates; what that took goes back to the kernel.
                    clinux_give_memory_back()
                case .extend where action != .starve: systemd.extendStart(seconds: StartWatch.extendSeconds)
                case .extend, .wait: break
                }
            }
            tellStatus(isReady: isReady)
            switch action {
            case .well: systemd.alive()
            case .reopen:
                log.error("no sound comes from the open microphone; it is opened again")
                microphone.reopen()
                systemd.alive()
            case .starve:
                // No ping: systemd starts the daemon anew after WatchdogSec.
                log.error("the ear stands still; waiting for the watchdog")
            }
        }
    }

    /// The line `systemctl status` shows.
    private func tellStatus(isReady: Bool) {
        let problem = Health.problem(of: self)
        let line = problem ?? (microphone.state == .muted ? "muted" : isReady ? "listening" : "starting")
        guard line != toldStatus else { return }
        toldStatus = line
        systemd.status(line)
    }

    var startToFirstFrameMilliseconds: Int64? {
        let at = firstFrameAt.load(ordering: .relaxed)
        return at < 0 ? nil : at - startedAt
    }

    /// What the microphone's event thread remembers of what it told.
    private final class FaultMemory: Sendable {
        let faults = Mutex(RepeatedFaults())
    }

    private static func tell(_ event: CaptureEvent, _ log: EventLog, _ repeated: inout RepeatedFaults) {
        let now = Moment.monotonicMilliseconds()
        switch event {
        case .opened(let parameters, let sample):
            repeated.forget(.openFailed)
            log.notice(
                "microphone open", .init("hertz", .integer(Int64(parameters.hertz))),
                .init("channels", .integer(Int64(parameters.channels))),
                .init("period_frames", .integer(Int64(parameters.periodFrames))),
                .init("buffer_frames", .integer(Int64(parameters.bufferFrames))),
                .init("real_time", .bool(parameters.isRealTime)), .init("sample", .integer(Int64(sample))))
        case .openFailed(let error, let retry):
            guard let times = repeated.note(.openFailed, atMilliseconds: now) else { return }
            log.warning(
                "no microphone; it is tried again", .init("why", .string("\(error)")),
                .init("retry_ms", .integer(Int64(retry))), .init("times", .integer(Int64(times))))
        case .lost(let error, _): log.error("the microphone was lost", .init("why", .string("\(error)")))
        case .overrun(_, let samples):
            guard let times = repeated.note(.overrun, atMilliseconds: now) else { return }
            log.warning(
                "capture overrun", .init("samples", .integer(Int64(samples))), .init("times", .integer(Int64(times))))
        case .bufferDoubled(let milliseconds):
            log.warning("capture buffer doubled", .init("ms", .integer(Int64(milliseconds))))
        case .flatLine:
            guard repeated.note(.flatLine, atMilliseconds: now) != nil else { return }
            log.warning("the microphone is silent: muted by a switch, or unplugged")
        case .flatLineEnded: log.notice("the microphone gives sound again")
        case .clipping:
            guard let times = repeated.note(.clipping, atMilliseconds: now) else { return }
            log.warning("the microphone clips: lower its gain", .init("times", .integer(Int64(times))))
        case .muted: log.notice("muted: microphone closed, sound wiped")
        case .ended: log.notice("the sound has ended")
        }
    }

    /// When this process was started by the kernel, on the monotonic clock, to 10 ms.
    private static func processStart() -> Int64 {
        let now = Moment.monotonicMilliseconds()
        guard let bytes = FileBytes.read("/proc/self/stat", bytesMax: 4_096),
            let close = bytes.lastIndex(of: UInt8(ascii: ")"))
        else { return now }
        let fields = String(decoding: bytes[(close + 1)...], as: UTF8.self).split(separator: " ")
        // Field 22 of proc(5), counted from the state (3): ticks since boot.
        guard fields.count > 19, let ticks = Int64(fields[19]) else { return now }
        let sinceBoot = ticks * 1000 / Int64(sysconf(Int32(_SC_CLK_TCK)))
        return now - (Moment.bootMilliseconds() - sinceBoot)
    }
}
