import Ledger

/// GST of one line, told apart as a bill prints it. The book's own arithmetic (`PricedBill`, `LineTax`), nothing beside it:
/// what is quoted on the bench is what is charged.
public struct GSTCalculator: Hashable, Sendable {
    public var price: Paise
    public var quantity: MilliQuantity
    public var rate: BasisPoints
    public var cess: BasisPoints
    public var isInterState: Bool
    public var isExempt: Bool

    public init(
        price: Paise, quantity: MilliQuantity, rate: BasisPoints, cess: BasisPoints = .zero, isInterState: Bool = false,
        isExempt: Bool = false
    ) {
        self.price = price
        self.quantity = quantity
        self.rate = rate
        self.cess = cess
        self.isInterState = isInterState
        self.isExempt = isExempt
    }

    public struct Line: Hashable, Sendable {
        public var subtotal: Paise
        public var tax: LineTax
        public var total: Paise
    }

    /// - Throws: `BookError.refused(.amountOutOfRange)` where a product or sum leaves the book's range.
    public func line() throws(BookError) -> Line {
        let subtotal = try PricedBill.lineAmount(price: price, quantity: quantity)
        let tax = try LineTax(on: subtotal, rate: rate, cess: cess, interState: isInterState, exempt: isExempt)
        return Line(subtotal: subtotal, tax: tax, total: try subtotal.adding(tax.sum))
    }
}
