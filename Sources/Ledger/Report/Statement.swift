/// A customer's account between two days, as it is handed over.
public struct Statement: Hashable, Sendable {
    public struct Line: Hashable, Sendable {
        public var day: CivilDay
        public var event: ULID
        /// "opening", "credit", "payment", "bill", "return", "taken back".
        public var kind: String
        /// Of a bill or credit note, also where it is taken back.
        public var number: String?
        /// Raises what is owed where positive.
        public var amount: Paise
        public var balance: Paise
    }

    public var customer: CustomerID
    public var name: String
    public var from: CivilDay
    public var through: CivilDay
    /// Owed before the first line.
    public var opening: Paise
    public var lines: [Line]
    public var closing: Paise
}

extension LedgerStore {
    /// Every entry that touched a customer's udhaar in the days, in the order it was written, with the balance behind it.
    /// A bill paid at once shows as two lines of the same entry: the charge and the money.
    public func statement(of customer: CustomerID, from: CivilDay, through: CivilDay) throws(BookError) -> Statement {
        let root = root(of: try present(customer).id)
        var legs: [(place: Place, leg: Int64, amount: Paise)] = []
        for member in family(of: root) {
            try connection.run(
                "SELECT place, leg, amount FROM posting WHERE account = ?",
                [.integer(Account.receivable(member).rawValue)]
            ) { legs.append((Place(rawValue: $0.integer(0)), $0.integer(1), Paise($0.integer(2)))) }
        }
        legs.sort { ($0.place, $0.leg) < ($1.place, $1.leg) }
        var statement = Statement(
            customer: root, name: memory.people[root]?.details?.name ?? "customer \(root.rawValue)", from: from,
            through: through, opening: .zero, lines: [], closing: .zero)
        var balance = Paise.zero
        var current: (place: Place, entry: JournalEntry)?
        for leg in legs {
            let entry =
                if let current, current.place == leg.place { current.entry } else { try entry(at: leg.place) }
            current = (leg.place, entry)
            // Days go by the entries' own; one of an earlier day written late counts as of its day.
            guard entry.day <= through else { continue }
            balance = try balance.adding(leg.amount)
            if entry.day < from {
                statement.opening = try statement.opening.adding(leg.amount)
                continue
            }
            let (kind, number) = kind(of: entry, amount: leg.amount)
            statement.lines.append(
                Statement.Line(
                    day: entry.day, event: entry.id, kind: kind, number: number, amount: leg.amount, balance: balance))
        }
        statement.closing = balance
        return statement
    }

    private func kind(of entry: JournalEntry, amount: Paise) -> (String, String?) {
        switch (entry.type, entry.outcome) {
        case (_, .cancelled(let number, _, _)): ("taken back", number)
        case (Command.Code.reverse, _): ("taken back", nil)
        case (Command.Code.createCustomer, _): ("opening", nil)
        case (Command.Code.commitBill, .invoice(let number, _, _)): (amount > .zero ? "bill" : "payment", number)
        case (Command.Code.creditNote, .credited(let number, _, _)): (amount < .zero ? "return" : "refund", number)
        default: (Command.word(entry.type), nil)
        }
    }
}
