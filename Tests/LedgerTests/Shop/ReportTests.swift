import Ledger
import Testing

/// Ageing and statements against a shop reckoned by hand.
@Suite struct ReportTests {
    /// Payments settle the oldest debt first.
    @Test func `debts age by their own day, the oldest is settled first`() throws {
        let counter = try Counter()
        let today = CivilTime(counter.now).day
        let start = counter.now
        func on(_ daysAgo: Int64) { counter.now = start.adding(seconds: -daysAgo * 86_400) }
        on(100)
        let rahul = try counter.customer("Rahul", opening: 1000)
        let amit = try counter.customer("Amit")
        on(61)
        try counter.does(.giveCredit(rahul, Paise(500), note: nil))
        on(60)
        let wrong = try counter.does(.giveCredit(rahul, Paise(9999), note: nil))
        try counter.does(.giveCredit(rahul, Paise(300), note: nil))
        on(31)
        try counter.does(.giveCredit(rahul, Paise(70), note: nil))
        on(30)
        try counter.does(.giveCredit(rahul, Paise(20), note: nil))
        on(0)
        try counter.does(.giveCredit(rahul, Paise(1), note: nil))
        try counter.does(.receivePayment(rahul, [PaymentSplit(amount: Paise(1200), mode: .cash)]))
        try counter.does(.reverse(event: wrong.event, reason: "wrong"))
        try counter.does(.receivePayment(amit, [PaymentSplit(amount: Paise(50), mode: .upi)]))
        let aged = try counter.book.ageing(on: today)
        #expect(aged.map(\.name) == ["Rahul", "Amit"])
        #expect(aged[0].balance == Paise(691))
        #expect(aged[0].older == Paise(300) && aged[0].upTo60 == Paise(370) && aged[0].upTo30 == Paise(21))
        #expect(aged[0].oldest == today.adding(days: -61))
        #expect(aged[1].balance == Paise(-50) && aged[1].oldest == nil)
        let open = try counter.book.openItems(of: rahul)
        #expect(open.map(\.open) == [300, 300, 70, 20, 1].map { Paise($0) })
        #expect(open.first?.amount == Paise(500))
        #expect(try counter.book.openItems(of: amit).isEmpty)
    }

    @Test(arguments: 1...8 as ClosedRange<UInt64>)
    func `open items always sum to the balance, whatever was paid, merged, returned or taken back`(seed: UInt64) throws
    {
        let counter = try Counter(seed: seed)
        var random = SeededRandom(seed: seed &* 7919)
        let people = try ["A", "B", "C"].map {
            try counter.customer($0, opening: Int64.random(in: -500...500, using: &random))
        }
        let milk = try counter.product("Milk", price: 100)
        var made: [ULID] = []
        for _ in 0..<120 {
            counter.now = counter.now.adding(seconds: Int64.random(in: 0...200_000, using: &random))
            let one = people[Int.random(in: 0..<3, using: &random)]
            let amount = Paise(Int64.random(in: 1...900, using: &random))
            switch Int.random(in: 0..<6, using: &random) {
            case 0, 1: made.append(try counter.does(.giveCredit(one, amount, note: nil)).event)
            case 2:
                made.append(try counter.does(.receivePayment(one, [PaymentSplit(amount: amount, mode: .cash)])).event)
            case 3:
                var bill = counter.bill(one, (milk, 3000, amount.rawValue))
                bill.paidNow = [PaymentSplit(amount: amount, mode: .upi)]
                let done = try counter.does(.commitBill(bill, draft: nil))
                made.append(done.event)
                if case .invoice(let number, _, _) = done.outcome, Bool.random(using: &random) {
                    try counter.does(
                        .creditNote(
                            CreditNote(
                                invoice: number, returns: [.init(line: 0, quantity: MilliQuantity(1000))], reason: "")))
                }
            case 4:
                if let event = made.randomElement(using: &random) {
                    _ = try? counter.does(.reverse(event: event, reason: "x"))
                }
            default:
                if (try? counter.does(.mergeCustomer(people[0], into: people[1]))) == nil {
                    _ = try? counter.does(.unmergeCustomer(people[0]))
                }
            }
            for customer in try counter.book.customers() {
                let open = try counter.book.openItems(of: customer.id)
                #expect(open.reduce(0) { $0 + $1.open.rawValue } == max(0, customer.balance.rawValue))
            }
        }
        let today = CivilTime(counter.now).day
        for aged in try counter.book.ageing(on: today) {
            #expect(aged.upTo30 + aged.upTo60 + aged.older == max(.zero, aged.balance))
            let statement = try counter.book.statement(
                of: aged.customer, from: CivilDay(number: 0), through: today)
            #expect(statement.closing == aged.balance && statement.opening == .zero)
            #expect(statement.lines.reduce(Paise.zero) { $0 + $1.amount } == aged.balance)
        }
        #expect(try counter.book.verify().valid)
    }

    @Test func `a statement shows every entry with the balance behind it, from the day asked for`() throws {
        let counter = try Counter()
        let day = CivilTime(counter.now).day
        let rahul = try counter.customer("Rahul", opening: 1000)
        let milk = try counter.product("Milk", price: 6000)
        counter.now = counter.now.adding(seconds: 86_400)
        var bill = counter.bill(rahul, (milk, 1000, 6000))
        bill.paidNow = [PaymentSplit(amount: Paise(2000), mode: .cash)]
        try counter.does(.commitBill(bill, draft: nil))
        let paid = try counter.does(.receivePayment(rahul, [PaymentSplit(amount: Paise(500), mode: .upi)]))
        try counter.does(.reverse(event: paid.event, reason: "wrong"))
        counter.now = counter.now.adding(seconds: 86_400)
        try counter.does(.giveCredit(rahul, Paise(7), note: "chai"))
        let statement = try counter.book.statement(of: rahul, from: day.adding(days: 1), through: day.adding(days: 1))
        #expect(statement.opening == Paise(1000) && statement.closing == Paise(5000))
        #expect(statement.lines.map(\.kind) == ["bill", "payment", "payment", "taken back"])
        #expect(statement.lines.map(\.balance.rawValue) == [7000, 5000, 4500, 5000])
        #expect(statement.lines.map(\.number) == ["A01/25-0000001", "A01/25-0000001", nil, nil])
    }
}
