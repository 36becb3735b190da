import JSONText

#if canImport(Glibc)
    import Glibc
#endif

/// One line of an acceptance table: a question, and the answers that will do.
struct TableRow: Sendable, CustomStringConvertible {
    var id: String
    var question: JSONValue
    var accepted: [JSONValue]

    var description: String { "\(id) \(question.text)" }
}

enum TableFixture {
    /// The rows of Fixtures/`name`.jsonl. A missing or empty table is a failure, not an empty test.
    static func rows(_ name: String, file: String = #filePath) -> [TableRow] {
        let folder = file.split(separator: "/", omittingEmptySubsequences: false).dropLast(2).joined(separator: "/")
        let path = "\(folder)/Fixtures/\(name).jsonl"
        guard let handle = fopen(path, "rb") else { fatalError("cannot open \(path)") }
        defer { fclose(handle) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let got = fread(&chunk, 1, chunk.count, handle)
            if got == 0 { break }
            bytes.append(contentsOf: chunk[..<got])
        }
        let rows = bytes.split(separator: UInt8(ascii: "\n")).map { line -> TableRow in
            guard let row = try? JSONValue(parsing: line), let id = row["id"]?.string, let question = row["in"],
                let answer = row["out"]
            else { fatalError("bad line in \(path)") }
            return TableRow(id: id, question: question, accepted: row["accept"]?.array ?? [answer])
        }
        precondition(!rows.isEmpty, "no rows in \(path)")
        return rows
    }
}
