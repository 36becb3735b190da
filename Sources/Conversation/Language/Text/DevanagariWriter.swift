extension Transliteration {
    /// Devanagari for Roman text, so that a Hindi voice can say a name the shop wrote in Roman letters.
    ///
    /// Roman writing does not tell a short a from a long one, nor dental from retroflex: the result sounds like the
    /// name (its `Sounds.key` is that of the Roman word), it need not be how its bearer spells it. A final a, i or u is
    /// long, inner ones short unless written double. Words that are not all Latin letters stay as they are.
    public static func devanagari(_ text: String) -> String {
        var out = ""
        var word = ""
        func flush() {
            out += word.isEmpty ? "" : DevanagariWord(word).text
            word = ""
        }
        for scalar in text.unicodeScalars {
            if (65...90).contains(scalar.value) || (97...122).contains(scalar.value) {
                word.unicodeScalars.append(scalar)
            } else {
                flush()
                out.unicodeScalars.append(scalar)
            }
        }
        flush()
        return out
    }
}

/// One Roman word written in Devanagari.
private struct DevanagariWord {
    private(set) var text = ""
    private let letters: [Character]
    /// The last letter written is a consonant without a vowel sign yet.
    private var isOpen = false

    init(_ word: String) {
        letters = Array(word.lowercased())
        var at = 0
        while at < letters.count {
            if let (letter, taken) = consonant(at) {
                // An n before another consonant is the dot above.
                if letter == "न", at + 1 < letters.count, let (next, _) = consonant(at + 1), isOpen == false,
                    !text.isEmpty,
                    next != "न", next != "य", next != "ह", next != "व", next != "र"
                {
                    text += "ं"
                } else {
                    if isOpen { text += "\u{094D}" }
                    text += letter
                    isOpen = true
                }
                at += taken
            } else if let (sign, letter, taken) = vowel(at) {
                text += isOpen ? sign : letter
                isOpen = false
                at += taken
            } else {
                at += 1
            }
        }
    }

    private func starts(_ at: Int, _ with: String) -> Bool {
        letters[at...].starts(with: with)
    }

    private func consonant(_ at: Int) -> (String, Int)? {
        for (roman, letter) in Self.consonants where starts(at, roman) { return (letter, roman.count) }
        if letters[at] == "y" {
            // A y before a vowel is a consonant, elsewhere it is i.
            let next = at + 1 < letters.count ? letters[at + 1] : " "
            return "aeiou".contains(next) ? ("य", 1) : nil
        }
        return nil
    }

    private func vowel(_ at: Int) -> (sign: String, letter: String, taken: Int)? {
        let glides = at + 2 < letters.count && "aeiou".contains(letters[at + 2])
        for (roman, sign, letter) in Self.vowels where starts(at, roman) {
            if roman.hasSuffix("y") && roman.count == 2 && glides { continue }
            return (sign, letter, roman.count)
        }
        let isLast = at + 1 == letters.count
        switch letters[at] {
        case "a": return isLast ? ("ा", "आ", 1) : ("", "अ", 1)
        case "i", "y": return isLast && at > 0 ? ("ी", "ई", 1) : ("ि", "इ", 1)
        case "u": return isLast && at > 0 ? ("ू", "ऊ", 1) : ("ु", "उ", 1)
        case "e": return ("े", "ए", 1)
        case "o": return ("ो", "ओ", 1)
        default: return nil
        }
    }

    /// Longest first.
    private static let consonants: [(String, String)] = [
        ("ksh", "क्ष"), ("chh", "छ"), ("kh", "ख"), ("gh", "घ"), ("ch", "च"), ("jh", "झ"), ("th", "थ"), ("dh", "ध"),
        ("ph", "फ"),
        ("bh", "भ"), ("sh", "श"), ("rh", "ढ़"), ("ck", "क"), ("k", "क"), ("q", "क़"), ("g", "ग"), ("c", "क"), ("j", "ज"),
        ("z", "ज़"),
        ("t", "त"), ("d", "द"), ("n", "न"), ("p", "प"), ("f", "फ़"), ("b", "ब"), ("m", "म"), ("r", "र"), ("l", "ल"),
        ("v", "व"),
        ("w", "व"), ("s", "स"), ("h", "ह"), ("x", "क्स"),
    ]

    private static let vowels: [(String, String, String)] = [
        ("aa", "ा", "आ"), ("ai", "ै", "ऐ"), ("ay", "ै", "ऐ"), ("au", "ौ", "औ"), ("ou", "ौ", "औ"), ("ee", "ी", "ई"),
        ("ii", "ी", "ई"),
        ("ei", "ै", "ऐ"), ("ey", "ै", "ऐ"), ("oo", "ू", "ऊ"), ("uu", "ू", "ऊ"), ("ea", "ी", "ई"),
    ]
}
