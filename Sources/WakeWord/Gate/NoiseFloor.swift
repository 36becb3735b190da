/// What the room sounds like when nobody speaks: the tenth percentile of the frame levels of the last 3 s. Plain.
///
/// Source: design figure; the percentile walks a histogram of whole decibels, so a frame costs a few additions.
struct NoiseFloor {
    /// 3 s of 20 ms.
    static let frames = 150
    private static let bins = 92

    private var levels = [UInt8](repeating: 0, count: frames)
    private var counts = [UInt16](repeating: 0, count: bins)
    private var at = 0
    private(set) var filled = 0

    mutating func take(tenths: Int) {
        let bin = UInt8(max(0, min(tenths / 10, Self.bins - 1)))
        if filled == Self.frames {
            counts[Int(levels[at])] -= 1
        } else {
            filled += 1
        }
        levels[at] = bin
        counts[Int(bin)] += 1
        at = at + 1 == Self.frames ? 0 : at + 1
    }

    mutating func reset() { self = NoiseFloor() }

    /// Tenths of a decibel; 0 before the first frame.
    var tenths: Int {
        let wanted = (filled + 9) / 10
        var seen = 0
        for bin in 0..<Self.bins {
            seen += Int(counts[bin])
            if seen >= wanted, seen > 0 { return bin * 10 + 5 }
        }
        return 0
    }
}
