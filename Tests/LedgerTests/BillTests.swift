import Ledger
import Testing

@Suite struct BillTests {
    @Test func `a bill numbers, moves stock, charges the quoted total and drops its draft`() throws {
        let counter = try Counter()
        let rahul = try counter.customer("Rahul")
        let sugar = try counter.product("Sugar", price: 4500, stock: 20_000, gst: 500)
        var bill = counter.bill(rahul, (sugar, 1500, 4500))
        bill.withGST = true
        let draft = Draft(id: counter.id(), bill: bill, madeAt: counter.now)
        try counter.does(.saveDraft(draft))
        #expect(try counter.book.drafts(now: counter.now) == [draft])
        #expect(try counter.book.balance(of: rahul) == .zero)
        let quoted = try PricedBill(bill, products: [sugar: try #require(try counter.book.products().first).details])
        let done = try counter.does(.commitBill(bill, draft: draft.id))
        // 67.50 before tax; tax 3.375, rounded to 3.38, half of it 1.69.
        #expect(quoted.total == Paise(7088))
        #expect(done.outcome == .invoice(number: "A01/25-0000001", total: Paise(7088), balance: Paise(7088)))
        #expect(try counter.stock(sugar) == 18_500)
        #expect(try counter.book.drafts(now: counter.now).isEmpty)
        #expect(try counter.book.amount(of: .cgst) == Paise(-169))
        #expect(throws: BookError.refused(.unknownDraft)) { try counter.does(.commitBill(bill, draft: draft.id)) }
        let invoice = try #require(try counter.book.invoices(of: rahul, limit: 5).first)
        #expect(invoice.bill == bill && invoice.status == .confirmed && invoice.event == done.event)
    }

    @Test func `a cancelled bill keeps its number and gives back balance and stock`() throws {
        let counter = try Counter()
        let rahul = try counter.customer("Rahul")
        let milk = try counter.product("Milk", price: 6000, stock: 1000)
        try counter.does(.commitBill(counter.bill(rahul, (milk, 3000, 6000)), draft: nil))
        #expect(try counter.stock(milk) == -2000)
        let back = try counter.does(.cancelInvoice(number: "A01/25-0000001"))
        #expect(back.outcome == .cancelled(number: "A01/25-0000001", total: Paise(18_000), balance: .zero))
        #expect(try counter.stock(milk) == 1000)
        #expect(try counter.book.invoices(of: nil, limit: 5).map(\.status) == [.cancelled])
        #expect(throws: BookError.refused(.alreadyReversed)) {
            try counter.does(.cancelInvoice(number: "A01/25-0000001"))
        }
        #expect(throws: BookError.refused(.unknownInvoice)) {
            try counter.does(.cancelInvoice(number: "A01/25-0000002"))
        }
        let next = try counter.does(.commitBill(counter.bill(rahul, (milk, 1000, 6000)), draft: nil))
        #expect(next.outcome == .invoice(number: "A01/25-0000002", total: Paise(6000), balance: Paise(6000)))
        #expect(try counter.book.verify().valid)
    }

    @Test func `who walks in pays all of it, and what is not told is cash`() throws {
        let counter = try Counter()
        let milk = try counter.product("Milk", price: 6000, stock: 5000)
        var bill = counter.bill(nil, (milk, 1000, 6000))
        bill.paidNow = [PaymentSplit(amount: Paise(1000), mode: .upi)]
        #expect(
            try counter.does(.commitBill(bill, draft: nil)).outcome
                == .invoice(number: "A01/25-0000001", total: Paise(6000), balance: nil))
        #expect(try counter.book.amount(of: .cash) == Paise(5000))
        #expect(try counter.book.amount(of: .upi) == Paise(1000))
        bill.paidNow = [PaymentSplit(amount: Paise(6001), mode: .upi)]
        #expect(throws: BookError.refused(.amountOutOfRange)) { try counter.does(.commitBill(bill, draft: nil)) }
    }

    @Test(arguments: [0, -1000, MilliQuantity.quantityMax.rawValue + 1])
    func `a quantity that cannot be sold is refused`(quantity: Int64) throws {
        let counter = try Counter()
        let milk = try counter.product("Milk", price: 6000)
        #expect(throws: BookError.refused(.amountOutOfRange)) {
            try counter.does(.commitBill(counter.bill(nil, (milk, quantity, 6000)), draft: nil))
        }
        #expect(try counter.book.invoices(of: nil, limit: 5).isEmpty)
    }

    @Test func `an empty bill, an unknown product and an unknown customer commit nothing`() throws {
        let counter = try Counter()
        let milk = try counter.product("Milk", price: 6000)
        let head = try counter.book.head()
        #expect(throws: BookError.refused(.emptyBill)) {
            try counter.does(.commitBill(Bill(customer: nil, lines: []), draft: nil))
        }
        #expect(throws: BookError.refused(.unknownProduct)) {
            try counter.does(.commitBill(counter.bill(nil, (ProductID(rawValue: 99), 1000, 1)), draft: nil))
        }
        #expect(throws: BookError.refused(.unknownCustomer)) {
            try counter.does(.commitBill(counter.bill(CustomerID(rawValue: 9), (milk, 1000, 1)), draft: nil))
        }
        #expect(try counter.book.head() == head)
    }

    @Test func `a draft is one a customer, outlives the daemon and lapses after four hours`() throws {
        let folder = Folder()
        var counter: Counter! = try Counter(path: folder.book)
        let milk = try counter.product("Milk", price: 6000)
        let rahul = try counter.customer("Rahul")
        let first = Draft(id: counter.id(), bill: counter.bill(rahul, (milk, 1000, 6000)), madeAt: counter.now)
        let second = Draft(id: counter.id(), bill: counter.bill(rahul, (milk, 2000, 6000)), madeAt: counter.now)
        let walkIn = Draft(
            id: counter.id(), bill: counter.bill(nil, (milk, 1000, 6000)), madeAt: counter.now.adding(seconds: 1))
        for draft in [first, second, walkIn] { try counter.does(.saveDraft(draft)) }
        let now = counter.now
        counter = nil
        counter = try Counter(path: folder.book, seed: 2)
        #expect(try counter.book.drafts(now: now) == [second, walkIn])
        #expect(try counter.book.drafts(now: now.adding(seconds: 4 * 3600)) == [second, walkIn])
        #expect(try counter.book.drafts(now: now.adding(seconds: 4 * 3600 + 1)) == [walkIn])
        try counter.does(.dropDraft(walkIn.id))
        #expect(throws: BookError.refused(.unknownDraft)) { try counter.does(.dropDraft(walkIn.id)) }
        #expect(try counter.book.drafts(now: now) == [second])
    }

    @Test func `numbers start anew on the first of April, and the year never goes back`() throws {
        let counter = try Counter()
        let milk = try counter.product("Milk", price: 6000)
        func sell() throws -> Committed.Outcome {
            try counter.does(.commitBill(counter.bill(nil, (milk, 1000, 6000)), draft: nil)).outcome
        }
        counter.now = CivilTime(day: CivilDay(year: 2026, month: 3, day: 31), hour: 23, minute: 59, second: 59)
            .wallTime()
        #expect(try sell() == .invoice(number: "A01/25-0000001", total: Paise(6000), balance: nil))
        #expect(try sell() == .invoice(number: "A01/25-0000002", total: Paise(6000), balance: nil))
        counter.now = counter.now.adding(seconds: 1)
        #expect(try sell() == .invoice(number: "A01/26-0000001", total: Paise(6000), balance: nil))
        counter.now = counter.now.adding(seconds: -1)
        #expect(throws: BookError.refused(.clockUntrusted)) { try sell() }
        counter.now = WallTime(milliseconds: 0)
        #expect(throws: BookError.refused(.clockUntrusted)) { try sell() }
        #expect(try counter.book.verify().valid)
    }

    @Test func `a clock nobody vouches for cannot open a new year`() throws {
        let counter = try Counter(configuration: .test(wallQuality: 2))
        let milk = try counter.product("Milk", price: 6000)
        let bill = counter.bill(nil, (milk, 1000, 6000))
        try counter.does(.commitBill(bill, draft: nil))
        counter.now = CivilTime(day: CivilDay(year: 2038, month: 1, day: 19), hour: 9, minute: 0).wallTime()
        #expect(throws: BookError.refused(.clockUntrusted)) { try counter.does(.commitBill(bill, draft: nil)) }
    }
}
