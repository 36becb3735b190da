/// Folding of text: spellings a reader takes for one become one sequence of scalars.
///
/// Works on scalars, not graphemes: a Devanagari syllable is one grapheme, and a rule about a vowel sign
/// or a nukta could not see inside it.
public enum Script {
    /// Devanagari block, digits and danda included.
    public static func isDevanagari(_ scalar: Unicode.Scalar) -> Bool {
        (0x0900...0x097F).contains(scalar.value)
    }

    public static func hasDevanagari(_ text: some StringProtocol) -> Bool {
        text.unicodeScalars.contains(where: isDevanagari)
    }

    static let nukta: Unicode.Scalar = "\u{093C}"
    static let virama: Unicode.Scalar = "\u{094D}"
    static let anusvara: Unicode.Scalar = "\u{0902}"
    static let chandrabindu: Unicode.Scalar = "\u{0901}"

    /// The letter a precomposed nukta letter is built on (U+0958 to U+095F, and U+0929, U+0931, U+0934).
    /// Source: Unicode Character Database, canonical decompositions.
    static func nuktaBase(_ scalar: Unicode.Scalar) -> Unicode.Scalar? {
        switch scalar.value {
        case 0x0958: "\u{0915}"
        case 0x0959: "\u{0916}"
        case 0x095A: "\u{0917}"
        case 0x095B: "\u{091C}"
        case 0x095C: "\u{0921}"
        case 0x095D: "\u{0922}"
        case 0x095E: "\u{092B}"
        case 0x095F: "\u{092F}"
        case 0x0929: "\u{0928}"
        case 0x0931: "\u{0930}"
        case 0x0934: "\u{0933}"
        default: nil
        }
    }

    /// Zero-width joiners, direction marks, the byte order mark: they change how a word looks, never which it is.
    static func isInvisible(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x00AD, 0x200B...0x200F, 0x202A...0x202E, 0x2060...0x2064, 0xFE00...0xFE0F, 0xFEFF: true
        default: false
        }
    }

    /// Value of a decimal digit of any script, or nil.
    static func digit(_ scalar: Unicode.Scalar) -> Int? {
        if scalar.isASCII { return (48...57).contains(scalar.value) ? Int(scalar.value) - 48 : nil }
        guard scalar.properties.numericType == .decimal, let value = scalar.properties.numericValue else { return nil }
        return Int(value)
    }

    /// One word folded for comparing: lower case, Latin marks off, nukta off, chandrabindu as anusvara,
    /// a half nasal before a consonant of its class as anusvara (पन्द्रह is पंद्रह), digits as ASCII.
    public static func folded(_ word: some StringProtocol) -> String {
        if word.utf8.allSatisfy({ $0 < 0x80 }) {
            return String(decoding: word.utf8.map { (65...90).contains($0) ? $0 + 32 : $0 }, as: UTF8.self)
        }
        return folded(scalars: Array(word.unicodeScalars))
    }

    static func folded(scalars: [Unicode.Scalar]) -> String {
        var out = String.UnicodeScalarView()
        var index = 0
        while index < scalars.count {
            let scalar = scalars[index]
            index += 1
            if scalar.isASCII {
                out.append((65...90).contains(scalar.value) ? Unicode.Scalar(UInt8(scalar.value + 32)) : scalar)
            } else if scalar == nukta || isInvisible(scalar) {
                continue
            } else if scalar == chandrabindu {
                out.append(anusvara)
            } else if let base = nuktaBase(scalar) {
                out.append(base)
            } else if let digit = digit(scalar) {
                out.append(Unicode.Scalar(UInt8(48 + digit)))
            } else if index + 1 < scalars.count, scalars[index] == virama,
                isHalfNasal(scalar, before: nuktaBase(scalars[index + 1]) ?? scalars[index + 1])
            {
                out.append(anusvara)
                index += 1
            } else if isDevanagari(scalar) {
                out.append(scalar)
            } else if let plain = plainLatin[scalar] {
                out.append(contentsOf: plain.unicodeScalars)
            } else {
                out.append(contentsOf: scalar.properties.lowercaseMapping.unicodeScalars)
            }
        }
        return String(out)
    }

    /// True for ङ् before the k row, ञ् before the ch row, ण् before the retroflex, न् before the dental, म् before the p row.
    private static func isHalfNasal(_ nasal: Unicode.Scalar, before next: Unicode.Scalar) -> Bool {
        switch nasal.value {
        case 0x0919: (0x0915...0x0918).contains(next.value)
        case 0x091E: (0x091A...0x091D).contains(next.value)
        case 0x0923: (0x091F...0x0922).contains(next.value)
        case 0x0928: (0x0924...0x0927).contains(next.value)
        case 0x092E: (0x092A...0x092D).contains(next.value)
        default: false
        }
    }

    /// Latin letters with marks as they occur in romanised Hindi and in names; the standard library offers
    /// no decomposition without Foundation.
    private static let plainLatin: [Unicode.Scalar: String] = {
        var map: [Unicode.Scalar: String] = [:]
        let rows: [(String, String)] = [
            ("a", "āĀáÁàÀâÂäÄãÃåÅăĂ"), ("i", "īĪíÍìÌîÎïÏĩĨ"), ("u", "ūŪúÚùÙûÛüÜũŨ"), ("e", "ēĒéÉèÈêÊëËĕĔ"),
            ("o", "ōŌóÓòÒôÔöÖõÕŏŎ"), ("n", "ñÑṅṄṇṆńŃ"), ("t", "ṭṬ"), ("d", "ḍḌ"), ("r", "ṛṚṝṜ"), ("l", "ḷḶ"),
            ("sh", "śŚṣṢ"), ("h", "ḥḤ"), ("m", "ṃṂṁṀ"), ("c", "çÇ"), ("z", "źŹżŻ"),
        ]
        for (plain, marked) in rows {
            // Only letters that are one scalar: the literals above are written composed.
            for scalar in marked.unicodeScalars where scalar.value > 0x7F { map[scalar] = plain }
        }
        return map
    }()
}
