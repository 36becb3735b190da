import Ledger
import Testing

/// GSTR-1 figures against a reckoning of their own, from what was sold and not from what the book stored.
@Suite struct GSTReturnTests {
    private struct Ware {
        var id: ProductID
        var hsn: String
        var rate: Int64
        var price: Int64
    }

    private struct Figures: Hashable {
        var taxable: Int64 = 0
        var central: Int64 = 0
        var state: Int64 = 0
        var integrated: Int64 = 0
        var quantity: Int64 = 0
    }

    /// Half away from zero, by remainder: not the book's way of doing it.
    private func divided(_ value: Int64, _ by: Int64) -> Int64 {
        let (quotient, rest) = value.magnitude.quotientAndRemainder(dividingBy: UInt64(by))
        let rounded = Int64(quotient) + (rest * 2 >= UInt64(by) ? 1 : 0)
        return value < 0 ? -rounded : rounded
    }

    @Test(arguments: 1...4 as ClosedRange<UInt64>) func `a month's figures are those of an independent reckoning`(
        seed: UInt64
    ) throws {
        let counter = try Counter(seed: seed)
        var random = SeededRandom(seed: seed &* 104_729)
        var wares: [Ware] = []
        for (index, rate) in [0, 500, 1200, 1800, 2800, 500].enumerated() {
            let price = Int64.random(in: 100...99_999, using: &random)
            var details = ProductDetails(name: "Ware \(index)", unit: "kg", price: Paise(price))
            details.gstRate = BasisPoints(Int64(rate))
            details.hsn = index == 5 ? "1905" : "10\(index)0"
            guard case .product(let id) = try counter.does(.createProduct(details, stock: .zero)).outcome else {
                throw Surprise()
            }
            wares.append(Ware(id: id, hsn: details.hsn!, rate: Int64(rate), price: price))
        }
        let rahul = try counter.customer("Rahul")
        var consumer: [String: Figures] = [:]
        var hsn: [String: Figures] = [:]
        var registered: [String: Int64] = [:]
        var notes: [String: Int64] = [:]
        var (exempt, plain): (Int64, Int64) = (0, 0)
        var (issued, cancelled, issuedNotes) = (0, 0, 0)
        var first: String?
        var last: String?
        let january = CivilDay(year: 2026, month: 1, day: 1)

        for step in 0..<150 {
            let day = january.adding(days: Int64(step / 4) - 3)
            counter.now = CivilTime(day: day, hour: 11, minute: 0, second: step % 60).wallTime()
            let isJanuary = day >= january && day < CivilDay(year: 2026, month: 2, day: 1)
            let isRegistered = Int.random(in: 0..<3, using: &random) == 0
            let isInter = Int.random(in: 0..<4, using: &random) == 0
            let withGST = Int.random(in: 0..<6, using: &random) != 0
            let sold = (0..<Int.random(in: 1...3, using: &random)).map { _ in
                (ware: wares.randomElement(using: &random)!, milli: Int64.random(in: 1...9000, using: &random))
            }
            var bill = Bill(
                customer: rahul,
                lines: sold.map {
                    BillLine(product: $0.ware.id, quantity: MilliQuantity($0.milli), unitPrice: Paise($0.ware.price))
                })
            bill.withGST = withGST
            bill.isInterState = isInter
            bill.buyerGSTIN = isRegistered ? "27AAPFU0939F1ZV" : nil
            guard case .invoice(let number, let total, _) = try counter.does(.commitBill(bill, draft: nil)).outcome
            else { throw Surprise() }
            let isCancelled = Int.random(in: 0..<8, using: &random) == 0
            if isCancelled { try counter.does(.cancelInvoice(number: number)) }
            // Half of the first line comes back now and then, the same month.
            let back = !isCancelled && Int.random(in: 0..<5, using: &random) == 0 ? sold[0].milli / 2 : 0
            if back > 0 {
                try counter.does(
                    .creditNote(
                        CreditNote(
                            invoice: number, returns: [.init(line: 0, quantity: MilliQuantity(back))], reason: "x")))
            }
            guard isJanuary else { continue }
            first = first ?? number
            last = number
            issued += 1
            cancelled += isCancelled ? 1 : 0
            issuedNotes += back > 0 ? 1 : 0
            if isCancelled { continue }

            var charged: Int64 = 0
            var credited: Int64 = 0
            for (index, (ware, milli)) in sold.enumerated() {
                let taxable = divided(ware.price * milli, 1000)
                guard withGST else {
                    charged += taxable
                    if index == 0 { credited = divided(taxable * back, milli) }
                    continue
                }
                let tax = divided(taxable * ware.rate, 10_000)
                var line = Figures(taxable: taxable, quantity: milli)
                if isInter {
                    line.integrated = tax
                } else {
                    (line.central, line.state) = (divided(tax, 2), divided(tax, 2))
                }
                charged += taxable + line.central + line.state + line.integrated
                var less = Figures()
                if index == 0, back > 0 {
                    less = Figures(
                        taxable: divided(taxable * back, milli), central: divided(line.central * back, milli),
                        state: divided(line.state * back, milli), integrated: divided(line.integrated * back, milli),
                        quantity: back)
                    credited = less.taxable + less.central + less.state + less.integrated
                }
                func add(_ key: String, to table: inout [String: Figures], less: Figures) {
                    table[key, default: Figures()].taxable += line.taxable - less.taxable
                    table[key, default: Figures()].central += line.central - less.central
                    table[key, default: Figures()].state += line.state - less.state
                    table[key, default: Figures()].integrated += line.integrated - less.integrated
                    table[key, default: Figures()].quantity += line.quantity - less.quantity
                }
                add("\(isRegistered) \(ware.hsn) \(ware.rate)", to: &hsn, less: less)
                if ware.rate == 0 { exempt += line.taxable - less.taxable }
                if !isRegistered, ware.rate > 0 { add("\(isInter) \(ware.rate)", to: &consumer, less: less) }
            }
            #expect(total.rawValue == charged)
            if !withGST {
                plain += charged - credited
            } else if isRegistered {
                registered[number] = charged
                if back > 0 { notes[number] = credited }
            }
        }

        let told = try counter.book.gstReturn(year: 2026, month: 1)
        #expect(Dictionary(uniqueKeysWithValues: told.registered.map { ($0.number, $0.value.rawValue) }) == registered)
        #expect(Dictionary(uniqueKeysWithValues: told.creditNotes.map { ($0.invoice!, $0.value.rawValue) }) == notes)
        #expect(told.exempt.rawValue == exempt && told.withoutGST.rawValue == plain)
        var toldConsumer: [String: Figures] = [:]
        for (key, amounts) in told.consumer {
            toldConsumer["\(key.isInterState) \(key.rate.rawValue)"] = Figures(
                taxable: amounts.taxable.rawValue, central: amounts.tax.cgst.rawValue,
                state: amounts.tax.sgst.rawValue, integrated: amounts.tax.igst.rawValue)
        }
        #expect(
            toldConsumer
                == consumer.mapValues {
                    Figures(taxable: $0.taxable, central: $0.central, state: $0.state, integrated: $0.integrated)
                })
        var toldHSN: [String: Figures] = [:]
        for (key, figures) in told.hsn {
            toldHSN["\(key.isRegistered) \(key.hsn) \(key.rate.rawValue)"] = Figures(
                taxable: figures.amounts.taxable.rawValue, central: figures.amounts.tax.cgst.rawValue,
                state: figures.amounts.tax.sgst.rawValue, integrated: figures.amounts.tax.igst.rawValue,
                quantity: figures.quantity.rawValue)
        }
        #expect(toldHSN == hsn)
        let bills = try #require(told.documents.first { $0.kind == .invoice })
        #expect(bills.first == first && bills.last == last && bills.issued == issued && bills.cancelled == cancelled)
        #expect(told.documents.first { $0.kind == .creditNote }?.issued ?? 0 == issuedNotes)
        // By hand: the sum of everything is what the month's live bills charged, less the notes.
        for document in told.registered {
            let sum = document.byRate.values.reduce(Int64(0)) { $0 + $1.taxable.rawValue + $1.tax.sum.rawValue }
            #expect(sum <= document.value.rawValue)
        }
    }

    /// Notification 12/2024: above one lakh, one by one.
    @Test(arguments: [(10_000_000, 0), (10_000_001, 1)])
    func `a large bill to a consumer of another state is told by itself`(price: Int64, count: Int) throws {
        let counter = try Counter()
        let ring = try counter.product("Ring", price: price)
        var bill = counter.bill(nil, (ring, 1000, price))
        bill.withGST = true
        bill.isInterState = true
        guard case .invoice(let number, _, _) = try counter.does(.commitBill(bill, draft: nil)).outcome else {
            throw Surprise()
        }
        #expect(try counter.book.gstReturn(year: 2026, month: 1).largeConsumer.count == count)
        try counter.does(
            .creditNote(
                CreditNote(invoice: number, returns: [.init(line: 0, quantity: MilliQuantity(1))], reason: "x")))
        #expect(try counter.book.gstReturn(year: 2026, month: 1).creditNotes.count == count)
        #expect(try counter.book.gstReturn(year: 2026, month: 2).documents.isEmpty)
        #expect(throws: BookError.self) { try counter.book.gstReturn(year: 2026, month: 13) }
    }
}
