/// A bill priced line by line, the one rule for quoting and charging alike.
public struct PricedBill: Hashable, Sendable {
    public struct Line: Hashable, Sendable {
        /// Price x quantity, less the line's discount, before tax; rounded half away from zero to the paisa.
        public var taxable: Paise
        public var tax: LineTax
    }

    public var lines: [Line]
    public var subtotal: Paise
    public var discount: Paise
    public var tax: LineTax
    public var total: Paise
}

public struct LineTax: Hashable, Sendable {
    public var cgst: Paise = .zero
    public var sgst: Paise = .zero
    public var igst: Paise = .zero
    public var cess: Paise = .zero

    public init() {}
    public var sum: Paise { cgst + sgst + igst + cess }
}
