/// A bill priced line by line: the one rule for quoting and charging alike.
///
/// Rules: a line is price x quantity rounded half away from zero to the paisa, less its own discount, before tax;
/// tax by line at the product's rate. Within the state the tax is rounded, then each half is (the halves may exceed
/// it by a paisa); between states the whole is IGST. Cess after. A bill discount reduces the total, never below zero.
/// Where the shop says so the total is then rounded to the rupee, half up.
public struct PricedBill: Hashable, Sendable {
    public struct Line: Hashable, Sendable {
        public var taxable: Paise
        public var tax: LineTax
        /// As charged, of a bill with GST: what a return reports by rate and by HSN, whatever the product says later.
        public var rate: BasisPoints?
        public var hsn: String?

        init(taxable: Paise, tax: LineTax, rate: BasisPoints? = nil, hsn: String? = nil) {
            self.taxable = taxable
            self.tax = tax
            self.rate = rate
            self.hsn = hsn
        }
    }

    public var lines: [Line]
    /// Sum of the taxable amounts.
    public var subtotal: Paise
    public var discount: Paise
    public var tax: LineTax
    public var total: Paise

    /// What rounding added to the total, or took from it.
    public var roundOff: Paise { total - (subtotal + tax.sum - discount) }

    init(lines: [Line], subtotal: Paise, discount: Paise, tax: LineTax, total: Paise) {
        self.lines = lines
        self.subtotal = subtotal
        self.discount = discount
        self.tax = tax
        self.total = total
    }

    /// - Parameter products: what the bill's lines name; a line of another product is refused.
    public init(_ bill: Bill, products: [ProductID: ProductDetails]) throws(BookError) {
        lines = []
        subtotal = .zero
        tax = LineTax()
        for line in bill.lines {
            guard let product = products[line.product] else { throw .refused(.unknownProduct) }
            var taxable = try Self.lineAmount(price: line.unitPrice, quantity: line.quantity)
            if let discount = line.discount { taxable = taxable - (try Self.amount(of: discount, on: taxable)) }
            var own = LineTax()
            if bill.withGST {
                own = try LineTax(
                    on: taxable, rate: product.gstRate, cess: product.cessRate, interState: bill.isInterState,
                    exempt: product.isExempt)
            }
            lines.append(
                Line(
                    taxable: taxable, tax: own,
                    rate: bill.withGST ? (product.isExempt ? .zero : product.gstRate) : nil,
                    hsn: bill.withGST ? product.hsn : nil))
            subtotal = try subtotal.adding(taxable)
            tax = LineTax(
                cgst: try tax.cgst.adding(own.cgst), sgst: try tax.sgst.adding(own.sgst),
                igst: try tax.igst.adding(own.igst), cess: try tax.cess.adding(own.cess))
        }
        let gross = try subtotal.adding(tax.sum)
        discount = try bill.discount.map { (told) throws(BookError) in try Self.amount(of: told, on: gross) } ?? .zero
        total = gross - discount
        if bill.roundsToRupee { total = Paise((total.rawValue + 50) / 100 * 100) }
    }

    /// Price of one unit x quantity in thousandths, rounded half away from zero.
    public static func lineAmount(price: Paise, quantity: MilliQuantity) throws(BookError) -> Paise {
        Paise(try rounded(price.rawValue, times: quantity.rawValue, over: 1000))
    }

    /// A discount in money: never more than what it is taken from, never negative.
    private static func amount(of discount: Discount, on amount: Paise) throws(BookError) -> Paise {
        switch discount {
        case .share(let share):
            guard (0...10_000).contains(share.rawValue) else { throw .refused(.amountOutOfRange) }
            return Paise(try rounded(amount.rawValue, times: share.rawValue, over: 10_000))
        case .amount(let told):
            guard told >= .zero else { throw .refused(.amountOutOfRange) }
            return min(told, amount)
        }
    }

    /// a x b / c, rounded half away from zero, refusing what does not fit.
    static func rounded(_ left: Int64, times right: Int64, over divisor: Int64) throws(BookError) -> Int64 {
        let (product, overflow) = left.multipliedReportingOverflow(by: right)
        guard !overflow else { throw .refused(.amountOutOfRange) }
        let half = divisor / 2
        let (sum, overflows) = product.addingReportingOverflow(product >= 0 ? half : -half)
        guard !overflows else { throw .refused(.amountOutOfRange) }
        return sum / divisor
    }
}

public struct LineTax: Hashable, Sendable {
    public var cgst: Paise
    public var sgst: Paise
    public var igst: Paise
    public var cess: Paise

    public init(cgst: Paise = .zero, sgst: Paise = .zero, igst: Paise = .zero, cess: Paise = .zero) {
        self.cgst = cgst
        self.sgst = sgst
        self.igst = igst
        self.cess = cess
    }

    /// GST of one taxable amount (CGST Act, rates in hundredths of a per cent).
    public init(on taxable: Paise, rate: BasisPoints, cess: BasisPoints, interState: Bool, exempt: Bool)
        throws(BookError)
    {
        self.init()
        if exempt { return }
        let tax = try PricedBill.rounded(taxable.rawValue, times: rate.rawValue, over: 10_000)
        if interState {
            igst = Paise(tax)
        } else {
            let half = try PricedBill.rounded(tax, times: 1, over: 2)
            (cgst, sgst) = (Paise(half), Paise(half))
        }
        self.cess = Paise(try PricedBill.rounded(taxable.rawValue, times: cess.rawValue, over: 10_000))
    }

    public var sum: Paise { cgst + sgst + igst + cess }

    static prefix func - (tax: LineTax) -> LineTax {
        LineTax(cgst: -tax.cgst, sgst: -tax.sgst, igst: -tax.igst, cess: -tax.cess)
    }

    static func + (left: LineTax, right: LineTax) -> LineTax {
        LineTax(
            cgst: left.cgst + right.cgst, sgst: left.sgst + right.sgst, igst: left.igst + right.igst,
            cess: left.cess + right.cess)
    }
}

extension Paise {
    /// The sum, refused when it leaves the book's range.
    public func adding(_ other: Paise) throws(BookError) -> Paise {
        let (sum, overflow) = rawValue.addingReportingOverflow(other.rawValue)
        guard !overflow, Paise(sum).isWithinRange else { throw .refused(.amountOutOfRange) }
        return Paise(sum)
    }
}
