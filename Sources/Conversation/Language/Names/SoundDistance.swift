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
        likeness(Weighed(left), Weighed(right), atLeast: 0)
    }

    /// A word with what is weighed before it is compared: most words of a shop are told apart by their consonants
    /// alone, and need no alignment.
    struct Weighed: Sendable {
        let codes: [Sound]
        let weight: Double
        /// One bit for each family of consonants it holds.
        let families: UInt8

        init(_ codes: [Sound]) {
            self.codes = codes
            var weight = 0.0
            var families: UInt8 = 0
            for sound in codes {
                weight += sound.isVowel ? 0.5 : 1
                families |= Self.family(sound)
            }
            self.weight = weight
            self.families = families
        }

        private static func family(_ sound: Sound) -> UInt8 {
            switch sound {
            case .k, .kh, .g, .gh: 1
            case .c, .j, .jh, .s: 2
            case .t, .th, .d, .dh: 4
            case .n, .m: 8
            case .p, .f, .b, .bh, .v: 16
            case .r, .l: 32
            default: 0
            }
        }
    }

    /// The same, or 0 where it is certain to be below `floor`.
    static func likeness(_ left: Weighed, _ right: Weighed, atLeast floor: Double) -> Double {
        guard !left.codes.isEmpty, !right.codes.isEmpty else { return 0 }
        let weight = max(left.weight, right.weight)
        let onlyLeft = leastCosts[Int(left.families & ~right.families)]
        let onlyRight = leastCosts[Int(right.families & ~left.families)]
        if max(onlyLeft, onlyRight) > (1 - floor) * weight + 1e-9 { return 0 }
        return max(0, 1 - cost(left.codes, right.codes) / weight)
    }

    /// The least a set of families costs that the other word has none of: the cheapest way out for one sound of each,
    /// as `extra` and `changes` price them.
    private static let leastCosts: [Double] = (0..<64).map { families in
        zip([1, 1, 0.6, 1, 0.6, 0.4], 0...).reduce(0.0) { families >> $1.1 & 1 == 1 ? $0 + $1.0 : $0 }
    }

    /// Damerau-Levenshtein with the costs above (optimal string alignment).
    private static func cost(_ leftCodes: [Sound], _ rightCodes: [Sound]) -> Double {
        let width = rightCodes.count + 1
        return leftCodes.withUnsafeBufferPointer { left in
            rightCodes.withUnsafeBufferPointer { right in
                changes.withUnsafeBufferPointer { changes in
                    withUnsafeTemporaryAllocation(of: Double.self, capacity: (left.count + 1) * width) { table in
                        fill(table, left, right, changes)
                        return table[left.count * width + right.count]
                    }
                }
            }
        }
    }

    private typealias Sequence = UnsafeBufferPointer<Sound>

    private static func fill(
        _ table: UnsafeMutableBufferPointer<Double>, _ left: Sequence, _ right: Sequence,
        _ changes: UnsafeBufferPointer<Double>
    ) {
        let width = right.count + 1
        table.initializeElement(at: 0, to: 0)
        for column in 1..<width {
            table.initializeElement(at: column, to: table[column - 1] + extra(right, column - 1))
        }
        for row in 1...left.count {
            let drop = extra(left, row - 1)
            let x = left[row - 1]
            table.initializeElement(at: row * width, to: table[(row - 1) * width] + drop)
            for column in 1..<width {
                let y = right[column - 1]
                var change = x == y ? 0 : changes[Int(x.rawValue) * soundCount + Int(y.rawValue)]
                if row == 1, column == 1, !x.isVowel, !y.isVowel { change *= 1.5 }
                var best = table[(row - 1) * width + column - 1] + change
                best = min(best, table[(row - 1) * width + column] + drop)
                best = min(best, table[row * width + column - 1] + extra(right, column - 1))
                if row > 1, column > 1, x != y, x == right[column - 2], y == left[row - 2] {
                    best = min(best, table[(row - 2) * width + column - 2] + 0.5)
                }
                table.initializeElement(at: row * width + column, to: best)
            }
        }
    }

    /// Cost of a sound that only one of the two has.
    private static func extra(_ sounds: Sequence, _ index: Int) -> Double {
        switch sounds[index] {
        // A vowel a name begins with is heard: Amit is not Mohit.
        case .a: index == 0 ? 0.8 : 0.25
        case .i, .u: index == 0 ? 0.8 : 0.4
        case .e, .o, .ai, .au: index == 0 ? 0.8 : 0.5
        case .h, .y: index == 0 ? 0.8 : 0.4
        // Kishan and Krishan: an r behind another consonant is easily lost.
        case .r where index > 0 && !sounds[index - 1].isVowel: 0.4
        default: index == 0 ? 1.5 : 1
        }
    }

    /// What it costs to take one sound for another; 0 for itself.
    static func change(_ left: UInt8, _ right: UInt8) -> Double {
        left == right ? 0 : changes[Int(left) * soundCount + Int(right)]
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
