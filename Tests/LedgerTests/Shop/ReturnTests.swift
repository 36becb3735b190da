import Ledger
import Testing

/// Credit notes: goods of a bill that come back.
@Suite struct ReturnTests {
    /// A bill with tax, discounts and rounding, returned in three parts, credits exactly what was charged.
    @Test(arguments: [
        [333, 333, 334], [1000], [1, 1, 998], [500, 499, 1],
    ])
    func `a bill returned piece by piece credits what it charged, to the paisa`(parts: [Int64]) throws {
        let counter = try Counter()
        let rahul = try counter.customer("Rahul")
        let sugar = try counter.product("Sugar", price: 4567, stock: 10_000, gst: 500)
        let soap = try counter.product("Soap", price: 3333, stock: 10_000, gst: 1800)
        var bill = counter.bill(rahul, (sugar, 1000, 4567), (soap, 1000, 3333))
        bill.withGST = true
        bill.discount = .share(BasisPoints(333))
        bill.roundsToRupee = true
        let done = try counter.does(.commitBill(bill, draft: nil))
        guard case .invoice(let number, let total, _) = done.outcome else { throw Surprise() }
        #expect(total.rawValue % 100 == 0)
        #expect(try counter.book.amount(of: .roundOff) != .zero)
        var credited = Paise.zero
        for (index, part) in parts.enumerated() {
            let note = CreditNote(
                invoice: number,
                returns: [
                    .init(line: 0, quantity: MilliQuantity(part)), .init(line: 1, quantity: MilliQuantity(part)),
                ], reason: "stale")
            guard case .credited(let text, let sum, _) = try counter.does(.creditNote(note)).outcome else {
                throw Surprise()
            }
            #expect(text == "A01/25-C00000\(index + 1)")
            credited += sum
        }
        #expect(credited == total)
        #expect(try counter.book.balance(of: rahul) == .zero)
        #expect(try counter.stock(sugar) == 10_000 && counter.stock(soap) == 10_000)
        for account in [Account.cgst, .sgst, .discount, .roundOff] {
            #expect(try counter.book.amount(of: account) == .zero, "account \(account.rawValue)")
        }
        #expect(try counter.book.amount(of: .salesReturns) == -(try counter.book.amount(of: .sales)))
        let summary = try counter.book.summary(of: CivilTime(counter.now).day)
        #expect(summary.sales == .zero && summary.invoiceCount == 1)
        #expect(throws: BookError.refused(.overReturned)) {
            try counter.does(
                .creditNote(
                    CreditNote(
                        invoice: number, returns: [.init(line: 0, quantity: MilliQuantity(1))], reason: "more")))
        }
        #expect(try counter.book.creditNotes(of: number, limit: 9).count == parts.count)
        let report = try counter.book.verify()
        #expect(report.valid, "\(report)")
        let entries = try counter.book.rebuild()
        #expect(entries == (try counter.book.head().seq))
    }

    @Test func `who walked in gets money back, and the rest of the rules hold`() throws {
        let counter = try Counter()
        let milk = try counter.product("Milk", price: 6000, stock: 5000)
        try counter.does(.commitBill(counter.bill(nil, (milk, 3000, 6000)), draft: nil))
        let number = "A01/25-0000001"
        func note(_ line: Int, _ quantity: Int64, refund: [PaymentSplit] = []) -> Command {
            .creditNote(
                CreditNote(
                    invoice: number, returns: [.init(line: line, quantity: MilliQuantity(quantity))], refund: refund,
                    reason: "sour"))
        }
        #expect(throws: BookError.refused(.amountOutOfRange)) { try counter.does(note(1, 1000)) }
        #expect(throws: BookError.refused(.amountOutOfRange)) { try counter.does(note(0, 0)) }
        #expect(throws: BookError.refused(.amountOutOfRange)) {
            try counter.does(note(0, 1000, refund: [PaymentSplit(amount: Paise(6001), mode: .upi)]))
        }
        let id = counter.id()
        let part = note(0, 1000, refund: [PaymentSplit(amount: Paise(1000), mode: .upi)])
        let first = try counter.does(part, id: id)
        #expect(first.outcome == .credited(number: "A01/25-C000001", total: Paise(6000), balance: nil))
        #expect(try counter.does(part, id: id).isReplay)
        #expect(try counter.book.amount(of: .cash) == Paise(13_000))
        #expect(try counter.book.amount(of: .upi) == Paise(-1000))
        #expect(try counter.stock(milk) == 3000)
        // The bill stands while a note of it does.
        #expect(throws: BookError.refused(.notReversible)) { try counter.does(.cancelInvoice(number: number)) }
        #expect(
            try counter.does(.reverse(event: first.event, reason: "was good")).outcome
                == .cancelled(number: "A01/25-C000001", total: Paise(6000), balance: nil))
        #expect(try counter.stock(milk) == 2000)
        #expect(try counter.book.creditNotes(of: nil, limit: 9).map(\.status) == [.cancelled])
        // A cancelled number is not given again.
        #expect(
            try counter.does(note(0, 3000)).outcome
                == .credited(number: "A01/25-C000002", total: Paise(18_000), balance: nil))
        #expect(try counter.book.verify().valid)
    }

    @Test func `nothing comes back from a bill that was cancelled or never was`() throws {
        let counter = try Counter()
        let milk = try counter.product("Milk", price: 6000)
        let note = CreditNote(
            invoice: "A01/25-0000001", returns: [.init(line: 0, quantity: MilliQuantity(1000))], reason: "")
        #expect(throws: BookError.refused(.unknownInvoice)) { try counter.does(.creditNote(note)) }
        try counter.does(.commitBill(counter.bill(nil, (milk, 3000, 6000)), draft: nil))
        try counter.does(.cancelInvoice(number: "A01/25-0000001"))
        #expect(throws: BookError.refused(.alreadyReversed)) { try counter.does(.creditNote(note)) }
    }
}
