/// How a word sounds: a short sequence of sound codes, the same for Devanagari and Roman spellings.
///
/// Long and short vowels are one sound (Roman writing does not tell them apart reliably), s and sh are one,
/// w is v, z is j, ph is f; aspiration is kept. Source of the inventory: Hindi phonology in
/// Ohala, "Aspects of Hindi Phonology" (1983), reduced to what Roman writing keeps.
public struct Sounds: Hashable, Sendable {
    /// Longest word sounded out; the rest is left unheard. No name comes near it.
    public static let soundsMax = 32

    public let codes: [Sound]

    public init(_ word: String) {
        let roman = Script.hasDevanagari(word) ? Transliteration.plainRoman(word) : Script.folded(word)
        var scan = SoundScan(roman)
        codes = scan.sounds()
    }

    init(codes: [Sound]) { self.codes = codes }

    /// Spellings of one name have one key: inner and final inherent vowels dropped where Hindi drops them,
    /// "th" at the end as t (Bharath, Kavitha). Two names that differ in any other sound have two.
    public var key: SoundKey { SoundKey(self) }
}

/// One sound. Vowels come last, so that a comparison tells the two apart.
public enum Sound: UInt8, Sendable, Comparable {
    case k, kh, g, gh, c, j, jh, t, th, d, dh, n, p, f, b, bh, m, y, r, l, v, s, h
    case a, i, u, e, o, ai, au

    public var isVowel: Bool { self >= .a }
    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// The spelling-proof identity of a name; equal keys are one name.
public struct SoundKey: Hashable, Sendable {
    public let codes: [Sound]

    private static let glides: Set<Sound> = [.y, .r, .l, .v]

    init(_ sounds: Sounds) {
        var codes = sounds.codes
        // A final "th", also before a final a, is how the south writes t.
        if let last = codes.last {
            if last == .th { codes[codes.count - 1] = .t }
            if last == .a, codes.count > 3, codes[codes.count - 2] == .th { codes[codes.count - 2] = .t }
        }
        // Jagadish is Jagdish: an a between vowel-consonant and consonant-vowel is silent, from the right.
        // Source: the schwa rule of Ohala (1983), VC_CV.
        var index = codes.count - 3
        while index >= 2 {
            // A y does not close the next syllable: Ghanashyam is Ghanshyam.
            // Nor does a liquid behind another consonant: Gurapreet, as Devanagari spells it, is Gurpreet.
            let vowel = Self.glides.contains(codes[index + 2]) && index + 3 < codes.count ? index + 3 : index + 2
            if codes[index] == .a, codes[index - 2].isVowel, !codes[index - 1].isVowel, !codes[index + 1].isVowel,
                codes[vowel].isVowel
            {
                codes.remove(at: index)
                index -= 1
            }
            index -= 1
        }
        // Balwinder is Balvindar.
        if codes.count > 4, codes.last == .r, codes[codes.count - 2] == .e, !codes[codes.count - 3].isVowel {
            codes[codes.count - 2] = .a
        }
        // Last, so that Kamala and Kamla meet. Krishna is Krishn: behind two consonants the final a is not part of the name. Behind one it is: Sunita.
        if codes.count > 3, codes.last == .a, !codes[codes.count - 2].isVowel, !codes[codes.count - 3].isVowel {
            codes.removeLast()
        }
        self.codes = codes
    }
}

/// Reads sounds off a folded Roman word.
private struct SoundScan {
    private let letters: [UInt8]
    private var out: [Sound] = []

    init(_ word: String) { letters = Array(word.utf8) }

    private func letter(_ index: Int) -> UInt8 { letters.indices.contains(index) ? letters[index] : 0 }
    private func isVowelLetter(_ index: Int) -> Bool {
        switch letter(index) {
        case UInt8(ascii: "a"), UInt8(ascii: "e"), UInt8(ascii: "i"), UInt8(ascii: "o"), UInt8(ascii: "u"): true
        default: false
        }
    }

    mutating func sounds() -> [Sound] {
        var index = 0
        while index < letters.count, out.count < Sounds.soundsMax {
            let (sounds, taken) = read(index)
            for sound in sounds { append(sound) }
            index += taken
        }
        // Shah is Sha, Abdullah is Abdulla.
        if out.count > 2, out.last == .h, out[out.count - 2].isVowel { out.removeLast() }
        return out
    }

    private mutating func append(_ sound: Sound) {
        if let last = out.last {
            if last == sound { return }
            // "tth" is th, "ddh" is dh: doubling is written before the breath.
            if Self.aspirated[last] == sound {
                out[out.count - 1] = sound
                return
            }
            // An n before a lip sound is said m.
            if last == .n, [.p, .b, .bh, .m].contains(sound) { out[out.count - 1] = .m }
        }
        out.append(sound)
    }

    private static let aspirated: [Sound: Sound] = [.k: .kh, .g: .gh, .j: .jh, .t: .th, .d: .dh, .b: .bh]

    /// The sounds at a letter and how many letters they take.
    private func read(_ index: Int) -> ([Sound], Int) {
        let next = letter(index + 1)
        let h = next == UInt8(ascii: "h")
        switch letter(index) {
        case UInt8(ascii: "k"):
            if h { return ([.kh], 2) }
            if next == UInt8(ascii: "s"), letter(index + 2) == UInt8(ascii: "h") { return ([.k, .s], 3) }
            return ([.k], 1)
        case UInt8(ascii: "q"): return ([.k], 1)
        case UInt8(ascii: "x"): return ([.k, .s], 1)
        case UInt8(ascii: "g"): return h ? ([.gh], 2) : ([.g], 1)
        case UInt8(ascii: "c"):
            if h { return ([.c], letter(index + 2) == UInt8(ascii: "h") ? 3 : 2) }
            if next == UInt8(ascii: "c"), letter(index + 2) == UInt8(ascii: "h") { return ([], 1) }
            if next == UInt8(ascii: "k") { return ([.k], 2) }
            let isSoft = next == UInt8(ascii: "e") || next == UInt8(ascii: "i") || next == UInt8(ascii: "y")
            return ([isSoft ? .s : .k], 1)
        case UInt8(ascii: "j"), UInt8(ascii: "z"): return h ? ([.jh], 2) : ([.j], 1)
        case UInt8(ascii: "t"): return h ? ([.th], 2) : ([.t], 1)
        case UInt8(ascii: "d"): return h ? ([.dh], 2) : ([.d], 1)
        case UInt8(ascii: "n"): return ([.n], 1)
        case UInt8(ascii: "p"): return h ? ([.f], 2) : ([.p], 1)
        case UInt8(ascii: "f"): return ([.f], 1)
        case UInt8(ascii: "b"): return h ? ([.bh], 2) : ([.b], 1)
        case UInt8(ascii: "m"): return ([.m], 1)
        case UInt8(ascii: "r"): return ([.r], h ? 2 : 1)
        case UInt8(ascii: "l"): return ([.l], 1)
        case UInt8(ascii: "v"): return ([.v], 1)
        case UInt8(ascii: "w"): return ([.v], 1)
        case UInt8(ascii: "s"): return ([.s], h ? 2 : 1)
        case UInt8(ascii: "h"): return ([.h], 1)
        case UInt8(ascii: "y"):
            if isVowelLetter(index + 1) {
                // Priya is Pria: between i and a vowel the y is only the way from one to the other.
                return out.last == .i ? ([], 1) : ([.y], 1)
            }
            return ([index == 0 ? .y : .i], 1)
        default: return vowel(index, next)
        }
    }

    private func vowel(_ index: Int, _ next: UInt8) -> ([Sound], Int) {
        // A y behind a vowel, or a w behind o, ends it only where no vowel follows: Vijay, Gowda; but Maya, Bhawna.
        let isGlide = !isVowelLetter(index + 2)
        switch (letter(index), next) {
        case (UInt8(ascii: "a"), UInt8(ascii: "a")): return ([.a], 2)
        case (UInt8(ascii: "a"), UInt8(ascii: "i")), (UInt8(ascii: "e"), UInt8(ascii: "i")): return ([.ai], 2)
        case (UInt8(ascii: "a"), UInt8(ascii: "y")) where isGlide: return ([.ai], 2)
        case (UInt8(ascii: "e"), UInt8(ascii: "y")) where isGlide: return ([.ai], 2)
        case (UInt8(ascii: "a"), UInt8(ascii: "u")), (UInt8(ascii: "o"), UInt8(ascii: "u")): return ([.au], 2)
        case (UInt8(ascii: "o"), UInt8(ascii: "w")) where isGlide: return ([.au], 2)
        case (UInt8(ascii: "e"), UInt8(ascii: "e")), (UInt8(ascii: "i"), UInt8(ascii: "i")),
            (UInt8(ascii: "e"), UInt8(ascii: "a")):
            return ([.i], 2)
        case (UInt8(ascii: "o"), UInt8(ascii: "o")), (UInt8(ascii: "u"), UInt8(ascii: "u")): return ([.u], 2)
        case (UInt8(ascii: "a"), _): return ([.a], 1)
        case (UInt8(ascii: "i"), _): return ([.i], 1)
        case (UInt8(ascii: "u"), _): return ([.u], 1)
        case (UInt8(ascii: "e"), _): return ([.e], 1)
        case (UInt8(ascii: "o"), _): return ([.o], 1)
        // Digits, signs and scripts not sounded.
        default: return ([], 1)
        }
    }
}
