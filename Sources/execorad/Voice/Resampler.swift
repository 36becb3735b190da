import Glibc

/// Brings synthesised speech to the house's 16 kHz: a Hann-windowed sinc, 32 taps wide, evaluated by phase.
/// Source: J. O. Smith, "Digital Audio Resampling", bandlimited interpolation.
enum Resampler {
    static let halfWidth = 16

    static func to16kHz(_ samples: [Int16], from rate: Int) -> [Int16] {
        guard rate != 16_000, !samples.isEmpty else { return samples }
        // Output phases repeat after 16000 / gcd steps, so each is computed once.
        let divisor = greatestCommonDivisor(rate, 16_000)
        let phases = 16_000 / divisor
        let step = rate / divisor
        let cutoff = min(1, 16_000 / Double(rate))
        let reach = Int((Double(halfWidth) / cutoff).rounded(.up))
        let taps = (0..<phases).map { phase in
            kernel(offset: Double(phase * step % phases) / Double(phases), reach: reach, cutoff: cutoff)
        }
        let count = samples.count * 16_000 / rate
        var out = [Int16](repeating: 0, count: count)
        for index in 0..<count {
            let center = index * step / phases
            let weights = taps[index % phases]
            var sum: Float = 0
            for (tap, weight) in weights.enumerated() {
                let at = center + tap - reach + 1
                if at >= 0, at < samples.count { sum += weight * Float(samples[at]) }
            }
            out[index] = Int16(max(-32_768, min(32_767, sum.rounded())))
        }
        return out
    }

    /// Weights of input samples `1 - reach ... reach` around an output point `offset` behind an input sample.
    private static func kernel(offset: Double, reach: Int, cutoff: Double) -> [Float] {
        (1 - reach...reach).map { index in
            let distance = Double(index) - offset
            guard abs(distance) < Double(reach) else { return 0 }
            let x = distance * cutoff * .pi
            let sinc = x == 0 ? 1 : sin(x) / x
            return Float(cutoff * sinc * (0.5 + 0.5 * cos(.pi * distance / Double(reach))))
        }
    }

    private static func greatestCommonDivisor(_ left: Int, _ right: Int) -> Int {
        right == 0 ? left : greatestCommonDivisor(right, left % right)
    }
}
