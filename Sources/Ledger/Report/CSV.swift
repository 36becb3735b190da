/// Comma-separated values (RFC 4180): quotes where needed, CRLF or LF, a first line of names.
struct CSVTable {
    struct Row {
        /// Where the row begins in the file, from 1.
        var line: Int
        var fields: [String]
    }

    var header: [String]
    var rows: [Row]

    /// Nil and a reason when a quote does not end or text stands behind one: where a row ends would be a guess.
    static func read(_ text: String) -> Result<CSVTable, CSVMistake> {
        var rows: [Row] = []
        var fields: [String] = []
        var field: [UInt8] = []
        var (line, rowLine) = (1, 1)
        var (isQuoted, wasQuoted) = (false, false)
        var bytes = Array(text.utf8)
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes.removeFirst(3) }
        func ended() {
            fields.append(String(decoding: field, as: UTF8.self))
            field = []
            wasQuoted = false
        }
        func rowEnded() {
            ended()
            if fields != [""] { rows.append(Row(line: rowLine, fields: fields)) }
            fields = []
        }
        var at = 0
        while at < bytes.count {
            let byte = bytes[at]
            at += 1
            if isQuoted {
                if byte == UInt8(ascii: "\"") {
                    if at < bytes.count, bytes[at] == byte {
                        field.append(byte)
                        at += 1
                    } else {
                        isQuoted = false
                    }
                } else {
                    if byte == UInt8(ascii: "\n") { line += 1 }
                    field.append(byte)
                }
                continue
            }
            switch byte {
            case UInt8(ascii: "\"") where field.isEmpty && !wasQuoted: (isQuoted, wasQuoted) = (true, true)
            case UInt8(ascii: ","): ended()
            case UInt8(ascii: "\r") where at < bytes.count && bytes[at] == UInt8(ascii: "\n"): continue
            case UInt8(ascii: "\n"):
                rowEnded()
                line += 1
                rowLine = line
            default:
                guard !wasQuoted else { return .failure(CSVMistake(line: line, text: "text behind a closing quote")) }
                field.append(byte)
            }
        }
        guard !isQuoted else { return .failure(CSVMistake(line: rowLine, text: "a quote is opened and not closed")) }
        if !field.isEmpty || wasQuoted || !fields.isEmpty { rowEnded() }
        guard !rows.isEmpty else { return .failure(CSVMistake(line: 1, text: "the file is empty")) }
        let header = rows.removeFirst().fields.map { trimmed($0).lowercased() }
        return .success(CSVTable(header: header, rows: rows))
    }

    static func line(_ fields: [String]) -> String { fields.map(quoted).joined(separator: ",") }

    private static func quoted(_ field: String) -> String {
        let needs = field.utf8.contains {
            $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r")
        }
        guard needs else { return field }
        return "\"" + field.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
    }

    static func trimmed(_ text: String) -> String {
        var part = text[...]
        while let first = part.first, first.isWhitespace { part.removeFirst() }
        while let last = part.last, last.isWhitespace { part.removeLast() }
        return String(part)
    }
}

/// One thing wrong in a file, with its line.
public struct CSVMistake: Error, Hashable, Sendable {
    public var line: Int
    public var text: String
}

/// Amounts and quantities as a person writes them, read and written without a fraction ever being a number.
enum Decimal {
    /// `value` in units of 10^-places: 1234.5 at 2 places is 123450. Commas may group the whole part.
    ///
    /// - Returns: nil for what is no such number, has more places, or does not fit.
    static func read(_ text: String, places: Int) -> Int64? {
        var bytes = Array(text.utf8)
        var isNegative = false
        if let first = bytes.first, first == UInt8(ascii: "-") || first == UInt8(ascii: "+") {
            isNegative = first == UInt8(ascii: "-")
            bytes.removeFirst()
        }
        let parts = bytes.split(separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole = parts.first, !whole.isEmpty || parts.count == 2, whole.first != UInt8(ascii: ",") else {
            return nil
        }
        let fraction = parts.count == 2 ? Array(parts[1]) : []
        guard fraction.count <= places, parts.count == 1 || !fraction.isEmpty else { return nil }
        let digits =
            whole.filter { $0 != UInt8(ascii: ",") } + fraction
            + [UInt8](repeating: UInt8(ascii: "0"), count: places - fraction.count)
        var value: Int64 = 0
        for digit in digits {
            guard (48...57).contains(digit) else { return nil }
            let (tens, overflow) = value.multipliedReportingOverflow(by: 10)
            let (next, overflows) = tens.addingReportingOverflow(Int64(digit - 48))
            guard !overflow, !overflows else { return nil }
            value = next
        }
        return isNegative ? -value : value
    }

    /// With all places where `isFull`, else without zeros behind.
    static func text(_ value: Int64, places: Int, isFull: Bool) -> String {
        let digits = String(value.magnitude)
        let padded = String(repeating: "0", count: max(0, places + 1 - digits.count)) + digits
        var fraction = String(padded.suffix(places))
        if !isFull { while fraction.hasSuffix("0") { fraction.removeLast() } }
        return (value < 0 ? "-" : "") + padded.dropLast(places) + (fraction.isEmpty ? "" : "." + fraction)
    }
}

extension Paise {
    /// "1234.50": rupees with both places.
    public var rupeesText: String { Decimal.text(rawValue, places: 2, isFull: true) }
}

extension MilliQuantity {
    /// "2.5"
    public var text: String { Decimal.text(rawValue, places: 3, isFull: false) }
}

extension CivilDay {
    /// "2026-03-31"
    public var text: String {
        let date = yearMonthDay
        func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(date.year)-\(two(date.month))-\(two(date.day))"
    }

    /// "2026-03-31", nothing else.
    public init?(_ text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 3, let year = Int64(parts[0]), let month = Int64(parts[1]), let day = Int64(parts[2]),
            (1970...9999).contains(year), (1...12).contains(month), (1...31).contains(day)
        else { return nil }
        self.init(year: year, month: month, day: day)
        guard self.text == text else { return nil }
    }
}
