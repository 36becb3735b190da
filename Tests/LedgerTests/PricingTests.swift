import Ledger
import Testing

@Suite struct PricingTests {
    /// Paise, thousandths, paise: by hand, half away from zero.
    @Test(
        arguments: [
            (600, 12_000, 7200), (5000, 500, 2500), (4500, 1500, 6750), (333, 500, 167), (1, 500, 1), (1, 499, 0),
            (3, 500, 2), (9999, 1, 10), (0, 1000, 0),
        ] as [(Int64, Int64, Int64)])
    func `a line is price by quantity, half a paisa up`(price: Int64, milli: Int64, amount: Int64) throws {
        #expect(try PricedBill.lineAmount(price: Paise(price), quantity: MilliQuantity(milli)) == Paise(amount))
    }

    /// Taxable, basis points, cess; CGST, SGST within the state; IGST between states; cess.
    @Test(
        arguments: [
            (10_000, 500, 0, 250, 500, 0), (6750, 500, 0, 169, 338, 0), (101, 1800, 0, 9, 18, 0), (10, 500, 0, 1, 1, 0),
            (9, 500, 0, 0, 0, 0), (10_000, 2800, 1200, 1400, 2800, 1200), (333, 1200, 500, 20, 40, 17),
        ] as [(Int64, Int64, Int64, Int64, Int64, Int64)])
    func `tax is rounded, then each half`(
        taxable: Int64, rate: Int64, cess: Int64, half: Int64, whole: Int64, cessAmount: Int64
    ) throws {
        let within = try LineTax(
            on: Paise(taxable), rate: BasisPoints(rate), cess: BasisPoints(cess), interState: false, exempt: false)
        #expect(within == LineTax(cgst: Paise(half), sgst: Paise(half), cess: Paise(cessAmount)))
        let between = try LineTax(
            on: Paise(taxable), rate: BasisPoints(rate), cess: BasisPoints(cess), interState: true, exempt: false)
        #expect(between == LineTax(igst: Paise(whole), cess: Paise(cessAmount)))
        let exempt = try LineTax(
            on: Paise(taxable), rate: BasisPoints(rate), cess: BasisPoints(cess), interState: false, exempt: true)
        #expect(exempt == LineTax())
    }

    @Test func `discounts reduce a line before tax, the bill after, and never below nothing`() throws {
        let id = ProductID(rawValue: 1)
        var details = ProductDetails(name: "Sugar", unit: "kg", price: Paise(10_000))
        details.gstRate = BasisPoints(500)
        var bill = Bill(
            customer: nil,
            lines: [
                BillLine(
                    product: id, quantity: MilliQuantity(1000), unitPrice: Paise(10_000),
                    discount: .share(BasisPoints(1000)))
            ])
        bill.withGST = true
        let priced = try PricedBill(bill, products: [id: details])
        #expect(priced.subtotal == Paise(9000) && priced.tax.sum == Paise(450) && priced.total == Paise(9450))
        bill.discount = .amount(Paise(450))
        #expect(try PricedBill(bill, products: [id: details]).total == Paise(9000))
        bill.discount = .amount(Paise(1_000_000))
        #expect(try PricedBill(bill, products: [id: details]).total == .zero)
        for wrong in [Discount.amount(Paise(-1)), .share(BasisPoints(10_001)), .share(BasisPoints(-1))] {
            bill.discount = wrong
            #expect(throws: BookError.refused(.amountOutOfRange)) { try PricedBill(bill, products: [id: details]) }
        }
    }

    @Test func `what does not fit an integer is refused, not wrapped`() {
        #expect(throws: BookError.refused(.amountOutOfRange)) {
            try PricedBill.lineAmount(price: Paise(.max), quantity: MilliQuantity(2000))
        }
        #expect(throws: BookError.refused(.amountOutOfRange)) { try Paise.amountMax.adding(Paise(1)) }
        #expect(throws: BookError.refused(.amountOutOfRange)) { try Paise(.max).adding(Paise(.max)) }
        #expect(throws: BookError.refused(.amountOutOfRange)) { try Paise(.min).adding(Paise(-1)) }
        #expect(throws: BookError.refused(.amountOutOfRange)) { try Paise(.min).adding(.zero) }
    }

    @Test(
        arguments: [
            ("A01/25-0000001", "A01", 2025, 1), ("Z99/00-9999999", "Z99", 2000, 9_999_999),
            ("B0C/31-0012345", "B0C", 2031, 12_345),
        ] as [(String, String, Int64, Int64)])
    func `an invoice number is written and read in 14 characters`(
        text: String, series: String, year: Int64, number: Int64
    ) {
        let made = InvoiceNumber(series: series, year: year, number: number)
        #expect(made.description == text && text.utf8.count == 14)
        #expect(InvoiceNumber(text) == made)
    }

    @Test(arguments: ["", "A01/25-000001", "A01/25-00000001", "A01-25/0000001", "A01/2x-0000001", "A01/25-+000001"])
    func `what only looks like a number of ours is not read`(text: String) {
        #expect(InvoiceNumber(text) == nil)
    }
}
