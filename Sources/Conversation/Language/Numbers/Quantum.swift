/// An exact value in millionths: what a number word says, before it is known whether it counts rupees or kilos.
/// Never a floating point number; what does not fit or divide is nil.
public struct Quantum: Hashable, Comparable, Sendable {
    public var micros: Int64

    public init(micros: Int64) { self.micros = micros }
    /// Traps beyond 9.2 million million; readers use `checked`.
    public init(_ whole: Int64) { micros = whole * Self.one }

    static let one: Int64 = 1_000_000
    public static let zero = Quantum(micros: 0)

    public static func < (left: Self, right: Self) -> Bool { left.micros < right.micros }

    /// Thousandths, or nil when the value is finer (an eighth of a paav).
    public var milli: Int64? { exact(1000) }
    /// Paise of a value in rupees, or nil when it holds part of a paisa.
    public var paise: Int64? { exact(10_000) }
    /// The whole number, or nil when there is a fraction.
    public var whole: Int64? { exact(Self.one) }

    private func exact(_ divisor: Int64) -> Int64? { micros % divisor == 0 ? micros / divisor : nil }

    static func checked(_ whole: Int64) -> Quantum? { Quantum(micros: one).times(whole) }

    func times(_ factor: Int64) -> Quantum? {
        let (product, overflow) = micros.multipliedReportingOverflow(by: factor)
        return overflow ? nil : Quantum(micros: product)
    }

    /// The value times another, exact or nil.
    func times(_ other: Quantum) -> Quantum? {
        let wide = micros.multipliedFullWidth(by: other.micros)
        let negative = wide.high < 0
        let magnitude = negative ? Self.negated(wide) : (UInt64(wide.high), wide.low)
        guard magnitude.0 < UInt64(Self.one) else { return nil }
        let (quotient, remainder) = UInt64(Self.one).dividingFullWidth((magnitude.0, magnitude.1))
        guard remainder == 0, quotient <= UInt64(Int64.max) else { return nil }
        return Quantum(micros: negative ? -Int64(quotient) : Int64(quotient))
    }

    private static func negated(_ wide: (high: Int64, low: UInt64)) -> (UInt64, UInt64) {
        let low = ~wide.low &+ 1
        return (UInt64(bitPattern: ~wide.high) &+ (low == 0 ? 1 : 0), low)
    }

    func plus(_ other: Quantum) -> Quantum? {
        let (sum, overflow) = micros.addingReportingOverflow(other.micros)
        return overflow ? nil : Quantum(micros: sum)
    }

    /// Canonical figures: "1250", "2.5", "1/2" and up to six decimals.
    static func figures(_ text: String) -> Quantum? {
        var whole: Int64 = 0
        var fraction: Int64 = 0
        var unit = one
        var bytes = Array(text.utf8)[...]
        if let slash = bytes.firstIndex(of: UInt8(ascii: "/")) {
            guard let above = Int64(String(decoding: bytes[..<slash], as: UTF8.self)),
                let below = Int64(String(decoding: bytes[(slash + 1)...], as: UTF8.self)), below > 0, above < below,
                below <= 16, above * one % below == 0
            else { return nil }
            return Quantum(micros: above * one / below)
        }
        while let byte = bytes.first, byte != UInt8(ascii: ".") {
            guard (48...57).contains(byte) else { return nil }
            let (product, over) = whole.multipliedReportingOverflow(by: 10)
            let (sum, overs) = product.addingReportingOverflow(Int64(byte - 48))
            guard !over, !overs else { return nil }
            whole = sum
            bytes = bytes.dropFirst()
        }
        for byte in bytes.dropFirst() {
            guard (48...57).contains(byte) else { return nil }
            guard unit > 1 || byte == 48 else { return nil }
            if unit > 1 {
                unit /= 10
                fraction += Int64(byte - 48) * unit
            }
        }
        return checked(whole)?.plus(Quantum(micros: fraction))
    }
}
