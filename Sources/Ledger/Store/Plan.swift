/// What a command would do, before any of it is written.
struct Plan {
    var postings: [Posting] = []
    var moves: [StockMove] = []
    var outcome: Committed.Outcome = .done
    var pricing: PricedBill?
    var reverses: ULID?
    var totals: [Posting] = []
    /// Whose key seals the personal part, where there is one.
    var owner: CustomerID?
}

extension LedgerStore {
    /// Most lines of a bill; more is refused as too large.
    public static let billLinesMax = 200

    /// Checks a command against the book. Throws what the shopkeeper is told; writes nothing.
    func plan(_ command: Command, at: WallTime) throws(BookError) -> Plan {
        switch command {
        case .openShop, .setLanguage, .confirmDate, .resume: return Plan()
        case .setRules(let rules):
            guard (rules.holdAbove ?? .zero).isWithinRange, (rules.holdAbove ?? .zero) >= .zero,
                (0...1000).contains(rules.holdBelowMilli ?? 0)
            else { throw .refused(.amountOutOfRange) }
            return Plan()

        case .createCustomer(let details, let opening): return try planCustomer(details, opening)
        case .updateCustomer(let id, _), .addAlias(let id, _), .removeAlias(let id, _):
            return Plan(owner: try present(id).id)
        case .mergeCustomer(let id, let into): return try planMerge(id, into)
        case .unmergeCustomer(let id):
            guard memory.mergedInto[try present(id).id] != nil else { throw .refused(.unknownCustomer) }
            return Plan()
        case .eraseCustomer(let id):
            _ = try present(id)
            return Plan()

        case .createProduct(let details, let stock): return try planProduct(details, stock)
        case .updateProduct(let id, let details):
            guard memory.goods[id] != nil else { throw .refused(.unknownProduct) }
            try check(details, besides: id)
            return Plan()
        case .moveStock(let id, let quantity, _):
            guard memory.goods[id] != nil else { throw .refused(.unknownProduct) }
            guard quantity != .zero else { throw .refused(.amountOutOfRange) }
            try check(quantity)
            return Plan(moves: [StockMove(id, quantity)])
        case .receiveBatch(let id, let quantity, let batch):
            guard memory.goods[id] != nil else { throw .refused(.unknownProduct) }
            guard quantity > .zero, !batch.number.isEmpty else { throw .refused(.amountOutOfRange) }
            try check(quantity)
            return Plan(moves: [StockMove(id, quantity)])

        case .giveCredit(let id, let amount, _):
            try checkMoney(amount)
            let customer = root(of: try present(id).id)
            return Plan(
                postings: [Posting(.receivable(customer), amount), Posting(.sales, -amount)],
                outcome: .balance(try balance(of: customer).adding(amount)), owner: customer)
        case .receivePayment(let id, let splits):
            let customer = root(of: try present(id).id)
            let paid = try checkSplits(splits)
            return Plan(
                postings: splits.map { Posting(Account($0.mode), $0.amount) } + [Posting(.receivable(customer), -paid)],
                outcome: .balance(try balance(of: customer).adding(-paid)), owner: customer)

        case .saveDraft(let draft):
            _ = try price(draft.bill, at: at)
            return Plan()
        case .dropDraft(let id):
            try checkDraft(id)
            return Plan()
        case .commitBill(let bill, let draft):
            if let draft { try checkDraft(draft) }
            return try planBill(bill, at: at)
        case .cancelInvoice(let number):
            guard let place = try connection.integer("SELECT place FROM invoice WHERE number = ?", [.text(number)])
            else { throw .refused(.unknownInvoice) }
            return try planReversal(at: Place(rawValue: place))
        case .creditNote(let note): return try planCreditNote(note, at: at)
        case .hold(let held): return try planHold(held, at: at)
        case .settle: preconditionFailure("a settlement is written as what it settles")
        case .void(let hold, _):
            _ = try placeOfHold(hold)
            return Plan()
        case .reverse(let event, _):
            guard let place = try connection.integer("SELECT place FROM request WHERE id = ?", [.blob(event.bytes)])
            else { throw .refused(.unknownEvent) }
            return try planReversal(at: Place(rawValue: place))

        case .saveReminder(let reminder):
            _ = try present(reminder.customer)
            try checkMoney(reminder.amount)
            return Plan()
        case .cancelReminder(let id):
            guard try connection.integer("SELECT 1 FROM reminder WHERE id = ?", [.blob(id.bytes)]) != nil else {
                throw .refused(.unknownReminder)
            }
            return Plan()
        case .fireReminder(let id, let due, let next):
            let stored = try connection.integer("SELECT fires_at FROM reminder WHERE id = ?", [.blob(id.bytes)])
            guard stored == due.rawValue, due <= at, next.map({ $0 > at }) ?? true else {
                throw .refused(.unknownReminder)
            }
            return Plan()
        case .send(let message):
            guard let customer = message.customer else { return Plan() }
            return Plan(owner: try present(customer).id)
        case .closeDay(_, let counted): return try planClose(counted)
        case .recordCall(let call):
            let texts = [call.method, call.level, call.token ?? "", call.result]
            guard texts.allSatisfy({ $0.utf8.count <= TechnicianCall.textBytesMax }) else { throw .refused(.tooLarge) }
            guard call.times >= 1 else { throw .refused(.amountOutOfRange) }
            return Plan()
        }
    }

    // MARK: People

    /// A customer that exists and was not erased.
    func present(_ id: CustomerID) throws(BookError) -> Person {
        guard let person = memory.people[id] else { throw .refused(.unknownCustomer) }
        guard !person.isErased else { throw .refused(.erasedCustomer) }
        return person
    }

    private func planCustomer(_ details: CustomerDetails, _ opening: Paise) throws(BookError) -> Plan {
        guard opening.isWithinRange else { throw .refused(.amountOutOfRange) }
        guard !isTwin(details) else { throw .refused(.duplicateName) }
        let id = CustomerID(rawValue: (try connection.integer("SELECT max(id) FROM customer") ?? 0) + 1)
        let postings = opening == .zero ? [] : [Posting(.receivable(id), opening), Posting(.opening, -opening)]
        return Plan(postings: postings, outcome: .customer(id), owner: id)
    }

    /// True when somebody is there whom nothing tells apart from the new one.
    func isTwin(_ details: CustomerDetails) -> Bool {
        memory.people.values.contains {
            $0.details?.name == details.name && $0.details?.landmark == details.landmark
                && $0.details?.phone == details.phone && $0.details?.nickname == details.nickname
        }
    }

    private func planMerge(_ id: CustomerID, _ into: CustomerID) throws(BookError) -> Plan {
        _ = (try present(id), try present(into))
        guard memory.mergedInto[id] == nil, root(of: into) != id else { throw .refused(.unknownCustomer) }
        return Plan()
    }

    // MARK: Goods

    private func planProduct(_ details: ProductDetails, _ stock: MilliQuantity) throws(BookError) -> Plan {
        try check(details, besides: nil)
        try check(stock)
        let id = ProductID(rawValue: (try connection.integer("SELECT max(id) FROM product") ?? 0) + 1)
        return Plan(moves: stock == .zero ? [] : [StockMove(id, stock)], outcome: .product(id))
    }

    private func check(_ details: ProductDetails, besides id: ProductID?) throws(BookError) {
        let prices = [details.price] + details.tierPrices.values
        guard prices.allSatisfy({ $0 >= .zero && $0 <= .amountMax }),
            (0...10_000).contains(details.gstRate.rawValue), (0...100_000).contains(details.cessRate.rawValue),
            details.rateChanges.allSatisfy({
                (0...10_000).contains($0.gstRate.rawValue) && (0...100_000).contains($0.cessRate.rawValue)
            })
        else { throw .refused(.amountOutOfRange) }
        guard !memory.goods.contains(where: { $0.key != id && $0.value.name == details.name }) else {
            throw .refused(.duplicateName)
        }
    }

    private func check(_ quantity: MilliQuantity) throws(BookError) {
        guard quantity.isWithinRange else { throw .refused(.amountOutOfRange) }
    }

    // MARK: Money

    func checkMoney(_ amount: Paise) throws(BookError) {
        guard amount > .zero, amount <= .amountMax else { throw .refused(.amountOutOfRange) }
    }

    /// Each part and the sum are checked.
    func checkSplits(_ splits: [PaymentSplit]) throws(BookError) -> Paise {
        guard !splits.isEmpty else { throw .refused(.amountOutOfRange) }
        var sum = Paise.zero
        for split in splits {
            try checkMoney(split.amount)
            sum = try sum.adding(split.amount)
        }
        return sum
    }

    /// The drawer as counted against the book's cash. A difference is posted where everybody can see it.
    private func planClose(_ counted: Paise) throws(BookError) -> Plan {
        guard counted >= .zero, counted <= .amountMax else { throw .refused(.amountOutOfRange) }
        let expected = try amount(of: .cash)
        let (difference, overflow) = counted.rawValue.subtractingReportingOverflow(expected.rawValue)
        guard !overflow else { throw .refused(.amountOutOfRange) }
        let postings = [Posting(.cash, Paise(difference)), Posting(.cashDifference, Paise(-difference))]
        let totals = try Projector(tables: connection, journal: connection).totals()
        return Plan(postings: difference == 0 ? [] : postings, totals: totals)
    }

    // MARK: Bills

    func checkDraft(_ id: ULID) throws(BookError) {
        guard try connection.integer("SELECT 1 FROM draft WHERE id = ?", [.blob(id.bytes)]) != nil else {
            throw .refused(.unknownDraft)
        }
    }

    func price(_ bill: Bill, at: WallTime) throws(BookError) -> PricedBill {
        guard !bill.lines.isEmpty else { throw .refused(.emptyBill) }
        guard bill.lines.count <= Self.billLinesMax else { throw .refused(.tooLarge) }
        for line in bill.lines {
            guard line.quantity > .zero, line.quantity <= .quantityMax, line.unitPrice >= .zero,
                line.unitPrice <= .amountMax
            else { throw .refused(.amountOutOfRange) }
        }
        if let customer = bill.customer { _ = try present(customer) }
        let day = CivilTime(at).day
        var products: [ProductID: ProductDetails] = [:]
        for line in bill.lines { products[line.product] = memory.goods[line.product]?.asOf(day) }
        return try PricedBill(bill, products: products)
    }

    private func planBill(_ bill: Bill, at: WallTime) throws(BookError) -> Plan {
        let priced = try price(bill, at: at)
        guard priced.total >= .zero, priced.total <= .amountMax else { throw .refused(.amountOutOfRange) }
        let paid = bill.paidNow.isEmpty ? Paise.zero : try checkSplits(bill.paidNow)
        var plan = Plan(pricing: priced)
        var splits = bill.paidNow
        let customer = bill.customer.map { root(of: $0) }
        if let customer {
            plan.postings.append(Posting(.receivable(customer), priced.total))
            if paid != .zero { plan.postings.append(Posting(.receivable(customer), -paid)) }
        } else {
            // Who walks in owes nothing afterwards: what is not told is cash, and change is not the book's.
            guard paid <= priced.total else { throw .refused(.amountOutOfRange) }
            if paid < priced.total { splits.append(PaymentSplit(amount: priced.total - paid, mode: .cash)) }
        }
        plan.postings += splits.map { Posting(Account($0.mode), $0.amount) }
        let credits: [(Account, Paise)] = [
            (.sales, priced.subtotal), (.discount, -priced.discount), (.cgst, priced.tax.cgst),
            (.sgst, priced.tax.sgst), (.igst, priced.tax.igst), (.cess, priced.tax.cess),
            (.roundOff, priced.roundOff),
        ]
        plan.postings += credits.filter { $0.1 != .zero }.map { Posting($0.0, -$0.1) }
        if plan.postings.allSatisfy({ $0.amount == .zero }) { plan.postings = [] }
        plan.moves = bill.lines.map { StockMove($0.product, -$0.quantity) }
        var balance: Paise?
        if let customer { balance = try self.balance(of: customer).adding(priced.total).adding(-paid) }
        let number = try nextNumber(.invoice, at: at)
        plan.outcome = .invoice(number: number.description, total: priced.total, balance: balance)
        plan.owner = customer
        return plan
    }

    /// The same legs with the other sign; at most once.
    private func planReversal(at place: Place) throws(BookError) -> Plan {
        let original = try entry(at: place)
        guard original.reverses == nil, original.type != Command.Code.closeDay,
            !original.postings.isEmpty || !original.moves.isEmpty
        else { throw .refused(.notReversible) }
        guard
            try connection.integer(
                "SELECT 1 FROM movement WHERE place = ? AND reversed_by IS NULL", [.integer(place.rawValue)]) != nil
        else { throw .refused(.alreadyReversed) }
        // A bill whose goods came back in part is not taken back whole: the notes go first.
        if case .invoice(let number, _, _) = original.outcome, try !liveCreditNotes(of: number).isEmpty {
            throw .refused(.notReversible)
        }
        let legs = original.postings.map { Posting($0.account, -$0.amount) }
        var balance: Paise?
        if let customer = original.customer.map({ root(of: $0) }) {
            balance = try self.balance(of: customer)
            for leg in legs where leg.account.customer != nil { balance = try balance?.adding(leg.amount) }
        }
        var outcome = Committed.Outcome.done
        switch original.outcome {
        case .invoice(let number, let total, _), .credited(let number, let total, _):
            outcome = .cancelled(number: number, total: total, balance: balance)
        default: if let balance { outcome = .balance(balance) }
        }
        return Plan(
            postings: legs, moves: original.moves.map { StockMove($0.product, -$0.quantity) }, outcome: outcome,
            reverses: original.id)
    }
}

extension JournalEntry {
    /// Whose udhaar the entry touched.
    var customer: CustomerID? { postings.lazy.compactMap(\.account.customer).first }
}

extension Paise {
    /// Compared both ways: the magnitude of the smallest integer does not exist.
    var isWithinRange: Bool { self >= -Paise.amountMax && self <= .amountMax }
}

extension MilliQuantity {
    var isWithinRange: Bool { self >= -MilliQuantity.quantityMax && self <= .quantityMax }
}
