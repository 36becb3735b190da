/// One line of the intents: what must be there, what must not.
struct IntentRule: Sendable {
    enum Term: Hashable, Sendable {
        case any([String])
        case none([String])
        /// Read where it stands, missed where it does not.
        case maybe([String])
    }

    var intent: String
    var flags: Set<String>
    var terms: [Term]
    /// File and line, for `replay --explain` and the linter.
    var place: String

    var writes: Bool { flags.contains("writes") || asks }
    var asks: Bool { flags.contains("asks") }
    var isLoose: Bool { flags.contains("loose") }

    func holds(_ features: Set<String>) -> Bool {
        terms.allSatisfy { term in
            switch term {
            case .any(let names): names.contains(where: features.contains)
            case .none(let names): !names.contains(where: features.contains)
            case .maybe: true
            }
        }
    }

    /// What a line may say beside the word classes.
    static let slots: Set<String> = [
        "<name>", "<known>", "<pronoun>", "<amount>", "<split>", "<items>", "<product>", "<quantity>", "<number>",
        "<percent>", "<phone>", "<email>", "<gstin>", "<pan>", "<when>", "<unknown>", "ctx.draft", "ctx.drafts",
        "ctx.invoice", "ctx.reminder", "subject", "object", "gets",
    ]
    static let flagNames: Set<String> = ["writes", "asks", "loose", "on", "off", "set", "full"]

    init(_ line: GrammarPack.Line, of pack: GrammarPack, classes: Set<String>) throws(GrammarPackError) {
        let head = line.head.split(separator: " ").map(String.init)
        guard let first = head.first, !line.body.isEmpty else { throw pack.fault(line, "an intent has no terms") }
        intent = first
        guard Request.intents.contains(first) else { throw pack.fault(line, "\(first) is no intent") }
        flags = Set(head.dropFirst())
        for flag in flags where !Self.flagNames.contains(flag) { throw pack.fault(line, "\(flag) is no flag") }
        terms = []
        place = "\(pack.name):\(line.number)"
        for word in line.body.split(separator: " ") {
            let mark = word.first
            let names = (mark == "!" || mark == "?" ? word.dropFirst() : word[...]).split(separator: "|").map(
                String.init)
            for name in names where !classes.contains(name) && !Self.slots.contains(name) {
                throw pack.fault(line, "\(name) is neither a word class nor a slot")
            }
            guard !names.isEmpty else { throw pack.fault(line, "an empty term") }
            terms.append(mark == "!" ? .none(names) : mark == "?" ? .maybe(names) : .any(names))
        }
    }
}
