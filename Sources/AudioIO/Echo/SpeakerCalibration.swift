/// How loud the counter may speak and how long its room rings, from what the microphone heard of test sounds. Plain.
///
/// A microphone that clips cannot be helped by any canceller, so the loudest own sound must leave 6 dB (complaint F4).
public struct SpeakerCalibration: Sendable, Equatable {
    /// -6 dB of full scale.
    public static let peakMax = 16_422
    /// The first try: quiet enough for every amplifier.
    public static let firstGainMilli = 250
    public static let gainRange = 10...1_000
    /// The room's tail is found in frames of 20 ms and rounded up to 50 ms; one that rings for more than a second has
    /// another fault.
    public static let tailRange = 100...1_000

    /// - Parameters:
    ///   - peak: the loudest the microphone heard at `gainMilli`, on the filtered sound.
    ///   - floorPeak: the same without any own sound.
    /// - Returns: the highest gain whose peak stays below `peakMax`; nil when the test sound was not heard over the room.
    public static func cap(peak: Int, floorPeak: Int, atGainMilli gain: Int) -> Int? {
        guard peak > 2 * max(floorPeak, 1) else { return nil }
        return min(max(gain * peakMax / peak, gainRange.lowerBound), gainRange.upperBound)
    }

    /// How long the room is louder than its own floor by 6 dB behind a sound's end.
    /// - Parameter sound: 16 kHz, from the end of the sound on.
    /// - Returns: milliseconds for `audio.playback_tail_ms`.
    public static func tailMilliseconds(_ sound: [Int16], floorRMS: Int) -> Int {
        let limit = Double(max(floorRMS, 4)) * 2
        var last = 0
        for (number, start) in stride(from: 0, to: sound.count - 319, by: 320).enumerated() {
            let energy = sound[start..<start + 320].reduce(0.0) { $0 + Double($1) * Double($1) }
            if (energy / 320).squareRoot() > limit { last = (number + 1) * 20 }
        }
        return min(max((last + 49) / 50 * 50, tailRange.lowerBound), tailRange.upperBound)
    }

    /// A second of speech-like sound, full scale at 1,000: noise between 300 and 3,000 Hz or so that comes and goes four
    /// times. The same each time.
    public static func testSound(gainMilli: Int) -> [Int16] {
        var state: UInt32 = 2_463_534_242
        var (low, high) = (0.0, 0.0)
        var all = (0..<16_000).map { index in
            state ^= state << 13
            state ^= state >> 17
            state ^= state << 5
            let white = Double(Int32(bitPattern: state)) / Double(Int32.max)
            low += 0.55 * (white - low)
            high += 0.11 * (low - high)
            let place = Double(index % 4_000) / 4_000
            return (low - high) * (place < 0.75 ? 4 * (place / 0.75) * (1 - place / 0.75) : 0)
        }
        let peak = all.map(abs).max() ?? 1
        for index in all.indices { all[index] *= 32_000 / peak * Double(gainMilli) / 1_000 }
        return all.map { Int16($0.rounded()) }
    }
}
