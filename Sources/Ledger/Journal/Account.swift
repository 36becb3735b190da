/// An account of the shop's books: `sub x 10,000 + code`, so that every customer has a sub-account of 1100 and a
/// person can still read the number (customer 7's udhaar is 71100).
public struct Account: RawRepresentable, Hashable, Comparable, Sendable {
    public var rawValue: Int64

    public init(rawValue: Int64) { self.rawValue = rawValue }
    init(code: Int64, sub: Int64 = 0) { rawValue = sub * 10_000 + code }

    public var code: Int64 { rawValue % 10_000 }
    public var sub: Int64 { rawValue / 10_000 }

    public static let cash = Account(code: 1000)
    public static let upi = Account(code: 1010)
    public static let card = Account(code: 1011)
    public static let otherMoney = Account(code: 1019)
    public static let cgst = Account(code: 2100)
    public static let sgst = Account(code: 2110)
    public static let igst = Account(code: 2120)
    public static let cess = Account(code: 2130)
    public static let opening = Account(code: 3000)
    public static let sales = Account(code: 4000)
    public static let salesReturns = Account(code: 4100)
    public static let roundOff = Account(code: 4200)
    public static let discount = Account(code: 5200)
    /// What a counted drawer had more or less than the book said.
    public static let cashDifference = Account(code: 5300)

    /// The udhaar of one customer; below zero it is the customer's advance.
    public static func receivable(_ customer: CustomerID) -> Account { Account(code: 1100, sub: customer.rawValue) }

    /// Whose udhaar this is, if it is one.
    public var customer: CustomerID? { code == 1100 ? CustomerID(rawValue: sub) : nil }

    public init(_ mode: PaymentMode) {
        self =
            switch mode {
            case .cash: .cash
            case .upi: .upi
            case .card: .card
            case .other: .otherMoney
            }
    }

    /// The way of paying whose money lies here, if any.
    public var mode: PaymentMode? { PaymentMode.allCases.first { Account($0) == self } }

    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// One leg of a money event: positive is debit. The legs of an event sum to zero.
public struct Posting: Hashable, Sendable {
    public var account: Account
    public var amount: Paise

    public init(_ account: Account, _ amount: Paise) {
        self.account = account
        self.amount = amount
    }
}

/// Goods in (positive) or out. Quantities are never added to paise; they have their own table.
public struct StockMove: Hashable, Sendable {
    public var product: ProductID
    public var quantity: MilliQuantity

    public init(_ product: ProductID, _ quantity: MilliQuantity) {
        self.product = product
        self.quantity = quantity
    }
}
