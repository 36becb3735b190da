import AudioIO
import Glibc
import JSONText
import Synchronization

/// `execoractl audio calibrate`: plays a test sound, listens to it, and says which loudness and tail to configure.
///
/// - Returns: 0 with the two lines for the configuration; 1 when the sound was not heard, or clips even quietly.
func audioCalibrate(_ arguments: [String]) -> Int32 {
    var capture: String?
    var playback: String?
    var channel = 0
    var inJSON = false
    var rest = arguments[...]
    while let word = rest.popFirst() {
        switch word {
        case "--capture": capture = rest.popFirst()
        case "--playback": playback = rest.popFirst()
        case "--channel": channel = rest.popFirst().flatMap { Int($0) } ?? -1
        case "--json": inJSON = true
        default:
            print("execoractl: no option \(word) for 'audio calibrate'")
            return 2
        }
    }
    guard let capture, let playback, channel >= 0 else {
        print(
            "execoractl: 'audio calibrate' needs --capture NAME and --playback NAME; the daemon must not run meanwhile")
        return 2
    }
    guard let bench = CalibrationBench(capture: capture, playback: playback, channel: channel) else { return 1 }
    defer { bench.close() }
    guard let floor = bench.hear(nil) else {
        print("execoractl: the microphone gives no sound; try 'execoractl audio listen'")
        return 1
    }
    let first = SpeakerCalibration.firstGainMilli
    guard let quiet = bench.hear(SpeakerCalibration.testSound(gainMilli: first)),
        let gain = SpeakerCalibration.cap(peak: quiet.peak, floorPeak: floor.peak, atGainMilli: first)
    else {
        print("execoractl: the test sound was not heard over the room: is the loudspeaker on, and the room quiet?")
        return 1
    }
    guard let loud = bench.hear(SpeakerCalibration.testSound(gainMilli: gain)) else { return 1 }
    let tail = SpeakerCalibration.tailMilliseconds(loud.behind, floorRMS: floor.rms)
    // An amplifier that compresses makes the first guess too high, one that gates makes it too low.
    let isSafe = loud.peak <= SpeakerCalibration.peakMax * 11 / 10
    if inJSON {
        let line: JSONValue = [
            "volume_milli": .integer(Int64(gain)), "playback_tail_ms": .integer(Int64(tail)),
            "peak": .integer(Int64(loud.peak)), "floor_rms": .integer(Int64(floor.rms)), "safe": .bool(isSafe),
        ]
        print(line.text)
    } else {
        print("[audio]\nvolume_milli = \(gain)\nplayback_tail_ms = \(tail)")
        if !isSafe {
            print("# at that loudness the microphone is still too loud: turn the amplifier down and try again")
        }
    }
    return isSafe ? 0 : 1
}

/// A microphone and a loudspeaker for test sounds.
private final class CalibrationBench {
    struct Heard {
        var peak: Int
        var rms: Int
        /// What came behind the sound's end.
        var behind: [Int16]
    }

    private let ring = SampleRing()
    private let reader: RingReader
    private let microphone: Microphone
    private let speaker: Speaker
    private let failed = Mutex(false)

    init?(capture: String, playback: String, channel: Int) {
        guard let reader = ring.reader() else { return nil }
        self.reader = reader
        var hearing = MicrophoneConfiguration(backend: .alsa(device: capture))
        hearing.channel = channel
        microphone = Microphone(configuration: hearing, ring: ring) { event in
            if case .openFailed(let error, _) = event { print("execoractl: \(error)") }
        }
        speaker = Speaker(
            configuration: SpeakerConfiguration(backend: .alsa(device: playback)), clock: Self.milliseconds
        ) { event in
            if case .failed(let error) = event { print("execoractl: \(error)") }
        }
        microphone.start()
        speaker.start()
    }

    func close() {
        speaker.stop()
        microphone.stop()
    }

    /// Plays a sound (or a second of nothing) and listens until 1.2 s behind its end.
    /// - Returns: nil when the microphone gave nothing within 10 s, or the sound could not be played.
    func hear(_ sound: [Int16]?) -> Heard? {
        guard reader.wait(forSamples: 3_200, milliseconds: 10_000) else { return nil }
        reader.move(to: ring.end)
        let begin = ring.end
        var end = begin + 16_000
        if let sound {
            let ended = WakeUp()
            let outcome = Mutex<SoundClip.End?>(nil)
            speaker.play(
                SoundClip(
                    samples: sound,
                    onEnd: { told in
                        outcome.withLock { $0 = told }
                        ended.signal()
                    }))
            guard ended.wait(milliseconds: 10_000), outcome.withLock({ $0 }) == .played else { return nil }
            end = ring.end
        }
        guard reader.wait(forSamples: Int(end - begin) + 19_200, milliseconds: 20_000) else { return nil }
        var all = [Int16](repeating: 0, count: Int(end - begin) + 19_200)
        guard case .samples = all.withUnsafeMutableBufferPointer({ ring.copy(from: begin, into: $0) }) else {
            return nil
        }
        let energy = all.reduce(0.0) { $0 + Double($1) * Double($1) }
        return Heard(
            peak: all.map { abs(Int($0)) }.max() ?? 0, rms: Int((energy / Double(all.count)).squareRoot()),
            behind: Array(all[Int(end - begin)...]))
    }

    private static let milliseconds: @Sendable () -> Int64 = {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
    }
}
