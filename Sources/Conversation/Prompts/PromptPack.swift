/// The lines one language speaks, and the words it has for modes, units and the like. From the `[say]` and `[terms]`
/// sections of its pack.
struct PromptPack: Sendable {
    var lines: [String: String] = [:]
    var terms: [String: String] = [:]

    /// The line with its `{fields}` filled. A field without a value is a fault of the caller and stays visible.
    func line(_ name: String, _ fields: [String: String]) -> String? {
        guard let template = lines[name] else { return nil }
        var out = ""
        var field: String?
        for character in template {
            switch (character, field) {
            case ("{", nil): field = ""
            case ("}", let name?):
                out += fields[name] ?? "{\(name)}"
                field = nil
            case (_, .some): field!.append(character)
            default: out.append(character)
            }
        }
        return out
    }

    static func fields(of template: String) -> Set<String> {
        var out: Set<String> = []
        var field: String?
        for character in template {
            switch (character, field) {
            case ("{", nil): field = ""
            case ("}", let name?):
                out.insert(name)
                field = nil
            case (_, .some): field!.append(character)
            default: break
            }
        }
        return out
    }
}

extension Grammar {
    /// The languages whose lines are complete.
    public var spokenLanguages: Set<String> { Set(prompts.keys) }

    /// The lines of a language that are always said in the same words, by their names' order: they can be recorded beforehand.
    public func fixedLines(language: String) -> [String] {
        (prompts[language]?.lines ?? [:]).sorted { $0.key < $1.key }.map(\.value)
            .filter { PromptPack.fields(of: $0).isEmpty }
    }

    /// Every language has every line, with the same fields: a missing one would be silence.
    func checkPrompts() throws(GrammarPackError) {
        guard let model = prompts["hi-en"] else { return }
        for (language, pack) in prompts.sorted(by: { $0.key < $1.key }) {
            for (name, template) in model.lines.sorted(by: { $0.key < $1.key }) {
                guard let own = pack.lines[name] else {
                    throw GrammarPackError(pack: language, line: 0, what: "the line \(name) is missing")
                }
                guard PromptPack.fields(of: own) == PromptPack.fields(of: template) else {
                    throw GrammarPackError(
                        pack: language, line: 0, what: "the line \(name) has other fields than hi-en")
                }
            }
            for name in pack.lines.keys.sorted() where model.lines[name] == nil {
                throw GrammarPackError(pack: language, line: 0, what: "the line \(name) is not in hi-en")
            }
            for name in model.terms.keys.sorted() where pack.terms[name] == nil {
                throw GrammarPackError(pack: language, line: 0, what: "the term \(name) is missing")
            }
        }
    }
}
