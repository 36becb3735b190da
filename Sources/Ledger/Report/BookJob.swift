import JSONText

/// One question or order of the shop's people to the book, as a name and JSON parameters: the same from a file and
/// through the daemon's socket. Runs on the thread that owns the store.
public struct BookJob: Sendable {
    public struct Circumstances {
        public var now: WallTime
        /// For ids of commands.
        public var makeID: () -> ULID
        /// "technician" at the socket or on the file.
        public var by: String
        /// Done and in all, of a long job.
        public var progress: (Int64, Int64) -> Void

        public init(
            now: WallTime, by: String, makeID: @escaping () -> ULID,
            progress: @escaping (Int64, Int64) -> Void = { _, _ in }
        ) {
            self.now = now
            self.by = by
            self.makeID = makeID
            self.progress = progress
        }
    }

    public var name: String
    /// What it is given, for help: "customer, [from, through]".
    public var parameters: String
    public var summary: String
    /// True for what changes the book.
    public var writes: Bool
    public var run: @Sendable (LedgerStore, JSONValue, Circumstances) throws(JobError) -> JSONValue

    public static func named(_ name: String) -> BookJob? { all.first { $0.name == name } }
}

/// Why a job was not done.
public enum JobError: Error, Equatable {
    case book(BookError)
    /// The parameters are wrong, in words.
    case parameters(String)
}

extension BookJob {
    public static let all: [BookJob] = [
        BookJob(name: "ageing", parameters: "[day]", summary: "who owes for how long", writes: false) {
            (store, given, now) throws(JobError) in
            let day = try day(given, "day") ?? CivilTime(now.now).day
            let aged = try doing { () throws(BookError) in try store.ageing(on: day) }
            return ["day": .string(day.text), "customers": .array(aged.map(\.json))]
        },
        BookJob(
            name: "statement", parameters: "customer, [from, through]", summary: "one customer's account", writes: false
        ) { (store, given, now) throws(JobError) in
            let customer = try customer(given, store)
            let through = try day(given, "through") ?? CivilTime(now.now).day
            let from = try day(given, "from") ?? CivilDay(number: 0)
            return try doing { () throws(BookError) in
                try store.statement(of: customer, from: from, through: through).json
            }
        },
        BookJob(name: "summary", parameters: "[day]", summary: "a day's figures", writes: false) {
            (store, given, now) throws(JobError) in
            let day = try day(given, "day") ?? CivilTime(now.now).day
            return try doing { () throws(BookError) in try store.summary(of: day).json }
        },
        BookJob(name: "gstr1", parameters: "month (2026-03)", summary: "figures for GSTR-1", writes: false) {
            (store, given, now) throws(JobError) in
            guard let first = given["month"]?.string.flatMap({ CivilDay($0 + "-01") }) else {
                throw .parameters("month is missing or not like 2026-03")
            }
            let date = first.yearMonthDay
            return try doing { () throws(BookError) in
                try store.gstReturn(year: date.year, month: date.month, progress: now.progress).json
            }
        },
        BookJob(
            name: "export", parameters: "what, [skip]",
            summary: "lines of an export, some at a time: \(Export.allCases.map(\.rawValue).joined(separator: ", "))",
            writes: false
        ) { (store, given, now) throws(JobError) in try export(store, given, now) },
        BookJob(
            name: "import", parameters: "what, csv, [check]", summary: "customers or products from CSV, all or nothing",
            writes: true
        ) { (store, given, now) throws(JobError) in
            guard let kind = given["what"]?.string.flatMap({ ImportPlan.Kind(rawValue: $0) }) else {
                throw .parameters("what is customers or products")
            }
            guard let text = given["csv"]?.string else { throw .parameters("csv is missing") }
            let plan = try doing { () throws(BookError) in try store.planImport(kind, text) }
            var members: [JSONValue.Member] = [
                .init("rows", .integer(Int64(plan.rows.count))),
                .init(
                    "mistakes",
                    .array(plan.mistakes.map { ["line": .integer(Int64($0.line)), "text": .string($0.text)] })),
            ]
            if plan.mistakes.isEmpty, given["check"] == nil {
                let count = try doing { () throws(BookError) in try store.perform(plan, at: now.now) }
                members.append(.init("imported", .integer(Int64(count))))
            }
            return .object(members)
        },
        BookJob(
            name: "receive", parameters: "product, quantity, batch, [expires]", summary: "goods of a batch arrive",
            writes: true
        ) { (store, given, now) throws(JobError) in
            let products = try doing { () throws(BookError) in try store.products() }
            guard let name = given["product"]?.string,
                let product = products.first(where: { $0.details.name == name || $0.details.aliases.contains(name) })
            else { throw .parameters("product is missing or not a product's name") }
            guard let quantity = given["quantity"]?.string.flatMap({ Decimal.read($0, places: 3) }),
                let number = given["batch"]?.string
            else { throw .parameters("quantity and batch are missing or no number") }
            let batch = Batch(number: number, expires: try day(given, "expires"))
            return try write(store, .receiveBatch(product.id, MilliQuantity(quantity), batch), now)
        },
        BookJob(
            name: "batches", parameters: "[before]", summary: "batches in stock, first to expire first", writes: false
        ) { (store, given, _) throws(JobError) in
            let before = try day(given, "before")
            return try doing { () throws(BookError) in
                let names = Dictionary(
                    try store.products().map { ($0.id, $0.details.name) }, uniquingKeysWith: { first, _ in first })
                return [
                    "batches": .array(
                        try store.batches(expiringThrough: before).map {
                            [
                                "product": .string(names[$0.product] ?? ""), "batch": .string($0.batch.number),
                                "expires": JSONValue($0.batch.expires?.text),
                                "left_milli": .integer($0.left.rawValue),
                            ]
                        })
                ]
            }
        },
        calls,
        BookJob(name: "held", parameters: "", summary: "entries that wait to be confirmed", writes: false) {
            (store, _, _) throws(JobError) in
            ["held": .array(try doing { () throws(BookError) in try store.holds().map(\.json) })]
        },
        BookJob(name: "settle", parameters: "hold", summary: "post a held entry", writes: true) {
            (store, given, now) throws(JobError) in
            try write(store, .settle(hold: try id(given, "hold")), now)
        },
        BookJob(name: "void", parameters: "hold, [reason]", summary: "drop a held entry", writes: true) {
            (store, given, now) throws(JobError) in
            let reason = given["reason"]?.string ?? "not right"
            return try write(store, .void(hold: try id(given, "hold"), reason: reason), now)
        },
        BookJob(
            name: "return", parameters: "bill, line (from 1), quantity, [reason]",
            summary: "credit note for goods of a bill",
            writes: true
        ) { (store, given, now) throws(JobError) in
            guard let bill = given["bill"]?.string else { throw .parameters("bill is missing: its number") }
            guard let line = given["line"]?.string.flatMap({ Int($0) }), line >= 1,
                let quantity = given["quantity"]?.string.flatMap({ Decimal.read($0, places: 3) })
            else { throw .parameters("line and quantity are missing or no numbers") }
            let note = CreditNote(
                invoice: bill, returns: [.init(line: line - 1, quantity: MilliQuantity(quantity))],
                reason: given["reason"]?.string ?? "returned")
            return try write(store, .creditNote(note), now)
        },
        BookJob(
            name: "erase", parameters: "customer", summary: "destroy a customer's personal data, for ever", writes: true
        ) { (store, given, now) throws(JobError) in
            try write(store, .eraseCustomer(try customer(given, store)), now)
        },
        BookJob(
            name: "rules", parameters: "[round yes|no] [hold-above RUPEES|none] [hold-below 0-1000|none]",
            summary: "what the shop has decided once; without parameters tells it", writes: true
        ) { (store, given, now) throws(JobError) in try rules(store, given, now) },
    ]

    /// Lines of an export answered at once; with JSON around them they stay within what a socket's answer may hold.
    static let exportBytesMax = 256 * 1024

    private static func export(_ store: LedgerStore, _ given: JSONValue, _ now: Circumstances) throws(JobError)
        -> JSONValue
    {
        guard let what = given["what"]?.string.flatMap({ Export(rawValue: $0) }) else {
            throw .parameters("what is one of \(Export.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        let skip = given["skip"]?.integer ?? 0
        var (count, bytes): (Int64, Int) = (0, 0)
        var lines: [JSONValue] = []
        var isMore = false
        try doing { () throws(BookError) in
            try store.export(what, on: CivilTime(now.now).day, progress: now.progress) { line in
                count += 1
                guard count > skip else { return }
                bytes += line.utf8.count
                isMore = isMore || bytes > exportBytesMax && !lines.isEmpty
                if !isMore { lines.append(.string(line)) }
            }
        }
        return ["lines": .array(lines), "next": isMore ? .integer(skip + Int64(lines.count)) : .null]
    }

    // MARK: Reading parameters

    static func doing<Answer>(_ body: () throws(BookError) -> Answer) throws(JobError) -> Answer {
        do throws(BookError) { return try body() } catch { throw .book(error) }
    }

    private static func day(_ given: JSONValue, _ name: String) throws(JobError) -> CivilDay? {
        guard let text = given[name]?.string else { return nil }
        guard let day = CivilDay(text) else { throw .parameters("\(name) is not a day like 2026-03-31") }
        return day
    }

    private static func id(_ given: JSONValue, _ name: String) throws(JobError) -> ULID {
        guard let id = given[name]?.string.flatMap({ ULID($0) }) else {
            throw .parameters("\(name) is missing or not an id of 26 characters")
        }
        return id
    }

    /// By number, or by a name that only one has.
    private static func customer(_ given: JSONValue, _ store: LedgerStore) throws(JobError) -> CustomerID {
        guard let text = given["customer"]?.string, !text.isEmpty else {
            throw .parameters("customer is missing: a number or a whole name")
        }
        if let number = Int64(text) { return CustomerID(rawValue: number) }
        let named = try doing { () throws(BookError) in try store.customers() }.filter {
            $0.details.name == text || $0.aliases.contains(text)
        }
        guard named.count == 1 else {
            throw .parameters(
                named.isEmpty
                    ? "no customer has that name"
                    : "several customers have that name; their numbers: "
                        + named.map { "\($0.id.rawValue)" }.joined(separator: ", "))
        }
        return named[0].id
    }

    // MARK: Writing

    private static func write(_ store: LedgerStore, _ command: Command, _ now: Circumstances) throws(JobError)
        -> JSONValue
    {
        let fact = try doing { () throws(BookError) in
            try store.perform(command, id: now.makeID(), evidence: Evidence(confirmedBy: now.by), at: now.now)
        }
        var members: [JSONValue.Member] = [
            .init("event", .string(fact.event.description)), .init("seq", .integer(fact.seq)),
        ]
        switch fact.outcome {
        case .invoice(let number, let total, _), .cancelled(let number, let total, _),
            .credited(let number, let total, _):
            members += [.init("number", .string(number)), .init("total_paise", .integer(total.rawValue))]
        case .balance(let balance): members.append(.init("balance_paise", .integer(balance.rawValue)))
        default: break
        }
        return .object(members)
    }

    private static func rules(_ store: LedgerStore, _ given: JSONValue, _ now: Circumstances) throws(JobError)
        -> JSONValue
    {
        var rules = try doing { () throws(BookError) in try store.shop().rules }
        let before = rules
        switch given["round"]?.string {
        case nil: break
        case "yes": rules.roundsBills = true
        case "no": rules.roundsBills = false
        default: throw .parameters("round is yes or no")
        }
        if let text = given["hold-above"]?.string {
            let amount = Decimal.read(text, places: 2)
            guard amount != nil || text == "none" else {
                throw .parameters("hold-above is an amount in rupees, or none")
            }
            rules.holdAbove = amount.map { Paise($0) }
        }
        if let text = given["hold-below"]?.string {
            guard Int64(text) != nil || text == "none" else { throw .parameters("hold-below is 0 to 1000, or none") }
            rules.holdBelowMilli = Int64(text)
        }
        if rules != before { _ = try write(store, .setRules(rules), now) }
        return [
            "round": .bool(rules.roundsBills), "hold_above_paise": JSONValue(rules.holdAbove?.rawValue),
            "hold_below_milli": JSONValue(rules.holdBelowMilli),
        ]
    }
}
