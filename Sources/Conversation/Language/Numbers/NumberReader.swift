/// A number found among tokens.
public struct NumberReading: Hashable, Sendable {
    public enum Form: Hashable, Sendable {
        case cardinal, fraction
        /// Digits said one by one: "nine eight double seven".
        case digits
    }

    public var value: Quantum
    /// The tokens it takes.
    public var range: Range<Int>
    public var form: Form
    /// Another reading is as likely: a second number follows at once ("do teen" is two or three), or an imperative
    /// "do" stands before a bare scale ("likh do sau"). Money read so must be read back.
    public var isDoubtful: Bool
}

/// A sum of money found among tokens.
public struct AmountReading: Hashable, Sendable {
    public var paise: Int64
    public var range: Range<Int>
    /// A rupee or paisa word or sign stood with it.
    public var hasCurrency: Bool
    public var isDoubtful: Bool
}

/// Reads numbers as shops say them. Deterministic; microseconds; no state.
public enum NumberReader {
    /// The longest number that starts at this token, or nil.
    ///
    /// An imperative "do" behind a verb stem is none, and neither is "saath" behind "ke".
    public static func number(in tokens: [Token], at start: Int) -> NumberReading? {
        guard tokens.indices.contains(start) else { return nil }
        var sign: Int64 = 1
        var first = start
        if NumberScan.isMinus(tokens[start]), start + 1 < tokens.count, tokens[start + 1].gap < .comma {
            sign = -1
            first += 1
        }
        var scan = NumberScan(tokens: tokens, at: first)
        guard var reading = scan.digitRun() ?? scan.cardinal() else { return nil }
        if sign < 0 { reading.value = Quantum(micros: -reading.value.micros) }
        reading.range = start..<reading.range.upperBound
        return reading
    }

    /// The sum of money that starts at this token: "₹500", "Rs 250", "do sau rupaye pachas paise", "500".
    public static func amount(in tokens: [Token], at start: Int) -> AmountReading? {
        var index = start
        var hasCurrency = false
        while index < tokens.count, index < start + 2, NumberVocabulary.rupees.contains(tokens[index].text) {
            hasCurrency = true
            index += 1
        }
        guard let rupees = number(in: tokens, at: index) else { return nil }
        var end = rupees.range.upperBound
        var isDoubtful = rupees.isDoubtful
        func follows(_ words: Set<String>, at index: Int) -> Bool {
            index < tokens.count && tokens[index].gap < .comma && words.contains(tokens[index].text)
        }
        if !hasCurrency, follows(NumberVocabulary.paise, at: end) {
            // "pachas paise": the number counts paise.
            guard let paise = rupees.value.whole else { return nil }
            return AmountReading(
                paise: paise, range: start..<end + 1, hasCurrency: true, isDoubtful: isDoubtful)
        }
        guard var paise = rupees.value.paise else { return nil }
        if follows(NumberVocabulary.rupees, at: end) {
            hasCurrency = true
            end += 1
            // The doubt was whether another number follows at once; here a rupee word parts them.
            let next = end < tokens.count && Self.isAnd(tokens[end]) ? end + 1 : end
            if let rest = number(in: tokens, at: next), next < tokens.count, tokens[next].gap < .comma,
                follows(NumberVocabulary.paise, at: rest.range.upperBound), let whole = rest.value.whole,
                (0..<100).contains(whole)
            {
                paise += paise < 0 ? -whole : whole
                end = rest.range.upperBound + 1
                isDoubtful = isDoubtful || rest.isDoubtful
            }
        }
        return AmountReading(paise: paise, range: start..<end, hasCurrency: hasCurrency, isDoubtful: isDoubtful)
    }

    /// The value of a text that is one number and nothing else; currency words and signs are ignored.
    public static func value(of text: String) -> Quantum? {
        let tokens = Tokens(text).items.filter { !NumberVocabulary.pointers.contains($0.text) }
        let isCurrency = { (token: Token) in NumberVocabulary.rupees.contains(token.text) }
        if let amount = amount(in: tokens, at: 0), amount.hasCurrency, amount.range.count == tokens.count {
            return Quantum(micros: amount.paise).times(10_000)
        }
        let bare = tokens.filter { !isCurrency($0) }
        guard let reading = number(in: bare, at: 0), reading.range.count == bare.count else { return nil }
        return reading.value
    }

    static func isAnd(_ token: Token) -> Bool {
        ["aur", "and", "or", "और"].contains(token.text)
    }
}
