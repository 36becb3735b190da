/// One `key = value` of a configuration file, with where it stands.
struct ConfigurationEntry: Equatable {
    enum Value: Equatable {
        case text(String)
        case integer(Int64)
        case flag(Bool)
    }

    /// Table and key, "audio.capture_device".
    var name: String
    var value: Value
    /// File and line, "execora.toml:12".
    var place: String
}

/// Reads the part of TOML 1.0 the configuration uses: `[table]`, `key = value` with a basic string, an integer or a
/// boolean, comments and blank lines. What it does not read it names, line by line: one run reports every mistake.
struct TOMLReader {
    static let fileBytesMax = 64 * 1024

    private(set) var entries: [ConfigurationEntry] = []
    private(set) var mistakes: [String] = []

    init(text: String, file: String) {
        var table = ""
        var seen: Set<String> = []
        for (index, raw) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let place = "\(file):\(index + 1)"
            let line = Self.trimmed(raw)
            if line.isEmpty || line.hasPrefix("#") { continue }
            if line.hasPrefix("[") {
                guard let close = line.firstIndex(of: "]"),
                    Self.isName(line[line.index(after: line.startIndex)..<close]),
                    Self.isRest(line[line.index(after: close)...])
                else {
                    mistakes.append("\(place): not a table; write [name]")
                    continue
                }
                table = String(line[line.index(after: line.startIndex)..<close])
                continue
            }
            guard let equals = line.firstIndex(of: "="), case let key = Self.trimmed(line[..<equals]), Self.isName(key)
            else {
                mistakes.append("\(place): expected 'key = value'")
                continue
            }
            let name = table.isEmpty ? String(key) : "\(table).\(key)"
            guard seen.insert(name).inserted else {
                mistakes.append("\(place): \(name) is set twice")
                continue
            }
            switch Self.value(Self.trimmed(line[line.index(after: equals)...])) {
            case .some(let value): entries.append(ConfigurationEntry(name: name, value: value, place: place))
            case nil:
                mistakes.append(
                    "\(place): \(name) needs a string in double quotes, a whole number, or true or false")
            }
        }
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text
        while let first = text.first, first == " " || first == "\t" || first == "\r" { text.removeFirst() }
        while let last = text.last, last == " " || last == "\t" || last == "\r" { text.removeLast() }
        return text
    }

    private static func isName(_ text: Substring) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy {
                ($0 >= 0x61 && $0 <= 0x7A) || ($0 >= 0x30 && $0 <= 0x39) || $0 == UInt8(ascii: "_")
                    || $0 == UInt8(ascii: "-")
            }
    }

    /// What may stand behind a value: nothing or a comment.
    private static func isRest(_ text: Substring) -> Bool {
        let text = trimmed(text)
        return text.isEmpty || text.hasPrefix("#")
    }

    private static func value(_ text: Substring) -> ConfigurationEntry.Value? {
        if text.hasPrefix("\"") { return string(text) }
        let word = text.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false).first ?? ""
        let told = trimmed(word)
        if told == "true" { return .flag(true) }
        if told == "false" { return .flag(false) }
        let digits = told.split(separator: "_", omittingEmptySubsequences: false)
        guard digits.allSatisfy({ !$0.isEmpty }) else { return nil }
        return Int64(digits.joined()).map { .integer($0) }
    }

    private static func string(_ text: Substring) -> ConfigurationEntry.Value? {
        var out = ""
        var at = text.index(after: text.startIndex)
        while at < text.endIndex {
            let character = text[at]
            text.formIndex(after: &at)
            switch character {
            case "\"": return isRest(text[at...]) ? .text(out) : nil
            case "\\":
                guard at < text.endIndex else { return nil }
                switch text[at] {
                case "\\": out.append("\\")
                case "\"": out.append("\"")
                case "t": out.append("\t")
                case "n": out.append("\n")
                default: return nil
                }
                text.formIndex(after: &at)
            default: out.append(character)
            }
        }
        return nil
    }
}
