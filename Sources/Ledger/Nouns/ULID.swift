/// Sixteen bytes that name one thing for ever: a turn, a command, an event. Shown as 26 characters of
/// Crockford base 32 (the ULID text form), which sorts as the bytes do.
public struct ULID: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let high: UInt64
    public let low: UInt64

    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// 48 bits of milliseconds, then 80 random bits. The clock only helps sorting; uniqueness is the random part's.
    public init(at moment: WallTime, using random: inout some RandomNumberGenerator) {
        let milliseconds = UInt64(clamping: moment.rawValue) & 0xFFFF_FFFF_FFFF
        high = milliseconds << 16 | random.next() & 0xFFFF
        low = random.next()
    }

    /// - Parameter bytes: exactly 16, else nil.
    public init?(bytes: some Collection<UInt8>) {
        guard bytes.count == 16 else { return nil }
        var words: [UInt64] = [0, 0]
        for (index, byte) in bytes.enumerated() { words[index / 8] = words[index / 8] << 8 | UInt64(byte) }
        (high, low) = (words[0], words[1])
    }

    public init?(_ text: String) {
        guard text.utf8.count == 26, let first = text.utf8.first, first <= UInt8(ascii: "7") else { return nil }
        var (high, low): (UInt64, UInt64) = (0, 0)
        for byte in text.utf8 {
            guard let digit = Self.alphabet.firstIndex(of: byte) else { return nil }
            high = high << 5 | low >> 59
            low = low << 5 | UInt64(digit)
        }
        (self.high, self.low) = (high, low)
    }

    public var bytes: [UInt8] {
        [high, low].flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> (56 - 8 * UInt64($0))) } }
    }

    public var description: String {
        var digits = [UInt8](repeating: 0, count: 26)
        var (high, low) = (high, low)
        for index in digits.indices.reversed() {
            digits[index] = Self.alphabet[Int(low & 31)]
            low = low >> 5 | high << 59
            high >>= 5
        }
        return String(decoding: digits, as: UTF8.self)
    }

    public static func < (left: Self, right: Self) -> Bool { (left.high, left.low) < (right.high, right.low) }

    private static let alphabet = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ".utf8)
}
