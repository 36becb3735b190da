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

/// Times the tools, one JSON line each: the median and the 99th percentile of single calls, in microseconds.
private func bench() -> Int32 {
    func measure(_ name: String, _ count: Int, _ work: (Int) -> Void) {
        work(0)
        var taken: [Double] = []
        taken.reserveCapacity(count)
        for index in 0..<count {
            let start = ContinuousClock.now
            work(index)
            let duration = (ContinuousClock.now - start).components
            taken.append(Double(duration.attoseconds) / 1e12 + Double(duration.seconds) * 1e6)
        }
        taken.sort()
        func microseconds(_ value: Double) -> JSONValue { .decimal((value * 10).rounded() / 10) }
        let line: JSONValue = [
            "bench": .string(name), "unit": "us", "value": microseconds(taken[count / 2]),
            "p99": microseconds(taken[count * 99 / 100]),
        ]
        print(line.text)
    }
    // 500 customers with 500 different first names, 50 surnames and 100 landmarks.
    let heads = ["Ra", "Su", "Pri", "A", "Ka", "Bha", "Mo", "Ne", "Vi", "Ga"]
    let hearts = ["me", "re", "vi", "ni", "ha"]
    let tails = ["sh", "ndra", "ta", "l", "ka", "jit", "n", "pal", "rup", "deep"]
    let surnames = ["Sharma", "Verma", "Kumar", "Singh", "Yadav", "Gupta", "Patel", "Khan", "Das", "Rao"]
    let places = ["Mandir", "Market", "School", "Nala", "Chowk", "Gali", "Colony", "Bazar", "Station", "Talab"]
    var people: [NameMatcher.Candidate] = []
    for (index, head) in heads.enumerated() {
        for heart in hearts {
            for (place, tail) in tails.enumerated() {
                let mark = "\(people.count)"
                let surname = surnames[(people.count + index) % 10] + ["", "i", "wal", "kar", "e"][people.count % 5]
                people.append(
                    .init(
                        names: [head + heart + tail + " " + surname],
                        landmark: places[place] + " " + places[(place + index) % 10],
                        phone: "98765" + String(repeating: "0", count: 5 - mark.count) + mark))
            }
        }
    }
    let matcher = NameMatcher(people)
    let command = "Rahul ne do sau pachas rupaye cash diye"
    let tokens = Tokens(command).items
    let phone = Tokens("nine eight seven six five four three two one zero").items
    let when = Tokens("Rahul ko 500 ka reminder kal shaam saat baje bhejna").items
    let now = WallTime(milliseconds: 1_772_600_000_000)
    let name = Tokens("Surendra Yadav").items
    let near = Tokens("Surendar").items
    measure("lang tokens", 20_000) { _ in _ = Tokens(command) }
    measure("lang number, every start of a command", 20_000) { _ in
        for index in tokens.indices { _ = NumberReader.amount(in: tokens, at: index) }
    }
    measure("lang phone", 20_000) { _ in _ = PhoneReader.all(in: phone) }
    measure("lang when", 20_000) { _ in _ = WhenReader.read(when, now: now) }
    measure("lang transliterate", 20_000) { _ in _ = Transliteration.roman("राहुल शर्मा") }
    measure("lang who is meant, 500 customers", 2000) { _ in _ = matcher.resolve(name) }
    measure("lang who is meant, 500 customers, misspelt", 2000) { _ in _ = matcher.resolve(near) }
    measure("lang matcher of 500 customers", 100) { _ in _ = NameMatcher(people) }
    return 0
}

private func runLang(_ arguments: [String]) -> Int32 {
    if arguments == ["round-trip"] { return roundTrip() }
    if arguments == ["bench"] { return bench() }
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
