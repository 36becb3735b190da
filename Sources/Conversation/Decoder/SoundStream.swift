/// A transcript as one row of sounds: spaces are free, Devanagari and Roman writing meet, figures stand as they are.
struct SoundStream {
    /// Longest row that is decoded, some five seconds of speech; a longer one is left to the exact grammar.
    static let soundsMax = 120
    /// Stands where a figure was written.
    static let figure: UInt8 = 0xFF

    private(set) var codes: [UInt8] = []
    /// The figures by their place.
    private(set) var figures: [Int: String] = [:]
    /// Place in the row where each token begins, and its own spelling; the last entry is the end.
    private(set) var tokens: [(start: Int, text: String)] = []
    /// Whether a token begins at a place of the row; the end counts as one.
    private(set) var isTokenStart: [Bool] = []
    /// What the whole row weighs: consonants 1, vowels a half, a figure 2.
    private(set) var weight = 0.0

    /// Nil where the text is empty, too long, or holds what has no sound.
    init?(_ items: some Collection<Token>) {
        for token in items {
            switch token.kind {
            case .word:
                let start = codes.count
                for sound in Sounds(token.text).codes where codes.count == start || codes.last != sound.rawValue {
                    codes.append(sound.rawValue)
                    weight += SoundCosts.weight(sound.rawValue)
                }
                if codes.count > start { tokens.append((start, token.text)) }
            case .number, .clock:
                tokens.append((codes.count, token.text))
                figures[codes.count] = token.text
                codes.append(Self.figure)
                weight += 2
            case .mark: continue
            case .address: return nil
            }
            guard codes.count <= Self.soundsMax else { return nil }
        }
        guard !codes.isEmpty else { return nil }
        tokens.append((codes.count, ""))
        isTokenStart = [Bool](repeating: false, count: codes.count + 1)
        for token in tokens { isTokenStart[token.start] = true }
    }
}

/// What it costs to take one sound for another, in hundredths of a consonant: the table of `SoundDistance`, and what
/// speech recognition adds or loses between words.
enum SoundCosts {
    static func weight(_ code: UInt8) -> Double { code >= Sound.a.rawValue ? 0.5 : 1 }

    static let soundCount = Int(Sound.au.rawValue) + 1

    /// Row: the sound of the word; column: the sound that was heard.
    static let change: [Float] = (0..<soundCount * soundCount).map { index in
        Float(SoundDistance.change(UInt8(index / soundCount), UInt8(index % soundCount)))
    }

    /// A sound of the word nobody heard.
    static let lost: [Float] = (0..<soundCount).map { code in
        guard let sound = Sound(rawValue: UInt8(code)) else { return 1 }
        switch sound {
        case .a, .i, .u: return 0.25
        case .e, .o, .ai, .au: return 0.35
        case .h, .y: return 0.3
        case .n, .r: return 0.6
        default: return 0.8
        }
    }

    /// A sound that was heard and is not in the word.
    static let added: [Float] = lost

    /// A sound between words that belongs to none of them.
    static let skipped: [Float] = (0..<soundCount).map { code in code >= Int(Sound.a.rawValue) ? 0.4 : 0.8 }
}
