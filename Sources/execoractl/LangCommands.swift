// execoractl lang: the language tools on the bench. JSON lines in, JSON lines out; the form is the acceptance suite's.

import Conversation
import JSONText
import Ledger

#if canImport(Glibc)
    import Glibc
#endif

let langCommands = CommandGroup(
    word: "lang",
    summary: "number, names, times and more on the bench: JSON lines {\"id\", \"in\"} -> {\"out\"}",
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
    (
        "when",
        { question in
            guard let text = question["text"]?.string, let now = question["now"]?.string.flatMap(ISOTime.moment),
                let when = WhenReader.read(text, now: now)
            else { return .null }
            return ["firesAt": .string(ISOTime.text(when.firesAt)), "recurrence": JSONValue(when.recurrence)]
        }
    ),
    ("phone", { JSONValue($0.string.flatMap { PhoneReader.phone(of: $0) }) }),
    ("email", { JSONValue($0.string.flatMap { EmailReader.find(in: Tokens($0).items)?.address }) }),
    ("gst", { gstLine($0) }),
    (
        "spell",
        { question in
            let language = question["language"]?.string.flatMap(NumberLanguage.init) ?? .hinglish
            let speller = NumberSpeller(language)
            if let milli = question["milli"]?.integer { return .string(speller.spell(milli: milli)) }
            if let paise = question["paise"]?.integer { return .string(speller.spell(paise: paise)) }
            return JSONValue((question.integer ?? question["number"]?.integer).map { speller.spell($0) })
        }
    ),
]

/// A member that is absent counts as zero or false; one of the wrong kind, or a sum out of range, answers null.
private func gstLine(_ question: JSONValue) -> JSONValue {
    func number(_ name: String) -> Int64? { question[name] == nil ? 0 : question[name]?.integer }
    func flag(_ name: String) -> Bool? { question[name] == nil ? false : question[name]?.bool }
    guard let price = question["pricePaise"]?.integer, let quantity = question["quantityMilli"]?.integer,
        let rate = number("rateBps"), let cess = number("cessBps"), let interState = flag("interState"),
        let exempt = flag("exempt"),
        let line = try? GSTCalculator(
            price: Paise(price), quantity: MilliQuantity(quantity), rate: BasisPoints(rate), cess: BasisPoints(cess),
            isInterState: interState, isExempt: exempt
        ).line()
    else { return .null }
    return [
        "subtotalPaise": .integer(line.subtotal.rawValue), "cgstPaise": .integer(line.tax.cgst.rawValue),
        "sgstPaise": .integer(line.tax.sgst.rawValue), "igstPaise": .integer(line.tax.igst.rawValue),
        "cessPaise": .integer(line.tax.cess.rawValue), "totalPaise": .integer(line.total.rawValue),
    ]
}

/// Says every number from 0 to 99,99,999 in every language and reads it back: some minutes, for a longer test run.
private func roundTrip() -> Int32 {
    let through: Int64 = 9_999_999
    var wrong = 0
    for language in NumberLanguage.allCases {
        let speller = NumberSpeller(language)
        var first: String?
        for number in 0...through where NumberReader.value(of: speller.spell(number))?.whole != number {
            wrong += 1
            first = first ?? speller.spell(number)
        }
        let line: JSONValue = [
            "check": "numbers round trip", "language": .string(language.rawValue), "through": .integer(through),
            "wrong": .integer(Int64(wrong)), "first": JSONValue(first),
        ]
        print(line.text)
    }
    return wrong == 0 ? 0 : 1
}

private func runLang(_ arguments: [String]) -> Int32 {
    if arguments == ["round-trip"] { return roundTrip() }
    guard arguments.count == 1, let tool = langTools.first(where: { $0.word == arguments[0] }) else {
        let words = langTools.map(\.word).joined(separator: " | ")
        print(
            "usage: execoractl lang \(words)   (JSON lines on standard input)\n       execoractl lang round-trip   (every number said and read back)"
        )
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
