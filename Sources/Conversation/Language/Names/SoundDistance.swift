/// How far two words are apart by ear: a weighted edit distance over sounds.
///
/// Costs: what speech recognition and Roman writing confuse is cheap (breath, t/d, k/g, p/b, s/j, v/b, n/m, r/l, f/p,
/// vowels), another consonant is dear, another first consonant dearest: that is what tells Mohan from Sohan.
public enum SoundDistance {
    /// 1 for the same sounds, 0 for nothing in common; `cost / weight` below it.
    public static func likeness(_ left: Sounds, _ right: Sounds) -> Double {
        likeness(left.codes, right.codes)
    }

    static func likeness(_ left: [Sound], _ right: [Sound]) -> Double {
        guard !left.isEmpty, !right.isEmpty else { return 0 }
        let weights = max(weight(left), weight(right))
        // Lengths alone part them: each surplus sound costs at least a quarter of a consonant.
        if Double(abs(left.count - right.count)) * 0.25 > weights { return 0 }
        return max(0, 1 - cost(left, right) / weights)
    }

    private static func weight(_ sounds: [Sound]) -> Double {
        var sum = 0.0
        for sound in sounds { sum += sound.isVowel ? 0.5 : 1 }
        return sum
    }

    /// Damerau-Levenshtein with the costs above (optimal string alignment).
    private static func cost(_ left: [Sound], _ right: [Sound]) -> Double {
        let width = right.count + 1
        return withUnsafeTemporaryAllocation(of: Double.self, capacity: (left.count + 1) * width) { table in
            table[0] = 0
            for column in 1..<width {
                table.initializeElement(at: column, to: table[column - 1] + extra(right, column - 1))
            }
            for row in 1...left.count {
                table.initializeElement(at: row * width, to: table[(row - 1) * width] + extra(left, row - 1))
                for column in 1..<width {
                    let (x, y) = (left[row - 1], right[column - 1])
                    let isFirst = row == 1 && column == 1
                    var best = table[(row - 1) * width + column - 1] + change(x, y, isFirst: isFirst)
                    best = min(best, table[(row - 1) * width + column] + extra(left, row - 1))
                    best = min(best, table[row * width + column - 1] + extra(right, column - 1))
                    if row > 1, column > 1, x != y, x == right[column - 2], y == left[row - 2] {
                        best = min(best, table[(row - 2) * width + column - 2] + 0.5)
                    }
                    table.initializeElement(at: row * width + column, to: best)
                }
            }
            return table[left.count * width + right.count]
        }
    }

    /// Cost of a sound that only one of the two has.
    private static func extra(_ sounds: [Sound], _ index: Int) -> Double {
        let sound = sounds[index]
        switch sound {
        // A vowel a name begins with is heard: Amit is not Mohit.
        case .a: return index == 0 ? 0.8 : 0.25
        case .i, .u: return index == 0 ? 0.8 : 0.4
        case .e, .o, .ai, .au: return index == 0 ? 0.8 : 0.5
        case .h, .y: return index == 0 ? 0.8 : 0.4
        // Kishan and Krishan: an r behind another consonant is easily lost.
        case .r where index > 0 && !sounds[index - 1].isVowel: return 0.4
        default: return index == 0 ? 1.5 : 1
        }
    }

    private static func change(_ x: Sound, _ y: Sound, isFirst: Bool) -> Double {
        if x == y { return 0 }
        return changes[Int(x.rawValue) * soundCount + Int(y.rawValue)] * (isFirst && !x.isVowel && !y.isVowel ? 1.5 : 1)
    }

    private static let soundCount = Int(Sound.au.rawValue) + 1

    private static let changes: [Double] = {
        var table = [Double](repeating: 1.2, count: soundCount * soundCount)
        func set(_ x: Sound, _ y: Sound, _ cost: Double) {
            table[Int(x.rawValue) * soundCount + Int(y.rawValue)] = cost
            table[Int(y.rawValue) * soundCount + Int(x.rawValue)] = cost
        }
        let vowels: [Sound] = [.a, .i, .u, .e, .o, .ai, .au]
        for x in vowels { for y in vowels where x != y { set(x, y, 0.5) } }
        for (x, y) in [
            (Sound.i, Sound.e), (.u, .o), (.e, .ai), (.o, .au), (.a, .ai), (.a, .e), (.a, .au), (.i, .ai), (.u, .au),
        ] {
            set(x, y, 0.35)
        }
        let breath: [(Sound, Sound)] = [(.k, .kh), (.g, .gh), (.j, .jh), (.t, .th), (.d, .dh), (.b, .bh), (.p, .f)]
        for (x, y) in breath { set(x, y, 0.2) }
        for (x, y) in [(Sound.t, Sound.d), (.th, .dh), (.k, .g), (.kh, .gh), (.p, .b), (.f, .bh), (.c, .j)] {
            set(x, y, 0.45)
        }
        for (x, y) in [(Sound.t, Sound.dh), (.th, .d), (.k, .gh), (.kh, .g), (.f, .v), (.p, .bh), (.f, .b)] {
            set(x, y, 0.6)
        }
        set(.v, .b, 0.25)
        set(.v, .bh, 0.5)
        set(.s, .j, 0.6)
        set(.s, .c, 0.6)
        set(.n, .m, 0.6)
        set(.r, .l, 0.6)
        set(.r, .d, 0.6)
        set(.r, .dh, 0.6)
        for vowel in vowels {
            set(.y, vowel, vowel == .i || vowel == .ai || vowel == .e ? 0.4 : 0.8)
            set(.v, vowel, vowel == .u || vowel == .o || vowel == .au ? 0.6 : 1.2)
        }
        return table
    }()
}
