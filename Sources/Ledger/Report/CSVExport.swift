import JSONText

/// What can be exported, and how each is written: CSV for people and spreadsheets, JSON lines for programs.
public enum Export: String, Sendable, CaseIterable {
    case customers, products, invoices, payments, entries, ageing, events
}

extension LedgerStore {
    /// Gives an export line by line, without line ends; nothing of the book's size is held in memory.
    ///
    /// `customers` and `products` have the columns of the import. `events` are JSON lines without anything personal:
    /// enough to reckon balances, stock and numbers anew with another program.
    ///
    /// - Parameter progress: entries read so far and in all, where the whole journal is read.
    public func export(
        _ what: Export, on day: CivilDay, progress: (Int64, Int64) -> Void = { _, _ in }, line: (String) -> Void
    ) throws(BookError) {
        func row(_ fields: [String]) { line(CSVTable.line(fields)) }
        switch what {
        case .customers:
            row(CSVTable.columns(of: .customers).all)
            for customer in try customers() { row(customer.csv) }
        case .products:
            row(CSVTable.columns(of: .products).all)
            for product in try products() { row(product.csv) }
        case .ageing:
            row(["customer", "balance", "up_to_30_days", "31_to_60_days", "over_60_days", "oldest"])
            for one in try ageing(on: day) {
                row(
                    [one.name] + [one.balance, one.upTo30, one.upTo60, one.older].map(\.rupeesText)
                        + [one.oldest?.text ?? ""])
            }
        case .invoices:
            row(["number", "date", "customer", "total", "status", "gst", "items"])
            try eachEntry(progress, kinds: [Command.Code.commitBill]) { (entry, _, isReversed) in
                guard case .invoice(let number, let total, _) = entry.outcome, let bill = Bill(entry.arguments[0])
                else {
                    return
                }
                row([
                    number, entry.day.text, bill.customer.map { name(of: $0) } ?? "", total.rupeesText,
                    isReversed ? "CANCELLED" : "CONFIRMED", bill.withGST ? "yes" : "no", "\(bill.lines.count)",
                ])
            }
        case .payments:
            row(["date", "customer", "amount", "mode", "with", "status"])
            try eachEntry(progress, kinds: [Command.Code.receivePayment, Command.Code.commitBill]) {
                (entry, _, isReversed) in
                var number = ""
                if case .invoice(let text, _, _) = entry.outcome { number = text }
                for posting in entry.postings {
                    guard let mode = posting.account.mode else { continue }
                    row([
                        entry.day.text, entry.customer.map { name(of: $0) } ?? "", posting.amount.rupeesText,
                        mode.rawValue, number, isReversed ? "taken back" : "",
                    ])
                }
            }
        case .entries:
            row(["number", "date", "kind", "account", "customer", "debit", "credit"])
            try eachEntry(progress, kinds: nil) { (entry, place, _) in
                for posting in entry.postings {
                    row([
                        "\(place.seq)", entry.day.text, entry.reverses == nil ? Command.word(entry.type) : "reversal",
                        "\(posting.account.code)", posting.account.customer.map { name(of: $0) } ?? "",
                        posting.amount > .zero ? posting.amount.rupeesText : "",
                        posting.amount < .zero ? posting.amount.magnitude.rupeesText : "",
                    ])
                }
            }
        case .events: try eachEvent(progress, line)
        }
    }

    private func name(of customer: CustomerID) -> String {
        let root = root(of: customer)
        return memory.people[root]?.details?.name ?? "customer \(root.rawValue)"
    }

    /// Money and stock entries in order; reversals too where all kinds are asked for.
    private func eachEntry(
        _ progress: (Int64, Int64) -> Void, kinds: [Int64]?, _ body: (JournalEntry, Place, Bool) -> Void
    ) throws(BookError) {
        let all = try connection.integer("SELECT count(*) FROM event") ?? 0
        var read: Int64 = 0
        try connection.scan(
            """
            SELECT e.place, e.body, m.kind, m.reversed_by FROM event e LEFT JOIN movement m ON m.place = e.place
            ORDER BY e.place
            """
        ) { (row) throws(BookError) in
            read += 1
            if read % 10_000 == 0 { progress(read, all) }
            if let kinds, row.isNull(2) || !kinds.contains(row.integer(2)) { return true }
            let entry: JournalEntry
            do { entry = try JournalEntry(decoding: row.blob(1)) } catch { throw .damaged("an event cannot be read") }
            body(entry, Place(rawValue: row.integer(0)), !row.isNull(3))
            return true
        }
        progress(all, all)
    }

    private func eachEvent(_ progress: (Int64, Int64) -> Void, _ line: (String) -> Void) throws(BookError) {
        let all = try connection.integer("SELECT count(*) FROM event") ?? 0
        var read: Int64 = 0
        try connection.scan("SELECT place, body, hash FROM event ORDER BY place") { (row) throws(BookError) in
            read += 1
            if read % 10_000 == 0 { progress(read, all) }
            let place = Place(rawValue: row.integer(0))
            let body = row.blob(1)
            let entry: JournalEntry
            do { entry = try JournalEntry(decoding: body) } catch { throw .damaged("an event cannot be read") }
            line(entry.exported(at: place, body: body, hash: row.blob(2)).text)
            return true
        }
        progress(all, all)
    }
}

extension Customer {
    fileprivate var csv: [String] {
        [
            details.name, details.nickname ?? "", details.phone ?? "", details.email ?? "", details.landmark ?? "",
            details.area ?? "", details.address ?? "", details.gstin ?? "", details.pan ?? "", details.notes ?? "",
            details.creditLimit?.rupeesText ?? "", balance.rupeesText,
        ]
    }
}

extension Product {
    fileprivate var csv: [String] {
        func rate(_ rate: BasisPoints) -> String { Decimal.text(rate.rawValue, places: 2, isFull: false) }
        return [
            details.name, details.aliases.joined(separator: "|"), details.unit, details.price.rupeesText,
            details.tierPrices[1]?.rupeesText ?? "", details.tierPrices[2]?.rupeesText ?? "",
            details.tierPrices[3]?.rupeesText ?? "", rate(details.gstRate), rate(details.cessRate),
            details.isExempt ? "yes" : "no", details.hsn ?? "", stock.text,
            details.conversions.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value.text)" }
                .joined(separator: "|"),
        ]
    }
}
