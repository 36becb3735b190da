/// A language numbers are said in.
public enum NumberLanguage: String, CaseIterable, Sendable {
    case hinglish = "hi-en"
    case hindi = "hi"
    case english = "en"
}

/// Says numbers as `NumberReader` hears them: `NumberReader.value(of: spell(n)) == n` for every n it can say.
public struct NumberSpeller: Sendable {
    public let language: NumberLanguage

    public init(_ language: NumberLanguage) { self.language = language }

    /// A whole number in the Indian way: "do lakh pachas hazaar".
    public func spell(_ number: Int64) -> String {
        var words: [String] = []
        if number < 0 { words.append(language == .hindi ? "माइनस" : "minus") }
        spell(number.magnitude, into: &words)
        return words.joined(separator: " ")
    }

    /// A quantity in thousandths: "dhai", "sadhe teen", "paune do", "two and a half"; else figures behind a point.
    public func spell(milli: Int64) -> String {
        let magnitude = milli.magnitude
        let (whole, rest) = (magnitude / 1000, magnitude % 1000)
        let sign = milli < 0 ? (language == .hindi ? "माइनस " : "minus ") : ""
        if rest == 0 { return spell(milli / 1000) }
        // A quarter, a half and three quarters have words up to a hundred; past it people say figures.
        if rest % 250 == 0, whole < 99 { return sign + quarters(whole, Int(rest / 250)) }
        var words: [String] = []
        spell(whole, into: &words)
        words.append(language == .hindi ? "दशमलव" : "point")
        var digits = [rest / 100, rest / 10 % 10, rest % 10]
        while digits.last == 0 { digits.removeLast() }
        for digit in digits { words.append(small(Int(digit))) }
        return sign + words.joined(separator: " ")
    }

    /// A sum of money: "do sau pachas rupaye pachas paise".
    public func spell(paise: Int64) -> String {
        let (rupees, rest) = (paise.magnitude / 100, paise.magnitude % 100)
        var words: [String] = []
        if paise < 0 { words.append(language == .hindi ? "माइनस" : "minus") }
        if rupees > 0 || rest == 0 {
            spell(rupees, into: &words)
            words.append(rupeeWord(rupees))
        }
        if rest > 0 {
            spell(rest, into: &words)
            words.append(language == .hindi ? "पैसे" : "paise")
        }
        return words.joined(separator: " ")
    }

    /// One digit as telephone numbers are said: 0 is "shunya" in Hindi, "zero" elsewhere.
    public func digit(_ value: Int) -> String { small(value) }

    private func rupeeWord(_ count: UInt64) -> String {
        switch language {
        case .hinglish: count == 1 ? "rupaya" : "rupaye"
        case .hindi: count == 1 ? "रुपया" : "रुपये"
        case .english: count == 1 ? "rupee" : "rupees"
        }
    }

    private func spell(_ number: UInt64, into words: inout [String]) {
        if number < 100 {
            words.append(small(Int(number)))
            return
        }
        var rest = number
        for (index, scale) in [UInt64(10_000_000), 100_000, 1000, 100].enumerated() where rest >= scale {
            // More than ninety-nine crore is so many hundred or thousand crore.
            spell(rest / scale, into: &words)
            words.append(scaleWords[index])
            rest %= scale
        }
        if rest > 0 { words.append(small(Int(rest))) }
    }

    private var scaleWords: [String] {
        switch language {
        case .hinglish: ["karod", "lakh", "hazaar", "sau"]
        case .hindi: ["करोड़", "लाख", "हज़ार", "सौ"]
        case .english: ["crore", "lakh", "thousand", "hundred"]
        }
    }

    private func small(_ value: Int) -> String {
        switch language {
        case .hinglish: return value == 0 ? "zero" : Self.hinglish[value]
        case .hindi: return Self.hindi[value]
        case .english:
            if value <= 20 || value % 10 == 0 { return Self.english[value] ?? "" }
            return (Self.english[value / 10 * 10] ?? "") + " " + (Self.english[value % 10] ?? "")
        }
    }

    private func quarters(_ whole: UInt64, _ count: Int) -> String {
        let n = Int(whole)
        switch (language, n, count) {
        case (.english, 0, 1): return "quarter"
        case (.english, 0, 2): return "half"
        case (.english, 0, _): return "three quarters"
        case (.english, _, 1): return small(n) + " and a quarter"
        case (.english, _, 2): return small(n) + " and a half"
        case (.english, _, _): return small(n) + " and three quarters"
        case (.hinglish, 0, _): return ["paav", "aadha", "pauna"][count - 1]
        case (.hindi, 0, _): return ["पाव", "आधा", "पौना"][count - 1]
        case (.hinglish, 1, 1): return "sava"
        case (.hindi, 1, 1): return "सवा"
        case (.hinglish, 1, 2): return "dedh"
        case (.hindi, 1, 2): return "डेढ़"
        case (.hinglish, 2, 2): return "dhai"
        case (.hindi, 2, 2): return "ढाई"
        case (.hinglish, _, _): return ["sava ", "sadhe ", "paune "][count - 1] + small(count == 3 ? n + 1 : n)
        case (.hindi, _, _): return ["सवा ", "साढ़े ", "पौने "][count - 1] + small(count == 3 ? n + 1 : n)
        }
    }

    private static let hinglish = NumberVocabulary.hindi.map { String($0.split(separator: " ")[0]) }
    private static let hindi = NumberVocabulary.hindi.map { String($0.split(separator: " ")[1]) }
    private static let english = Dictionary(
        uniqueKeysWithValues: NumberVocabulary.english.map { ($0.0, String($0.1.split(separator: " ")[0])) })
}
