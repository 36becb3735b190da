import Glibc
import Testing
import WakeWord

@testable import AudioIO

/// One virtual counter for this suite: real ALSA, real time, no hardware (board/virtual-counter/counter).
private final class Counter {
    static let script =
        #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 } + "/board/virtual-counter/counter"
    let folder: Scratch

    /// Makes the counter and puts its addresses into this process's environment.
    init() throws {
        folder = Scratch()
        try run("up")
        let environment = try #require(popen("'\(Self.script)' env '\(folder.path)'", "r"))
        defer { pclose(environment) }
        var line = [CChar](repeating: 0, count: 512)
        while fgets(&line, 512, environment) != nil {
            let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            let parts = text.dropFirst("export ".count).split(separator: "=", maxSplits: 1)
            setenv(String(parts[0]), parts[1].filter { $0 != "'" && $0 != "\n" }, 1)
        }
    }

    func run(_ action: String) throws { try #require(Glibc.system("'\(Self.script)' \(action) '\(folder.path)'") == 0) }

    func play(_ path: String) throws {
        try #require(Glibc.system("paplay --latency-msec=100 --device=ear '\(path)'") == 0)
    }

    deinit { _ = Glibc.system("'\(Self.script)' down '\(folder.path)' >/dev/null 2>&1") }
}

/// Where `wanted` begins in `heard`, by the correlation of 400 of its samples; nil when nothing there is like it.
private func place(of wanted: [Int16], in heard: [Int16]) -> Int? {
    let probe = 400
    let from = wanted.count / 2
    var best = (score: 0.0, at: 0)
    wanted.withUnsafeBufferPointer { wanted in
        heard.withUnsafeBufferPointer { heard in
            guard heard.count > from + probe else { return }
            for at in from..<(heard.count - probe) {
                var product = 0
                var energy = 1
                for index in 0..<probe {
                    product &+= Int(wanted[from &+ index]) &* Int(heard[at &+ index])
                    energy &+= Int(heard[at &+ index]) &* Int(heard[at &+ index])
                }
                let score = Double(product) / Double(energy).squareRoot()
                if score > best.score { best = (score, at) }
            }
        }
    }
    let own = (0..<probe).reduce(0.0) { $0 + Double(wanted[from + $1]) * Double(wanted[from + $1]) }.squareRoot()
    return best.score > 0.9 * own ? best.at - from : nil
}

/// Samples that are not there, or differ by more than two steps; first and last of them for the report.
private func differences(_ wanted: [Int16], _ heard: [Int16], at place: Int) -> (count: Int, span: String) {
    let different = wanted.indices.filter { index in
        let other = place + index
        return other < 0 || other >= heard.count || abs(Int(wanted[index]) - Int(heard[other])) > 2
    }
    return (different.count, "\(different.first ?? -1) to \(different.last ?? -1), heard \(heard.count - place)")
}

/// The sound server renders ahead, and what it takes back when a stream begins its monitors never hear again: so every
/// sound here begins with a quarter second of silence.
private let leadIn = [Int16](repeating: 0, count: 4_000)

@Suite(.serialized) struct VirtualCounterTests {
    private func microphone(_ ring: SampleRing, _ heard: Heard) -> Microphone {
        Microphone(
            configuration: MicrophoneConfiguration(backend: .alsa(device: "mic")), ring: ring, onEvent: heard.take)
    }

    private func writeSound(_ counter: Counter, _ samples: [Int16]) -> String {
        counter.folder.write("sound.wav", wav(chunk("fmt ", fmt()), chunk("data", bytes(leadIn + samples))))
    }

    private static func isOpened(_ event: CaptureEvent) -> Bool { if case .opened = event { true } else { false } }

    /// From a player through a sound server and ALSA into the ring: the same sound, sample for sample.
    @Test func `the microphone hears what is played`() throws {
        let counter = try Counter()
        let ring = SampleRing()
        let heard = Heard()
        let reader = try #require(ring.reader(from: 0))
        let microphone = microphone(ring, heard)
        microphone.start()
        defer { microphone.stop() }
        let opened = try #require(heard.wait(seconds: 10, for: Self.isOpened))
        guard case .opened(let parameters, _) = opened else { return }
        #expect(parameters.hertz == 16_000 && parameters.channels == 1 && parameters.bits == 16)
        #expect(parameters.periodFrames == 320 && parameters.bufferFrames == 5_120)

        let sound = noise(16_000, seed: 21)
        try counter.play(writeSound(counter, sound))
        let end = ring.end
        #expect(reader.wait(forSamples: Int(end - reader.at) + 16_000, milliseconds: 10_000))
        let got = try #require(readAll(reader, to: ring.end))
        let wanted = filtered(sound)
        let at = try #require(place(of: wanted, in: got))
        let wrong = differences(wanted, got, at: at)
        #expect(wrong.count < 10, "\(wrong.span)")
        #expect(microphone.counters.overruns == 0)
        // In real time: the newest sample is no older than half a second.
        #expect(abs(microphone.monotonicMilliseconds(ofSample: ring.end) - SteadyClock.milliseconds()) < 500)
    }

    @Test func `what the speaker plays is what comes out`() throws {
        let counter = try Counter()
        let path = "\(counter.folder.path)/out.wav"
        let recorder = try #require(
            popen(
                "exec parecord --latency-msec=50 --device=mouth.monitor --rate=16000 --channels=1 --format=s16le --file-format=wav '\(path)' & echo $!",
                "r"))
        var number = [CChar](repeating: 0, count: 32)
        fgets(&number, 32, recorder)
        let pid = try #require(
            pid_t(String(decoding: number.prefix { $0 > 32 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)))
        // The recorder has begun when there is sound (silence, too) in its file.
        for _ in 0..<200 where ((try? WAVReader.samples(path: path, secondsMax: 60))?.count ?? 0) < 1_600 {
            usleep(50_000)
        }

        let ended = WakeUp()
        let outcome = Box()
        let speaker = Speaker(
            configuration: SpeakerConfiguration(backend: .alsa(device: "spk")), clock: { SteadyClock.milliseconds() },
            onEvent: { _ in })
        speaker.start()
        let sound = noise(16_000, seed: 22, amplitude: 5_000)
        let before = SteadyClock.milliseconds()
        speaker.play(
            SoundClip(
                samples: leadIn + sound, onStart: { outcome.set(start: $0) },
                onEnd: { end in
                    outcome.set(end: end)
                    ended.signal()
                }))
        #expect(ended.wait(milliseconds: 20_000))
        #expect(outcome.end == .played)
        #expect(outcome.start >= before)
        // It cannot end before it has sounded.
        #expect(SteadyClock.milliseconds() - outcome.start >= 1_200)
        speaker.stop()
        usleep(300_000)
        kill(pid, SIGTERM)
        pclose(recorder)
        for _ in 0..<100 where kill(pid, 0) == 0 { usleep(20_000) }
        let got = try WAVReader.samples(path: path, secondsMax: 60)
        let at = try #require(place(of: sound, in: got))
        let wrong = differences(sound, got, at: at)
        #expect(wrong.count < 10, "\(wrong.span)")
    }

    /// F10, F7: the device goes away and comes back; nobody restarts anything.
    @Test func `an unplugged microphone heals when it is plugged in again`() throws {
        let counter = try Counter()
        let ring = SampleRing()
        let heard = Heard()
        let microphone = microphone(ring, heard)
        microphone.start()
        defer { microphone.stop() }
        _ = try #require(heard.wait(seconds: 10, for: Self.isOpened))
        try counter.run("unplug")
        _ = try #require(heard.wait(seconds: 10) { if case .lost = $0 { true } else { false } })
        #expect(microphone.state == .lost)
        #expect(heard.wait(seconds: 10) { if case .openFailed = $0 { true } else { false } } != nil)
        try counter.run("plug")
        let again = heard.wait(seconds: 15) { if case .opened(_, 1...) = $0 { true } else { false } }
        #expect(again != nil)
        #expect(microphone.state == .open)
        #expect(microphone.counters.losses == 1)
        let reader = try #require(ring.reader())
        let sound = noise(8_000, seed: 23)
        try counter.play(writeSound(counter, sound))
        #expect(reader.wait(forSamples: Int(ring.end - reader.at) + 16_000, milliseconds: 10_000))
        let got = try #require(readAll(reader, to: ring.end))
        #expect(place(of: filtered(sound), in: got) != nil)
    }

    /// The echo canceller on a device that shares a clock: what the counter plays into the room the microphone hears, and the
    /// time base of both decides whether the filter finds it. In real time, so three tries on a loaded machine.
    @Test func `its own voice is taken out of what the microphone hears`() throws {
        let counter = try Counter()
        let ring = SampleRing()
        let heard = Heard()
        let stage = EchoStage(reader: try #require(ring.reader()), reference: EchoReference(microphone: ring))
        let microphone = microphone(ring, heard)
        microphone.start()
        defer { microphone.stop() }
        _ = try #require(heard.wait(seconds: 10, for: Self.isOpened))
        let speaker = Speaker(
            configuration: SpeakerConfiguration(backend: .alsa(device: "loop")), clock: { SteadyClock.milliseconds() },
            reference: stage.playedReference, onEvent: { _ in })
        speaker.start()
        defer { speaker.stop() }
        var best = 0.0
        for _ in 0..<3 where best < 10 {
            let ended = WakeUp()
            let clip = (0..<4).flatMap { _ in SpeakerCalibration.testSound(gainMilli: 400) }
            speaker.play(SoundClip(samples: clip, onEnd: { _ in ended.signal() }))
            let until = SteadyClock.milliseconds() + 20_000
            while !ended.wait(milliseconds: 40), SteadyClock.milliseconds() < until { stage.work() }
            stage.work()
            best = max(best, 10 * log10(stage.suppression))
        }
        #expect(stage.framesCancelled > 100)
        #expect(best >= 10, "\(best) dB")
        withExtendedLifetime(counter) {}
    }

    /// A muted microphone gives its device back.
    @Test func `muting closes the device, and the sound server sees it`() throws {
        let counter = try Counter()
        func listeners() -> Int32 { Glibc.system("test -z \"$(pactl list short source-outputs)\"") }
        let ring = SampleRing()
        let heard = Heard()
        let microphone = microphone(ring, heard)
        microphone.start()
        defer { microphone.stop() }
        _ = try #require(heard.wait(seconds: 10, for: Self.isOpened))
        #expect(listeners() != 0)
        microphone.mute(.hardware)
        _ = try #require(heard.wait(seconds: 10) { if case .muted = $0 { true } else { false } })
        #expect(listeners() == 0)
        let wakeUps = microphone.counters.wakeUps
        usleep(200_000)
        #expect(microphone.counters.wakeUps == wakeUps)
        withExtendedLifetime(counter) {}
    }

    /// The whole ear: a voice says the word in the room, the model hears it through everything in between.
    @Test func `the wake word is heard through the microphone`() throws {
        let counter = try Counter()
        let folder = counter.folder.path
        try #require(
            Glibc.system(
                "flite -voice rms -t 'okay nabu' -o '\(folder)/w.wav' && sox '\(folder)/w.wav' -r 16000 -c 1 -b 16 '\(folder)/wake.wav' pad 0.2 0.6"
            ) == 0)
        let listener = WakeListener(wake: [try model("okay_nabu")], voice: try model("vad"))
        let ring = SampleRing()
        let heard = Heard()
        let reader = try #require(ring.reader(from: 0))
        let microphone = microphone(ring, heard)
        microphone.start()
        defer { microphone.stop() }
        // The listener passes over its first 0.74 s.
        #expect(reader.wait(forSamples: 16_000, milliseconds: 10_000))
        try counter.play("\(folder)/wake.wav")
        #expect(reader.wait(forSamples: Int(ring.end - reader.at) + 8_000, milliseconds: 10_000))
        let got = try #require(readAll(reader, to: ring.end))
        var wakes: [WakeListener.Wake] = []
        got.withUnsafeBufferPointer { all in
            for start in stride(from: 0, to: all.count - 640, by: 640) {
                let block = UnsafeBufferPointer(rebasing: all[start..<(start + 640)])
                if let wake = listener.take(block, from: UInt64(start)) { wakes.append(wake) }
            }
        }
        #expect(wakes.map(\.model) == ["okay_nabu"])
    }

    private func model(_ name: String) throws -> WakeModel {
        let models =
            getenv("EXECORA_MODELS").map { String(cString: $0) }
            ?? (getenv("EXECORA_CACHE").map { String(cString: $0) } ?? String(cString: getenv("HOME"))
                + "/.cache/execora")
            + "/models"
        func read(_ path: String) throws -> [UInt8] {
            let file = try #require(
                fopen(path, "rb"), "\(path) is missing; it comes from board/models/fetch-wake-models")
            defer { fclose(file) }
            var bytes = [UInt8](repeating: 0, count: 1 << 20)
            return Array(bytes[..<fread(&bytes, 1, bytes.count, file)])
        }
        let manifest = try read("\(models)/\(name).json")
        return try WakeModel(
            name: name, file: read("\(models)/" + WakeModel.fileName(inManifest: manifest)), manifest: manifest)
    }
}

/// What one clip came to.
private final class Box: @unchecked Sendable {
    // @unchecked: written on the playback thread before the bell, read behind it.
    private(set) var start: Int64 = 0
    private(set) var end: SoundClip.End?
    func set(start: Int64) { self.start = start }
    func set(end: SoundClip.End) { self.end = end }
}
