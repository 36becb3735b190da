import AudioIO
import Glibc
import JSONText

/// Sweep out of the speaker, room into the microphone: is the box's own voice heard, when, and how loud. Pure.
///
/// The delay is where the matched filter of the sweep answers most; its answer against the mean of all others says how
/// sure that is. No sound is kept, the numbers alone are.
struct Loopback {
    /// 0.4 s from 400 Hz to 3.2 kHz: within what a small speaker gives and a microphone of 16 kHz hears.
    static let sweepSamples = 6_400
    /// How long after the sweep's start its echo is looked for.
    static let searchSamples = 16_000
    /// The filter's answer must stand so far above the rest, in tenths.
    static let sureTenths: Int64 = 50

    struct Result: Equatable {
        var delayMilliseconds: Int64
        var level: Int64
        var sureTenths: Int64

        var isHeard: Bool { sureTenths >= Loopback.sureTenths }

        var json: JSONValue {
            [
                "heard": .bool(isHeard), "delay_ms": .integer(delayMilliseconds), "level": .integer(level),
                "sure_tenths": .integer(sureTenths),
            ]
        }
    }

    static func sweep() -> [Int16] {
        let (low, high, count) = (400.0, 3_200.0, Double(sweepSamples))
        return (0..<sweepSamples).map { index in
            let at = Double(index)
            let phase = 2 * Double.pi * (low * at + (high - low) * at * at / (2 * count)) / 16_000
            let edge = min(at, count - at)
            return Int16(6_000 * sin(phase) * min(1, edge / 160))
        }
    }

    /// - Parameter heard: from when the sweep began to sound, `sweepSamples + searchSamples` long.
    static func measure(_ heard: [Int16]) -> Result? {
        guard heard.count >= sweepSamples + searchSamples else { return nil }
        // Every fourth sample of the filter: the sweep stays below the folded band's harm and the cost is a quarter.
        let sweep = sweep()
        let taps = stride(from: 0, to: sweepSamples, by: 4).map { ($0, Float(sweep[$0])) }
        let sound = heard.map(Float.init)
        var best = (at: 0, answer: Float(0))
        var sum: Float = 0
        var places = 0
        for at in stride(from: 0, to: searchSamples, by: 2) {
            var answer: Float = 0
            for (tap, value) in taps { answer += sound[at + tap] * value }
            answer = abs(answer)
            sum += answer
            places += 1
            if answer > best.answer { best = (at, answer) }
        }
        let mean = sum / Float(places)
        guard mean > 0 else { return Result(delayMilliseconds: 0, level: 0, sureTenths: 0) }
        let span = heard[best.at..<(best.at + sweepSamples)]
        let squares = span.reduce(0.0) { $0 + Double($1) * Double($1) }
        return Result(
            delayMilliseconds: Int64(best.at) / 16, level: Int64((squares / Double(sweepSamples)).squareRoot()),
            sureTenths: Int64(best.answer / mean * 10))
    }
}
