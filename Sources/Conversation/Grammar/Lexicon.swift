/// All words of the packs: a phrase of folded words leads to its classes.
///
/// Built once, then read only.
struct Lexicon: Sendable {
    /// A word class, perhaps with a value: `mode` of `upi`, `unit` of `kg`.
    struct Sense: Hashable, Sendable {
        var word: String
        var value: String?
    }

    /// Phrases by their first word, longest first.
    private(set) var phrases: [String: [(words: [String], senses: [Sense])]] = [:]
    /// Phrases of one word, for repairing a letter.
    private(set) var single: [Int: [String]] = [:]
    private(set) var classes: Set<String> = []
    /// Single words exactly as the packs write them.
    private(set) var written: Set<String> = []
    /// Every phrase as the packs write it, with one of its senses: folding loses what a word sounds like.
    private(set) var spoken: [(text: String, sense: Sense)] = []

    /// Longest phrase, in words.
    static let wordsMax = 6

    /// Who wrote which word for a folded one, for the linter.
    private var spellings: [String: [String: Set<String>]] = [:]

    mutating func add(_ phrase: [String], _ sense: Sense, written: String) {
        spellings[phrase.joined(separator: " "), default: [:]][written, default: []].insert(sense.word)
        spoken.append((written, sense))
        classes.insert(sense.word)
        if phrase.count == 1 { self.written.insert(Script.folded(written)) }
        if let value = sense.value { classes.insert("\(sense.word)=\(value)") }
        var list = phrases[phrase[0]] ?? []
        if let place = list.firstIndex(where: { $0.words == phrase }) {
            if !list[place].senses.contains(sense) { list[place].senses.append(sense) }
        } else {
            list.append((phrase, [sense]))
            list.sort { $0.words.count > $1.words.count }
            if phrase.count == 1 { single[phrase[0].utf8.count, default: []].append(phrase[0]) }
        }
        phrases[phrase[0]] = list
    }

    /// Words written differently, of different classes, that fold to one: each may be meant, or be an accident.
    var collisions: [String] {
        spellings.filter { Set($0.value.values).count > 1 }.map { key, written in
            "\(key): "
                + written.sorted { $0.key < $1.key }.map { "\($0.key) (\($0.value.sorted().joined(separator: " ")))" }
                .joined(separator: ", ")
        }.sorted()
    }

    /// The longest phrase that begins at `start`, or nil.
    func match(_ keys: [String], at start: Int, upTo end: Int) -> (length: Int, senses: [Sense])? {
        guard let list = phrases[keys[start]] else { return nil }
        for (words, senses) in list where start + words.count <= end {
            if (1..<words.count).allSatisfy({ keys[start + $0] == words[$0] }) { return (words.count, senses) }
        }
        return nil
    }

    /// Senses of exactly this word.
    func senses(of key: String) -> [Sense] {
        phrases[key]?.first { $0.words.count == 1 }?.senses ?? []
    }

    /// The only word of one letter's difference, for words long enough that this is rarely another one.
    func nearest(to key: String) -> String? {
        let length = key.utf8.count
        guard length >= Self.repairLettersMin else { return nil }
        var found: String?
        for near in max(Self.repairLettersMin, length - 1)...(length + 1) {
            for word in single[near] ?? [] where isOneEditApart(word, key) {
                if let other = found, senses(of: other) != senses(of: word) { return nil }
                found = word
            }
        }
        return found
    }

    static let repairLettersMin = 6
}

/// True when one letter more, less, changed or a swap of neighbours makes one word the other.
func isOneEditApart(_ left: String, _ right: String) -> Bool {
    let (a, b) =
        left.utf8.count <= right.utf8.count
        ? (Array(left.utf8), Array(right.utf8)) : (Array(right.utf8), Array(left.utf8))
    guard b.count - a.count <= 1, a != b else { return false }
    var start = 0
    while start < a.count, a[start] == b[start] { start += 1 }
    if a.count < b.count { return a[start...] == b[(start + 1)...] }
    if a[(start + 1)...] == b[(start + 1)...] { return true }
    return start + 1 < a.count && a[start] == b[start + 1] && a[start + 1] == b[start]
        && a[(start + 2)...] == b[(start + 2)...]
}
