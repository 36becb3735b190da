import Ledger
import Testing

/// What the shop decides once, and what changes with the day.
@Suite struct RuleTests {
    @Test func `rules are kept over a restart and a rebuild`() throws {
        let folder = Folder()
        var counter: Counter! = try Counter(path: folder.book)
        try counter.does(.openShop(ShopDetails(name: "Sharma Store", state: "Delhi", language: "hi")))
        var rules = ShopRules()
        #expect(try counter.book.shop().rules == rules)
        rules.roundsBills = true
        rules.holdAbove = Paise(5)
        rules.holdBelowMilli = 800
        try counter.does(.setRules(rules))
        counter = nil
        counter = try Counter(path: folder.book, seed: 2)
        #expect(try counter.book.shop().rules == rules)
        rules.holdAbove = nil
        try counter.does(.setRules(rules))
        try counter.book.rebuild()
        #expect(try counter.book.shop().rules == rules)
        rules.holdBelowMilli = 1001
        #expect(throws: BookError.refused(.amountOutOfRange)) { try counter.does(.setRules(rules)) }
        #expect(try counter.book.verify().valid)
    }

    @Test(arguments: [(6049, 6000, -49), (6050, 6100, 50), (6099, 6100, 1), (6100, 6100, 0)])
    func `a rounded bill charges whole rupees and posts the rest`(price: Int64, total: Int64, off: Int64) throws {
        let counter = try Counter()
        let rahul = try counter.customer("Rahul")
        let milk = try counter.product("Milk", price: price)
        var bill = counter.bill(rahul, (milk, 1000, price))
        bill.roundsToRupee = true
        try counter.does(.commitBill(bill, draft: nil))
        #expect(try counter.book.balance(of: rahul) == Paise(total))
        #expect(try counter.book.amount(of: .roundOff) == Paise(-off))
        #expect(try counter.book.amount(of: .sales) == Paise(-price))
        #expect(try counter.book.invoices(of: nil, limit: 1).first?.bill == bill)
        #expect(try counter.book.verify().valid)
    }

    /// The rates of 22 September 2025 (56th GST Council), told before the day comes.
    @Test func `a rate of tax that begins on a day is charged from that day on`() throws {
        let counter = try Counter()
        let day = CivilDay(year: 2026, month: 2, day: 1)
        var details = ProductDetails(name: "Soap", unit: "piece", price: Paise(10_000))
        details.gstRate = BasisPoints(1800)
        details.rateChanges = [
            RateChange(from: day.adding(days: 30), gstRate: BasisPoints(4000), cessRate: BasisPoints(100)),
            RateChange(from: day, gstRate: BasisPoints(500)),
        ]
        guard case .product(let soap) = try counter.does(.createProduct(details, stock: .zero)).outcome else {
            throw Surprise()
        }
        #expect(try counter.book.products().first?.details == details)
        func total(_ day: CivilDay) throws -> Paise {
            counter.now = CivilTime(day: day, hour: 12, minute: 0).wallTime()
            var bill = counter.bill(nil, (soap, 1000, 10_000))
            bill.withGST = true
            guard case .invoice(_, let total, _) = try counter.does(.commitBill(bill, draft: nil)).outcome else {
                throw Surprise()
            }
            return total
        }
        #expect(try total(day.adding(days: -1)) == Paise(11_800))
        #expect(try total(day) == Paise(10_500))
        #expect(try total(day.adding(days: 29)) == Paise(10_500))
        #expect(try total(day.adding(days: 30)) == Paise(14_100))
        #expect(try counter.book.rebuild() == (try counter.book.head().seq))
        #expect(try counter.book.verify().valid)
    }

    /// Design B.4: between 30 March and 3 April a clock nobody vouches for is not believed.
    @Test func `at the turn of the year the date is asked for, and the answer stands in the journal`() throws {
        let counter = try Counter(configuration: .test(wallQuality: 2))
        let milk = try counter.product("Milk", price: 6000)
        func sell(_ year: Int64, _ month: Int64, _ day: Int64) throws(BookError) -> Committed.Outcome {
            counter.now = CivilTime(day: CivilDay(year: year, month: month, day: day), hour: 12, minute: 0).wallTime()
            return try counter.does(.commitBill(counter.bill(nil, (milk, 1000, 6000)), draft: nil)).outcome
        }
        func number(_ text: String) -> Committed.Outcome { .invoice(number: text, total: Paise(6000), balance: nil) }
        #expect(try sell(2026, 3, 29) == number("A01/25-0000001"))
        for day in [30, 31] as [Int64] {
            #expect(throws: BookError.refused(.clockUntrusted)) { try sell(2026, 3, day) }
        }
        #expect(try counter.book.dateToConfirm(at: counter.now) == CivilDay(year: 2026, month: 3, day: 31))
        try counter.does(.confirmDate(CivilDay(year: 2026, month: 3, day: 31)), by: "yes")
        #expect(try sell(2026, 3, 31) == number("A01/25-0000002"))
        #expect(try sell(2026, 4, 1) == number("A01/26-0000001"))
        #expect(try sell(2026, 4, 2) == number("A01/26-0000002"))
        // Three days are believed.
        #expect(throws: BookError.refused(.clockUntrusted)) { try sell(2026, 4, 3) }
        #expect(try sell(2026, 4, 4) == number("A01/26-0000003"))
        // A clock that jumps a year ahead is asked about whenever it does.
        #expect(throws: BookError.refused(.clockUntrusted)) { try sell(2038, 1, 19) }
        #expect(throws: BookError.refused(.clockUntrusted)) { try sell(2026, 3, 29) }
        #expect(try counter.book.verify().valid)
    }

    @Test func `a bill keeps the rate and HSN it was charged with`() throws {
        let counter = try Counter()
        var details = ProductDetails(name: "Ghee", unit: "kg", price: Paise(60_000))
        details.gstRate = BasisPoints(1200)
        details.hsn = "0405"
        guard case .product(let ghee) = try counter.does(.createProduct(details, stock: .zero)).outcome else {
            throw Surprise()
        }
        var bill = counter.bill(nil, (ghee, 1000, 60_000))
        bill.withGST = true
        try counter.does(.commitBill(bill, draft: nil))
        details.gstRate = BasisPoints(500)
        details.hsn = "0406"
        try counter.does(.updateProduct(ghee, details))
        let event = try #require(try counter.book.events(after: 0, epoch: 1, limit: 9).dropFirst().first)
        let line = try #require(try JournalEntry(decoding: event.body).pricing?.lines.first)
        #expect(line.rate == BasisPoints(1200) && line.hsn == "0405")
        #expect(line.tax.sum == Paise(7200))
    }
}
