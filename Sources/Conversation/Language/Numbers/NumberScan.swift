/// One reading of a number, from one token on.
///
/// Parts stand in descending scale ("do lakh" "pachas hazaar" "chhe sau" "ek"); a scale word takes the smaller parts
/// before it as its coefficient, so "do sau hazaar" and "sava do sau" need no rule of their own.
struct NumberScan {
    private struct Part {
        var value: Quantum
        /// 1 for a bare number, 100 for so many hundreds.
        var scale: Int64
        var start: Int
        var isFraction = false
    }

    let tokens: [Token]
    let start: Int

    init(tokens: [Token], at start: Int) {
        self.tokens = tokens
        self.start = start
    }

    static func isMinus(_ token: Token) -> Bool {
        (token.kind == .mark && token.text == "-") || (token.kind == .word && NumberWords.word(token.text) == .minus)
    }

    // MARK: One token

    private enum Item {
        case word(NumberWord)
        case figures(Quantum, isWhole: Bool)
    }

    private func isWithin(_ index: Int) -> Bool {
        index < tokens.count && (index == start || tokens[index].gap < .comma)
    }

    private func item(at index: Int) -> Item? {
        guard isWithin(index) else { return nil }
        let token = tokens[index]
        switch token.kind {
        case .number:
            guard let value = Quantum.figures(token.text) else { return nil }
            return .figures(value, isWhole: value.whole != nil)
        case .word:
            return word(at: index).map { .word($0) }
        default:
            return nil
        }
    }

    /// The word at a place with what its neighbours say about it.
    private func word(at index: Int) -> NumberWord? {
        let text = tokens[index].text
        let before = index > 0 && tokens[index].gap < .comma ? tokens[index - 1] : nil
        let followsNumber = index > start
        switch text {
        case "do", "दो":
            // "kar do": the imperative. Inside a number ("sava do") it follows a number word, never a stem.
            if let before, before.kind == .word, NumberVocabulary.stemsBeforeDo.contains(before.text) { return nil }
            // "500 do": give five hundred.
            if let before, before.kind == .number, endsPhrase(index) { return nil }
        case "saath", "sath":
            // "ke saath" is "with".
            if let before, ["ke", "k", "के", "mere", "uske", "unke", "apne"].contains(before.text) { return nil }
        case "k":
            return followsNumber && tokens[index].gap == .joined ? .scale(1000, isEnglish: true) : nil
        case "so", "su", "saw", "sow", "soh", "sao", "सो":
            // How speech recognition writes "sau"; only behind a number.
            return followsNumber ? .scale(100, isEnglish: false) : nil
        case "sat", "tin":
            // saat and teen written short, where a scale or a rupee word makes plain what is meant.
            guard index + 1 < tokens.count, tokens[index + 1].gap < .comma else { return nil }
            let next = tokens[index + 1].text
            var counts = NumberVocabulary.rupees.contains(next)
            if !counts, case .scale? = NumberWords.word(next) { counts = true }
            return counts ? .small(text == "sat" ? 7 : 3, isEnglish: false) : nil
        case "a", "an":
            guard index + 1 < tokens.count, tokens[index + 1].gap < .comma else { return nil }
            if case .scale(_, isEnglish: true)? = NumberWords.word(tokens[index + 1].text) {
                return .small(1, isEnglish: true)
            }
            return nil
        default: break
        }
        return NumberWords.word(text)
    }

    private func endsPhrase(_ index: Int) -> Bool {
        index + 1 == tokens.count || tokens[index + 1].gap >= .comma
    }

    // MARK: Digits one by one

    /// "nine eight seven", "2 5 0", "double nine": three digits or more, or two where a zero or a "double" makes plain
    /// that they are digits. Not when a scale follows, which would take the last one.
    func digitRun() -> NumberReading? {
        var digits: [Int] = []
        var index = start
        var isPlain = false
        scan: while let item = item(at: index) {
            switch item {
            case .word(.small(let digit, _)) where digit < 10:
                digits.append(digit)
                if digit == 0 { isPlain = true }
                index += 1
            case .figures(let value, _) where tokens[index].text.utf8.count == 1:
                digits.append(Int(value.whole ?? 0))
                if digits.last == 0 { isPlain = true }
                index += 1
            case .word(.copies(let times)):
                guard case .word(.small(let digit, _))? = self.item(at: index + 1), digit < 10 else { break scan }
                digits.append(contentsOf: repeatElement(digit, count: times))
                isPlain = true
                index += 2
            default: break scan
            }
        }
        guard digits.count >= 3 || (digits.count == 2 && isPlain) else { return nil }
        // Twelve digits fit; a longer run is a telephone number with something before it, no sum.
        guard digits.count <= 12 else { return nil }
        switch item(at: index) {
        case .word(.scale), .word(.point), .word(.small), .word(.quarter): return nil
        default: break
        }
        let value = digits.reduce(Int64(0)) { $0 * 10 + Int64($1) }
        return Quantum.checked(value).map {
            NumberReading(value: $0, range: start..<index, form: .digits, isDoubtful: false)
        }
    }

    // MARK: Cardinals

    mutating func cardinal() -> NumberReading? {
        var parts: [Part] = []
        var index = start
        var end = start
        var isDoubtful = false
        var hasFraction = false

        scan: while let item = item(at: index) {
            switch item {
            case .word(.scale(let scale, _)):
                guard let taken = take(scale, parts, at: index) else { break scan }
                if taken.cut < parts.count, taken.isConflict {
                    // "ek sau do sau": the second hundred belongs to another number.
                    end = parts[taken.cut].start
                    parts.removeSubrange(taken.cut...)
                    isDoubtful = true
                    break scan
                }
                if taken.isConflict {
                    isDoubtful = true
                    break scan
                }
                parts.replaceSubrange(taken.cut..., with: [taken.part])
                index += 1
                end = index
            case .word(.point):
                guard let (fraction, after) = decimals(from: index + 1) else { break scan }
                if let last = parts.indices.last, parts[last].scale == 1 {
                    guard !parts[last].isFraction, let sum = parts[last].value.plus(fraction) else { break scan }
                    parts[last].value = sum
                    parts[last].isFraction = true
                } else {
                    parts.append(Part(value: fraction, scale: 1, start: index, isFraction: true))
                }
                hasFraction = true
                index = after
                end = index
            case .word(.quarter) where parts.last?.scale == 1:
                // "teen paav", "three quarters".
                guard let last = parts.indices.last, let value = parts[last].value.times(Quantum(micros: 250_000))
                else {
                    break scan
                }
                parts[last].value = value
                parts[last].isFraction = true
                hasFraction = true
                index += 1
                end = index
            case .figures(let value, isWhole: false) where parts.last?.scale == 1 && tokens[index].text.contains("/"):
                // "1 1/2".
                guard let last = parts.indices.last, !parts[last].isFraction, let sum = parts[last].value.plus(value)
                else {
                    break scan
                }
                parts[last].value = sum
                parts[last].isFraction = true
                hasFraction = true
                index += 1
                end = index
            default:
                guard parts.last?.scale != 1 else {
                    isDoubtful = true
                    break scan
                }
                guard let (part, after) = term(at: index, isFirst: parts.isEmpty) else { break scan }
                if let last = parts.last, part.value >= Quantum(last.scale) {
                    isDoubtful = true
                    break scan
                }
                parts.append(part)
                hasFraction = hasFraction || part.isFraction
                index = after
                end = index
            }
            if let (half, after) = andHalf(at: index), let last = parts.indices.last, parts[last].scale == 1,
                !parts[last].isFraction, let sum = parts[last].value.plus(half)
            {
                parts[last].value = sum
                parts[last].isFraction = true
                hasFraction = true
                index = after
                end = after
            } else if isEnglishAnd(at: index, parts.last) {
                index += 1
            }
        }

        guard !parts.isEmpty, end > start else { return nil }
        var total = Quantum.zero
        for part in parts {
            guard let sum = total.plus(part.value) else { return nil }
            total = sum
        }
        // "paanch sau do" at the end is 502, or "give five hundred".
        if parts.count > 1, parts[parts.count - 1].scale == 1, end == parts[parts.count - 1].start + 1,
            ["do", "दो"].contains(tokens[end - 1].text), endsPhrase(end - 1)
        {
            isDoubtful = true
        }
        if start > 0, parts[0].start == start, case .word(.scale)? = item(at: start),
            ["do", "दो"].contains(tokens[start - 1].text), tokens[start].gap < .comma
        {
            isDoubtful = true
        }
        return NumberReading(
            value: total, range: start..<end, form: hasFraction ? .fraction : .cardinal, isDoubtful: isDoubtful)
    }

    /// What a scale word makes of the parts before it: from `cut` on they become its coefficient.
    private func take(_ scale: Int64, _ parts: [Part], at index: Int) -> (part: Part, cut: Int, isConflict: Bool)? {
        var cut = parts.count
        while cut > 0, parts[cut - 1].scale < scale { cut -= 1 }
        var coefficient = Quantum(1)
        var begins = index
        if cut < parts.count {
            coefficient = .zero
            for part in parts[cut...] {
                guard let sum = coefficient.plus(part.value) else { return nil }
                coefficient = sum
            }
            begins = parts[cut].start
        }
        // Hundreds count to ninety-nine ("gyarah sau"); "500 sau" is no number.
        guard scale != 100 || coefficient < Quantum(100), coefficient > .zero else { return nil }
        guard let value = coefficient.times(scale) else { return nil }
        let isConflict = cut > 0 && (parts[cut - 1].scale == scale || value >= Quantum(parts[cut - 1].scale))
        return (Part(value: value, scale: scale, start: begins), cut, isConflict)
    }

    /// A number below a hundred, figures, or a fraction with its word: one coefficient.
    private func term(at index: Int, isFirst: Bool) -> (Part, end: Int)? {
        func part(_ value: Quantum, _ end: Int, isFraction: Bool = false) -> (Part, end: Int) {
            (Part(value: value, scale: 1, start: index, isFraction: isFraction), end)
        }
        switch item(at: index) {
        case .figures(let value, let isWhole): return part(value, index + 1, isFraction: !isWhole)
        case .word(.small(let value, let isEnglish)):
            let (sum, end) = isEnglish ? english(value, index + 1) : (value, index + 1)
            return part(Quantum(Int64(sum)), end)
        case .word(.fraction(let value)):
            // Behind a scale "do sau aadha" is no sum anyone says; "do hazaar dhai sau" is.
            guard isFirst || startsCoefficient(at: index + 1) else { return nil }
            return part(value, skippingArticle(index + 1), isFraction: true)
        case .word(.quarter):
            guard isFirst else { return nil }
            return part(Quantum(micros: 250_000), skippingArticle(index + 1), isFraction: true)
        case .word(.quarterMore): return modified(index, by: 250_000, alone: Quantum(micros: 1_250_000), isFirst)
        case .word(.quarterLess): return modified(index, by: -250_000, alone: Quantum(micros: 750_000), isFirst)
        case .word(.halfMore): return modified(index, by: 500_000, alone: nil, isFirst)
        default: return nil
        }
    }

    /// "sava do" is two and a quarter, "sava sau" one and a quarter hundred, "sava" alone one and a quarter.
    private func modified(_ index: Int, by micros: Int64, alone: Quantum?, _ isFirst: Bool) -> (Part, end: Int)? {
        let base: Quantum?
        switch item(at: index + 1) {
        case .word(.small(let value, _)) where value > 0: base = Quantum(Int64(value))
        case .figures(let value, isWhole: true) where value > .zero && value < Quantum(100): base = value
        default: base = nil
        }
        if let base {
            return (
                Part(value: Quantum(micros: base.micros + micros), scale: 1, start: index, isFraction: true), index + 2
            )
        }
        guard let alone, isFirst || startsCoefficient(at: index + 1) else { return nil }
        return (Part(value: alone, scale: 1, start: index, isFraction: true), index + 1)
    }

    private func startsCoefficient(at index: Int) -> Bool {
        if case .word(.scale)? = item(at: index) { return true }
        return false
    }

    /// "half a kilo", "half a million": the article belongs to the fraction.
    private func skippingArticle(_ index: Int) -> Int {
        isWithin(index) && index < tokens.count && ["a", "an"].contains(tokens[index].text) && index > start
            && ["half", "quarter"].contains(tokens[index - 1].text) ? index + 1 : index
    }

    /// English composes: twenty five; two fifty is two hundred and fifty.
    private func english(_ value: Int, _ next: Int) -> (Int, Int) {
        guard case .word(.small(let second, isEnglish: true))? = item(at: next) else { return (value, next) }
        if value >= 20, value % 10 == 0, (1...9).contains(second) { return (value + second, next + 1) }
        if (1...9).contains(value), second >= 10 {
            let (tail, end) = second >= 20 ? english(second, next + 1) : (second, next + 1)
            // "two fifty hundred" is nothing; leave the two alone then.
            if case .word(.scale(100, _))? = item(at: end) { return (value, next) }
            return (value * 100 + tail, end)
        }
        return (value, next)
    }

    private func decimals(from index: Int) -> (Quantum, end: Int)? {
        var text = "0."
        var at = index
        while let item = item(at: at), text.utf8.count < 8 {
            switch item {
            case .word(.small(let digit, _)) where digit < 10: text += String(digit)
            case .word(.small(let pair, let isEnglish)) where text == "0.":
                let (sum, end) = isEnglish ? english(pair, at + 1) : (pair, at + 1)
                return Quantum.figures("0.\(sum)").map { ($0, end) }
            case .figures(_, isWhole: true) where text == "0." && tokens[at].text.utf8.count <= 6:
                return Quantum.figures("0." + tokens[at].text).map { ($0, at + 1) }
            case .figures(_, isWhole: true) where tokens[at].text.utf8.count == 1: text += tokens[at].text
            default:
                return text == "0." ? nil : Quantum.figures(text).map { ($0, at) }
            }
            at += 1
        }
        return text == "0." ? nil : Quantum.figures(text).map { ($0, at) }
    }

    /// "and a half", "and half", "and a quarter", "and three quarters" behind a number.
    private func andHalf(at index: Int) -> (Quantum, end: Int)? {
        guard isWithin(index), index > start, tokens[index].text == "and" else { return nil }
        var at = index + 1
        if isWithin(at), ["a", "an"].contains(tokens[at].text) { at += 1 }
        switch item(at: at) {
        case .word(.fraction(let value)) where value.micros == 500_000: return (value, at + 1)
        case .word(.quarter): return (Quantum(micros: 250_000), at + 1)
        case .word(.small(let count, _)) where (1...3).contains(count):
            guard case .word(.quarter)? = item(at: at + 1) else { return nil }
            return (Quantum(micros: Int64(count) * 250_000), at + 2)
        default: return nil
        }
    }

    /// "two hundred and fifty": only behind a scale and before a smaller number.
    private func isEnglishAnd(at index: Int, _ last: Part?) -> Bool {
        guard let last, last.scale >= 100, isWithin(index), index > start, tokens[index].text == "and" else {
            return false
        }
        switch item(at: index + 1) {
        case .word(.small(_, isEnglish: true)): return true
        case .figures(let value, isWhole: true): return value < Quantum(100)
        default: return false
        }
    }
}
