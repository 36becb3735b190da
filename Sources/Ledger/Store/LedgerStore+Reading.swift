// Questions to the book. They read the projections; where a list needs detail, the event it names.

extension LedgerStore {
    public func shop() throws(BookError) -> ShopDetails {
        var shop = ShopDetails(name: "", state: "", language: "hi-en")
        try connection.run("SELECT name, value FROM setting") {
            switch $0.text(0) {
            case "name": shop.name = $0.text(1)
            case "state": shop.state = $0.text(1)
            case "language": shop.language = $0.text(1)
            default: break
            }
        }
        shop.rules = memory.rules
        return shop
    }

    /// The rules as stored, each under its own setting.
    func rules() throws(BookError) -> ShopRules {
        var rules = ShopRules()
        try connection.run("SELECT name, value FROM setting WHERE name IN ('round', 'hold_above', 'hold_below')") {
            let value = Int64($0.text(1))
            switch $0.text(0) {
            case "round": rules.roundsBills = value == 1
            case "hold_above": rules.holdAbove = value.map { Paise($0) }
            default: rules.holdBelowMilli = value
            }
        }
        return rules
    }

    /// Everybody who was not erased, by number. One merged into another is found under the other's aliases.
    public func customers() throws(BookError) -> [Customer] {
        var amounts: [CustomerID: Paise] = [:]
        try connection.run("SELECT account, amount FROM balance WHERE account % 10000 = 1100") {
            guard let id = Account(rawValue: $0.integer(0)).customer else { return }
            amounts[root(of: id), default: .zero] += Paise($0.integer(1))
        }
        var merged: [CustomerID: [Person]] = [:]
        for id in memory.mergedInto.keys {
            if let person = memory.people[id] { merged[root(of: id), default: []].append(person) }
        }
        return memory.people.values.filter { !$0.isErased && memory.mergedInto[$0.id] == nil }.sorted { $0.id < $1.id }
            .map {
                person in
                var aliases = person.aliases
                for other in merged[person.id, default: []].sorted(by: { $0.id < $1.id }) {
                    for name in [other.details?.name].compactMap({ $0 }) + other.aliases where !aliases.contains(name) {
                        aliases.append(name)
                    }
                }
                // Without its key (another device's book) a customer is known by number.
                let details = person.details ?? CustomerDetails(name: "customer \(person.id.rawValue)")
                var balance = amounts[person.id] ?? .zero
                if let kin = memory.kin[person.id] {
                    balance = kin.others.reduce(balance + kin.elsewhere) { $0 + (amounts[$1] ?? .zero) }
                }
                return Customer(id: person.id, details: details, aliases: aliases, balance: balance)
            }
    }

    public func products() throws(BookError) -> [Product] {
        var products: [Product] = []
        try connection.run("SELECT id, stock FROM product ORDER BY id") {
            let id = ProductID(rawValue: $0.integer(0))
            if let details = memory.goods[id] {
                products.append(Product(id: id, details: details, stock: MilliQuantity($0.integer(1))))
            }
        }
        return products
    }

    /// What a customer owes the shop: here, and at other counters as far as the shop's log has come.
    public func balance(of customer: CustomerID) throws(BookError) -> Paise {
        guard memory.people[customer] != nil else { throw .refused(.unknownCustomer) }
        let root = root(of: customer)
        let kin = memory.kin[root]
        var sum = kin?.elsewhere ?? .zero
        for own in [root] + (kin?.others ?? []) {
            for member in family(of: own) { sum = try sum.adding(try amount(of: .receivable(member))) }
        }
        return sum
    }

    /// What stands in one account.
    public func amount(of account: Account) throws(BookError) -> Paise {
        Paise(try connection.integer("SELECT amount FROM balance WHERE account = ?", [.integer(account.rawValue)]) ?? 0)
    }

    /// How long a draft waits for its yes.
    public static let draftSeconds: Int64 = 4 * 3600

    public func drafts(now: WallTime) throws(BookError) -> [Draft] {
        var places: [Place] = []
        try connection.run(
            "SELECT place FROM draft WHERE made_at >= ? ORDER BY made_at, place",
            [.integer(now.adding(seconds: -Self.draftSeconds).rawValue)]
        ) { places.append(Place(rawValue: $0.integer(0))) }
        var drafts: [Draft] = []
        for place in places {
            let arguments = try entry(at: place).arguments
            guard let id = arguments[0].bytes.flatMap({ ULID(bytes: $0) }), let bill = Bill(arguments[1]),
                let madeAt = arguments[2].integer
            else { throw .damaged("a draft cannot be read") }
            drafts.append(Draft(id: id, bill: bill, madeAt: WallTime(milliseconds: madeAt)))
        }
        return drafts
    }

    public func invoices(of customer: CustomerID?, limit: Int) throws(BookError) -> [Invoice] {
        var invoices: [Invoice] = []
        for (place, isReversed) in try movements(of: customer, types: [Command.Code.commitBill], limit: limit) {
            let entry = try entry(at: place)
            guard case .invoice(let number, let total, _) = entry.outcome, let bill = Bill(entry.arguments[0]) else {
                throw .damaged("a bill cannot be read")
            }
            invoices.append(
                Invoice(
                    number: number, bill: bill, total: total, status: isReversed ? .cancelled : .confirmed,
                    at: entry.at, event: entry.id))
        }
        return invoices
    }

    public func payments(of customer: CustomerID?, limit: Int) throws(BookError) -> [Payment] {
        var payments: [Payment] = []
        let types = [Command.Code.receivePayment, Command.Code.commitBill]
        var seen = 0
        // Bills without a payment are among the movements; ask for more until there is enough or no more.
        var asked = limit
        while true {
            payments = []
            let movements = try movements(of: customer, types: types, limit: asked)
            seen = movements.count
            for (place, isReversed) in movements {
                let entry = try entry(at: place)
                guard let payer = entry.customer else { continue }
                for posting in entry.postings {
                    guard let mode = posting.account.mode else { continue }
                    payments.append(
                        Payment(
                            customer: root(of: payer), split: PaymentSplit(amount: posting.amount, mode: mode),
                            at: entry.at, event: entry.id, isReversed: isReversed))
                }
            }
            if payments.count >= limit || seen < asked { break }
            asked *= 4
        }
        return Array(payments.prefix(limit))
    }

    /// Places of money events, newest first, and whether each was taken back.
    private func movements(of customer: CustomerID?, types: [Int64], limit: Int) throws(BookError) -> [(Place, Bool)] {
        var found: [(place: Place, isReversed: Bool)] = []
        let limit = max(0, limit)
        let kinds = types.map(String.init).joined(separator: ",")
        guard let customer else {
            try connection.run(
                "SELECT place, reversed_by FROM movement WHERE kind IN (\(kinds)) ORDER BY place DESC LIMIT ?",
                [.integer(Int64(limit))]
            ) { found.append((Place(rawValue: $0.integer(0)), !$0.isNull(1))) }
            return found.map { ($0.place, $0.isReversed) }
        }
        // The order of the tables is fixed: along one customer's postings, newest first, stopping early.
        for member in family(of: root(of: customer)) {
            try connection.run(
                """
                SELECT DISTINCT p.place, m.reversed_by FROM posting p CROSS JOIN movement m ON m.place = p.place
                WHERE p.account = ? AND m.kind IN (\(kinds)) ORDER BY p.place DESC LIMIT ?
                """, [.integer(Account.receivable(member).rawValue), .integer(Int64(limit))]
            ) { found.append((Place(rawValue: $0.integer(0)), !$0.isNull(1))) }
        }
        return found.sorted { $0.place > $1.place }.prefix(limit).map { ($0.place, $0.isReversed) }
    }

    public func reminders() throws(BookError) -> [Reminder] {
        var reminders: [Reminder] = []
        try connection.run(
            "SELECT id, customer, amount, fires_at, recurrence FROM reminder ORDER BY fires_at, id"
        ) {
            guard let id = ULID(bytes: $0.blob(0)) else { return }
            reminders.append(
                Reminder(
                    id: id, customer: root(of: CustomerID(rawValue: $0.integer(1))), amount: Paise($0.integer(2)),
                    firesAt: WallTime(milliseconds: $0.integer(3)), recurrence: $0.isNull(4) ? nil : $0.text(4)))
        }
        return reminders
    }

    public func outgoing() throws(BookError) -> [OutgoingMessage] {
        var places: [Place] = []
        try connection.run("SELECT place FROM outgoing ORDER BY place") {
            places.append(Place(rawValue: $0.integer(0)))
        }
        var messages: [OutgoingMessage] = []
        for place in places {
            let entry = try entry(at: place)
            guard entry.arguments.count == 5, let id = entry.arguments[0].bytes.flatMap({ ULID(bytes: $0) }),
                let kind = entry.arguments[1].text
            else { throw .damaged("a message cannot be read") }
            messages.append(
                OutgoingMessage(
                    id: id, kind: kind, customer: entry.arguments[2].integer.map { CustomerID(rawValue: $0) },
                    to: try memo(at: place, event: entry.id)?.data.text ?? "", reference: entry.arguments[4].text))
        }
        return messages
    }

    public func summary(of day: CivilDay) throws(BookError) -> DailySummary {
        var figures: [Int64: Int64] = [:]
        try connection.run("SELECT kind, amount FROM day_figure WHERE day = ?", [.integer(day.number)]) {
            figures[$0.integer(0)] = $0.integer(1)
        }
        func figure(_ kind: DayFigure) -> Int64 { figures[kind.rawValue] ?? 0 }
        var payments: [PaymentMode: Paise] = [:]
        for mode in PaymentMode.allCases where figure(.received(mode)) != 0 {
            payments[mode] = Paise(figure(.received(mode)))
        }
        return DailySummary(
            day: day, invoiceCount: Int(figure(.invoiceCount)), sales: Paise(figure(.sales)), payments: payments,
            udhaarGiven: Paise(figure(.udhaarGiven)), udhaarRecovered: Paise(figure(.udhaarRecovered)))
    }

    public func lastReversible() throws(BookError) -> (
        event: ULID, command: String, customer: CustomerID?, amount: Paise
    )? {
        let kinds = [
            Command.Code.moveStock, Command.Code.receiveBatch, Command.Code.giveCredit, Command.Code.receivePayment,
            Command.Code.commitBill,
        ]
        let list = kinds.map(String.init).joined(separator: ",")
        guard
            let place = try connection.integer(
                "SELECT place FROM movement WHERE reversed_by IS NULL AND kind IN (\(list)) ORDER BY place DESC LIMIT 1"
            )
        else { return nil }
        let entry = try entry(at: Place(rawValue: place))
        let udhaar = entry.postings.lazy.filter { $0.account.customer != nil }.map(\.amount.magnitude)
        return (
            entry.id, Command.word(entry.type), entry.customer.map { root(of: $0) },
            entry.pricing?.total ?? udhaar.first ?? .zero
        )
    }
}
