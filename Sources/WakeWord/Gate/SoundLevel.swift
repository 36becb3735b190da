/// Loudness of a stretch of samples in tenths of a decibel above one step of the converter; full scale is 903.
///
/// Integer throughout, so that the same sound gives the same turn on every machine.
enum SoundLevel {
    static let fullScaleTenths = 903

    /// 10 log10 of the mean square, tenths of a decibel, at most 0.03 dB off.
    static func tenths(sumOfSquares: UInt64, count: Int) -> Int {
        guard count > 0 else { return 0 }
        let mean = sumOfSquares / UInt64(count)
        guard mean > 1 else { return 0 }
        let whole = 63 - mean.leadingZeroBitCount
        // log2(1 + f) is about f + 0.3372 f (1 - f); Q16.
        let fraction = Int((whole >= 16 ? mean >> UInt64(whole - 16) : mean << UInt64(16 - whole)) & 0xFFFF)
        let bent = fraction + (22_098 * ((fraction * (65_536 - fraction)) >> 16)) >> 16
        return ((whole << 16 + bent) * 30_103 / 1_000) >> 16
    }
}
