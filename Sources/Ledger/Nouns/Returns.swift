/// Goods that come back from a bill, at the price and tax they were charged with.
public struct CreditNote: Hashable, Sendable {
    /// A line of the bill (first is 0) and how much of it comes back.
    public struct Return: Hashable, Sendable {
        public var line: Int
        public var quantity: MilliQuantity

        public init(line: Int, quantity: MilliQuantity) {
            self.line = line
            self.quantity = quantity
        }
    }

    /// Number of the bill.
    public var invoice: String
    public var returns: [Return]
    /// Given back in money; the rest lowers the udhaar. Who walked in gets all of it, in cash where not told.
    public var refund: [PaymentSplit]
    public var reason: String

    public init(invoice: String, returns: [Return], refund: [PaymentSplit] = [], reason: String) {
        self.invoice = invoice
        self.returns = returns
        self.refund = refund
        self.reason = reason
    }
}

extension PricedBill {
    /// What is credited when so much of each line is back, of all returns together. A share is rounded once from the
    /// bill's own figure, so that returning a bill piece by piece credits exactly what was charged.
    ///
    /// - Parameter returned: of each line, in the bill's order.
    func credited(_ returned: [MilliQuantity], of bill: Bill) throws(BookError) -> PricedBill {
        precondition(returned.count == lines.count && bill.lines.count == lines.count, "a figure for each line")
        var made = PricedBill(lines: [], subtotal: .zero, discount: .zero, tax: LineTax(), total: .zero)
        for (index, quantity) in returned.enumerated() {
            let (line, sold) = (lines[index], bill.lines[index].quantity)
            guard quantity >= .zero, quantity <= sold else { throw .refused(.overReturned) }
            func share(_ amount: Paise) throws(BookError) -> Paise {
                quantity == sold
                    ? amount
                    : Paise(try Self.rounded(amount.rawValue, times: quantity.rawValue, over: sold.rawValue))
            }
            let own = Line(
                taxable: try share(line.taxable),
                tax: LineTax(
                    cgst: try share(line.tax.cgst), sgst: try share(line.tax.sgst), igst: try share(line.tax.igst),
                    cess: try share(line.tax.cess)), rate: line.rate, hsn: line.hsn)
            made.lines.append(own)
            made.subtotal += own.taxable
            made.tax = made.tax + own.tax
        }
        let (gross, all) = (made.subtotal + made.tax.sum, subtotal + tax.sum)
        func share(_ amount: Paise) throws(BookError) -> Paise {
            gross == all || all == .zero
                ? amount : Paise(try Self.rounded(amount.rawValue, times: gross.rawValue, over: all.rawValue))
        }
        made.discount = try share(discount)
        made.total = gross - made.discount + (try share(roundOff))
        return made
    }

    /// Two credits of one bill together.
    func adding(_ other: PricedBill) -> PricedBill { combined(with: other, taxSign: { $0 }, sign: { $0 }) }

    /// What this adds to an earlier credit of the same bill.
    func since(_ earlier: PricedBill) -> PricedBill {
        combined(with: earlier, taxSign: { (tax: LineTax) in -tax }, sign: { (amount: Paise) in -amount })
    }

    private func combined(with other: PricedBill, taxSign: (LineTax) -> LineTax, sign: (Paise) -> Paise) -> PricedBill {
        PricedBill(
            lines: zip(lines, other.lines).map {
                Line(
                    taxable: $0.taxable + sign($1.taxable), tax: $0.tax + taxSign($1.tax), rate: $0.rate, hsn: $0.hsn)
            }, subtotal: subtotal + sign(other.subtotal), discount: discount + sign(other.discount),
            tax: tax + taxSign(other.tax), total: total + sign(other.total))
    }
}
