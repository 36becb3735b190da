// Who owes for how long. Payments settle the oldest debt first, so what is open is always the newest part: the book is
// walked back from its end until the balance is explained.

/// What one customer has not paid of one entry.
public struct OpenItem: Hashable, Sendable {
    public var event: ULID
    /// Of a bill.
    public var invoice: String?
    public var day: CivilDay
    public var amount: Paise
    /// What of it is not settled; the oldest open item may be settled in part.
    public var open: Paise
}

/// A customer's debt by age.
public struct AgedBalance: Hashable, Sendable {
    public var customer: CustomerID
    public var name: String
    public var balance: Paise
    /// Up to 30 days old, 31 to 60, older. Their sum is the balance, if it is above zero.
    public var upTo30: Paise = .zero
    public var upTo60: Paise = .zero
    public var older: Paise = .zero
    public var oldest: CivilDay?
}

extension LedgerStore {
    /// What a customer owes, entry by entry, oldest first; empty when nothing is owed.
    public func openItems(of customer: CustomerID) throws(BookError) -> [OpenItem] {
        let root = root(of: customer)
        var rest = try balance(of: root)
        guard rest > .zero else { return [] }
        var places: [(place: Place, amount: Paise)] = []
        for member in family(of: root) {
            try connection.run(
                """
                SELECT p.place, sum(p.amount) FROM posting p CROSS JOIN movement m ON m.place = p.place
                WHERE p.account = ? AND m.reversed_by IS NULL GROUP BY p.place HAVING sum(p.amount) > 0
                ORDER BY p.place DESC
                """, [.integer(Account.receivable(member).rawValue)]
            ) { places.append((Place(rawValue: $0.integer(0)), Paise($0.integer(1)))) }
        }
        var items: [OpenItem] = []
        for (place, amount) in places.sorted(by: { $0.place > $1.place }) {
            guard rest > .zero else { break }
            let entry = try entry(at: place)
            var number: String?
            if case .invoice(let text, _, _) = entry.outcome { number = text }
            let open = min(amount, rest)
            items.append(OpenItem(event: entry.id, invoice: number, day: entry.day, amount: amount, open: open))
            rest = rest - open
        }
        return items.reversed()
    }

    /// Everybody whose balance is not zero, the largest debt first.
    ///
    /// - Parameter day: from which ages are counted; an entry of that day is 0 days old.
    public func ageing(on day: CivilDay) throws(BookError) -> [AgedBalance] {
        var aged: [AgedBalance] = []
        for customer in try customers() where customer.balance != .zero {
            var one = AgedBalance(
                customer: customer.id, name: customer.details.name, balance: customer.balance)
            for item in try openItems(of: customer.id) {
                switch day.number - item.day.number {
                case ...30: one.upTo30 += item.open
                case ...60: one.upTo60 += item.open
                default: one.older += item.open
                }
                if one.oldest == nil { one.oldest = item.day }
            }
            aged.append(one)
        }
        return aged.sorted { ($0.balance, $1.customer) > ($1.balance, $0.customer) }
    }
}
