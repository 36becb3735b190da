import Seals

/// What an import would do, or everything that is wrong with its file.
public struct ImportPlan: Sendable {
    public enum Kind: String, Sendable, CaseIterable { case customers, products }

    public var kind: Kind
    /// Rows that can be imported, with the line of each.
    public internal(set) var rows: [(line: Int, command: Command)] = []
    /// In the order of their lines. One is enough: then nothing is imported.
    public internal(set) var mistakes: [CSVMistake] = []
    /// Names the file: the same file imported twice is the same commands, and writes once.
    private let digest: [UInt8]

    /// Later ones are not listed.
    public static let mistakesMax = 1000
    /// More is refused; a shop has about 500 customers and 2,000 products.
    public static let rowsMax = 5000

    init(_ kind: Kind, _ text: String) {
        self.kind = kind
        digest = SHA256.digest(Array("execora/import/v1".utf8), Array(kind.rawValue.utf8), Array(text.utf8))
    }

    /// The command's id of the row at a line.
    func id(line: Int) -> ULID {
        ULID(bytes: SHA256.digest(digest, Array("\(line)".utf8)).prefix(16)) ?? ULID(high: 0, low: UInt64(line))
    }
}

extension LedgerStore {
    /// Reads a file against the book as it is. Nothing is written.
    public func planImport(_ kind: ImportPlan.Kind, _ text: String) throws(BookError) -> ImportPlan {
        var plan = ImportPlan(kind, text)
        let table: CSVTable
        switch CSVTable.read(text) {
        case .success(let read): table = read
        case .failure(let mistake):
            plan.mistakes = [mistake]
            return plan
        }
        plan.mistakes = table.headerMistakes(of: kind).map { CSVMistake(line: 1, text: $0) }
        guard plan.mistakes.isEmpty else { return plan }
        var seen: [String: Int] = [:]
        for row in table.rows {
            var reader = RowReader(header: table.header, fields: row.fields)
            let command = kind == .customers ? reader.customer() : reader.product()
            if let command, let key = command.twinKey {
                // A row of this very file that was imported before is no twin of itself.
                let isNew = try committed(plan.id(line: row.line)) == nil
                if let first = seen[key] {
                    reader.mistakes.append("the same as line \(first)")
                } else if isNew, hasTwin(of: command) {
                    reader.mistakes.append("is in the book already")
                }
                if seen[key] == nil { seen[key] = row.line }
                plan.rows.append((row.line, command))
            }
            let room = ImportPlan.mistakesMax - plan.mistakes.count
            plan.mistakes += reader.mistakes.prefix(max(0, room)).map { CSVMistake(line: row.line, text: $0) }
        }
        return plan
    }

    /// Commits all rows of a plan without mistakes, in one transaction.
    ///
    /// - Returns: how many are in the book that were not before.
    public func perform(_ plan: ImportPlan, at: WallTime) throws(BookError) -> Int {
        precondition(plan.mistakes.isEmpty, "an import with mistakes is not performed")
        let done = try performAll(
            plan.rows.map {
                Request($0.command, id: plan.id(line: $0.line), evidence: Evidence(confirmedBy: "import"), at: at)
            })
        return done.count { !$0.isReplay }
    }

    private func hasTwin(of command: Command) -> Bool {
        switch command {
        case .createCustomer(let details, _): isTwin(details)
        case .createProduct(let details, _): memory.goods.values.contains { $0.name == details.name }
        default: false
        }
    }
}

extension Command {
    /// What two rows of a file may not share.
    fileprivate var twinKey: String? {
        switch self {
        case .createCustomer(let details, _):
            [details.name, details.landmark ?? "", details.phone ?? "", details.nickname ?? ""].joined(separator: "\n")
        case .createProduct(let details, _): details.name
        default: nil
        }
    }
}

extension CSVTable {
    /// Columns of each kind, in any order.
    static func columns(of kind: ImportPlan.Kind) -> (required: [String], all: [String]) {
        switch kind {
        case .customers:
            (
                ["name"],
                [
                    "name", "nickname", "phone", "email", "landmark", "area", "address", "gstin", "pan", "notes",
                    "credit_limit", "opening_balance",
                ]
            )
        case .products:
            (
                ["name", "unit", "price"],
                [
                    "name", "aliases", "unit", "price", "wholesale", "dealer", "third", "gst_rate", "cess_rate",
                    "exempt", "hsn", "stock", "conversions",
                ]
            )
        }
    }

    fileprivate func headerMistakes(of kind: ImportPlan.Kind) -> [String] {
        let (required, all) = Self.columns(of: kind)
        var mistakes = header.filter { !all.contains($0) }.map { "unknown column \"\($0)\"" }
        mistakes += required.filter { !header.contains($0) }.map { "column \"\($0)\" is missing" }
        if Set(header).count != header.count { mistakes.append("a column is named twice") }
        if rows.count > ImportPlan.rowsMax { mistakes.append("more than \(ImportPlan.rowsMax) rows") }
        return mistakes
    }
}

/// Reads one row, and notes everything that is wrong with it.
private struct RowReader {
    private var values: [String: String] = [:]
    var mistakes: [String] = []

    /// Longest text of one field in bytes; a whole customer must fit an event.
    private static let fieldBytesMax = 500

    init(header: [String], fields: [String]) {
        if fields.count != header.count {
            mistakes.append("\(fields.count) fields where the first line names \(header.count)")
        }
        for (name, field) in zip(header, fields) {
            let value = CSVTable.trimmed(field)
            if value.utf8.count > Self.fieldBytesMax {
                mistakes.append("\(name) is longer than \(Self.fieldBytesMax) bytes")
            }
            if value.unicodeScalars.contains(where: { $0.value < 32 && $0 != "\n" }) {
                mistakes.append("\(name) holds a control character")
            }
            if !value.isEmpty { values[name] = value }
        }
    }

    mutating func customer() -> Command? {
        var details = CustomerDetails(name: required("name"))
        details.nickname = values["nickname"]
        details.phone = phone()
        details.email = values["email"]
        if let email = details.email, email.split(separator: "@").count != 2 { mistakes.append("email has no one @") }
        details.landmark = values["landmark"]
        details.area = values["area"]
        details.address = values["address"]
        details.gstin = code("gstin", count: 15)
        details.pan = code("pan", count: 10)
        details.notes = values["notes"]
        details.creditLimit = money("credit_limit", from: 0)
        let opening = money("opening_balance", from: -Paise.amountMax.rawValue) ?? .zero
        return mistakes.isEmpty ? .createCustomer(details, opening: opening) : nil
    }

    mutating func product() -> Command? {
        var details = ProductDetails(
            name: required("name"), unit: required("unit"), price: money("price", from: 0) ?? .zero)
        if values["price"] == nil { mistakes.append("price is missing") }
        details.aliases = list("aliases")
        for (tier, name) in [(1, "wholesale"), (2, "dealer"), (3, "third")] {
            details.tierPrices[tier] = money(name, from: 0)
        }
        details.gstRate = BasisPoints(number("gst_rate", places: 2, 0...10_000) ?? 0)
        details.cessRate = BasisPoints(number("cess_rate", places: 2, 0...100_000) ?? 0)
        switch values["exempt"]?.lowercased() {
        case nil, "no", "0", "false": break
        case "yes", "1", "true": details.isExempt = true
        default: mistakes.append("exempt is neither yes nor no")
        }
        details.hsn = values["hsn"]
        if let hsn = details.hsn,
            ![4, 6, 8].contains(hsn.utf8.count) || !hsn.utf8.allSatisfy({ (48...57).contains($0) })
        {
            mistakes.append("hsn has not 4, 6 or 8 digits")
        }
        for pair in list("conversions") {
            let parts = pair.split(separator: "=", omittingEmptySubsequences: false).map {
                CSVTable.trimmed(String($0))
            }
            if parts.count == 2, !parts[0].isEmpty, let milli = Decimal.read(parts[1], places: 3), milli > 0 {
                details.conversions[parts[0]] = MilliQuantity(milli)
            } else {
                mistakes.append("conversions: \"\(pair)\" is not unit=quantity, as in dozen=12")
            }
        }
        let limit = MilliQuantity.quantityMax.rawValue
        let stock = MilliQuantity(number("stock", places: 3, -limit...limit) ?? 0)
        return mistakes.isEmpty ? .createProduct(details, stock: stock) : nil
    }

    private mutating func required(_ name: String) -> String {
        if let value = values[name] { return value }
        mistakes.append("\(name) is missing")
        return ""
    }

    private mutating func number(_ name: String, places: Int, _ range: ClosedRange<Int64>) -> Int64? {
        guard let text = values[name] else { return nil }
        guard let value = Decimal.read(text, places: places) else {
            mistakes.append("\(name) \"\(text)\" is not a number with at most \(places) decimals")
            return nil
        }
        guard range.contains(value) else {
            mistakes.append("\(name) \"\(text)\" is out of range")
            return nil
        }
        return value
    }

    private mutating func money(_ name: String, from lowest: Int64) -> Paise? {
        number(name, places: 2, lowest...Paise.amountMax.rawValue).map { Paise($0) }
    }

    private func list(_ name: String) -> [String] {
        (values[name] ?? "").split(separator: "|").map { CSVTable.trimmed(String($0)) }.filter { !$0.isEmpty }
    }

    /// Ten digits of a mobile, with or without the country's code; kept as the conversation keeps it.
    private mutating func phone() -> String? {
        guard let text = values["phone"] else { return nil }
        let digits = text.filter { !" -()".contains($0) }
        let bare = digits.hasPrefix("+91") ? String(digits.dropFirst(3)) : digits
        guard bare.utf8.count == 10, bare.utf8.allSatisfy({ (48...57).contains($0) }) else {
            mistakes.append("phone \"\(text)\" has not ten digits")
            return nil
        }
        return "+91" + bare
    }

    private mutating func code(_ name: String, count: Int) -> String? {
        guard let text = values[name]?.uppercased() else { return nil }
        guard text.utf8.count == count, text.utf8.allSatisfy({ (48...57).contains($0) || (65...90).contains($0) })
        else {
            mistakes.append("\(name) has not \(count) letters and digits")
            return nil
        }
        return text
    }
}
