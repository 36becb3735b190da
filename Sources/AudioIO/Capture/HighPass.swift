import Glibc

/// Takes away DC and what lies below 80 Hz (fans, hum): a second-order Butterworth high-pass in fixed point.
///
/// Source: the bilinear transform of the analogue prototype (R. Bristow-Johnson, "Cookbook formulae for audio EQ biquad
/// filter coefficients", Q = 1/sqrt 2). Direct form 1; coefficients Q30, past outputs kept with 12 fractional bits, so
/// that rounding leaves no limit cycle above half a step. Sums stay below 2^62.
struct HighPass {
    static let cornerHertz = 80.0
    private static let coefficientBits: Int64 = 30
    private static let stateBits: Int64 = 12

    private let b0: Int64
    private let b1: Int64
    private let a1: Int64
    private let a2: Int64
    private var x1: Int64 = 0
    private var x2: Int64 = 0
    private var y1: Int64 = 0
    private var y2: Int64 = 0

    init(hertz: Double = 16_000) {
        let omega = 2 * Double.pi * Self.cornerHertz / hertz
        let alpha = sin(omega) / 2.0.squareRoot()
        let scale = Double(1 << Self.coefficientBits) / (1 + alpha)
        b0 = Int64(((1 + cos(omega)) / 2 * scale).rounded())
        b1 = -2 * b0
        a1 = Int64((-2 * cos(omega) * scale).rounded())
        a2 = Int64(((1 - alpha) * scale).rounded())
    }

    mutating func reset() {
        x1 = 0
        x2 = 0
        y1 = 0
        y2 = 0
    }

    mutating func take(_ sample: Int16) -> Int16 {
        let x0 = Int64(sample) << Self.stateBits
        let sum = b0 &* (x0 &+ x2) &+ b1 &* x1 &- a1 &* y1 &- a2 &* y2
        let y0 = (sum &+ 1 << (Self.coefficientBits - 1)) >> Self.coefficientBits
        x2 = x1
        x1 = x0
        y2 = y1
        y1 = y0
        return Int16(clamping: (y0 &+ 1 << (Self.stateBits - 1)) >> Self.stateBits)
    }
}
