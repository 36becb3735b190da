/// The integer arithmetic of TensorFlow Lite Micro's reference kernels, rounding twice as they do.
///
/// Source: gemmlowp fixed point (`SaturatingRoundingDoublingHighMul`, `RoundingDivideByPOT`) and TFLM
/// `MultiplyByQuantizedMultiplier`. A single rounding gives other bytes.
struct Multiplier {
    var mantissa: Int32
    var exponent: Int32

    /// A real multiplier as mantissa x 2^(exponent - 31), the mantissa rounded half away from zero.
    init(_ real: Double) {
        guard real > 0 else {
            (mantissa, exponent) = (0, 0)
            return
        }
        var exponent = Int32(real.exponent) + 1
        var rounded = Int64((real.significand / 2 * 2_147_483_648).rounded(.toNearestOrAwayFromZero))
        if rounded == 1 << 31 {
            rounded /= 2
            exponent += 1
        }
        if exponent < -31 { (rounded, exponent) = (0, 0) }
        mantissa = Int32(rounded)
        self.exponent = exponent
    }

    @inline(__always)
    func apply(_ value: Int32) -> Int32 {
        let left = max(exponent, 0)
        let right = max(-exponent, 0)
        return FixedPoint.divideByPowerOfTwo(FixedPoint.multiply(value &<< left, mantissa), right)
    }
}

enum FixedPoint {
    @inline(__always)
    static func multiply(_ left: Int32, _ right: Int32) -> Int32 {
        if left == right, left == .min { return .max }
        let product = Int64(left) &* Int64(right)
        let nudge: Int64 = product >= 0 ? 1 << 30 : 1 - 1 << 30
        return Int32(truncatingIfNeeded: (product &+ nudge) / (1 << 31))
    }

    @inline(__always)
    static func divideByPowerOfTwo(_ value: Int32, _ exponent: Int32) -> Int32 {
        let mask = Int32(truncatingIfNeeded: (Int64(1) << Int64(exponent)) - 1)
        let remainder = value & mask
        let threshold = (mask >> 1) &+ (value < 0 ? 1 : 0)
        return (value >> exponent) &+ (remainder > threshold ? 1 : 0)
    }

    /// Multiplies by 2^exponent, saturating.
    static func shiftUp(_ value: Int32, _ exponent: Int32) -> Int32 {
        let wide = Int64(value) << Int64(exponent)
        return Int32(clamping: wide)
    }

    /// LOGISTIC of int8 as a table of 256 bytes, index = input byte + 128.
    ///
    /// Source: gemmlowp `logistic` on Q4.27, `exp_on_negative_values` with its barrel shifter, and three
    /// Newton-Raphson steps for 1/(1+x).
    static func logisticTable(scale: Double, zeroPoint: Int32) -> [Int8] {
        let multiplier = Multiplier(scale * 134_217_728)
        let radius = Int32(clamping: Int64((15.0 * 134_217_728 / power(2, multiplier.exponent)).rounded(.down)))
        return (-128...127).map { (input: Int32) in
            let distance = input - zeroPoint
            if distance <= -radius { return -128 }
            if distance >= radius { return 127 }
            let output = divideByPowerOfTwo(logistic(multiplier.apply(distance)), 23)
            return Int8(clamping: min(output, 255) - 128)
        }
    }

    private static func power(_ base: Double, _ exponent: Int32) -> Double {
        var value = 1.0
        for _ in 0..<abs(exponent) { value *= base }
        return exponent < 0 ? 1 / value : value
    }

    private static func logistic(_ input: Int32) -> Int32 {
        if input == 0 { return 1 << 30 }
        let positive = oneOverOnePlus(exponential(-abs(input)))
        return input > 0 ? positive : Int32.max - positive
    }

    /// exp of a Q4.27 number <= 0, as Q0.31.
    private static func exponential(_ input: Int32) -> Int32 {
        if input == 0 { return .max }
        let quarter: Int32 = 1 << 25
        let within = (input & (quarter - 1)) - quarter
        var result = exponentialNearZero(shiftUp(within, 4))
        let remainder = within &- input
        let factors: [(bit: Int32, factor: Int32)] = [
            (25, 1_672_461_947), (26, 1_302_514_674), (27, 790_015_084), (28, 290_630_308), (29, 39_332_535),
            (30, 720_401),
        ]
        for (bit, factor) in factors where remainder & (1 << bit) != 0 { result = multiply(result, factor) }
        return result
    }

    /// exp on [-1/4, 0), Q0.31: a fourth-order Taylor polynomial around -1/8.
    private static func exponentialNearZero(_ input: Int32) -> Int32 {
        let constant: Int32 = 1_895_147_668
        let third: Int32 = 715_827_883
        let x = input &+ 1 << 28
        let x2 = multiply(x, x)
        let x3 = multiply(x2, x)
        let x4 = multiply(x2, x2)
        let quarterX4 = divideByPowerOfTwo(x4, 2)
        let sum = divideByPowerOfTwo(multiply(quarterX4 &+ x3, third) &+ x2, 1)
        return constant &+ multiply(constant, x &+ sum)
    }

    /// 1 / (1 + x) for x in [0, 1], Q0.31.
    private static func oneOverOnePlus(_ input: Int32) -> Int32 {
        let sum = Int64(input) + Int64(Int32.max)
        let halfDenominator = Int32(truncatingIfNeeded: (sum + (sum >= 0 ? 1 : -1)) / 2)
        var x: Int32 = 1_515_870_810 &+ multiply(halfDenominator, -1_010_580_540)
        for _ in 0..<3 {
            let error = 1 << 29 &- multiply(halfDenominator, x)
            x = x &+ shiftUp(multiply(x, error), 2)
        }
        return shiftUp(x, 1)
    }
}
