// Credit notes.

/// A credit note as the book shows it.
public struct IssuedCreditNote: Hashable, Sendable {
    /// `SSS/YY-CNNNNNN`.
    public var number: String
    public var note: CreditNote
    public var figures: PricedBill
    public var status: InvoiceStatus
    public var at: WallTime
    public var event: ULID
}

extension LedgerStore {
    func planCreditNote(_ note: CreditNote, at: WallTime) throws(BookError) -> Plan {
        guard let number = try connection.integer("SELECT place FROM invoice WHERE number = ?", [.text(note.invoice)])
        else { throw .refused(.unknownInvoice) }
        let place = Place(rawValue: number)
        let original = try entry(at: place)
        guard let bill = Bill(original.arguments[0]), let charged = original.pricing else {
            throw .damaged("a bill cannot be read")
        }
        guard try isLive(place) else { throw .refused(.alreadyReversed) }
        let customer: CustomerID? = try bill.customer.map { (id) throws(BookError) in root(of: try present(id).id) }
        let (made, goods) = try newCredit(note, on: bill, charged)
        guard made.total >= .zero else { throw .refused(.overReturned) }

        var refund = note.refund
        let told = refund.isEmpty ? Paise.zero : try checkSplits(refund)
        guard told <= made.total else { throw .refused(.amountOutOfRange) }
        if customer == nil, told < made.total { refund.append(PaymentSplit(amount: made.total - told, mode: .cash)) }
        var plan = Plan(pricing: made)
        let debits: [(Account, Paise)] = [
            (.salesReturns, made.subtotal), (.discount, -made.discount), (.cgst, made.tax.cgst),
            (.sgst, made.tax.sgst), (.igst, made.tax.igst), (.cess, made.tax.cess), (.roundOff, made.roundOff),
        ]
        plan.postings = debits.map { Posting($0.0, $0.1) } + refund.map { Posting(Account($0.mode), -$0.amount) }
        if let customer {
            plan.postings += [Posting(.receivable(customer), -made.total), Posting(.receivable(customer), told)]
        }
        plan.postings.removeAll { $0.amount == .zero }
        plan.moves = goods
        let balance: Paise? = try customer.map { (id) throws(BookError) in
            try self.balance(of: id).adding(told - made.total)
        }
        plan.outcome = .credited(
            number: try nextNumber(.creditNote, at: at).description, total: made.total, balance: balance)
        plan.owner = customer
        return plan
    }

    /// What this note credits beyond the ones before, and the goods that come back with it.
    private func newCredit(_ note: CreditNote, on bill: Bill, _ charged: PricedBill) throws(BookError) -> (
        PricedBill, [StockMove]
    ) {
        guard !note.returns.isEmpty else { throw .refused(.emptyBill) }
        var returned = [MilliQuantity](repeating: .zero, count: bill.lines.count)
        var before = try charged.credited(returned, of: bill)
        for place in try liveCreditNotes(of: note.invoice) {
            let earlier = try entry(at: place)
            guard let told = CreditNote(earlier.arguments), let figures = earlier.pricing else {
                throw .damaged("a credit note cannot be read")
            }
            for one in told.returns { returned[one.line] += one.quantity }
            before = before.adding(figures)
        }
        var goods: [StockMove] = []
        for one in note.returns {
            guard bill.lines.indices.contains(one.line), one.quantity > .zero, one.quantity <= .quantityMax else {
                throw .refused(.amountOutOfRange)
            }
            returned[one.line] += one.quantity
            goods.append(StockMove(bill.lines[one.line].product, one.quantity))
        }
        return (try charged.credited(returned, of: bill).since(before), goods)
    }

    /// Places of a bill's credit notes that were not taken back, in their order.
    func liveCreditNotes(of invoice: String) throws(BookError) -> [Place] {
        var places: [Place] = []
        try connection.run(
            """
            SELECT c.place FROM credit_note c JOIN movement m ON m.place = c.place
            WHERE c.invoice = ? AND m.reversed_by IS NULL ORDER BY c.place
            """, [.text(invoice)]
        ) { places.append(Place(rawValue: $0.integer(0))) }
        return places
    }

    /// Newest first. Nil for those of all bills.
    public func creditNotes(of invoice: String?, limit: Int) throws(BookError) -> [IssuedCreditNote] {
        var found: [(number: String, place: Place, isReversed: Bool)] = []
        try connection.run(
            """
            SELECT c.number, c.place, m.reversed_by FROM credit_note c JOIN movement m ON m.place = c.place
            WHERE ?1 IS NULL OR c.invoice = ?1 ORDER BY c.place DESC LIMIT ?2
            """, [invoice.map { .text($0) } ?? .null, .integer(Int64(max(0, limit)))]
        ) { found.append(($0.text(0), Place(rawValue: $0.integer(1)), !$0.isNull(2))) }
        var notes: [IssuedCreditNote] = []
        for (number, place, isReversed) in found {
            let entry = try entry(at: place)
            guard let note = CreditNote(entry.arguments), let figures = entry.pricing else {
                throw .damaged("a credit note cannot be read")
            }
            notes.append(
                IssuedCreditNote(
                    number: number, note: note, figures: figures, status: isReversed ? .cancelled : .confirmed,
                    at: entry.at, event: entry.id))
        }
        return notes
    }

    private func isLive(_ place: Place) throws(BookError) -> Bool {
        try connection.integer(
            "SELECT 1 FROM movement WHERE place = ? AND reversed_by IS NULL", [.integer(place.rawValue)]) != nil
    }
}
