import AudioIO
import Glibc
import JSONText

/// The counter hears itself: its own voice says lines, a simulated room gives them back to the microphone, and whatever the
/// ear makes of that is counted. As the daemon does it, with the configuration's echo profile, faster than time.
///
/// The path is a direct sound after 12 ms and forty reflections over 150 ms, together 6 dB below what was played (or as told),
/// behind a room that rustles at -65 dB of full scale.
struct EchoRehearsal {
    static let linesMax = 10_000
    static let lineBytesMax = 512
    static let linesBytesMax = 1 << 20

    struct Outcome: Equatable {
        var prompts = 0
        var counts = EarRig.Counts()
        /// Echo return loss enhancement, tenths of a decibel, over the last second or so of own voice; 0 without a canceller.
        var suppressionTenths = 0
    }

    static func run(_ configuration: ApplianceConfiguration, prompts path: String, gainTenths: Int, over: String?)
        -> Int32
    {
        guard let bytes = FileBytes.read(path, bytesMax: linesBytesMax) else {
            complain("execorad: \(path) cannot be read, or is larger than 1 MB")
            return 2
        }
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n").prefix(linesMax).map(String.init)
        do {
            var words: [Int16] = []
            if let over { words = try WAVReader.samples(path: over, secondsMax: 5) }
            let outcome = try rehearse(configuration, lines: lines, gainTenths: gainTenths, over: words)
            let line: JSONValue = [
                "echo": .string(configuration.echo.rawValue), "prompts": .integer(Int64(outcome.prompts)),
                "wakes": .integer(Int64(outcome.counts.wakes)),
                "turns_entered": .integer(Int64(outcome.counts.entered)),
                "turns_opened": .integer(Int64(outcome.counts.opened)),
                "interruptions": .integer(Int64(outcome.counts.interruptions)),
                "erle_tenths_db": .integer(Int64(outcome.suppressionTenths)),
            ]
            print(line.text)
            return 0
        } catch let fault as House.Fault {
            complain("execorad: \(fault.line)")
            return fault.exitCode
        } catch {
            complain("execorad: \(error)")
            return 1
        }
    }

    /// - Parameters:
    ///   - gainTenths: the path's loss, tenths of a decibel; -60 is the issue's.
    ///   - over: a person's words, 0.7 s into every line, as loud as they are; empty for none.
    static func rehearse(
        _ configuration: ApplianceConfiguration, lines: [String], gainTenths: Int, over: [Int16]
    ) throws -> Outcome {
        let log = EventLog(level: configuration.logLevel, format: configuration.logFormat)
        let rig = try EarRig(configuration, log: log)
        let voice = Voice(
            program: configuration.voiceProgram, name: configuration.voiceName,
            wordsPerMinute: configuration.voiceWordsPerMinute)
        var room = EchoPath(gainTenths: gainTenths)
        var outcome = Outcome()
        rig.hear(room.quiet(seconds: 3))
        for (number, text) in lines.enumerated() {
            let spoken = try voice.samples(saying: text)
            rig.ear.order(.speaking(true))
            let before = rig.counts.interruptions
            var at = 0
            var written = 0
            let begin = rig.ring.end
            var isOver = false
            while at < spoken.count, !isOver {
                let end = min(at + Ear.frameSamples, spoken.count)
                // Written 80 ms ahead of its sound, as a speaker's buffer is filled.
                let ahead = min(end + 4 * Ear.frameSamples, spoken.count)
                Array(spoken[written..<ahead]).withUnsafeBufferPointer {
                    rig.reference?.played(
                        $0, atNanoseconds: Int64(begin + UInt64(written)) * 62_500, continues: written > 0)
                }
                written = ahead
                var heard = room.echo(of: Array(spoken[at..<end]))
                for index in heard.indices {
                    let place = at + index - 11_200
                    if over.indices.contains(place) {
                        heard[index] = Int16(clamping: Int(heard[index]) + Int(over[place]))
                    }
                }
                rig.hear(heard)
                at = end
                // Interrupted, it falls silent at once; what was said over it goes on below.
                isOver = rig.counts.interruptions > before
            }
            rig.ear.order(.speaking(false))
            // Every other line is a question: the ear opens while the room still rings.
            let isQuestion = number % 2 == 1 && !isOver
            if isQuestion { rig.ear.order(.expectAnswer) }
            rig.hear(room.quiet(seconds: isQuestion ? 7.5 : isOver ? 6 : 1.5))
            outcome.prompts += 1
        }
        outcome.counts = rig.counts
        if let stage = rig.stage { outcome.suppressionTenths = Int((100 * log10(stage.suppression)).rounded()) }
        return outcome
    }
}

/// A simulated room: what the microphone gets of what the loudspeaker plays. Plain; the same each time.
struct EchoPath {
    private static let directSamples = 192
    private static let lengthSamples = 2_592
    private static let reflections = 40
    /// -65 dB of full scale.
    private static let rustle = 18.0

    private var taps: [(delay: Int, gain: Double)] = []
    private var past = [Double](repeating: 0, count: lengthSamples)
    private var at = 0
    private var state: UInt64 = 88_172_645_463_325_252

    init(gainTenths: Int) {
        var weights = [(delay: Self.directSamples, gain: 1.0)]
        for _ in 0..<Self.reflections {
            let delay = Self.directSamples + 40 + Int(next() * Double(Self.lengthSamples - Self.directSamples - 41))
            // 60 dB in 0.35 s: a small shop full of goods.
            let fade = exp(-6.9 * Double(delay) / 16_000 / 0.35)
            weights.append((delay, (next() - 0.5) * 0.9 * fade))
        }
        let energy = weights.reduce(0) { $0 + $1.gain * $1.gain }.squareRoot()
        let gain = exp(Double(gainTenths) / 200 * log(10.0)) / energy
        taps = weights.map { ($0.delay, $0.gain * gain) }
    }

    /// The echo of what is played now, with that of what was played before, and the room.
    mutating func echo(of played: [Int16]) -> [Int16] {
        played.map { sample in
            past[at] = Double(sample)
            var sum = (next() - 0.5) * 2 * Self.rustle
            for tap in taps {
                let place = at - tap.delay
                sum += tap.gain * past[place >= 0 ? place : place + Self.lengthSamples]
            }
            at = at + 1 == Self.lengthSamples ? 0 : at + 1
            return Int16(max(-32_768, min(32_767, sum.rounded())))
        }
    }

    mutating func quiet(seconds: Double) -> [Int16] {
        echo(of: [Int16](repeating: 0, count: Int(seconds * 16_000)))
    }

    /// xorshift, 0 to 1.
    private mutating func next() -> Double {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return Double(state >> 11) / Double(UInt64(1) << 53)
    }
}
