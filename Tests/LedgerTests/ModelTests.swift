import Ledger
import Testing

/// The shop's arithmetic done a second time, with dictionaries and no code of the book: what it says, the book must say.
struct ModelShop {
    struct Done {
        var customer: Int64?
        var receivable: Int64
        var stock: [Int64: Int64]
        var isTakenBack = false
        var invoice: String?
    }

    var balances: [Int64: Int64] = [:]
    var stock: [Int64: Int64] = [:]
    var mergedInto: [Int64: Int64] = [:]
    var done: [ULID: Done] = [:]
    var invoices: [String: (total: Int64, isCancelled: Bool)] = [:]
    var numbers: [Int64: Int64] = [:]
    var rates: [Int64: Int64] = [:]

    func root(_ customer: Int64) -> Int64 {
        var customer = customer
        while let next = mergedInto[customer] { customer = next }
        return customer
    }

    func balance(_ customer: Int64) -> Int64 {
        balances.filter { root($0.key) == root(customer) }.map(\.value).reduce(0, +)
    }

    /// a/b rounded half away from zero, another way than the book's: by doubling.
    static func divide(_ value: Int64, _ by: Int64) -> Int64 {
        let sign: Int64 = value < 0 ? -1 : 1
        return sign * ((2 * value.magnitude.signed + by) / (2 * by))
    }

    func total(
        _ lines: [(product: Int64, milli: Int64, price: Int64)], gst: Bool, interState: Bool, discountBps: Int64
    ) -> Int64 {
        var sum: Int64 = 0
        for line in lines {
            let taxable = Self.divide(line.milli * line.price, 1000)
            sum += taxable
            guard gst else { continue }
            let tax = Self.divide(taxable * rates[line.product]!, 10_000)
            sum += interState ? tax : 2 * Self.divide(tax, 2)
        }
        return sum - Self.divide(sum * discountBps, 10_000)
    }
}

extension UInt64 {
    fileprivate var signed: Int64 { Int64(self) }
}

@Suite struct ModelTests {
    @Test(arguments: 1...8 as ClosedRange<UInt64>)
    func `a random shop's book agrees with the model, over restarts and rebuilt`(seed: UInt64) throws {
        let folder = Folder()
        var counter: Counter! = try Counter(path: folder.book, seed: seed)
        var model = ModelShop()
        var random = SeededRandom(seed: seed &* 977)
        func pick(_ range: ClosedRange<Int64>) -> Int64 { Int64.random(in: range, using: &random) }
        var commands: [(Command, ULID)] = []
        var reversals = 0
        var repeats = 0
        var refusals = 0

        for number in 1...6 as ClosedRange<Int64> {
            let opening = pick(-5000...50_000)
            let made = try counter.customer("Customer \(number)", opening: opening)
            #expect(made.rawValue == number)
            model.balances[number] = opening
        }
        for (number, rate) in zip(1...5 as ClosedRange<Int64>, [0, 500, 1200, 1800, 2800] as [Int64]) {
            let stock = pick(0...50_000)
            let made = try counter.product("Product \(number)", price: 1000 * number, stock: stock, gst: rate)
            #expect(made.rawValue == number)
            (model.stock[number], model.rates[number]) = (stock, rate)
        }

        for step in 1...250 {
            counter.now = counter.now.adding(seconds: pick(1...60_000))
            let customer = pick(1...6)
            let id = CustomerID(rawValue: customer)
            let amount = pick(1...200_000)
            switch pick(0...9) {
            case 0, 1:
                let command = Command.giveCredit(id, Paise(amount), note: amount % 2 == 0 ? "note" : nil)
                let done = try counter.does(command)
                model.balances[model.root(customer)]! += amount
                model.done[done.event] = .init(customer: customer, receivable: amount, stock: [:])
                #expect(done.outcome == .balance(Paise(model.balance(customer))))
                commands.append((command, done.event))
            case 2, 3:
                let second = pick(0...300)
                var splits = [PaymentSplit(amount: Paise(amount), mode: .upi)]
                if second > 0 { splits.append(PaymentSplit(amount: Paise(second), mode: .cash)) }
                let command = Command.receivePayment(id, splits)
                let done = try counter.does(command)
                model.balances[model.root(customer)]! -= amount + second
                model.done[done.event] = .init(customer: customer, receivable: -amount - second, stock: [:])
                commands.append((command, done.event))
            case 4, 5:
                let isWalkIn = pick(0...3) == 0
                let lines = (0..<pick(1...4)).map { _ in
                    (product: pick(1...5), milli: pick(1...9999), price: pick(0...9999))
                }
                let (gst, inter, discount) = (pick(0...1) == 1, pick(0...1) == 1, pick(0...1) * pick(0...2500))
                var bill = Bill(
                    customer: isWalkIn ? nil : id,
                    lines: lines.map {
                        BillLine(
                            product: ProductID(rawValue: $0.product), quantity: MilliQuantity($0.milli),
                            unitPrice: Paise($0.price))
                    })
                (bill.withGST, bill.isInterState) = (gst, inter)
                if discount > 0 { bill.discount = .share(BasisPoints(discount)) }
                let total = model.total(lines, gst: gst, interState: inter, discountBps: discount)
                let paid = !isWalkIn && pick(0...2) == 0 && total > 1 ? total / 2 : 0
                if paid > 0 { bill.paidNow = [PaymentSplit(amount: Paise(paid), mode: .card)] }
                let command = Command.commitBill(bill, draft: nil)
                let done = try counter.does(command)
                let day = CivilTime(counter.now).day
                model.numbers[day.financialYear, default: 0] += 1
                let text = String(model.numbers[day.financialYear]!)
                let number = "A01/\(day.financialYear % 100)-" + String(repeating: "0", count: 7 - text.count) + text
                if !isWalkIn { model.balances[model.root(customer)]! += total - paid }
                var moved: [Int64: Int64] = [:]
                for line in lines { moved[line.product, default: 0] -= line.milli }
                for (product, milli) in moved { model.stock[product]! += milli }
                model.invoices[number] = (total, false)
                model.done[done.event] = .init(
                    customer: isWalkIn ? nil : customer, receivable: isWalkIn ? 0 : total - paid, stock: moved,
                    invoice: number)
                #expect(
                    done.outcome
                        == .invoice(
                            number: number, total: Paise(total),
                            balance: isWalkIn ? nil : Paise(model.balance(customer))))
                commands.append((command, done.event))
            case 6:
                let (product, milli) = (pick(1...5), pick(-9999...9999))
                let command = Command.moveStock(ProductID(rawValue: product), MilliQuantity(milli), reason: "count")
                guard milli != 0 else { continue }
                let done = try counter.does(command)
                model.stock[product]! += milli
                model.done[done.event] = .init(customer: nil, receivable: 0, stock: [product: milli])
                commands.append((command, done.event))
            case 7:
                guard let (_, event) = commands.randomElement(using: &random), var one = model.done[event] else {
                    continue
                }
                let command =
                    one.invoice.map { Command.cancelInvoice(number: $0) } ?? .reverse(event: event, reason: "wrong")
                guard !one.isTakenBack else {
                    #expect(throws: BookError.refused(.alreadyReversed)) { try counter.does(command) }
                    refusals += 1
                    continue
                }
                // The legs go back to the accounts they came from, whatever was merged since.
                let posted = try counter.book.events(after: 0, epoch: 1, limit: 1000).first { $0.id == event }
                let entry = try JournalEntry(decoding: try #require(posted).body)
                try counter.does(command)
                for posting in entry.postings {
                    if let owner = posting.account.customer {
                        model.balances[owner.rawValue]! -= posting.amount.rawValue
                    }
                }
                for (product, milli) in one.stock { model.stock[product]! -= milli }
                one.isTakenBack = true
                model.done[event] = one
                if let invoice = one.invoice { model.invoices[invoice]!.isCancelled = true }
                reversals += 1
            case 8:
                guard let (command, event) = commands.randomElement(using: &random) else { continue }
                #expect(try counter.does(command, id: event).isReplay)
                repeats += 1
            default:
                let into = pick(1...6)
                if model.mergedInto[customer] != nil {
                    try counter.does(.unmergeCustomer(id))
                    model.mergedInto[customer] = nil
                } else if model.root(into) != customer {
                    try counter.does(.mergeCustomer(id, into: CustomerID(rawValue: into)))
                    model.mergedInto[customer] = into
                }
            }
            if step % 60 == 0 {
                let now = counter.now
                counter = nil
                counter = try Counter(path: folder.book, seed: seed &+ UInt64(step) &* 31)
                counter.now = now
                try check(counter, model)
            }
        }
        try check(counter, model)
        let customers = try counter.book.customers()
        let entries = try counter.book.rebuild()
        #expect(entries == (try counter.book.head().seq))
        try check(counter, model)
        #expect(try counter.book.customers() == customers)
        // The run did what it is for.
        #expect(reversals > 3 && repeats > 5, "\(reversals) reversals, \(repeats) repeats, \(refusals) refusals")
    }

    private func check(_ counter: Counter, _ model: ModelShop) throws {
        let report = try counter.book.verify()
        #expect(report.valid, "\(report)")
        for (customer, _) in model.balances {
            #expect(try counter.book.balance(of: CustomerID(rawValue: customer)).rawValue == model.balance(customer))
        }
        let listed = try counter.book.customers()
        #expect(Set(listed.map(\.id.rawValue)) == Set(model.balances.keys.filter { model.mergedInto[$0] == nil }))
        for customer in listed { #expect(customer.balance.rawValue == model.balance(customer.id.rawValue)) }
        for product in try counter.book.products() {
            #expect(product.stock.rawValue == model.stock[product.id.rawValue])
        }
        let invoices = try counter.book.invoices(of: nil, limit: 10_000)
        #expect(invoices.count == model.invoices.count)
        for invoice in invoices {
            let expected = try #require(model.invoices[invoice.number])
            #expect(invoice.total.rawValue == expected.total)
            #expect((invoice.status == .cancelled) == expected.isCancelled)
        }
    }
}
