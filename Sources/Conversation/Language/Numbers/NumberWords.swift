/// What one word can mean inside a number.
enum NumberWord: Hashable, Sendable {
    /// 0 to 99. English composes twenty + five and two + fifty, Hindi has a word for each.
    case small(Int, isEnglish: Bool)
    /// sau, hazaar, lakh, karod, arab.
    case scale(Int64, isEnglish: Bool)
    /// dedh, dhai, aadha: a value of its own.
    case fraction(Quantum)
    /// paav, quarter: a value of its own, and a multiplier behind a number (teen paav).
    case quarter
    /// sava x, sadhe x, paune x.
    case quarterMore, halfMore, quarterLess
    /// double nine, triple seven.
    case copies(Int)
    case point, minus
}

/// The vocabulary of numbers in Roman Hindi with its spellings, Devanagari, English, and English written in Devanagari.
///
/// A word is looked up as it is, then by its sound spelling (`soundSpelling`), so that a variant nobody listed
/// ("pachchees") is still found. Words that would be caught by sound and are none are in `never`.
enum NumberWords {
    static func word(_ text: String) -> NumberWord? {
        if let exact = exact[text] { return exact }
        guard !never.contains(text) else { return nil }
        if Script.hasDevanagari(text) {
            let roman = Transliteration.plainRoman(text)
            return never.contains(roman) ? nil : bySound[soundSpelling(roman)]
        }
        return bySound[soundSpelling(text)]
    }

    /// Words of other meaning that would be caught by sound: "tera" (yours), "saath" written साथ (with), tea.
    /// "so", "tin" and "sat" are numbers only beside the right neighbour; `NumberScan` knows which.
    static let never: Set<String> = [
        "tera", "at", "cha", "chai", "chay", "chaai", "chaay", "nav", "dho", "tin", "sat", "dai", "साथ", "तेरा", "टिन",
        "चाय",
        "नव", "धो",
    ]

    /// Spelling by sound: long vowels short, w as v, z as j, doubled letters single, final h of -ah off.
    static func soundSpelling(_ word: String) -> String {
        var out: [UInt8] = []
        out.reserveCapacity(word.utf8.count)
        for byte in word.utf8 {
            var letter = byte
            switch byte {
            case UInt8(ascii: "w"): letter = UInt8(ascii: "v")
            case UInt8(ascii: "z"): letter = UInt8(ascii: "j")
            default: break
            }
            guard let last = out.last else {
                out.append(letter)
                continue
            }
            switch (last, letter) {
            case (UInt8(ascii: "e"), UInt8(ascii: "e")): out[out.count - 1] = UInt8(ascii: "i")
            case (UInt8(ascii: "o"), UInt8(ascii: "o")): out[out.count - 1] = UInt8(ascii: "u")
            case (UInt8(ascii: "o"), UInt8(ascii: "u")):
                out[out.count - 1] = UInt8(ascii: "a")
                out.append(letter)
            case (let same, letter) where same == letter: break
            case (UInt8(ascii: "h"), UInt8(ascii: "c")) where out.count >= 2 && out[out.count - 2] == UInt8(ascii: "c"):
                // "chch" is one long ch.
                out.removeLast(2)
                out.append(letter)
            default: out.append(letter)
            }
        }
        // "cch" leaves "ch" already; "chh" too.
        if out.count > 3, out.last == UInt8(ascii: "h"), out[out.count - 2] == UInt8(ascii: "a") { out.removeLast() }
        return String(decoding: out, as: UTF8.self)
    }

    private static let exact: [String: NumberWord] = {
        var map: [String: NumberWord] = [:]
        for (word, meaning) in entries { map[Script.folded(word)] = meaning }
        return map
    }()

    private static let bySound: [String: NumberWord] = {
        var map: [String: NumberWord] = [:]
        for (word, meaning) in entries where !Script.hasDevanagari(word) {
            let key = soundSpelling(word)
            if map[key] == nil { map[key] = meaning }
        }
        return map
    }()

    /// All words with their meanings, as the tables below list them.
    static let entries: [(String, NumberWord)] = {
        var all: [(String, NumberWord)] = []
        func add(_ words: String, _ meaning: NumberWord) {
            for word in words.split(separator: " ") { all.append((String(word), meaning)) }
        }
        for (value, words) in NumberVocabulary.hindi.enumerated() { add(words, .small(value, isEnglish: false)) }
        for (value, words) in NumberVocabulary.english { add(words, .small(value, isEnglish: true)) }
        for (value, words) in NumberVocabulary.scales { add(words, .scale(value, isEnglish: false)) }
        for (value, words) in NumberVocabulary.englishScales { add(words, .scale(value, isEnglish: true)) }
        for (micros, words) in NumberVocabulary.fractions { add(words, .fraction(Quantum(micros: micros))) }
        add(NumberVocabulary.quarter, .quarter)
        add(NumberVocabulary.quarterMore, .quarterMore)
        add(NumberVocabulary.halfMore, .halfMore)
        add(NumberVocabulary.quarterLess, .quarterLess)
        add("double dabal dubble डबल", .copies(2))
        add("triple tripple tripal ट्रिपल तिगुना", .copies(3))
        add("point dashamlav dashamlaw dashmlav पॉइंट पॉइन्ट प्वाइंट पाइंट पॉईंट दशमलव", .point)
        add("minus mines negative rin माइनस ऋण", .minus)
        return all
    }()
}
