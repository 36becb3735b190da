import Ledger
import Testing

/// What the shop says about money, and what then stands in the book.
@Suite struct MoneyCommandTests {
    @Test func `udhaar raises and a payment lowers the balance, and both are found`() throws {
        let counter = try Counter()
        let rahul = try counter.customer("Rahul", opening: 50_000)
        #expect(try counter.does(.giveCredit(rahul, Paise(25_000), note: nil)).outcome == .balance(Paise(75_000)))
        let split = [PaymentSplit(amount: Paise(20_000), mode: .cash), PaymentSplit(amount: Paise(1), mode: .upi)]
        let paid = try counter.does(.receivePayment(rahul, split))
        #expect(paid.outcome == .balance(Paise(54_999)))
        #expect(try counter.book.balance(of: rahul) == Paise(54_999))
        #expect(try counter.book.customers().map(\.balance) == [Paise(54_999)])
        let payments = try counter.book.payments(of: rahul, limit: 10)
        #expect(payments.map(\.split) == split)
        #expect(payments.allSatisfy { $0.event == paid.event && !$0.isReversed })
        #expect(try counter.book.amount(of: .cash) == Paise(20_000))
        #expect(try counter.book.amount(of: .sales) == Paise(-25_000))
    }

    @Test func `an amount that is nothing, negative or beyond the book is refused and nothing is written`() throws {
        let counter = try Counter()
        let rahul = try counter.customer("Rahul")
        let head = try counter.book.head()
        for amount in [0, -1, Paise.amountMax.rawValue + 1, Int64.max, Int64.min] {
            #expect(throws: BookError.refused(.amountOutOfRange)) {
                try counter.does(.giveCredit(rahul, Paise(amount), note: nil))
            }
            #expect(throws: BookError.refused(.amountOutOfRange)) {
                try counter.does(.receivePayment(rahul, [PaymentSplit(amount: Paise(amount), mode: .cash)]))
            }
        }
        #expect(throws: BookError.refused(.amountOutOfRange)) { try counter.does(.receivePayment(rahul, [])) }
        #expect(try counter.book.head() == head)
    }

    /// The balance may not leave the book's range by adding what is within it.
    @Test func `a sum beyond the book is refused whole`() throws {
        let counter = try Counter()
        let rahul = try counter.customer("Rahul", opening: Paise.amountMax.rawValue)
        let head = try counter.book.head()
        #expect(throws: BookError.refused(.amountOutOfRange)) {
            try counter.does(.giveCredit(rahul, Paise(1), note: nil))
        }
        #expect(try counter.book.head() == head)
        #expect(try counter.book.balance(of: rahul) == .amountMax)
        #expect(try counter.book.verify().valid)
    }

    @Test func `the same id with the same command is answered again, with another command refused`() throws {
        let counter = try Counter()
        let rahul = try counter.customer("Rahul")
        let id = counter.id()
        let first = try counter.does(.giveCredit(rahul, Paise(100), note: "chai"), id: id)
        var again = try counter.does(.giveCredit(rahul, Paise(100), note: "chai"), id: id)
        #expect(again.isReplay && !first.isReplay)
        again.isReplay = false
        #expect(again == first)
        #expect(try counter.book.balance(of: rahul) == Paise(100))
        for other in [
            Command.giveCredit(rahul, Paise(101), note: "chai"), .giveCredit(rahul, Paise(100), note: "chay"),
        ] {
            #expect(throws: BookError.refused(.identityReused)) { try counter.does(other, id: id) }
        }
        #expect(throws: BookError.refused(.identityReused)) {
            try counter.does(.giveCredit(rahul, Paise(100), note: nil), id: id)
        }
    }

    @Test func `an event is taken back once, and its customer owes what was owed before`() throws {
        let counter = try Counter()
        let rahul = try counter.customer("Rahul", opening: 500)
        let credit = try counter.does(.giveCredit(rahul, Paise(100), note: nil))
        let last = try #require(try counter.book.lastReversible())
        #expect(last.event == credit.event && last.command == "credit" && last.amount == Paise(100))
        let back = try counter.does(.reverse(event: credit.event, reason: "wrong name"))
        #expect(back.outcome == .balance(Paise(500)))
        #expect(throws: BookError.refused(.alreadyReversed)) {
            try counter.does(.reverse(event: credit.event, reason: "again"))
        }
        #expect(throws: BookError.refused(.notReversible)) {
            try counter.does(.reverse(event: back.event, reason: "a reversal"))
        }
        #expect(throws: BookError.refused(.unknownEvent)) {
            try counter.does(.reverse(event: counter.id(), reason: "nothing"))
        }
        #expect(try counter.book.lastReversible() == nil)
        let payment = try counter.does(.receivePayment(rahul, [PaymentSplit(amount: Paise(500), mode: .upi)]))
        try counter.does(.reverse(event: payment.event, reason: "bounced"))
        #expect(try counter.book.payments(of: rahul, limit: 5).map(\.isReversed) == [true])
        #expect(try counter.book.balance(of: rahul) == Paise(500))
        #expect(try counter.book.verify().valid)
    }

    @Test func `the day's summary counts bills, money by mode, udhaar given and recovered`() throws {
        let counter = try Counter()
        let rahul = try counter.customer("Rahul", opening: 100_000)
        let milk = try counter.product("Milk", price: 6000, stock: 10_000)
        var partly = counter.bill(rahul, (milk, 2000, 6000))
        partly.paidNow = [PaymentSplit(amount: Paise(5000), mode: .upi)]
        try counter.does(.commitBill(partly, draft: nil))
        try counter.does(.commitBill(counter.bill(nil, (milk, 500, 6000)), draft: nil))
        try counter.does(.giveCredit(rahul, Paise(700), note: nil))
        try counter.does(.receivePayment(rahul, [PaymentSplit(amount: Paise(900), mode: .cash)]))
        let cancelled = try counter.does(.commitBill(counter.bill(rahul, (milk, 1000, 6000)), draft: nil))
        guard case .invoice(let number, _, _) = cancelled.outcome else { throw Surprise() }
        try counter.does(.cancelInvoice(number: number))
        let day = CivilTime(counter.now).day
        let summary = try counter.book.summary(of: day)
        #expect(
            summary
                == DailySummary(
                    day: day, invoiceCount: 2, sales: Paise(15_000), payments: [.upi: Paise(5000), .cash: Paise(3900)],
                    udhaarGiven: Paise(7700), udhaarRecovered: Paise(900)))
        #expect(try counter.book.summary(of: day.adding(days: 1)).invoiceCount == 0)
    }

    @Test func `a drawer that holds less than the book shows the difference in its own account`() throws {
        let counter = try Counter()
        let rahul = try counter.customer("Rahul", opening: 100_000)
        try counter.does(.receivePayment(rahul, [PaymentSplit(amount: Paise(9000), mode: .cash)]))
        let close = try counter.does(.closeDay(CivilTime(counter.now).day, cashCounted: Paise(8500)))
        let stored = try #require(try counter.book.events(after: close.seq - 1, epoch: 1, limit: 1).first)
        // What stood before: cash, all udhaar as one sum, the opening balance.
        #expect(
            try JournalEntry(decoding: stored.body).totals == [
                Posting(.cash, Paise(9000)), Posting(Account(rawValue: 1100), Paise(91_000)),
                Posting(.opening, Paise(-100_000)),
            ])
        #expect(try counter.book.amount(of: .cash) == Paise(8500))
        #expect(try counter.book.amount(of: .cashDifference) == Paise(500))
        #expect(throws: BookError.refused(.notReversible)) {
            try counter.does(.reverse(event: close.event, reason: "no"))
        }
        #expect(try counter.book.verify().valid)
    }
}
