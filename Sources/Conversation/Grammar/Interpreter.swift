import Ledger

/// What one utterance was read as, before anybody decided anything.
struct Interpretation {
    var request: Request
    /// All words that named people, in order; more than one stops a posting.
    var people: [Range<Int>] = []
    /// Words nobody could place.
    var unread = 0
    /// 0 to 1000, by how much was read.
    var confidenceMilli: Int64 = 1000
    var isYes = false
    var isNo = false
    /// "Cancel" and nothing else: a no, or the yes to "shall I cancel?".
    var isBareCancel = false
    /// A negation, question, condition, promise or hearsay stood there.
    var isBlocked = false
    /// It was made out of what sounds like it, words of it are nobody's, or one voter alone would overwrite something: good
    /// for an answer, not for a deed.
    var isDoubtful = false
    /// The line of the intents that matched.
    var rule: String?
    /// Only a name, a landmark, a number: an answer to a question.
    var reading: Reading
    var amounts: [Paise] = []
    var items: [Request.Item] = []
    var classes: Set<String> = []
}

/// Reads an utterance by the grammar against the shop's own names. Stateless; a few hundred microseconds.
struct Interpreter {
    let grammar: Grammar
    let shelf: Shelf
    /// Facts of the moment the intents may ask for: "ctx.draft", "ctx.drafts", "ctx.invoice", "ctx.reminder".
    var context: Set<String> = []
    var now: WallTime

    /// Tokens with the wake word and what recognition is known to misspell taken care of.
    func prepared(_ text: String) -> (source: Tokens, tokens: [Token]) {
        let source = Tokens(text)
        var tokens = source.items
        var keys = tokens.map { WordFold.key($0.text) }
        for prefix in grammar.wakePrefixes where keys.starts(with: prefix) {
            tokens.removeFirst(prefix.count)
            keys.removeFirst(prefix.count)
            break
        }
        var index = 0
        while index < tokens.count {
            for (heard, meant) in grammar.repairs[keys[index]] ?? []
            where index + heard.count <= keys.count && Array(keys[index..<index + heard.count]) == heard {
                // Repairs keep the count of words, so that places in the text stay true.
                for (offset, word) in meant.enumerated() {
                    tokens[index + offset].text = word
                    keys[index + offset] = WordFold.key(word)
                }
            }
            index += 1
        }
        return (source, tokens)
    }

    func interpret(_ text: String) -> Interpretation {
        let (source, all) = prepared(text)
        guard !source.isCut, text.unicodeScalars.count <= Utterance.scalarsMax else { return Self.cut(source) }
        var cutter = PieceCutter(grammar: grammar, shelf: shelf, source: source, tokens: all)
        let reading = cutter.run()
        return interpret(reading.afterWait())
    }

    /// What has no end in sight is not understood at all: the negation may have been in the rest.
    private static func cut(_ source: Tokens) -> Interpretation {
        let reading = Reading(tokens: [], keys: [], pieces: [], source: source, hasQuestionMark: false)
        var made = Interpretation(request: Request(intent: "UNKNOWN"), reading: reading)
        made.confidenceMilli = 0
        made.isBlocked = true
        return made
    }

    func interpret(_ reading: Reading) -> Interpretation {
        var found = Interpretation(request: Request(intent: "UNKNOWN"), reading: reading)
        var slots = SlotReader(reading: reading, shelf: shelf, grammar: grammar, now: now)
        slots.run()
        found.people = slots.people
        found.amounts = slots.amounts.map(\.amount)
        found.items = slots.items
        var features = slots.features
        features.formUnion(context)
        found.classes = features
        if reading.hasQuestionMark { features.insert("question") }
        found.isBlocked = !grammar.blocking.isDisjoint(with: features)
        (found.isYes, found.isNo) = YesNo.read(reading)
        found.isBareCancel = YesNo.isBareCancel(reading)

        for rule in grammar.rules where rule.holds(features) {
            let unread = slots.unread(for: rule, grammar: grammar)
            // Half a posting ("Rahul ne paise nahi diye") must not wait for its amount either.
            if Request.postings.contains(rule.intent), found.isBlocked { continue }
            if rule.writes, !mayWrite(rule, found, slots, unread) { continue }
            let confidence = max(
                0, 1000 - Int64(rule.isLoose ? 0 : unread.count * 120) - Int64(slots.repairedCount * 50))
            if !rule.isLoose, unread.count * 2 > max(2, reading.pieces.count) { continue }
            found.rule = rule.place
            found.unread = rule.isLoose ? 0 : unread.count
            found.confidenceMilli = confidence
            found.request = slots.request(for: rule)
            if rule.writes, !unread.isEmpty || slots.isDoubtful || slots.repairedCount > 0 || rule.asks {
                found.request.mustAsk = true
            }
            return found
        }
        found.confidenceMilli = 300
        return found
    }

    /// The law of the book: a posting has nothing in it that was not understood.
    private func mayWrite(
        _ rule: IntentRule, _ found: Interpretation, _ slots: SlotReader, _ unread: [SlotReader.Unread]
    )
        -> Bool
    {
        if found.isBlocked { return false }
        if slots.people.count > 1 { return false }
        if rule.terms.contains(.any(["<amount>"])), slots.amounts.count != 1 { return false }
        if unread.isEmpty { return true }
        // "Rahul ne kal 500 diye": of another day, so it is asked about. What is yet to come is blocked before this.
        if rule.intent == "RECORD_PAYMENT", unread.allSatisfy({ $0 == .time }) { return slots.knownPeople == 1 }
        // One unknown word beside a clear sentence is asked about, not guessed and not thrown away.
        return unread == [.unknown] && slots.knownPeople == 1
    }
}
