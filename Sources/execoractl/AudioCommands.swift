import AudioIO
import Glibc
import JSONText
import Synchronization

/// `execoractl audio ...`: sound devices looked at and listened to, without the daemon.
var audioCommands: CommandGroup {
    CommandGroup(
        word: "audio",
        summary:
            "devices | listen, without the daemon; meter | params | cards | tone | prompt | loopback | calibrate | record, with it",
        run: audio)
}

private func audio(_ arguments: [String]) -> Int32 {
    if let code = technicianCall("audio", arguments) { return code }
    switch arguments.first {
    case "devices": return audioDevices(inJSON: arguments.contains("--json"))
    case "listen": return audioListen(Array(arguments.dropFirst()))
    case "calibrate": return audioCalibrate(Array(arguments.dropFirst()))
    default:
        print(
            """
            usage: execoractl audio devices [--json]
                   execoractl audio calibrate --capture NAME --playback NAME [--channel 0] [--json]
                   execoractl audio listen --device NAME [--channel 0] [--seconds 10] [--period-ms 20] [--json]
            `devices` lists what ALSA offers, under the names the configuration takes. `listen` opens one and says each
            second how loud it is, as the daemon would hear it; the daemon must not hold the device then. `calibrate` plays a
            test sound and says which audio.volume_milli and audio.playback_tail_ms fit the board and its room.
            """)
        return arguments.first == "--help" ? 0 : 2
    }
}

private func audioDevices(inJSON: Bool) -> Int32 {
    let devices = AudioDevice.all()
    for device in devices {
        if inJSON {
            let line: JSONValue = [
                "name": .string(device.name), "summary": .string(device.summary),
                "capture": .bool(device.canCapture), "playback": .bool(device.canPlay),
            ]
            print(line.text)
        } else {
            let can = device.canCapture ? (device.canPlay ? "both" : "capture") : "playback"
            print("\(device.name)  (\(can))\(device.summary.isEmpty ? "" : "  \(device.summary)")")
        }
    }
    if devices.isEmpty, !inJSON {
        print("no sound device: is one plugged in, and is this user in the group 'audio'?")
    }
    return devices.isEmpty ? 1 : 0
}

/// - Returns: 0 when sound came, 1 when none did.
private func audioListen(_ arguments: [String]) -> Int32 {
    var device: String?
    var channel = 0
    var seconds = 10
    var period = 20
    var inJSON = false
    var rest = arguments[...]
    while let word = rest.popFirst() {
        switch word {
        case "--device": device = rest.popFirst()
        case "--channel": channel = rest.popFirst().flatMap { Int($0) } ?? -1
        case "--seconds": seconds = rest.popFirst().flatMap { Int($0) } ?? 0
        case "--period-ms": period = rest.popFirst().flatMap { Int($0) } ?? 0
        case "--json": inJSON = true
        default:
            print("execoractl: no option \(word) for 'audio listen'")
            return 2
        }
    }
    guard let device, channel >= 0, (1...3_600).contains(seconds), (5...100).contains(period) else {
        print(
            "execoractl: 'audio listen' needs --device NAME; --channel from 0, --seconds 1 to 3600, --period-ms 5 to 100"
        )
        return 2
    }
    var configuration = MicrophoneConfiguration(backend: .alsa(device: device))
    configuration.channel = channel
    configuration.periodMilliseconds = period
    let ring = SampleRing()
    guard let reader = ring.reader() else { return 2 }
    let given = Mutex<CaptureParameters?>(nil)
    let microphone = Microphone(configuration: configuration, ring: ring) { event in
        switch event {
        case .opened(let parameters, _): given.withLock { $0 = parameters }
        case .openFailed(let error, _), .lost(let error, _): print("execoractl: \(error)")
        case .flatLine: print("execoractl: a flat line for 2 s: muted, or nothing plugged in behind the device")
        case .clipping: print("execoractl: too loud: turn the capture gain down")
        default: break
        }
    }
    microphone.start()
    defer { microphone.stop() }
    let before = ownSwitches()
    // As the daemon's dsp thread does: woken once for 40 ms of sound.
    var buffer = [Int16](repeating: 0, count: 1_600)
    var heard = 0
    var waits = 0
    while heard < seconds * 16_000, waits < seconds * 1_000 / 40 + 125 {
        waits += 1
        _ = reader.wait(forSamples: 640, milliseconds: 200)
        guard case .samples(_, let count) = buffer.withUnsafeMutableBufferPointer({ reader.read(into: $0) }) else {
            continue
        }
        let isNewSecond = (heard + count) / 16_000 > heard / 16_000
        heard += count
        if isNewSecond, !inJSON {
            let level = microphone.level
            print("level \(decibels(level.rms)) dB, peak \(decibels(level.peak)) dB, room \(decibels(level.floor)) dB")
        }
    }
    let switches = ownSwitches() - before
    let counters = microphone.counters
    guard let given = given.withLock({ $0 }) else { return 1 }
    if inJSON {
        let level = microphone.level
        let line: JSONValue = [
            "device": .string(device), "hertz": .integer(Int64(given.hertz)),
            "channels": .integer(Int64(given.channels)),
            "bits": .integer(Int64(given.bits)), "period_frames": .integer(Int64(given.periodFrames)),
            "buffer_frames": .integer(Int64(given.bufferFrames)), "real_time": .bool(given.isRealTime),
            "samples": .integer(Int64(heard)), "overruns": .integer(Int64(counters.overruns)),
            "rms": .integer(Int64(level.rms)), "peak": .integer(Int64(level.peak)),
            "floor": .integer(Int64(level.floor)),
            "flat": .bool(microphone.isFlat), "capture_wake_ups": .integer(Int64(counters.wakeUps)),
            "reader_wake_ups": .integer(switches),
        ]
        print(line.text)
    } else {
        print(
            "\(device): \(given.hertz) Hz, \(given.channels) channels, \(given.bits) bits, period \(given.periodFrames), "
                + "buffer \(given.bufferFrames) frames, real time \(given.isRealTime ? "granted" : "not granted"), "
                + "\(counters.overruns) overruns")
    }
    return heard > 0 ? 0 : 1
}

/// Decibels of full scale, whole.
private func decibels(_ level: Int) -> Int {
    level > 0 ? Int((20 * log10(Double(level) / 32_767)).rounded()) : -91
}

/// Times the calling thread gave up the processor by itself.
private func ownSwitches() -> Int64 {
    // RUSAGE_THREAD, which the Glibc module hides behind a feature macro.
    let threadUsage = __rusage_who_t(1)
    var usage = rusage()
    getrusage(threadUsage, &usage)
    return Int64(usage.ru_nvcsw)
}
