/// Applies one journal entry to the projections. What the tables become depends on the entries alone, in their order:
/// the same code runs at a sale, at `rebuild` and, into a second database, at `verify`.
struct Projector {
    /// Where the projections are.
    var tables: Connection
    /// Where the events are; the same connection but when verifying.
    var journal: Connection
    /// When verifying, counts the rows of the tables that grow, instead of writing them.
    var tally: RowTally?

    func apply(_ entry: JournalEntry, at place: Place) throws(BookError) {
        try add(.request, [.blob(entry.id.bytes), .integer(place.rawValue)])
        // A close asserts what every account held: a replay that comes to other sums stops here, at its day.
        if !entry.totals.isEmpty, try totals() != entry.totals {
            throw .damaged("the accounts are not what the day's close says")
        }
        if let hold = entry.settles { try removeHold(hold.bytes) }
        try applyNouns(entry, place)
        try post(entry.postings, place)
        try move(entry.moves, place)
        if let reverses = entry.reverses {
            try takeBack(reverses, by: place)
        } else if !entry.postings.isEmpty || !entry.moves.isEmpty {
            try add(.movement, [.integer(place.rawValue), .integer(entry.type), .null])
            try addToDay(entry, sign: 1)
        }
        if tally == nil, try tables.integer("SELECT amount FROM money_sum") != 0 {
            throw .damaged("the postings of an event do not sum to zero")
        }
    }

    private func add(_ table: RowTally.Table, _ values: [Connection.Value]) throws(BookError) {
        if let tally { return tally.add(table, values) }
        switch table {
        case .request: try tables.run("INSERT INTO request VALUES(?,?)", values)
        case .posting: try tables.run("INSERT INTO posting VALUES(?,?,?,?)", values)
        case .stockMove: try tables.run("INSERT INTO stock_move VALUES(?,?,?,?)", values)
        case .movement: try tables.run("INSERT INTO movement VALUES(?,?,?)", values)
        case .invoice: try tables.run("INSERT INTO invoice VALUES(?,?,?)", values)
        }
    }

    /// What stands in each account that holds anything, all udhaar as one sum under 1100.
    func totals() throws(BookError) -> [Posting] {
        var sums: [Int64: Int64] = [:]
        var overflows = false
        func add(_ account: Int64, _ amount: Int64) {
            let whole = account % 10_000 == 1100 ? 1100 : account
            let (sum, overflow) = sums[whole, default: 0].addingReportingOverflow(amount)
            sums[whole] = sum
            overflows = overflows || overflow
        }
        if let tally {
            for (account, held) in tally.balances { add(account, held.amount) }
        } else {
            try tables.run("SELECT account, amount FROM balance") { add($0.integer(0), $0.integer(1)) }
        }
        guard !overflows else { throw .refused(.amountOutOfRange) }
        return sums.filter { $0.value != 0 }.sorted { $0.key < $1.key }.map {
            Posting(Account(rawValue: $0.key), Paise($0.value))
        }
    }

    private func post(_ postings: [Posting], _ place: Place) throws(BookError) {
        for (leg, posting) in postings.enumerated() {
            let number = posting.account.rawValue
            let account = Connection.Value.integer(number)
            try add(
                .posting,
                [account, .integer(place.rawValue), .integer(Int64(leg)), .integer(posting.amount.rawValue)])
            let before =
                try tally == nil
                ? tables.integer("SELECT amount FROM balance WHERE account = ?", [account]) ?? 0
                : tally?.balances[number]?.amount ?? 0
            // SQLite would turn an overflow into a floating point number; here it is refused.
            let (after, overflow) = before.addingReportingOverflow(posting.amount.rawValue)
            guard !overflow, posting.account.customer == nil || Paise(after).isWithinRange else {
                throw .refused(.amountOutOfRange)
            }
            if let tally {
                tally.balances[number] = (after, place.rawValue)
            } else {
                try tables.run(
                    "INSERT OR REPLACE INTO balance VALUES(?,?,?)",
                    [account, .integer(after), .integer(place.rawValue)])
            }
        }
    }

    private func move(_ moves: [StockMove], _ place: Place) throws(BookError) {
        for (leg, move) in moves.enumerated() {
            let product = Connection.Value.integer(move.product.rawValue)
            try add(
                .stockMove,
                [product, .integer(place.rawValue), .integer(Int64(leg)), .integer(move.quantity.rawValue)])
            guard let before = try tables.integer("SELECT stock FROM product WHERE id = ?", [product]) else {
                throw .damaged("stock of a product that is not there")
            }
            let (after, overflow) = before.addingReportingOverflow(move.quantity.rawValue)
            guard !overflow, (-MilliQuantity.quantityMax.rawValue...MilliQuantity.quantityMax.rawValue).contains(after)
            else { throw .refused(.amountOutOfRange) }
            try tables.run("UPDATE product SET stock = ? WHERE id = ?", [.integer(after), product])
        }
    }

    /// A reversal's figures leave the day of what it takes back, so that a cancelled bill was never sold that day.
    private func takeBack(_ event: ULID, by place: Place) throws(BookError) {
        guard let original = try journal.integer("SELECT place FROM request WHERE id = ?", [.blob(event.bytes)]),
            let body = try journal.blob("SELECT body FROM event WHERE place = ?", [.integer(original)]),
            let entry = try? JournalEntry(decoding: body)
        else { throw .damaged("a reversal of an event that is not there") }
        if let tally {
            guard tally.reverse(original, type: entry.type, by: place.rawValue) else {
                throw .damaged("an event is reversed twice")
            }
        } else {
            try tables.run(
                "UPDATE movement SET reversed_by = ? WHERE place = ? AND reversed_by IS NULL",
                [.integer(place.rawValue), .integer(original)])
            guard tables.changes == 1 else { throw .damaged("an event is reversed twice") }
        }
        if entry.type == Command.Code.receiveBatch { try receive(entry.arguments, sign: -1) }
        try addToDay(entry, sign: -1)
    }

    /// A delivery of a batch, or one taken back. A batch told with another day of expiry takes the last told.
    private func receive(_ arguments: [CBORValue], sign: Int64) throws(BookError) {
        guard let product = arguments[0].integer, let quantity = arguments[1].integer, let number = arguments[2].text
        else { throw .damaged("a batch cannot be read") }
        let key: [Connection.Value] = [.integer(product), .text(number)]
        let before = try tables.integer("SELECT received FROM batch WHERE product = ? AND number = ?", key) ?? 0
        let (after, overflow) = before.addingReportingOverflow(quantity * sign)
        guard !overflow else { throw .refused(.amountOutOfRange) }
        try tables.run(
            "INSERT OR REPLACE INTO batch VALUES(?,?,?,?)", key + [.optional(arguments[3].integer), .integer(after)])
    }

    private func addToDay(_ entry: JournalEntry, sign: Int64) throws(BookError) {
        for (figure, amount) in entry.dayFigures {
            let values: [Connection.Value] = [.integer(entry.day.number), .integer(figure.rawValue)]
            let key = RowTally.DayKey(day: entry.day.number, kind: figure.rawValue)
            let before =
                try tally == nil
                ? tables.integer("SELECT amount FROM day_figure WHERE day = ? AND kind = ?", values) ?? 0
                : tally?.dayFigures[key] ?? 0
            let (after, overflow) = before.addingReportingOverflow(amount * sign)
            guard !overflow else { throw .refused(.amountOutOfRange) }
            if let tally {
                tally.dayFigures[key] = after
            } else {
                try tables.run("INSERT OR REPLACE INTO day_figure VALUES(?,?,?)", values + [.integer(after)])
            }
        }
    }

    private func applyNouns(_ entry: JournalEntry, _ place: Place) throws(BookError) {
        let arguments = entry.arguments
        let expected =
            entry.type == Command.Code.hold
            ? arguments.first?.integer.flatMap { Command.Code.argumentCounts[$0] }.map { $0 + 1 }
            : Command.Code.argumentCounts[entry.type]
        guard arguments.count == expected else {
            throw .damaged("an event has other arguments than its kind")
        }
        func number(_ index: Int) -> Connection.Value { .integer(arguments[index].integer ?? 0) }
        switch entry.type {
        case Command.Code.openShop:
            try set("name", arguments[0].text)
            try set("state", arguments[1].text)
            try set("language", arguments[2].text)
        case Command.Code.setLanguage: try set("language", arguments[0].text)
        case Command.Code.setRules:
            let rules = ShopRules(arguments)
            try set("round", rules.roundsBills ? "1" : "0")
            try set("hold_above", rules.holdAbove.map { String($0.rawValue) })
            try set("hold_below", rules.holdBelowMilli.map { String($0) })
        case Command.Code.resume: try set("retired_series", arguments[3].text)
        case Command.Code.confirmDate: try set("confirmed_day", arguments[0].integer.map { String($0) })
        case Command.Code.createCustomer:
            guard case .customer(let id) = entry.outcome else { throw .damaged("a customer without a number") }
            try tables.run(
                "INSERT INTO customer(id, place) VALUES(?,?)", [.integer(id.rawValue), .integer(place.rawValue)])
        case Command.Code.mergeCustomer:
            guard try !family(of: arguments[1].integer ?? 0).contains(arguments[0].integer ?? 0) else {
                throw .damaged("a customer merged in a circle")
            }
            try tables.run("UPDATE customer SET merged_into = ? WHERE id = ?", [number(1), number(0)])
        case Command.Code.unmergeCustomer:
            try tables.run("UPDATE customer SET merged_into = NULL WHERE id = ?", [number(0)])
        case Command.Code.eraseCustomer:
            for id in try family(of: arguments[0].integer ?? 0) {
                try tables.run("UPDATE customer SET erased = 1 WHERE id = ?", [.integer(id)])
                try tables.run("DELETE FROM draft WHERE customer = ?", [.integer(id)])
                try tables.run("DELETE FROM hold WHERE customer = ?", [.integer(id)])
                try tables.run(
                    "DELETE FROM firing WHERE id IN (SELECT id FROM reminder WHERE customer = ?)", [.integer(id)])
                try tables.run("DELETE FROM reminder WHERE customer = ?", [.integer(id)])
                try tables.run("DELETE FROM outgoing WHERE customer = ?", [.integer(id)])
            }
        case Command.Code.createProduct:
            guard case .product(let id) = entry.outcome else { throw .damaged("a product without a number") }
            try tables.run(
                "INSERT INTO product VALUES(?,?,0)", [.integer(id.rawValue), .blob(arguments[0].encoded)])
        case Command.Code.updateProduct:
            try tables.run("UPDATE product SET details = ? WHERE id = ?", [.blob(arguments[1].encoded), number(0)])
        case Command.Code.receiveBatch: try receive(arguments, sign: 1)
        case Command.Code.saveDraft:
            let customer = Bill(arguments[1])?.customer?.rawValue ?? 0
            try tables.run(
                "INSERT OR REPLACE INTO draft VALUES(?,?,?,?)",
                [.integer(customer), .blob(arguments[0].bytes ?? []), .integer(place.rawValue), number(2)])
        case Command.Code.dropDraft: try dropDraft(arguments[0].bytes)
        case Command.Code.commitBill:
            guard case .invoice(let text, let total, _) = entry.outcome, let invoice = InvoiceNumber(text) else {
                throw .damaged("a bill without a number")
            }
            try add(.invoice, [.text(text), .integer(place.rawValue), .integer(total.rawValue)])
            try count(invoice)
            try dropDraft(arguments[1].bytes)
        case Command.Code.creditNote:
            guard case .credited(let text, let total, _) = entry.outcome, let number = InvoiceNumber(text) else {
                throw .damaged("a credit note without a number")
            }
            try tables.run(
                "INSERT INTO credit_note VALUES(?,?,?,?)",
                [
                    .text(text), .integer(place.rawValue), .text(arguments[0].text ?? ""), .integer(total.rawValue),
                ])
            try count(number)
        case Command.Code.hold:
            guard let held = HeldEntry(arguments, note: nil) else { throw .damaged("a held entry cannot be read") }
            try tables.run(
                "INSERT INTO hold VALUES(?,?,?,?)",
                [
                    .blob(entry.id.bytes), .integer(place.rawValue), .integer(held.customer?.rawValue ?? 0),
                    .integer(entry.at.rawValue),
                ])
            if case .bill(_, let draft) = held { try dropDraft(draft?.bytes) }
        case Command.Code.void: try removeHold(arguments[0].bytes ?? [])
        case Command.Code.saveReminder:
            // Told anew, it begins anew.
            try tables.run("DELETE FROM firing WHERE id = ?", [.blob(arguments[0].bytes ?? [])])
            try tables.run(
                "INSERT OR REPLACE INTO reminder VALUES(?,?,?,?,?)",
                [
                    .blob(arguments[0].bytes ?? []), number(1), number(2), number(3),
                    arguments[4].text.map { .text($0) } ?? .null,
                ])
        case Command.Code.cancelReminder: try dropReminder(arguments[0].bytes ?? [])
        case Command.Code.fireReminder:
            let id = Connection.Value.blob(arguments[0].bytes ?? [])
            guard let next = arguments[2].integer else {
                try dropReminder(arguments[0].bytes ?? [])
                break
            }
            // Counted from the first time, so that the 31st stays the 31st after a February.
            try tables.run("INSERT OR IGNORE INTO firing VALUES(?,?)", [id, number(1)])
            try tables.run("UPDATE reminder SET fires_at = ? WHERE id = ?", [.integer(next), id])
        case Command.Code.send:
            try tables.run(
                "INSERT INTO outgoing VALUES(?,?)", [.integer(place.rawValue), .optional(arguments[2].integer)])
        default: break
        }
    }

    /// All numbers one person has had: those merged with this one, up and down.
    private func family(of id: Int64) throws(BookError) -> [Int64] {
        var root = id
        while let next = try tables.integer("SELECT merged_into FROM customer WHERE id = ?", [.integer(root)]) {
            root = next
        }
        var family: [Int64] = []
        try tables.run(
            """
            WITH RECURSIVE family(id) AS (
              VALUES(?) UNION SELECT customer.id FROM customer JOIN family ON customer.merged_into = family.id)
            SELECT id FROM family
            """, [.integer(root)]
        ) { family.append($0.integer(0)) }
        return family
    }

    /// The number is given out; the next one follows.
    private func count(_ number: InvoiceNumber) throws(BookError) {
        try tables.run(
            "INSERT OR REPLACE INTO series VALUES(?,?,?)",
            [.text(number.code), .integer(number.year), .integer(number.number + 1)])
    }

    private func dropReminder(_ id: [UInt8]) throws(BookError) {
        try tables.run("DELETE FROM reminder WHERE id = ?", [.blob(id)])
        try tables.run("DELETE FROM firing WHERE id = ?", [.blob(id)])
    }

    private func removeHold(_ id: [UInt8]) throws(BookError) {
        try tables.run("DELETE FROM hold WHERE id = ?", [.blob(id)])
        guard tables.changes == 1 else { throw .damaged("a held entry is settled twice") }
    }

    private func set(_ name: String, _ value: String?) throws(BookError) {
        try tables.run("INSERT OR REPLACE INTO setting VALUES(?,?)", [.text(name), .text(value ?? "")])
    }

    private func dropDraft(_ id: [UInt8]?) throws(BookError) {
        guard let id else { return }
        try tables.run("DELETE FROM draft WHERE id = ?", [.blob(id)])
    }
}
