import Glibc

/// Whether two sounds rise and fall together: the correlation of their loudness over the last second, frame by frame.
/// Plain; nothing allocates after `init`.
///
/// Own voice that a filter left over keeps the rhythm of what was played; a person who speaks over it has another.
struct EnvelopeMatch {
    /// 1 s of 20 ms: a wake word and its run-up.
    static let frames = 50
    /// Two voices that speak at once correlate by chance, seldom above 0.6; a rest of the same one above 0.8.
    static let sameVoice = 0.65

    private var one = [Double](repeating: 0, count: frames)
    private var other = [Double](repeating: 0, count: frames)
    private var at = 0
    private var filled = 0

    /// Energies of the same frame in both sounds.
    mutating func take(_ energy: Double, _ otherEnergy: Double) {
        one[at] = log(energy + 1_000)
        other[at] = log(otherEnergy + 1_000)
        at = at + 1 == Self.frames ? 0 : at + 1
        filled = min(filled + 1, Self.frames)
    }

    mutating func reset() {
        at = 0
        filled = 0
    }

    /// -1 to 1; 0 while there is less than half a window, or one of the two does not move.
    var correlation: Double {
        guard filled >= Self.frames / 2 else { return 0 }
        let count = Double(filled)
        var (x, y, xx, yy, xy) = (0.0, 0.0, 0.0, 0.0, 0.0)
        for index in 0..<filled {
            x += one[index]
            y += other[index]
            xx += one[index] * one[index]
            yy += other[index] * other[index]
            xy += one[index] * other[index]
        }
        let spread = (xx - x * x / count) * (yy - y * y / count)
        return spread > 0 ? (xy - x * y / count) / spread.squareRoot() : 0
    }
}
