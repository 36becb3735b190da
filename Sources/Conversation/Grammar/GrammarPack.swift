/// The text of one pack, cut into sections and lines. Says the file and line of every mistake.
///
/// A pack is plain text: `[section]` heads, `name: value` or `name flags: value` lines, `#` comments, blank lines.
struct GrammarPack {
    struct Line {
        var section: String
        var number: Int
        /// Before the first colon; empty where the section has bare lines.
        var head: String
        var body: String
    }

    var name: String
    var lines: [Line]

    /// Largest pack; a longer one is refused.
    static let bytesMax = 256 * 1024

    init(name: String, bytes: [UInt8]) throws(GrammarPackError) {
        self.name = name
        lines = []
        guard bytes.count <= Self.bytesMax else {
            throw GrammarPackError(pack: name, line: 0, what: "the file is too large")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw GrammarPackError(pack: name, line: 0, what: "the file is not UTF-8")
        }
        var section = ""
        var number = 0
        for raw in text.split(separator: "\n", omittingEmptySubsequences: false) {
            number += 1
            let line = Self.trimmed(raw)
            if line.isEmpty || line.first == "#" { continue }
            if line.first == "[" {
                guard line.last == "]", line.count > 2 else {
                    throw GrammarPackError(pack: name, line: number, what: "a section head has no closing bracket")
                }
                section = String(line.dropFirst().dropLast())
                continue
            }
            guard !section.isEmpty else {
                throw GrammarPackError(pack: name, line: number, what: "a line stands before the first section")
            }
            if let colon = line.firstIndex(of: ":") {
                lines.append(
                    Line(
                        section: section, number: number, head: Self.trimmed(line[..<colon]),
                        body: Self.trimmed(line[line.index(after: colon)...])))
            } else {
                lines.append(Line(section: section, number: number, head: "", body: line))
            }
        }
    }

    func fault(_ line: Line, _ what: String) -> GrammarPackError {
        GrammarPackError(pack: name, line: line.number, what: what)
    }

    static func trimmed(_ text: some StringProtocol) -> String {
        var scalars = Substring(text)[...]
        while let first = scalars.unicodeScalars.first, first.properties.isWhitespace { scalars = scalars.dropFirst() }
        while let last = scalars.unicodeScalars.last, last.properties.isWhitespace { scalars = scalars.dropLast() }
        return String(scalars)
    }

    /// The alternatives of a body, in order: `a | b | c`.
    static func alternatives(_ body: String) -> [String] {
        body.split(separator: "|").map { trimmed($0) }.filter { !$0.isEmpty }
    }
}

/// A mistake in a pack, where it is and what it is.
public struct GrammarPackError: Error, Equatable, CustomStringConvertible, Sendable {
    public var pack: String
    public var line: Int
    public var what: String

    public var description: String { "\(pack):\(line): \(what)" }
}
