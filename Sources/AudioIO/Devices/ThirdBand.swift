import Glibc

/// The low-pass both rate changes share: 63 taps for 48 kHz, flat to 6 kHz, closed from 8.9 kHz.
///
/// A windowed sinc with Kaiser's window (J. F. Kaiser, "Nonrecursive digital filter design using the I0-sinh window
/// function", 1974). What folds back when 48 kHz becomes 16 kHz lands above 7.1 kHz, where the wake model's
/// filterbank ends (7.5 kHz). The measured response stands in the tests.
enum ThirdBand {
    static let taps = 63
    static let cutHertz = 7_450.0
    private static let beta = 5.65

    /// Q15, sum 32768.
    static let coefficients: [Int32] = {
        let middle = Double(taps - 1) / 2
        var shape = (0..<taps).map { tap -> Double in
            let time = Double(tap) - middle
            let angle = 2 * Double.pi * cutHertz / 48_000 * time
            let sinc = time == 0 ? 1 : sin(angle) / angle
            let place = time / middle
            return sinc * bessel(beta * (1 - place * place).squareRoot())
        }
        let sum = shape.reduce(0, +)
        for tap in shape.indices { shape[tap] *= 32_768 / sum }
        var rounded = shape.map { Int32($0.rounded()) }
        // Rounding must not change the level of a steady tone: what is missing goes to the middle.
        rounded[taps / 2] += 32_768 - rounded.reduce(0, +)
        return rounded
    }()

    /// Modified Bessel function of the first kind, order 0, by its power series.
    private static func bessel(_ value: Double) -> Double {
        var sum = 1.0
        var term = 1.0
        for step in 1...30 {
            term *= value / 2 / Double(step)
            sum += term * term
        }
        return sum
    }
}

/// 48 kHz in, 16 kHz out: each output is one run of the filter, so two of three outputs are never computed.
final class Decimator {
    private let coefficients: UnsafeMutablePointer<Int32>
    /// The newest `taps` inputs twice, so that a run of the filter never wraps.
    private let history: UnsafeMutablePointer<Int32>
    private var at = 0
    private var phase = 0

    init() {
        coefficients = .allocate(capacity: ThirdBand.taps)
        coefficients.initialize(from: ThirdBand.coefficients, count: ThirdBand.taps)
        history = .allocate(capacity: 2 * ThirdBand.taps)
        history.initialize(repeating: 0, count: 2 * ThirdBand.taps)
    }

    deinit {
        coefficients.deallocate()
        history.deallocate()
    }

    func reset() {
        history.update(repeating: 0, count: 2 * ThirdBand.taps)
        at = 0
        phase = 0
    }

    /// - Returns: a sample of 16 kHz with every third input.
    func take(_ sample: Int16) -> Int16? {
        history[at] = Int32(sample)
        history[at + ThirdBand.taps] = Int32(sample)
        at = at + 1 == ThirdBand.taps ? 0 : at + 1
        phase += 1
        guard phase == 3 else { return nil }
        phase = 0
        var sum: Int64 = 0
        let newest = history + at
        for tap in 0..<ThirdBand.taps { sum &+= Int64(newest[tap] &* coefficients[tap]) }
        return Int16(clamping: (sum + 16_384) >> 15)
    }
}

/// 16 kHz in, 48 kHz out, three samples for one.
struct Interpolator {
    private static let tapsPerPhase = ThirdBand.taps / 3
    private let coefficients = ThirdBand.coefficients
    private var history = [Int32](repeating: 0, count: ThirdBand.taps / 3)

    mutating func reset() { history = [Int32](repeating: 0, count: Self.tapsPerPhase) }

    /// Appends three samples to `output`.
    mutating func take(_ sample: Int16, into output: inout [Int16]) {
        history.removeFirst()
        history.append(Int32(sample))
        for phase in 0..<3 {
            var sum: Int64 = 0
            for index in 0..<Self.tapsPerPhase {
                sum += Int64(history[Self.tapsPerPhase - 1 - index]) * Int64(coefficients[phase + 3 * index])
            }
            // Two of three inputs at 48 kHz are zeros: three times the filter keeps the level.
            output.append(Int16(clamping: (3 * sum + 16_384) >> 15))
        }
    }
}
