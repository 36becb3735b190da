/// Devanagari to Roman as shops write names, and back for a Hindi voice.
public enum Transliteration {
    /// Roman text for a text of either script: each Devanagari word begins with a capital, its final inherent "a"
    /// is dropped and inner ones are kept (जगदीश is Jagadish), long and short vowels merge, anusvara and chandrabindu
    /// are n, visarga h, digits converted. What is not Devanagari stays, danda and ॐ too.
    /// Nukta counts in either encoding.
    public static func roman(_ text: String) -> String {
        var out = ""
        out.reserveCapacity(text.utf8.count)
        var word = RomanWord()
        for scalar in text.unicodeScalars {
            if RomanWord.belongs(scalar) {
                word.append(scalar)
            } else {
                word.flush(into: &out, capital: true)
                if let digit = Script.digit(scalar), !scalar.isASCII {
                    out.unicodeScalars.append(Unicode.Scalar(UInt8(48 + digit)))
                } else if !(Script.isInvisible(scalar) && Script.hasDevanagari(text)) {
                    out.unicodeScalars.append(scalar)
                }
            }
        }
        word.flush(into: &out, capital: true)
        return out
    }

    /// The same in lower case: the form sounds are read from.
    static func plainRoman(_ word: String) -> String {
        var out = ""
        var syllables = RomanWord()
        for scalar in word.unicodeScalars {
            if RomanWord.belongs(scalar) {
                syllables.append(scalar)
            } else {
                syllables.flush(into: &out, capital: false)
                out.unicodeScalars.append(scalar)
            }
        }
        syllables.flush(into: &out, capital: false)
        return out.lowercased()
    }
}

/// One Devanagari word on its way to Roman.
private struct RomanWord {
    private var text = ""
    /// A consonant was written whose vowel is not known yet.
    private var isOpen = false
    private var lastConsonant: Unicode.Scalar?
    private var isEmpty = true

    /// Letters and signs, without digits, danda and ॐ.
    static func belongs(_ scalar: Unicode.Scalar) -> Bool {
        guard Script.isDevanagari(scalar) else { return scalar.value == 0x200C || scalar.value == 0x200D }
        return !(0x0964...0x0970).contains(scalar.value) && scalar.value != 0x0950
    }

    mutating func append(_ scalar: Unicode.Scalar) {
        if scalar == Script.nukta {
            if let last = lastConsonant, let marked = Self.nuktaConsonants[last] { replaceLast(last, with: marked) }
            return
        }
        if scalar == Script.virama {
            isOpen = false
            return
        }
        if let base = Script.nuktaBase(scalar) {
            append(base)
            append(Script.nukta)
            return
        }
        if let consonant = Self.consonants[scalar] {
            closeSyllable()
            // ज्ञ is said "gy".
            if scalar == "\u{091E}", lastConsonant == "\u{091C}", text.hasSuffix("j") {
                text.removeLast()
                text += "gy"
            } else {
                text += consonant
            }
            isOpen = true
            lastConsonant = scalar
            isEmpty = false
            return
        }
        if let sign = Self.vowelSigns[scalar] {
            isOpen = false
            text += sign
        } else if let vowel = Self.vowels[scalar] {
            closeSyllable()
            text += vowel
        } else if scalar == Script.anusvara || scalar == Script.chandrabindu {
            closeSyllable()
            text += "n"
        } else if scalar == "\u{0903}" {
            closeSyllable()
            text += "h"
        } else {
            // Joiners and accents add no sound.
            return
        }
        lastConsonant = nil
        isEmpty = false
    }

    private mutating func closeSyllable() {
        if isOpen { text += "a" }
        isOpen = false
    }

    private mutating func replaceLast(_ letter: Unicode.Scalar, with marked: String) {
        guard let plain = Self.consonants[letter], text.hasSuffix(plain) else { return }
        text.removeLast(plain.count)
        text += marked
    }

    mutating func flush(into out: inout String, capital: Bool) {
        if !isEmpty {
            if capital, let first = text.first {
                out += first.uppercased() + text.dropFirst()
            } else {
                out += text
            }
        }
        self = RomanWord()
    }

    private static let consonants: [Unicode.Scalar: String] = [
        "क": "k", "ख": "kh", "ग": "g", "घ": "gh", "ङ": "n", "च": "ch", "छ": "chh", "ज": "j", "झ": "jh", "ञ": "n",
        "ट": "t", "ठ": "th", "ड": "d", "ढ": "dh", "ण": "n", "त": "t", "थ": "th", "द": "d", "ध": "dh", "न": "n",
        "प": "p", "फ": "ph", "ब": "b", "भ": "bh", "म": "m", "य": "y", "र": "r", "ल": "l", "ळ": "l", "व": "v",
        "श": "sh", "ष": "sh", "स": "s", "ह": "h",
        // Letters of other languages that use the script.
        "\u{0978}": "d", "\u{0979}": "j", "\u{097A}": "y", "\u{097B}": "g", "\u{097C}": "j", "\u{097E}": "d",
        "\u{097F}": "b",
    ]

    private static let nuktaConsonants: [Unicode.Scalar: String] = [
        "क": "q", "ख": "kh", "ग": "g", "ज": "z", "ड": "r", "ढ": "rh", "फ": "f", "य": "y", "न": "n", "र": "r", "ळ": "l",
        "झ": "zh", "स": "s", "त": "t", "ह": "h", "व": "v",
    ]

    private static let vowelSigns: [Unicode.Scalar: String] = [
        "\u{093E}": "a", "\u{093F}": "i", "\u{0940}": "i", "\u{0941}": "u", "\u{0942}": "u", "\u{0943}": "ri",
        "\u{0944}": "ri", "\u{0945}": "e", "\u{0946}": "e", "\u{0947}": "e", "\u{0948}": "ai", "\u{0949}": "o",
        "\u{094A}": "o", "\u{094B}": "o", "\u{094C}": "au", "\u{0962}": "lri", "\u{0963}": "lri",
    ]

    private static let vowels: [Unicode.Scalar: String] = [
        "अ": "a", "आ": "a", "इ": "i", "ई": "i", "उ": "u", "ऊ": "u", "ऋ": "ri", "ॠ": "ri", "ऌ": "lri", "ऍ": "e",
        "ऎ": "e",
        "ए": "e", "ऐ": "ai", "ऑ": "o", "ऒ": "o", "ओ": "o", "औ": "au", "\u{0972}": "a",
    ]
}
