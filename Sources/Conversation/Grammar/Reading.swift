import Ledger

/// An utterance cut into pieces that mean something: words of the grammar, numbers, products, people.
struct Reading {
    struct Piece {
        enum Kind: Equatable {
            case word
            case number
            case product([Int])
            case person
            case phone(String)
            case email(String)
            case gstin(String)
            case pan(String)
            case unknown
        }

        var kind: Kind
        var range: Range<Int>
        /// Classes of a word; empty otherwise.
        var senses: [Lexicon.Sense] = []
        var value: Quantum?
        var isDoubtful = false
        /// Set where a currency word or sign stood with the number; the piece covers both.
        var paise: Int64?
        /// What parts it from the piece before.
        var gap: Token.Gap
        /// True where a letter was repaired to read it.
        var isRepaired = false

        func has(_ word: String) -> Bool { senses.contains { $0.word == word } }
        func value(of word: String) -> String? { senses.first { $0.word == word }?.value }
        var unit: String? { value(of: "unit") }
    }

    var tokens: [Token]
    var keys: [String]
    var pieces: [Piece]
    var source: Tokens
    var hasQuestionMark: Bool

    /// As it was said, in its own spelling.
    func text(_ range: Range<Int>) -> String {
        guard let first = range.first, let last = range.last, tokens.indices.contains(last) else { return "" }
        // Places in the source, not in `source.items`: a wake word in front may have been taken off.
        let bytes = source.source.utf8
        let start = bytes.index(bytes.startIndex, offsetBy: tokens[first].range.lowerBound)
        let end = bytes.index(bytes.startIndex, offsetBy: tokens[last].range.upperBound)
        return String(source.source[start..<end])
    }

    /// All classes said, in any place.
    var classes: Set<String> {
        var out: Set<String> = []
        for piece in pieces {
            for sense in piece.senses {
                out.insert(sense.word)
                if let value = sense.value { out.insert("\(sense.word)=\(value)") }
            }
        }
        return out
    }

    func value(of word: String) -> String? {
        for piece in pieces { if let value = piece.value(of: word) { return value } }
        return nil
    }

    /// "Rahul ka bill banao... nahi ruko, uska balance": what stands before the "wait" is taken back. The name
    /// said there stays, for a pronoun behind it.
    func afterWait() -> Reading {
        guard let at = pieces.lastIndex(where: { $0.has("wait") }), at + 1 < pieces.count, at > 0 else { return self }
        var kept = self
        let tail = Array(pieces[(at + 1)...])
        let isNamed = tail.contains { $0.kind == .person }
        let before = pieces[..<at].last { $0.kind == .person }
        kept.pieces = (isNamed ? [] : before.map { [$0] } ?? []) + tail
        return kept
    }

    /// The pieces from one to another, as a reading of its own.
    func part(_ range: Range<Int>) -> Reading {
        var made = self
        made.pieces = Array(pieces[range])
        return made
    }
}

/// Cuts an utterance into pieces, left to right, the longest and surest first.
struct PieceCutter {
    let grammar: Grammar
    let shelf: Shelf
    let source: Tokens
    let tokens: [Token]
    let keys: [String]
    private let email: EmailReading?
    private let phones: [PhoneReading]
    private var pieces: [Reading.Piece] = []

    init(grammar: Grammar, shelf: Shelf, source: Tokens, tokens: [Token]) {
        self.grammar = grammar
        self.shelf = shelf
        self.source = source
        self.tokens = tokens
        keys = tokens.map { WordFold.key($0.text) }
        email = EmailReader.find(in: tokens)
        phones = PhoneReader.all(in: tokens)
    }

    mutating func run() -> Reading {
        var at = 0
        while at < tokens.count {
            let piece = next(at)
            pieces.append(piece)
            at = piece.range.upperBound
        }
        joinPeople()
        return Reading(
            tokens: tokens, keys: keys, pieces: pieces, source: source, hasQuestionMark: source.hasQuestionMark)
    }

    /// End of the phrase that may start here: a comma or a full stop parts phrases.
    private func phraseEnd(_ start: Int) -> Int {
        var end = start + 1
        while end < tokens.count, tokens[end].gap < .comma, end < start + Lexicon.wordsMax { end += 1 }
        return end
    }

    private func piece(_ kind: Reading.Piece.Kind, _ range: Range<Int>) -> Reading.Piece {
        Reading.Piece(kind: kind, range: range, gap: range.lowerBound == 0 ? .stop : tokens[range.lowerBound].gap)
    }

    private func next(_ at: Int) -> Reading.Piece {
        let token = tokens[at]
        if token.kind == .address { return piece(.email(token.text), at..<at + 1) }
        if let email, email.range.lowerBound == at { return piece(.email(email.address), email.range) }
        if let code = SpokenCodes.gstin(token.text) { return piece(.gstin(code), at..<at + 1) }
        if let code = SpokenCodes.pan(token.text) { return piece(.pan(code), at..<at + 1) }

        let end = phraseEnd(at)
        let word = grammar.lexicon.match(keys, at: at, upTo: end)
        let product = shelf.product(keys, at: at, upTo: end)
        let number = isBehindProduct ? number(from: at) : NumberReader.number(in: tokens, at: at)
        if let money = NumberReader.amount(in: tokens, at: at), money.hasCurrency,
            money.range.count > (word?.length ?? 0)
        {
            var made = piece(.number, money.range)
            made.paise = money.paise
            made.isDoubtful = money.isDoubtful
            return made
        }
        if let landmark = shelf.landmark(keys, at: at, upTo: end), isLandmark(at, landmark.length) {
            return piece(.person, at..<at + landmark.length)
        }
        if isName(at), product == nil || isMarked(at + 1) { return piece(.person, at..<at + 1) }
        // "tell" folds to "tel"; a word written exactly as the packs have it is that word.
        let isExactWord =
            product?.length == 1 && word != nil && grammar.lexicon.written.contains(token.text)
            && !shelf.written.contains(token.text)
        if let product, !isExactWord, product.length >= (word?.length ?? 0) || leadsQuantity(at + product.length) {
            return piece(.product(product.products), at..<at + product.length)
        }
        if let word, word.length >= 2, number == nil || number!.range.count < word.length {
            return worded(word, at)
        }
        if let phone = phones.first(where: { $0.range.lowerBound == at }) {
            return piece(.phone(phone.digits), phone.range)
        }
        if let number, isNumber(number, word) {
            var made = piece(.number, number.range)
            made.value = number.value
            made.isDoubtful = number.isDoubtful
            return made
        }
        if let word { return worded(word, at) }
        if let unit = shelf.unit(keys[at]) {
            var made = piece(.word, at..<at + 1)
            made.senses = [Lexicon.Sense(word: "unit", value: unit)]
            return made
        }
        if token.kind == .mark, let made = mark(at) { return made }
        if token.kind == .word, !isMarked(at + 1), let near = grammar.lexicon.nearest(to: keys[at]) {
            var made = piece(.word, at..<at + 1)
            made.senses = grammar.lexicon.senses(of: near)
            made.isRepaired = true
            return made
        }
        if token.kind == .word, !isMarked(at + 1), let product = shelf.part(keys[at]) {
            return piece(.product([product]), at..<at + 1)
        }
        return piece(.unknown, at..<at + 1)
    }

    private func worded(_ word: (length: Int, senses: [Lexicon.Sense]), _ at: Int) -> Reading.Piece {
        var made = piece(.word, at..<at + word.length)
        made.senses = word.senses
        return made
    }

    private func mark(_ at: Int) -> Reading.Piece? {
        let word: String? =
            switch tokens[at].text {
            case "\u{20B9}", "$": "rupee"
            case "%": "percent"
            case "+", "&": "and"
            case "-", "=", "*", "#", "@": "filler"
            default: nil
            }
        guard let word else { return nil }
        var made = piece(.word, at..<at + 1)
        made.senses = [Lexicon.Sense(word: word, value: nil)]
        return made
    }

    // MARK: Names

    private static let markers: Set<String> = ["ka", "ko", "ne", "se", "for", "wala", "name"]

    /// True when the word at a place marks the one before it as a name: ka, ko, ne, an honorific.
    private func isMarked(_ at: Int) -> Bool {
        guard at < tokens.count, tokens[at].gap < .comma else { return false }
        let senses = grammar.lexicon.match(keys, at: at, upTo: phraseEnd(at))?.senses ?? []
        if senses.contains(where: { $0.word == "ji" }) { return true }
        return tokens[at].text == "'s" || senses.contains { Self.markers.contains($0.word) }
    }

    /// A word of a customer's name. One that is also a word of the grammar counts only where a marker follows it.
    private func isName(_ at: Int) -> Bool {
        guard tokens[at].kind == .word, shelf.nameWords.contains(keys[at]) else { return false }
        if grammar.lexicon.senses(of: keys[at]).isEmpty { return true }
        if pieces.last?.kind == .person, tokens[at].gap < .comma, isMarked(at + 1) { return true }
        return isMarked(at + 1) && (at == 0 || tokens[at].gap >= .comma || pieces.last?.has("filler") == true)
    }

    /// A landmark belongs to a name beside it, or stands for one where wala or a marker follows.
    private func isLandmark(_ at: Int, _ length: Int) -> Bool {
        let end = at + length
        if Shelf.walaKeys.contains(keys[end - 1]) { return true }
        if pieces.last?.kind == .person, tokens[at].gap < .comma { return true }
        return isMarked(end) && grammar.lexicon.senses(of: keys[at]).isEmpty
    }

    /// People and unknown words side by side are one name: "Amit Shah" is not Amit Singh.
    private mutating func joinPeople() {
        var out: [Reading.Piece] = []
        for piece in pieces {
            if let last = out.last, piece.gap < .comma {
                let isName = piece.kind == .person || piece.kind == .unknown
                let wasName = last.kind == .person || last.kind == .unknown
                let isTail = piece.has("ji") || (piece.has("wala") && last.kind == .person)
                if (isName && wasName) || (wasName && isTail) {
                    let kind: Reading.Piece.Kind =
                        last.kind == .person || piece.kind == .person ? .person : .unknown
                    out[out.count - 1] = Reading.Piece(
                        kind: kind, range: last.range.lowerBound..<piece.range.upperBound, gap: last.gap)
                    continue
                }
            }
            out.append(piece)
        }
        pieces = out
    }

    // MARK: Numbers

    private var isBehindProduct: Bool {
        if case .product? = pieces.last?.kind { return true }
        return false
    }

    /// A number that begins here whatever stands before: lentils are no imperative, "toor dal do kilo chawal" is two.
    private func number(from at: Int) -> NumberReading? {
        guard at < tokens.count, var number = NumberReader.number(in: Array(tokens[at...]), at: 0) else { return nil }
        number.range = number.range.lowerBound + at..<number.range.upperBound + at
        return number
    }

    /// True when a quantity follows a product: "dal do kilo", not "khate mein dal do".
    private func leadsQuantity(_ at: Int) -> Bool {
        guard let number = number(from: at), number.range.upperBound < tokens.count else { return false }
        let senses =
            grammar.lexicon.match(
                keys, at: number.range.upperBound, upTo: phraseEnd(number.range.upperBound))?.senses ?? []
        return senses.contains { $0.word == "unit" }
    }

    /// "do" is an imperative at the end of a phrase, and where no counted thing follows it.
    private func isNumber(_ number: NumberReading, _ word: (length: Int, senses: [Lexicon.Sense])?) -> Bool {
        guard number.range.count == 1, let word, word.senses.contains(where: { $0.word == "do" || $0.word == "give" })
        else { return !(word.map { $0.length > number.range.count } ?? false) }
        let next = number.range.upperBound
        if let before = pieces.last, case .product = before.kind, next < tokens.count,
            tokens[next].gap >= .comma || shelfFollowsAnd(next)
        {
            return true
        }
        guard next < tokens.count, tokens[next].gap < .comma else { return false }
        if shelf.product(keys, at: next, upTo: phraseEnd(next)) != nil { return true }
        if shelf.unit(keys[next]) != nil || tokens[next].text == "%" { return true }
        let follows = grammar.lexicon.match(keys, at: next, upTo: phraseEnd(next))?.senses ?? []
        if follows.contains(where: { ["unit", "rupee", "percent", "goods", "more"].contains($0.word) }) {
            return !follows.contains { $0.word == "and" }
        }
        // An unknown word may be a thing to count, where nothing but a number or a mark of case stands before.
        if follows.isEmpty, tokens[next].kind == .word, !shelf.nameWords.contains(keys[next]) {
            return pieces.last.map { !$0.has("credit") && !$0.has("discount") } ?? true
        }
        return false
    }

    private func shelfFollowsAnd(_ at: Int) -> Bool {
        guard grammar.lexicon.senses(of: keys[at]).contains(where: { $0.word == "and" }), at + 1 < tokens.count else {
            return false
        }
        return shelf.product(keys, at: at + 1, upTo: phraseEnd(at + 1)) != nil
    }
}
