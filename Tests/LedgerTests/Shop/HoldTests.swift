import Ledger
import Testing

/// Entries in two phases: what a voice said without being sure is held, and counts only when somebody confirms it.
@Suite struct HoldTests {
    private func rules(above: Int64? = nil, below: Int64? = nil) -> Command {
        var rules = ShopRules()
        rules.holdAbove = above.map { Paise($0) }
        rules.holdBelowMilli = below
        return .setRules(rules)
    }

    private func say(
        _ counter: Counter, _ command: Command, confidence: Int64 = 900, by: String = "voice", id: ULID? = nil
    ) throws -> Committed {
        try counter.book.perform(
            command, id: id ?? counter.id(), evidence: Evidence(confidenceMilli: confidence, confirmedBy: by),
            at: counter.now)
    }

    @Test func `a large or unsure spoken amount is held, a confirmed one is posted`() throws {
        let counter = try Counter()
        let rahul = try counter.customer("Rahul", opening: 1000)
        try counter.does(rules(above: 100_000, below: 700))
        let until = counter.now.adding(seconds: 24 * 3600)
        let large = Command.receivePayment(rahul, [PaymentSplit(amount: Paise(100_001), mode: .cash)])
        #expect(try say(counter, large).outcome == .held(until: until))
        #expect(
            try say(counter, .giveCredit(rahul, Paise(500), note: "chai"), confidence: 699).outcome
                == .held(until: until))
        // In no balance, no account and no day until then.
        #expect(try counter.book.balance(of: rahul) == Paise(1000))
        #expect(try counter.book.amount(of: .cash) == .zero)
        #expect(try counter.book.payments(of: rahul, limit: 9).isEmpty)
        #expect(try counter.book.summary(of: CivilTime(counter.now).day).payments.isEmpty)
        #expect(try counter.book.holds().map(\.total) == [Paise(100_001), Paise(500)])

        #expect(try say(counter, large, by: "yes").outcome == .balance(Paise(-99_001)))
        #expect(try say(counter, .giveCredit(rahul, Paise(100_000), note: nil)).outcome == .balance(Paise(999)))
        #expect(try counter.book.verify().valid)
    }

    @Test func `a settled hold is one entry, whoever asks twice`() throws {
        let folder = Folder()
        var counter: Counter! = try Counter(path: folder.book)
        let rahul = try counter.customer("Rahul")
        try counter.does(rules(above: 100))
        let id = counter.id()
        let credit = Command.giveCredit(rahul, Paise(500), note: "for the wedding")
        _ = try say(counter, credit, id: id)
        #expect(try say(counter, credit, id: id).isReplay)
        #expect(throws: BookError.refused(.identityReused)) {
            try say(counter, .giveCredit(rahul, Paise(501), note: "for the wedding"), id: id)
        }
        let now = counter.now
        counter = nil
        counter = try Counter(path: folder.book, seed: 2)
        counter.now = now.adding(seconds: 60)
        let hold = try #require(try counter.book.holds().first)
        #expect(hold.event == id && hold.entry == .credit(rahul, Paise(500), note: "for the wedding"))
        let settled = try counter.does(.settle(hold: id), by: "technician")
        #expect(settled.outcome == .balance(Paise(500)))
        #expect(try counter.does(.settle(hold: id), id: settled.event).isReplay)
        #expect(throws: BookError.refused(.unknownHold)) { try counter.does(.settle(hold: id)) }
        #expect(throws: BookError.refused(.unknownHold)) { try counter.does(.void(hold: id, reason: "no")) }
        #expect(try counter.book.holds().isEmpty)
        // It can be taken back like any other.
        try counter.does(.reverse(event: settled.event, reason: "wrong"))
        #expect(try counter.book.balance(of: rahul) == .zero)
        #expect(try counter.book.verify().valid)
        #expect(try counter.book.rebuild() == (try counter.book.head().seq))
    }

    @Test func `a held bill takes its number when it is settled, and its draft is gone`() throws {
        let counter = try Counter()
        let rahul = try counter.customer("Rahul")
        let milk = try counter.product("Milk", price: 6000, stock: 9000)
        try counter.does(rules(above: 100))
        let bill = counter.bill(rahul, (milk, 1000, 6000))
        let draft = Draft(id: counter.id(), bill: bill, madeAt: counter.now)
        try counter.does(.saveDraft(draft))
        let held = try say(counter, .commitBill(bill, draft: draft.id))
        #expect(try counter.book.drafts(now: counter.now).isEmpty)
        #expect(try counter.book.invoices(of: nil, limit: 9).isEmpty && counter.stock(milk) == 9000)
        #expect(
            try counter.does(.commitBill(bill, draft: nil), by: "yes").outcome
                == .invoice(number: "A01/25-0000001", total: Paise(6000), balance: Paise(6000)))
        #expect(
            try counter.does(.settle(hold: held.event), by: "keypad").outcome
                == .invoice(number: "A01/25-0000002", total: Paise(6000), balance: Paise(12_000)))
        #expect(try counter.book.invoices(of: rahul, limit: 9).count == 2)
        #expect(try counter.book.verify().valid)
    }

    @Test func `what nobody confirms in 24 hours is void, once, and told`() throws {
        let counter = try Counter()
        let rahul = try counter.customer("Rahul")
        try counter.does(rules(above: 100))
        let first = try say(counter, .giveCredit(rahul, Paise(500), note: nil))
        counter.now = counter.now.adding(seconds: 24 * 3600)
        let second = try say(counter, .giveCredit(rahul, Paise(600), note: nil))
        #expect(try counter.book.voidLapsedHolds(now: counter.now).isEmpty)
        counter.now = counter.now.adding(seconds: 1)
        #expect(throws: BookError.refused(.unknownHold)) { try counter.does(.settle(hold: first.event)) }
        #expect(try counter.book.voidLapsedHolds(now: counter.now).map(\.event) == [first.event])
        #expect(try counter.book.voidLapsedHolds(now: counter.now).isEmpty)
        #expect(try counter.book.holds().map(\.event) == [second.event])
        try counter.does(.void(hold: second.event, reason: "misheard"))
        #expect(try counter.book.balance(of: rahul) == .zero)
        #expect(try counter.book.verify().valid)
    }

    @Test func `an erased customer's held entry goes with the customer`() throws {
        let counter = try Counter()
        let rahul = try counter.customer("Rahul")
        try counter.does(rules(above: 100))
        let held = try say(counter, .giveCredit(rahul, Paise(500), note: "secret"))
        try counter.does(.eraseCustomer(rahul))
        #expect(try counter.book.holds().isEmpty)
        #expect(throws: BookError.refused(.unknownHold)) { try counter.does(.settle(hold: held.event)) }
        #expect(try counter.book.verify().valid)
    }
}
