/// An amount in paise, the shop's only unit of money. Never a fraction, never a floating point number.
public struct Paise: RawRepresentable, Hashable, Comparable, Sendable {
    public var rawValue: Int64

    public init(rawValue: Int64) { self.rawValue = rawValue }
    public init(_ rawValue: Int64) { self.rawValue = rawValue }

    /// Largest amount the book accepts, either sign: ₹10,000 crore.
    public static let amountMax = Paise(10_000_000_000_000)
    public static let zero = Paise(0)

    public static func < (left: Paise, right: Paise) -> Bool { left.rawValue < right.rawValue }
    // These trap on overflow; a sum within `amountMax` cannot. The book checks each amount before it adds.
    public static func + (left: Paise, right: Paise) -> Paise { Paise(left.rawValue + right.rawValue) }
    public static func - (left: Paise, right: Paise) -> Paise { Paise(left.rawValue - right.rawValue) }
    public static func += (left: inout Paise, right: Paise) { left = left + right }
    public static prefix func - (amount: Paise) -> Paise { Paise(-amount.rawValue) }

    public var magnitude: Paise { Paise(abs(rawValue)) }
}

/// A quantity in thousandths of a product's own unit: half a kilo of a product kept in kg is 500.
public struct MilliQuantity: RawRepresentable, Hashable, Comparable, Sendable {
    public var rawValue: Int64

    public init(rawValue: Int64) { self.rawValue = rawValue }
    public init(_ rawValue: Int64) { self.rawValue = rawValue }

    public static let quantityMax = MilliQuantity(1_000_000_000_000)
    public static let zero = MilliQuantity(0)

    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
    public static func + (left: Self, right: Self) -> Self { Self(left.rawValue + right.rawValue) }
    public static func - (left: Self, right: Self) -> Self { Self(left.rawValue - right.rawValue) }
    public static func += (left: inout Self, right: Self) { left = left + right }
    public static prefix func - (quantity: Self) -> Self { Self(-quantity.rawValue) }
}

/// Hundredths of a per cent: 500 is 5 %.
public struct BasisPoints: RawRepresentable, Hashable, Comparable, Sendable {
    public var rawValue: Int64

    public init(rawValue: Int64) { self.rawValue = rawValue }
    public init(_ rawValue: Int64) { self.rawValue = rawValue }

    public static let zero = BasisPoints(0)
    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}
