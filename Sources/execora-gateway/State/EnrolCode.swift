import Seals

/// A one-time code that a technician types at the counter: 80 random bits as 16 letters and digits of Crockford's
/// base 32 in groups of four, such as `K7QF-9MXC-2HDT-W4PN`. The store knows only its hash.
struct EnrolCode: Hashable, Sendable, CustomStringConvertible {
    let description: String

    static let defaultLife = Duration.seconds(15 * 60)
    static let lifeMaximum = Duration.seconds(7 * 86_400)

    init(random: [UInt8] = Randomness.bytes(10)) {
        precondition(random.count == 10, "a code is 80 bits")
        var digits: [UInt8] = []
        for five in [random[..<5], random[5...]] {
            let word = five.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            for shift in stride(from: 35, through: 0, by: -5) {
                digits.append(Self.alphabet[Int(word >> UInt64(shift) & 31)])
            }
        }
        description = stride(from: 0, to: 16, by: 4).map { String(decoding: digits[$0..<$0 + 4], as: UTF8.self) }
            .joined(separator: "-")
    }

    /// The hash of a code as it was typed: case, hyphens and spaces do not matter; I and L read as 1, O as 0.
    /// Nil when no code can look like that.
    static func hash(typed: String) -> [UInt8]? {
        guard typed.utf8.count <= 64 else { return nil }
        var digits: [UInt8] = []
        for letter in typed.uppercased().utf8 where letter != UInt8(ascii: "-") && letter != UInt8(ascii: " ") {
            let digit =
                switch letter {
                case UInt8(ascii: "I"), UInt8(ascii: "L"): UInt8(ascii: "1")
                case UInt8(ascii: "O"): UInt8(ascii: "0")
                default: letter
                }
            guard alphabet.contains(digit) else { return nil }
            digits.append(digit)
        }
        guard digits.count == 16 else { return nil }
        return SHA256.digest(Array("execora/enrol-code/v1\0".utf8), digits)
    }

    var hash: [UInt8] { Self.hash(typed: description)! }

    private static let alphabet = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ".utf8)
}
