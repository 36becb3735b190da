/// One spelling for the many a word has in Roman letters, and for its Devanagari form.
///
/// Long and short vowels meet, doubled letters become one, `w` is `v`, `ph` is `f`, `z` is `j`, a hard `c` is `k`,
/// `ei` is `e`, `ay` is `ai`, `au` is `o`; aspiration stays, because *khata* and *kata* are two words. Devanagari is
/// written as it sounds: the inherent vowel falls at the end of a word and in the middle of `VC_CV`
/// (Source: Choudhury, Basu and Sarkar, "A diachronic approach for schwa deletion in Indo-Aryan languages", 2004,
/// the rule without its exceptions).
enum WordFold {
    /// - Parameter word: folded by `Script.folded`: lower case, nukta off.
    static func key(_ word: String) -> String {
        var letters: [UInt8] = []
        letters.reserveCapacity(word.utf8.count)
        if word.utf8.allSatisfy({ $0 < 0x80 }) {
            letters = Array(word.utf8)
        } else {
            letters = roman(Array(word.unicodeScalars))
        }
        return String(decoding: folded(letters), as: UTF8.self)
    }

    private static func isVowel(_ letter: UInt8) -> Bool {
        letter == UInt8(ascii: "a") || letter == UInt8(ascii: "e") || letter == UInt8(ascii: "i")
            || letter == UInt8(ascii: "o") || letter == UInt8(ascii: "u")
    }

    private static func folded(_ letters: [UInt8]) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(letters.count)
        var index = 0
        func next(_ ahead: Int = 1) -> UInt8 { index + ahead < letters.count ? letters[index + ahead] : 0 }
        while index < letters.count {
            let letter = letters[index]
            var made = letter
            var used = 1
            switch (letter, next()) {
            case (UInt8(ascii: "a"), UInt8(ascii: "a")): used = 2
            case (UInt8(ascii: "e"), UInt8(ascii: "i")): (made, used) = (UInt8(ascii: "e"), 2)
            case (UInt8(ascii: "a"), UInt8(ascii: "y")) where !isVowel(next(2)):
                out.append(UInt8(ascii: "a"))
                (made, used) = (UInt8(ascii: "i"), 2)
            case (UInt8(ascii: "e"), UInt8(ascii: "y")) where index + 2 >= letters.count:
                (made, used) = (UInt8(ascii: "e"), 2)
            case (UInt8(ascii: "e"), UInt8(ascii: "e")): (made, used) = (UInt8(ascii: "i"), 2)
            case (UInt8(ascii: "i"), UInt8(ascii: "i")): used = 2
            case (UInt8(ascii: "o"), UInt8(ascii: "o")): (made, used) = (UInt8(ascii: "u"), 2)
            case (UInt8(ascii: "u"), UInt8(ascii: "u")): used = 2
            case (UInt8(ascii: "a"), UInt8(ascii: "u")), (UInt8(ascii: "o"), UInt8(ascii: "u")):
                (made, used) = (UInt8(ascii: "o"), 2)
            case (UInt8(ascii: "p"), UInt8(ascii: "h")): (made, used) = (UInt8(ascii: "f"), 2)
            case (UInt8(ascii: "c"), UInt8(ascii: "h")): used = 2
            case (UInt8(ascii: "c"), UInt8(ascii: "k")): (made, used) = (UInt8(ascii: "k"), 2)
            case (UInt8(ascii: "c"), _): made = UInt8(ascii: "k")
            case (UInt8(ascii: "q"), _): made = UInt8(ascii: "k")
            case (UInt8(ascii: "w"), _): made = UInt8(ascii: "v")
            case (UInt8(ascii: "z"), _): made = UInt8(ascii: "j")
            case (UInt8(ascii: "n"), UInt8(ascii: "b")), (UInt8(ascii: "n"), UInt8(ascii: "p")):
                made = UInt8(ascii: "m")
            default: break
            }
            if letter == UInt8(ascii: "c"), next() == UInt8(ascii: "h") { made = UInt8(ascii: "c") }
            if letter == UInt8(ascii: "x") {
                out.append(UInt8(ascii: "k"))
                made = UInt8(ascii: "s")
            }
            // Letters doubled in writing are one; digits stand as they are.
            if out.last != made || !(UInt8(ascii: "a")...UInt8(ascii: "z")).contains(made) { out.append(made) }
            index += used
        }
        return out
    }

    private enum Sound {
        case consonant(String)
        case vowel(String)
        case other(String)
    }

    /// Devanagari to Roman as it sounds; other scalars pass.
    private static func roman(_ scalars: [Unicode.Scalar]) -> [UInt8] {
        // Each consonant with the vowel it carries: "" where a virama or the end took it, nil while inherent.
        var parts: [(text: String, vowel: String?, isConsonant: Bool)] = []
        for scalar in scalars {
            if let consonant = consonants[scalar.value] {
                parts.append((consonant, nil, true))
            } else if let sign = vowelSigns[scalar.value] {
                if let last = parts.indices.last, parts[last].isConsonant {
                    parts[last].vowel = sign
                } else {
                    parts.append((sign, nil, false))
                }
            } else if scalar.value == 0x094D {
                if let last = parts.indices.last { parts[last].vowel = "" }
            } else if let vowel = vowels[scalar.value] {
                parts.append((vowel, nil, false))
            } else if scalar.value == 0x0901 || scalar.value == 0x0902 {
                if let last = parts.indices.last, parts[last].isConsonant, parts[last].vowel == nil {
                    parts[last].vowel = "a"
                }
                parts.append(("n", "", true))
            } else if scalar.value == 0x093C {
                continue
            } else {
                parts.append((String(Character(scalar)).lowercased(), nil, false))
            }
        }
        if let last = parts.indices.last, parts[last].isConsonant, parts[last].vowel == nil, parts.count > 1 {
            parts[last].vowel = ""
        }
        // From the right: an inherent vowel between a vowel before and a consonant with its own vowel after falls.
        for index in parts.indices.reversed()
        where index > 0 && index + 1 < parts.count && parts[index].isConsonant && parts[index].vowel == nil {
            let before = parts[index - 1]
            let after = parts[index + 1]
            let hasVowelBefore = before.isConsonant ? before.vowel != "" : true
            let hasVowelAfter = after.isConsonant && after.vowel != nil && after.vowel != ""
            if hasVowelBefore && hasVowelAfter { parts[index].vowel = "" }
        }
        return parts.flatMap { Array(($0.text + ($0.isConsonant ? $0.vowel ?? "a" : "")).utf8) }
    }

    private static let consonants: [UInt32: String] = [
        0x0915: "k", 0x0916: "kh", 0x0917: "g", 0x0918: "gh", 0x0919: "n", 0x091A: "ch", 0x091B: "chh", 0x091C: "j",
        0x091D: "jh", 0x091E: "n", 0x091F: "t", 0x0920: "th", 0x0921: "d", 0x0922: "dh", 0x0923: "n", 0x0924: "t",
        0x0925: "th", 0x0926: "d", 0x0927: "dh", 0x0928: "n", 0x092A: "p", 0x092B: "ph", 0x092C: "b", 0x092D: "bh",
        0x092E: "m", 0x092F: "y", 0x0930: "r", 0x0932: "l", 0x0933: "l", 0x0935: "v", 0x0936: "sh", 0x0937: "sh",
        0x0938: "s", 0x0939: "h",
    ]
    private static let vowels: [UInt32: String] = [
        0x0905: "a", 0x0906: "aa", 0x0907: "i", 0x0908: "i", 0x0909: "u", 0x090A: "u", 0x090B: "ri", 0x090D: "e",
        0x090F: "e", 0x0910: "ai", 0x0911: "o", 0x0913: "o", 0x0914: "au",
    ]
    private static let vowelSigns: [UInt32: String] = [
        0x093E: "a", 0x093F: "i", 0x0940: "i", 0x0941: "u", 0x0942: "u", 0x0943: "ri", 0x0945: "e", 0x0947: "e",
        0x0948: "ai", 0x0949: "o", 0x094B: "o", 0x094C: "au",
    ]
}
