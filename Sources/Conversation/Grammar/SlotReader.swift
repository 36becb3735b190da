import Ledger

/// Takes the slots out of a reading: people, money, things, times, and what is left unread.
struct SlotReader {
    enum Unread: Equatable { case unknown, stray, number, person, time }

    struct Amount: Equatable {
        var amount: Paise
        var piece: Int
        var hasCurrency: Bool
    }

    let reading: Reading
    let shelf: Shelf
    let grammar: Grammar
    let now: WallTime

    /// Words that name people, by their tokens.
    private(set) var people: [Range<Int>] = []
    private(set) var amounts: [Amount] = []
    private(set) var items: [Request.Item] = []
    private(set) var percent: BasisPoints?
    private(set) var isDoubtful = false
    private(set) var repairedCount = 0
    private(set) var knownPeople = 0
    private(set) var time: (firesAt: WallTime, recurrence: String?)?
    private var personPieces: Set<Int> = []
    private var itemPieces: Set<Int> = []
    private var numberPieces: Set<Int> = []
    private var timeTokens: Set<Int> = []
    /// A unit and a number without a thing: "3 bag".
    private var loosePieces: Set<Int> = []
    private var looseQuantity: (Quantum, String?)?

    init(reading: Reading, shelf: Shelf, grammar: Grammar, now: WallTime) {
        self.reading = reading
        self.shelf = shelf
        self.grammar = grammar
        self.now = now
    }

    private var pieces: [Reading.Piece] { reading.pieces }
    private var classes: Set<String> { reading.classes }

    mutating func run() {
        repairedCount = pieces.count { $0.isRepaired }
        readTime()
        readPeople()
        readItems()
        readNumbers()
    }

    // MARK: Times

    private mutating func readTime() {
        guard classes.contains("reminder") || classes.contains("change") else { return }
        guard let found = WhenReader.read(reading.tokens, now: now) else { return }
        time = (found.firesAt, found.recurrence)
        timeTokens = found.used
    }

    private func isTime(_ piece: Reading.Piece) -> Bool { piece.range.allSatisfy { timeTokens.contains($0) } }

    // MARK: People

    private static let marks: Set<String> = ["ka", "ko", "ne", "se", "for"]
    private static let before: Set<String> = [
        "for", "customer", "ko", "from", "ka", "gave", "give", "check", "by", "name",
    ]

    private mutating func readPeople() {
        for (index, piece) in pieces.enumerated() {
            guard piece.kind == .person || (piece.kind == .unknown && isPersonPlace(index)), !isTime(piece) else {
                if case .phone = piece.kind, isMark(index + 1), !classes.contains("phone") {
                    people.append(piece.range)
                    personPieces.insert(index)
                    knownPeople += 1
                }
                continue
            }
            people.append(piece.range)
            personPieces.insert(index)
            if piece.kind == .person { knownPeople += 1 }
        }
    }

    private func isMark(_ index: Int) -> Bool {
        guard pieces.indices.contains(index), pieces[index].gap < .comma else { return false }
        return pieces[index].senses.contains { Self.marks.contains($0.word) }
    }

    /// An unknown word stands where a name would: before ka, ko, ne; behind for, to; before gave or balance.
    private func isPersonPlace(_ index: Int) -> Bool {
        let piece = pieces[index]
        if index > 0, piece.gap < .comma, pieces[index - 1].kind == .number || pieces[index - 1].unit != nil {
            return false
        }
        if isMark(index + 1) { return true }
        if pieces.indices.contains(index + 1), pieces[index + 1].gap < .comma {
            let next = pieces[index + 1]
            if next.has("name") || next.has("wala") { return true }
            if ["gave", "owe", "took", "balance", "reminder", "returned"].contains(where: { next.has($0) }),
                index == 0
                    || pieces[index - 1].senses.contains(where: {
                        $0.word == "show" || $0.word == "tell" || $0.word == "filler"
                    })
            {
                return true
            }
        }
        if index > 0, piece.gap < .comma {
            let last = pieces[index - 1]
            if last.has("for") || (last.has("ko") && reading.keys[last.range.lowerBound] == "to") { return true }
        }
        return false
    }

    // MARK: Things and numbers

    private mutating func readItems() {
        var reader = ItemReader(reading, shelf: shelf, takesUnknown: classes.contains("bill"))
        reader.run()
        items = reader.items
        itemPieces = reader.used
        for index in pieces.indices where itemPieces.contains(index) && pieces[index].isDoubtful { isDoubtful = true }
    }

    private func isCurrency(_ index: Int) -> Bool {
        pieces.indices.contains(index) && (pieces[index].has("rupee") || pieces[index].has("money"))
    }

    private mutating func readNumbers() {
        for (index, piece) in pieces.enumerated() where piece.kind == .number {
            guard !itemPieces.contains(index), !isTime(piece) else { continue }
            if let paise = piece.paise {
                numberPieces.insert(index)
                if piece.isDoubtful { isDoubtful = true }
                amounts.append(Amount(amount: Paise(paise), piece: index, hasCurrency: true))
                continue
            }
            guard let value = piece.value else { continue }
            let next = index + 1
            if pieces.indices.contains(next), pieces[next].has("percent") {
                if let milli = value.milli, milli >= 0, milli <= 100_000, milli % 10 == 0 {
                    percent = BasisPoints(milli / 10)
                }
                numberPieces.insert(index)
                continue
            }
            let hasCurrency = isCurrency(next) || isCurrency(index - 1)
            if !hasCurrency, pieces.indices.contains(next), pieces[next].unit != nil, pieces[next].gap < .comma {
                looseQuantity = (value, pieces[next].unit)
                loosePieces.formUnion([index, next])
                numberPieces.insert(index)
                continue
            }
            // "ek naya customer": an article.
            if value == Quantum(1), pieces.indices.contains(next),
                ["new", "customer", "bill", "reminder", "more"].contains(where: { pieces[next].has($0) })
            {
                numberPieces.insert(index)
                continue
            }
            numberPieces.insert(index)
            if piece.isDoubtful { isDoubtful = true }
            amounts.append(Amount(amount: Paise(value.paise ?? 0), piece: index, hasCurrency: hasCurrency))
        }
        // One sum said with a currency beats bare numbers beside it? No: two numbers are two numbers, and are asked about.
    }

    /// Two sums or more, each with its own mode.
    var splits: [PaymentSplit] {
        guard amounts.count >= 2 else { return [] }
        var out: [PaymentSplit] = []
        var modes = pieces.indices.filter { pieces[$0].value(of: "mode") != nil }
        for amount in amounts {
            let near = modes.min { distance($0, amount.piece) < distance($1, amount.piece) }
            guard let near, let mode = pieces[near].value(of: "mode").flatMap({ PaymentMode(rawValue: $0) }),
                amount.amount > .zero
            else { return [] }
            modes.removeAll { $0 == near }
            out.append(PaymentSplit(amount: amount.amount, mode: mode))
        }
        return modes.isEmpty ? out : []
    }

    private func distance(_ left: Int, _ right: Int) -> Int {
        // An "aur" or a comma between is far.
        let between = left < right ? left..<right : right..<left
        let isParted = pieces.indices.contains {
            between.contains($0) && $0 > between.lowerBound && (pieces[$0].has("and") || pieces[$0].gap >= .comma)
        }
        return abs(left - right) + (isParted || pieces[max(left, right)].gap >= .comma ? 100 : 0)
    }

    // MARK: Features

    var features: Set<String> {
        var out = classes
        for word in ["no"] where out.contains(word) && pieces.contains(where: { $0.has(word) && $0.has("negation") }) {
            out.insert("negation")
        }
        if !people.isEmpty { out.insert("<name>") }
        if knownPeople > 0 { out.insert("<known>") }
        if classes.contains("pronoun") || classes.contains("pronoun-ko") || classes.contains("pronoun-ne")
            || classes.contains("pronoun-se") || classes.contains("previous") || classes.contains("both")
        {
            out.insert("<pronoun>")
        }
        if classes.contains("pronoun-ko") { out.insert("ko") }
        if classes.contains("pronoun-ne") { out.formUnion(["ne", "subject"]) }
        if classes.contains("pronoun-se") { out.insert("se") }
        if !items.isEmpty { out.formUnion(["<items>", "<product>"]) }
        if !amounts.isEmpty { out.insert("<amount>") }
        if amounts.contains(where: { !$0.hasCurrency }) { out.insert("<number>") }
        if !splits.isEmpty { out.insert("<split>") }
        if percent != nil { out.insert("<percent>") }
        if looseQuantity != nil || items.contains(where: { $0.isCounted && $0.unit != nil }) {
            out.insert("<quantity>")
        }
        if time != nil { out.insert("<when>") }
        for piece in pieces {
            switch piece.kind {
            case .phone where !personPieces.contains(where: { pieces[$0].range == piece.range }): out.insert("<phone>")
            case .email: out.insert("<email>")
            case .gstin: out.insert("<gstin>")
            case .pan: out.insert("<pan>")
            case .unknown: break
            default: break
            }
        }
        if pieces.indices.contains(where: {
            pieces[$0].kind == .unknown && !personPieces.contains($0) && !itemPieces.contains($0) && !isTime(pieces[$0])
        }) {
            out.insert("<unknown>")
        }
        if isSubject { out.insert("subject") }
        if isObject { out.insert("object") }
        // "Rahul received 200": he got it, the shop did not.
        if let person = personPieces.min(), pieces.indices.contains(person + 1), pieces[person + 1].has("got") {
            out.insert("gets")
        }
        return out
    }

    /// A name before the verb without a mark of case: "Rahul gave 200", "Rahul 200 cash de gaya".
    private var isSubject: Bool {
        guard let person = personPieces.min(), !isMark(person + 1), !classes.contains("me"),
            let verb = pieces.indices.first(where: {
                $0 > person && ["gave", "returned", "owe", "took", "pay"].contains(where: pieces[$0].has)
            })
        else { return false }
        if person > 0, ["for", "ko", "ka", "from"].contains(where: { pieces[person - 1].has($0) }) { return false }
        return pieces[(person + 1)..<verb].allSatisfy { $0.has("filler") || $0.has("also") || $0.has("today") }
            || pieces.contains { $0.has("mode") }
    }

    /// A name behind the verb: "gave Rahul 200", "give Rahul 200 credit".
    private var isObject: Bool {
        guard personPieces.count == 1, let person = personPieces.first, person > 0 else { return false }
        return pieces[..<person].contains { $0.has("gave") || $0.has("give") }
            && !pieces[person...].contains { $0.has("gave") }
    }

    /// What the line's intent does not account for.
    func unread(for rule: IntentRule, grammar: Grammar) -> [Unread] {
        var wanted = grammar.neutral
        for term in rule.terms {
            switch term {
            case .any(let names), .maybe(let names): wanted.formUnion(names)
            case .none: break
            }
        }
        var out: [Unread] = []
        for (index, piece) in pieces.enumerated() {
            if isTime(piece) && (wanted.contains("<when>") || wanted.contains("reminder")) { continue }
            if itemPieces.contains(index),
                wanted.contains("<items>") || wanted.contains("<product>") || wanted.contains("<quantity>")
            {
                continue
            }
            switch piece.kind {
            case .unknown:
                let takes = ["CREATE_CUSTOMER", "UPDATE_CUSTOMER", "PROVIDE_EMAIL", "CREATE_INVOICE"].contains(
                    rule.intent)
                if !takes, !personPieces.contains(index) || !Dialogue.takesCustomer.contains(rule.intent) {
                    out += piece.range.map { _ in .unknown }
                }
            case .person:
                // A name in a sentence about stock or the till was not understood.
                if !Dialogue.takesCustomer.contains(rule.intent), rule.intent != "CREATE_CUSTOMER" {
                    out.append(.person)
                }
            case .phone, .email, .gstin, .pan: break
            case .number:
                let isUsed =
                    numberPieces.contains(index)
                    && (loosePieces.contains(index)
                        || !amounts.contains { $0.piece == index }
                        || ["<amount>", "<number>", "<split>"].contains(where: wanted.contains)
                        || rule.intent.hasPrefix("CREATE_"))
                if !isUsed { out.append(.number) }
            case .product: if !wanted.contains("<product>") && !wanted.contains("<items>") { out.append(.stray) }
            case .word:
                if !piece.senses.contains(where: { wanted.contains($0.word) }) {
                    out.append(piece.has("time") ? .time : .stray)
                }
            }
        }
        return out
    }
}
