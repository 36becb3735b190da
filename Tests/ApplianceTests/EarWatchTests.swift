import AudioIO
import Glibc
import Synchronization
import Testing

@testable import execorad

/// F7: "runs but is deaf until restart". The watch over the ear, tick by tick.
struct EarWatchTests {
    @Test func `counters that move are well, for ever`() {
        var watch = EarWatch()
        for tick in 1...1_000 {
            #expect(watch.look(.open, captured: UInt64(tick), scored: UInt64(tick)) == .well)
        }
    }

    @Test func `no captured sample: reopened after three ticks, again after six, given up after eight`() {
        var watch = EarWatch()
        _ = watch.look(.open, captured: 100, scored: 100)
        let actions = (1...9).map { _ in watch.look(.open, captured: 100, scored: 100) }
        #expect(actions == [.well, .well, .reopen, .well, .well, .reopen, .well, .starve, .starve])
    }

    /// A thread that scores nothing is not helped by another device.
    @Test func `captured and not scored: no reopening, the watchdog starves`() {
        var watch = EarWatch()
        _ = watch.look(.open, captured: 100, scored: 100)
        let actions = (1...8).map { tick in watch.look(.open, captured: UInt64(100 + tick), scored: 100) }
        #expect(actions == [.well, .well, .well, .well, .well, .well, .well, .starve])
    }

    @Test func `one moving tick and all is forgotten`() {
        var watch = EarWatch()
        _ = watch.look(.open, captured: 1, scored: 1)
        for _ in 1...7 { _ = watch.look(.open, captured: 1, scored: 1) }
        #expect(watch.look(.open, captured: 2, scored: 2) == .well)
        #expect(watch.look(.open, captured: 2, scored: 2) == .well)
        #expect(watch.look(.open, captured: 2, scored: 2) == .well)
        #expect(watch.look(.open, captured: 2, scored: 2) == .reopen)
    }

    @Test(arguments: [MicrophoneState.muted, .lost, .ended, .stopped])
    func `a microphone that says why it is silent is no fault of the house`(state: MicrophoneState) {
        var watch = EarWatch()
        for _ in 1...100 { #expect(watch.look(state, captured: 5, scored: 5) == .well) }
    }

    @Test func `an opening that never returns starves the watchdog`() {
        var watch = EarWatch()
        let actions = (1...16).map { _ in watch.look(.opening, captured: 0, scored: 0) }
        #expect(actions.dropLast().allSatisfy { $0 == .well })
        #expect(actions.last == .starve)
    }

    /// Fault injection through the file backend: the device stands still, the watch sees it from the counters, and the
    /// microphone hears again. Ticks come by hand, so no time is waited for.
    @Test func `a standing device is found by its counter and healed`() throws {
        var sound = [Int16](repeating: 0, count: 48_000)
        for index in sound.indices { sound[index] = Int16(truncatingIfNeeded: index &* 7_919 % 4_001) }
        let path = "/tmp/execora-watch-\(getpid()).wav"
        defer { unlink(path) }
        let writer = try WAVWriter(path: path)
        try sound.withUnsafeBufferPointer { try writer.append($0) }
        var wanted = MicrophoneConfiguration(backend: .file(path: path, pace: .asRead))
        wanted.priority = 0
        wanted.accidents = [.init(atSample: 16_000, kind: .standstill)]
        let ring = SampleRing()
        let microphone = Microphone(configuration: wanted, ring: ring) { _ in }
        microphone.start()
        defer { microphone.stop() }
        let end = Moment.monotonicMilliseconds() + 20_000
        while ring.end < 16_000, Moment.monotonicMilliseconds() < end { usleep(1_000) }
        var watch = EarWatch()
        var reopened = 0
        for _ in 1...8 where ring.end < 48_000 {
            switch watch.look(microphone.state, captured: microphone.counters.samples, scored: ring.end) {
            case .reopen:
                reopened += 1
                microphone.reopen()
                while ring.end < 48_000, Moment.monotonicMilliseconds() < end { usleep(1_000) }
            case .starve: Issue.record("starved before it healed")
            case .well: break
            }
        }
        #expect(reopened == 1)
        #expect(ring.end == 48_000)
    }
}

/// F10: "does not start; card not ready". READY means "it hears", and a missing card is waited for, not for ever.
struct StartWatchTests {
    @Test func `the first scored sound, or a confirmed mute, is ready`() {
        let watch = StartWatch(now: 5_000)
        #expect(watch.look(.open, scored: 640, now: 5_100) == .ready)
        #expect(watch.look(.muted, scored: 0, now: 5_100) == .ready)
        #expect(watch.look(.open, scored: 640, now: 5_000_000) == .ready)
    }

    @Test(arguments: [MicrophoneState.opening, .lost, .open, .stopped])
    func `without sound more time is asked for, until ten minutes are over`(state: MicrophoneState) {
        let watch = StartWatch(now: 5_000)
        #expect(watch.look(state, scored: 0, now: 5_000) == .extend)
        #expect(watch.look(state, scored: 0, now: 604_999) == .extend)
        #expect(watch.look(state, scored: 0, now: 605_000) == .wait)
    }

    /// Each extension is said anew well before the last one ends, also by the slower tick of a muted house.
    @Test func `an extension is longer than the ticks between two`() {
        #expect(StartWatch.extendSeconds > 5 * Int64(max(Appliance.tickSeconds, Appliance.mutedTickSeconds)))
    }
}

/// F3: the counter's own voice, through a simulated room 6 dB down, in both profiles. The whole programme of 200 prompts is
/// `board/bench/ears.py`; these lines keep what it found.
struct EchoRehearsalTests {
    static let lines = [
        "Rahul Sharma ke do sau rupaye likh diye", "okay nabu", "Priya ka hisaab saat sau pachaas rupaye hai",
        "kya main teen sau rupaye likh doon",
    ]

    private func configuration(_ echo: ApplianceConfiguration.Echo) -> ApplianceConfiguration {
        var configuration = ApplianceConfiguration()
        let cache =
            getenv("EXECORA_CACHE").map { String(cString: $0) } ?? String(cString: getenv("HOME")) + "/.cache/execora"
        configuration.modelsFolder = getenv("EXECORA_MODELS").map { String(cString: $0) } ?? cache + "/models"
        configuration.echo = echo
        configuration.logLevel = .error
        return configuration
    }

    @Test(arguments: [ApplianceConfiguration.Echo.halfDuplex, .speex])
    func `its own voice wakes nobody and enters no turn`(echo: ApplianceConfiguration.Echo) throws {
        let outcome = try EchoRehearsal.rehearse(configuration(echo), lines: Self.lines, gainTenths: -60, over: [])
        #expect(outcome.prompts == 4)
        #expect(outcome.counts.wakes == 0)
        #expect(outcome.counts.entered == 0)
        #expect(outcome.counts.interruptions == 0)
        if echo == .speex { #expect(outcome.suppressionTenths > 100, "\(outcome.suppressionTenths)") }
    }

    @Test func `what many turns leave behind in memory is nothing`() throws {
        let path = "/tmp/execora-soak-\(getpid()).wav"
        defer { unlink(path) }
        try #require(
            system(
                "flite -voice rms -t 'okay nabu' -o \(path).a && flite -voice slt -t 'yes' -o \(path).b && sox \(path).a \(path).b \(path) && rm \(path).a \(path).b"
            ) == 0)
        #expect(EarSoak.run(configuration(.halfDuplex), input: path, turns: 12) == 0)
    }
}
