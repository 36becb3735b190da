import Glibc

/// Short signals, made on the spot: at most 120 ms, at most a tenth of full scale, so that the ear need not wait for
/// them and nobody in the shop minds them.
public enum Earcon: String, Sendable, CaseIterable {
    /// "I hear you": rising.
    case wake
    /// "That is done", where nothing is said: high and short.
    case done
    /// "That did not work": falling.
    case error
    /// "Kept for later": two low taps.
    case late

    public static let samplesMax = 120 * 16

    /// 16 kHz mono; the same each time. A pure function.
    public func samples() -> [Int16] {
        switch self {
        case .wake: Self.tone(660, 45) + Self.tone(880, 60)
        case .done: Self.tone(1_046, 80)
        case .error: Self.tone(440, 50) + Self.tone(311, 70)
        case .late: Self.tone(392, 40) + [Int16](repeating: 0, count: 480) + Self.tone(392, 40)
        }
    }

    private static let amplitude = 3_000.0

    /// A sine with raised-cosine flanks of 8 ms, so that it begins and ends without a click.
    private static func tone(_ hertz: Double, _ milliseconds: Int) -> [Int16] {
        let count = milliseconds * 16
        let flank = 128
        return (0..<count).map { index in
            let fromEdge = min(index, count - 1 - index)
            let envelope = fromEdge >= flank ? 1 : (1 - cos(Double.pi * Double(fromEdge) / Double(flank))) / 2
            return Int16((amplitude * envelope * sin(2 * Double.pi * hertz * Double(index) / 16_000)).rounded())
        }
    }
}
