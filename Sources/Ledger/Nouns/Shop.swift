// The nouns of the shop as the book shows them. Values; any thread.

public struct CustomerID: RawRepresentable, Hashable, Comparable, Sendable {
    public var rawValue: Int64
    public init(rawValue: Int64) { self.rawValue = rawValue }
    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

public struct ProductID: RawRepresentable, Hashable, Comparable, Sendable {
    public var rawValue: Int64
    public init(rawValue: Int64) { self.rawValue = rawValue }
    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// What is known of a person. Personal data: never logged.
public struct CustomerDetails: Hashable, Sendable {
    public var name: String
    public var nickname: String?
    public var landmark: String?
    public var phone: String?
    public var email: String?
    public var area: String?
    public var address: String?
    public var gstin: String?
    public var pan: String?
    public var notes: String?
    public var creditLimit: Paise?

    public init(name: String) { self.name = name }
}

public struct Customer: Hashable, Sendable {
    public var id: CustomerID
    public var details: CustomerDetails
    /// Learned or given names besides the first, as confirmed by the shopkeeper.
    public var aliases: [String]
    /// Owed to the shop; negative is the customer's advance.
    public var balance: Paise

    public init(id: CustomerID, details: CustomerDetails, aliases: [String] = [], balance: Paise = .zero) {
        self.id = id
        self.details = details
        self.aliases = aliases
        self.balance = balance
    }
}

public struct ProductDetails: Hashable, Sendable {
    public var name: String
    public var aliases: [String] = []
    /// The unit stock and price are kept in: "kg", "litre", "piece", "packet".
    public var unit: String
    public var price: Paise
    /// Prices of tiers 1 (wholesale), 2 (dealer), 3; tier 0 (retail) is `price`.
    public var tierPrices: [Int: Paise] = [:]
    public var gstRate: BasisPoints = .zero
    public var cessRate: BasisPoints = .zero
    /// Rates that take the place of `gstRate` and `cessRate` from a day on; the newest day that has come counts.
    public var rateChanges: [RateChange] = []
    public var isExempt = false
    public var hsn: String?
    /// Thousandths of the own unit in one of the named unit: dozen -> 12000.
    public var conversions: [String: MilliQuantity] = [:]

    public init(name: String, unit: String, price: Paise) {
        self.name = name
        self.unit = unit
        self.price = price
    }

    /// The product as it is taxed on a day: what prices a bill of that day.
    public func asOf(_ day: CivilDay) -> ProductDetails {
        guard let change = rateChanges.filter({ $0.from <= day }).max(by: { $0.from < $1.from }) else { return self }
        var details = self
        details.gstRate = change.gstRate
        details.cessRate = change.cessRate
        return details
    }
}

/// A rate of tax that begins on a day, told to the book before or after that day comes.
public struct RateChange: Hashable, Sendable {
    public var from: CivilDay
    public var gstRate: BasisPoints
    public var cessRate: BasisPoints

    public init(from: CivilDay, gstRate: BasisPoints, cessRate: BasisPoints = .zero) {
        self.from = from
        self.gstRate = gstRate
        self.cessRate = cessRate
    }
}

public struct Product: Hashable, Sendable {
    public var id: ProductID
    public var details: ProductDetails
    public var stock: MilliQuantity

    public init(id: ProductID, details: ProductDetails, stock: MilliQuantity = .zero) {
        self.id = id
        self.details = details
        self.stock = stock
    }
}

public enum Discount: Hashable, Sendable {
    case share(BasisPoints)
    case amount(Paise)
}

/// One line of a bill as agreed; the unit price is stored so that a later price change cannot touch it.
public struct BillLine: Hashable, Sendable {
    public var product: ProductID
    public var quantity: MilliQuantity
    public var unitPrice: Paise
    public var discount: Discount?

    public init(product: ProductID, quantity: MilliQuantity, unitPrice: Paise, discount: Discount? = nil) {
        self.product = product
        self.quantity = quantity
        self.unitPrice = unitPrice
        self.discount = discount
    }
}

public struct Bill: Hashable, Sendable {
    /// Nil is a walk-in sale.
    public var customer: CustomerID?
    public var lines: [BillLine]
    public var discount: Discount?
    public var withGST = false
    public var isInterState = false
    public var priceTier = 0
    public var buyerGSTIN: String?
    /// Paid with the bill; the rest goes to udhaar.
    public var paidNow: [PaymentSplit] = []
    /// The total is rounded to the rupee, half up; the difference is posted to the round-off account.
    public var roundsToRupee = false

    public init(customer: CustomerID?, lines: [BillLine]) {
        self.customer = customer
        self.lines = lines
    }
}

public enum PaymentMode: String, Hashable, Sendable, CaseIterable {
    case cash, upi, card, other
}

public struct PaymentSplit: Hashable, Sendable {
    public var amount: Paise
    public var mode: PaymentMode

    public init(amount: Paise, mode: PaymentMode) {
        self.amount = amount
        self.mode = mode
    }
}

/// A bill that has been read back and not yet committed. Lives four hours; one a customer and one walk-in.
public struct Draft: Hashable, Sendable {
    public var id: ULID
    public var bill: Bill
    public var madeAt: WallTime

    public init(id: ULID, bill: Bill, madeAt: WallTime) {
        self.id = id
        self.bill = bill
        self.madeAt = madeAt
    }
}

public enum InvoiceStatus: String, Hashable, Sendable {
    case confirmed = "CONFIRMED"
    case cancelled = "CANCELLED"
}

public struct Invoice: Hashable, Sendable {
    /// `SSS/YY-NNNNNNN`.
    public var number: String
    public var bill: Bill
    public var total: Paise
    public var status: InvoiceStatus
    public var at: WallTime
    /// The journal event that holds it; reversed to cancel.
    public var event: ULID

    public init(number: String, bill: Bill, total: Paise, status: InvoiceStatus, at: WallTime, event: ULID) {
        self.number = number
        self.bill = bill
        self.total = total
        self.status = status
        self.at = at
        self.event = event
    }
}

public struct Payment: Hashable, Sendable {
    public var customer: CustomerID
    public var split: PaymentSplit
    public var at: WallTime
    public var event: ULID
    public var isReversed: Bool

    public init(customer: CustomerID, split: PaymentSplit, at: WallTime, event: ULID, isReversed: Bool = false) {
        self.customer = customer
        self.split = split
        self.at = at
        self.event = event
        self.isReversed = isReversed
    }
}

public struct Reminder: Hashable, Sendable {
    public var id: ULID
    public var customer: CustomerID
    public var amount: Paise
    public var firesAt: WallTime
    /// ISO 8601 duration (`P1D`), or nil for once.
    public var recurrence: String?

    public init(id: ULID, customer: CustomerID, amount: Paise, firesAt: WallTime, recurrence: String?) {
        self.id = id
        self.customer = customer
        self.amount = amount
        self.firesAt = firesAt
        self.recurrence = recurrence
    }
}

/// Something the gateway is asked to send for the shop: an invoice by e-mail or WhatsApp, a reminder.
public struct OutgoingMessage: Hashable, Sendable {
    public var id: ULID
    /// "invoice", "reminder", "email", "gstr1", "pnl".
    public var kind: String
    public var customer: CustomerID?
    public var to: String
    public var reference: String?

    public init(id: ULID, kind: String, customer: CustomerID?, to: String, reference: String? = nil) {
        self.id = id
        self.kind = kind
        self.customer = customer
        self.to = to
        self.reference = reference
    }
}

public struct ShopDetails: Hashable, Sendable {
    public var name: String
    public var state: String
    /// Language of the shop at the start: "hi-en", "hi", "en".
    public var language: String
    /// Set by `Command.setRules`, not by opening the shop.
    public var rules = ShopRules()

    public init(name: String, state: String, language: String) {
        self.name = name
        self.state = state
        self.language = language
    }
}

/// What the shopkeeper has decided once for all sales.
public struct ShopRules: Hashable, Sendable {
    /// New bills are rounded to the rupee. Default: to the paisa.
    public var roundsBills = false
    /// An unconfirmed spoken amount above this is held until somebody confirms it. Nil holds none for its amount.
    public var holdAbove: Paise?
    /// An unconfirmed spoken entry heard with less confidence (thousandths) is held. Nil holds none for that.
    public var holdBelowMilli: Int64?

    public init() {}
}

public struct DailySummary: Hashable, Sendable {
    public var day: CivilDay
    public var invoiceCount: Int
    public var sales: Paise
    public var payments: [PaymentMode: Paise]
    public var udhaarGiven: Paise
    public var udhaarRecovered: Paise

    public init(
        day: CivilDay, invoiceCount: Int, sales: Paise, payments: [PaymentMode: Paise], udhaarGiven: Paise,
        udhaarRecovered: Paise
    ) {
        self.day = day
        self.invoiceCount = invoiceCount
        self.sales = sales
        self.payments = payments
        self.udhaarGiven = udhaarGiven
        self.udhaarRecovered = udhaarRecovered
    }
}
