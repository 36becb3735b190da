// execoractl lang: the language tools on the bench. JSON lines in, JSON lines out; the form is the acceptance suite's.

import Conversation
import JSONText

#if canImport(Glibc)
    import Glibc
#endif

let langCommands = CommandGroup(
    word: "lang",
    summary: "number | transliterate | name-match | when | phone | gst: JSON lines {\"id\", \"in\"} -> {\"out\"}",
    run: runLang)

private let langTools: [(word: String, answer: @Sendable (JSONValue) -> JSONValue)] = [
    ("number", { JSONValue($0.string.flatMap { NumberReader.value(of: $0)?.milli }) }),
    ("transliterate", { JSONValue($0.string.map { Transliteration.roman($0) }) }),
    (
        "name-match",
        { question in
            guard let query = question["query"]?.string, let target = question["target"]?.string else { return .null }
            return .string(NameVerdict(query, target).rawValue)
        }
    ),
]

private func runLang(_ arguments: [String]) -> Int32 {
    guard arguments.count == 1, let tool = langTools.first(where: { $0.word == arguments[0] }) else {
        let words = langTools.map(\.word).joined(separator: " | ")
        print("usage: execoractl lang \(words)   (JSON lines on standard input)")
        return 2
    }
    var bad = 0
    while let line = readLine() {
        if line.allSatisfy(\.isWhitespace) { continue }
        guard case .object(var members)? = try? JSONValue(parsing: line), let question = JSONValue.object(members)["in"]
        else {
            // One line out for each line in, so that lines stay paired for whoever reads them.
            print("{\"error\":\"no JSON object with a member \\\"in\\\"\"}")
            bad += 1
            continue
        }
        members.removeAll { $0.name != "id" && $0.name != "in" }
        members.append(.init("out", tool.answer(question)))
        print(JSONValue.object(members).text)
    }
    return bad == 0 ? 0 : 1
}
