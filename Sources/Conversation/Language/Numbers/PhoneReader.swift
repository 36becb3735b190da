/// A telephone number found among tokens.
public struct PhoneReading: Hashable, Sendable {
    /// Ten digits, without country code.
    public var digits: String
    public var range: Range<Int>
}

/// Reads Indian telephone numbers said or written: groups, "double" and "triple", words of either script,
/// a leading 0, +91 or 91.
public enum PhoneReader {
    /// Digits of a national number; "98" "765", pairs said as numbers ("ninety eight"), all count.
    public static let digitsNational = 10
    /// Most digits a run may have: 0091 and ten. A longer run is not heard as a number at all.
    static let digitsMax = 14

    /// The one telephone number in a text, or nil: none, too short, too long, or two different ones.
    public static func phone(of text: String) -> String? {
        let found = Set(all(in: Tokens(text).items).map(\.digits))
        return found.count == 1 ? found.first : nil
    }

    /// Every telephone number, in order.
    public static func all(in tokens: [Token]) -> [PhoneReading] {
        var found: [PhoneReading] = []
        var index = 0
        while index < tokens.count {
            let run = Run(tokens, from: index)
            guard run.end > index else {
                index += 1
                continue
            }
            if let digits = run.national() {
                found.append(PhoneReading(digits: digits, range: index..<run.end))
            } else if let shorter = run.withoutLastDo(), let digits = shorter.national() {
                found.append(PhoneReading(digits: digits, range: index..<shorter.end))
            }
            index = run.end
        }
        return found
    }

    /// The longest run of digits from one token on.
    private struct Run {
        var digits: [UInt8] = []
        var end: Int
        private let tokens: [Token]
        private var lastIsDo = false

        init(_ tokens: [Token], from start: Int) {
            self.tokens = tokens
            end = start
            var index = start
            if tokens[index].text == "+", index + 1 < tokens.count, tokens[index + 1].kind == .number { index += 1 }
            while index < tokens.count, let (more, after) = Self.digits(tokens, index, isInside: !digits.isEmpty) {
                digits.append(contentsOf: more)
                lastIsDo = after == index + 1 && ["do", "दो"].contains(tokens[index].text)
                index = after
            }
            if !digits.isEmpty { end = index }
        }

        /// "9811122233 do": the last word was no digit.
        func withoutLastDo() -> Run? {
            guard lastIsDo, digits.count > 1 else { return nil }
            var shorter = self
            shorter.digits.removeLast()
            shorter.end -= 1
            return shorter
        }

        func national() -> String? {
            guard digits.count <= PhoneReader.digitsMax else { return nil }
            var rest = digits[...]
            if rest.count == 14, rest.starts(with: [0, 0, 9, 1]) { rest = rest.dropFirst(4) }
            if rest.count == 13, rest.starts(with: [0, 9, 1]) { rest = rest.dropFirst(3) }
            if rest.count == 12, rest.starts(with: [9, 1]) { rest = rest.dropFirst(2) }
            if rest.count == 11, rest.first == 0 { rest = rest.dropFirst() }
            guard rest.count == PhoneReader.digitsNational, rest.first != 0 else { return nil }
            return String(decoding: rest.map { $0 + 48 }, as: UTF8.self)
        }

        /// The digits a token stands for, and the token after it.
        private static func digits(_ tokens: [Token], _ index: Int, isInside: Bool) -> ([UInt8], Int)? {
            let token = tokens[index]
            if token.kind == .number {
                guard !token.text.contains("."), !token.text.contains("/") else { return nil }
                return (token.text.utf8.map { $0 - 48 }, index + 1)
            }
            guard token.kind == .word else { return nil }
            if isInside, let digit = misheard[token.text] { return ([digit], index + 1) }
            if ["do", "दो"].contains(token.text), index > 0,
                NumberVocabulary.stemsBeforeDo.contains(tokens[index - 1].text)
            {
                return nil
            }
            switch NumberWords.word(token.text) {
            case .small(let value, let isEnglish):
                if value < 10 { return ([UInt8(value)], index + 1) }
                if isEnglish, value >= 20, value % 10 == 0, index + 1 < tokens.count,
                    case .small(let unit, isEnglish: true)? = NumberWords.word(tokens[index + 1].text),
                    (1...9).contains(unit)
                {
                    return ([UInt8(value / 10), UInt8(unit)], index + 2)
                }
                return ([UInt8(value / 10), UInt8(value % 10)], index + 1)
            case .copies(let times):
                guard index + 1 < tokens.count, let (next, after) = digits(tokens, index + 1, isInside: isInside),
                    next.count == 1
                else { return nil }
                return (Array(repeating: next[0], count: times), after)
            default: return nil
            }
        }

        /// English digits as speech recognition writes them, taken for digits only among digits.
        private static let misheard: [String: UInt8] = [
            "to": 2, "too": 2, "for": 4, "fore": 4, "ate": 8, "won": 1, "oh": 0, "o": 0, "sat": 7, "tin": 3, "sex": 6,
        ]
    }
}

/// Says telephone numbers digit by digit, as the shop wants them read: never as one number.
public enum PhoneSpeller {
    /// "9 8 7 6 5, 4 3 2 1 0": figures apart, in two groups of five, for a written answer.
    public static func figures(_ digits: String) -> String {
        groups(digits) { String($0) }
    }

    /// "nau aath saat chhah paanch, chaar teen do ek zero".
    public static func words(_ digits: String, _ language: NumberLanguage) -> String {
        let speller = NumberSpeller(language)
        return groups(digits) { speller.digit($0) }
    }

    private static func groups(_ digits: String, _ say: (Int) -> String) -> String {
        let values = digits.unicodeScalars.compactMap { Script.digit($0) }
        var out = ""
        for (index, value) in values.enumerated() {
            if index > 0 { out += index % 5 == 0 ? ", " : " " }
            out += say(value)
        }
        return out
    }
}
