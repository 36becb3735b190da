import JSONText

/// A report for people: names beside values, lists of objects as aligned tables; paise as rupees, thousandths as decimals.
enum Table {
    static func text(_ answer: JSONValue) -> String {
        var out: [String] = []
        for member in answer.members ?? [] {
            if let rows = member.value.array {
                out.append("\(title(member.name)):" + (rows.isEmpty ? " none" : ""))
                out += table(rows)
            } else if let members = member.value.members {
                out.append("\(title(member.name)):")
                out += members.map { Screen.row(title($0.name), cell($0.name, $0.value, in: member.name)) }
            } else {
                out.append(Screen.row(title(member.name), cell(member.name, member.value)))
            }
        }
        return out.joined(separator: "\n")
    }

    /// Columns in the order of the first row; numbers to the right.
    private static func table(_ rows: [JSONValue]) -> [String] {
        guard let names = rows.first?.members?.map(\.name) else {
            return rows.map { "  " + Screen.plain(Screen.word($0)) }
        }
        var cells = [names.map(title)]
        for row in rows {
            let base = names.map { Screen.plain(cell($0, row[$0] ?? .null)) }
            cells.append(base)
        }
        let widths = names.indices.map { column in cells.map { $0[column].count }.max() ?? 0 }
        let isNumber = names.indices.map { rows[0][names[$0]]?.integer != nil }
        return cells.map { row in
            var line = " "
            for (column, text) in row.enumerated() {
                let space = String(repeating: " ", count: widths[column] - text.count)
                line += " " + (isNumber[column] ? space + text : text + space)
            }
            while line.last == " " { line.removeLast() }
            return line
        }
    }

    /// The unit stands in a field's name; a person reads it in the value.
    private static func title(_ name: String) -> String {
        var name = name
        for unit in ["_paise", "_milli", "_bps"] where name.hasSuffix(unit) { name.removeLast(unit.count) }
        return name.split(separator: "_").joined(separator: " ")
    }

    private static func cell(_ name: String, _ value: JSONValue, in parent: String = "") -> String {
        if let rates = value.array {
            return rates.map { rate in
                (rate.members ?? []).map { "\(title($0.name)) \(cell($0.name, $0.value))" }.joined(separator: ", ")
            }.joined(separator: "; ")
        }
        guard let number = value.integer else { return Screen.word(value) }
        if name.hasSuffix("_paise") || parent.hasSuffix("_paise") { return Screen.rupees(number) }
        if name.hasSuffix("_bps") { return MilliText.text(number * 10) + " %" }
        if name == "quantity_milli" || name == "left_milli" { return MilliText.text(number) }
        return String(number)
    }
}

/// Thousandths as a decimal without zeros behind.
private enum MilliText {
    static func text(_ milli: Int64) -> String {
        var fraction = String(String(milli.magnitude % 1000 + 1000).dropFirst())
        while fraction.hasSuffix("0") { fraction.removeLast() }
        return (milli < 0 ? "-" : "") + String(milli.magnitude / 1000) + (fraction.isEmpty ? "" : "." + fraction)
    }
}
