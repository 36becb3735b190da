/// Words by their sounds, for finding every word that may begin at a place, with what it costs to hear it there.
///
/// Some 16 bytes a sound of the vocabulary. Built once, then read only.
struct SoundTrie: Sendable {
    /// A word as the search gives it out. Plain numbers: the search looks at thousands of them and counts no references.
    struct Word: Sendable {
        /// What it stands for in a pattern.
        var label: Int32
        var weight: Float
        var isShort: Bool
        /// Dearest hearing of it.
        var costMax: Float
    }

    /// A word found at a place.
    struct Hit {
        var end: Int
        var cost: Float
        var word: Int32
    }

    private(set) var words: [Word] = []
    /// Their spelling, by the same number.
    private(set) var texts: [String] = []
    private var codes: [UInt8] = [0]
    private var firstChild: [Int32] = [-1]
    private var sibling: [Int32] = [-1]
    private var firstWord: [Int32] = [-1]
    /// Next word of the same sounds.
    private var nextWord: [Int32] = []
    /// Dearest hearing of any word below a node.
    private var reach: [Float] = [0]

    /// Longest word, in sounds.
    static let soundsMax = 40
    /// Sounds lost or added in a row before a word is another one.
    static let band = 5
    /// The first sound of a word that ends the one before as well.
    static let sharedCost: Float = 0.1

    mutating func add(_ text: String, label: Int32, looseness: Float = 1) {
        let tokens = Tokens(text).items
        insert(text, tokens.flatMap { Sounds($0.text).codes.map(\.rawValue) }, label, looseness)
        // "ATM" and "g s t" are said letter by letter.
        let words = text.split(separator: " ")
        guard words.contains(where: { Self.isSpelled($0) }) else { return }
        let said = words.map { Self.isSpelled($0) ? Self.letters($0) : String($0) }
        insert(text, said.flatMap { Sounds($0).codes.map(\.rawValue) }, label, looseness)
    }

    private static func isSpelled(_ word: Substring) -> Bool {
        let letters = word.utf8
        return letters.count <= 4
            && (letters.count == 1 && letters.allSatisfy { (97...122).contains($0) }
                || letters.count > 1 && letters.allSatisfy { (65...90).contains($0) })
    }

    private static func letters(_ word: Substring) -> String {
        word.lowercased().unicodeScalars.map { names[Int($0.value) - 97] }.joined()
    }

    /// The letters as India says them, in the spelling `Sounds` reads.
    private static let names = [
        "e", "bi", "si", "di", "i", "ef", "ji", "ech", "ai", "je", "ke", "el", "em", "en", "o", "pi", "kyu", "ar", "es",
        "ti", "yu", "vi", "dablyu", "eks", "vai", "jed",
    ]

    private mutating func insert(_ text: String, _ sounds: [UInt8], _ label: Int32, _ looseness: Float) {
        guard !sounds.isEmpty, sounds.count <= Self.soundsMax, !twin(sounds, label) else { return }
        let weight = sounds.reduce(0.0) { $0 + SoundCosts.weight($1) }
        // A word of two sounds bears another vowel, no more; a long one bears more than a short one.
        let costMax = sounds.count <= 2 ? Float(0.4) : Float(min(0.3 * weight, 0.15 * weight + 0.7)) * looseness
        let index = Int32(words.count)
        words.append(Word(label: label, weight: Float(weight), isShort: sounds.count <= 2, costMax: costMax))
        texts.append(text)
        nextWord.append(-1)

        var node = 0
        reach[0] = max(reach[0], costMax)
        for code in sounds {
            var child = firstChild[node]
            while child >= 0, codes[Int(child)] != code { child = sibling[Int(child)] }
            if child < 0 {
                child = Int32(codes.count)
                codes.append(code)
                firstChild.append(-1)
                sibling.append(firstChild[node])
                firstWord.append(-1)
                reach.append(0)
                firstChild[node] = child
            }
            node = Int(child)
            reach[node] = max(reach[node], costMax)
        }
        nextWord[Int(index)] = firstWord[node]
        firstWord[node] = index
    }

    /// A word that sounds alike and stands for the same: the first spelling speaks for all.
    private func twin(_ sounds: [UInt8], _ label: Int32) -> Bool {
        var node: Int32 = 0
        for code in sounds {
            node = firstChild[Int(node)]
            while node >= 0, codes[Int(node)] != code { node = sibling[Int(node)] }
            if node < 0 { return false }
        }
        var word = firstWord[Int(node)]
        while word >= 0 {
            if words[Int(word)].label == label { return true }
            word = nextWord[Int(word)]
        }
        return false
    }

    /// Every word that may be heard from `start` on, appended to `found`.
    ///
    /// A row of the edit distance a node, depth first; a branch ends where its cheapest cell is dearer than any word
    /// below it may cost, or than `dearest`.
    func search(_ stream: [UInt8], from start: Int, dearest: Float, into found: inout [Hit]) {
        let span = min(stream.count - start, Self.soundsMax + Self.band)
        guard span > 0 else { return }
        var width = 0
        while width < span, stream[start + width] != SoundStream.figure { width += 1 }
        guard width > 0 else { return }
        var rows = [Float](repeating: .infinity, count: (Self.soundsMax + 1) * (width + 1))
        rows[0] = 0
        // "hajarupaye": where words run together the sound they share is written once.
        let shared = start > 0 ? stream[start - 1] : SoundStream.figure
        SoundCosts.change.withUnsafeBufferPointer { change in
            SoundCosts.lost.withUnsafeBufferPointer { lost in
                rows.withUnsafeMutableBufferPointer { rows in
                    stream.withUnsafeBufferPointer { stream in
                        words.withUnsafeBufferPointer { words in
                            let walk = Walk(
                                rows: rows, stream: stream, start: start, width: width, shared: shared, change: change,
                                lost: lost, words: words, dearest: dearest)
                            descend(0, 0, walk, &found)
                        }
                    }
                }
            }
        }
    }

    /// What one search looks at, from node to node.
    private struct Walk {
        let rows: UnsafeMutableBufferPointer<Float>
        let stream: UnsafeBufferPointer<UInt8>
        let start: Int
        let width: Int
        let shared: UInt8
        let change: UnsafeBufferPointer<Float>
        let lost: UnsafeBufferPointer<Float>
        let words: UnsafeBufferPointer<Word>
        let dearest: Float
    }

    private func descend(_ node: Int, _ depth: Int, _ walk: Walk, _ found: inout [Hit]) {
        let rows = walk.rows
        let above = depth * (walk.width + 1)
        let row = above + walk.width + 1
        // Cells farther than `band` from the diagonal cost more than any word may.
        let low = max(1, depth + 1 - Self.band)
        let high = min(walk.width, depth + 1 + Self.band)
        guard low <= high else { return }
        var child = firstChild[node]
        while child >= 0 {
            let at = Int(child)
            let code = Int(codes[at])
            let drop = depth == 0 && code == Int(walk.shared) ? Self.sharedCost : walk.lost[code]
            var least = low == 1 ? rows[above] + drop : Float.infinity
            rows[row + low - 1] = least
            if high < walk.width { rows[row + high + 1] = .infinity }
            for column in low...high {
                let heard = Int(walk.stream[walk.start + column - 1])
                let other = heard == code ? 0 : walk.change[code * SoundCosts.soundCount + heard]
                var best = rows[above + column - 1] + other
                best = min(best, rows[above + column] + drop, rows[row + column - 1] + walk.lost[heard])
                rows[row + column] = best
                least = min(least, best)
            }
            if least <= min(reach[at], walk.dearest) {
                var index = firstWord[at]
                while index >= 0 {
                    let costMax = walk.words[Int(index)].costMax
                    for column in low...high where rows[row + column] <= costMax {
                        found.append(Hit(end: walk.start + column, cost: rows[row + column], word: index))
                    }
                    index = nextWord[Int(index)]
                }
                if depth + 1 < Self.soundsMax { descend(at, depth + 1, walk, &found) }
            }
            child = sibling[at]
        }
    }
}
