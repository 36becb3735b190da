/// How one said word stands to one word of a name.
struct NameWord: Sendable {
    let text: String
    let sounds: SoundDistance.Weighed
    let key: SoundKey
    private let keySounds: SoundDistance.Weighed
    /// Beginnings of the names it is a pet name for.
    private let meant: [String]
    /// The same without a courtesy grown onto it.
    let bareKey: SoundKey?
    let isFigures: Bool

    init(_ folded: String) {
        text = Script.hasDevanagari(folded) ? Transliteration.plainRoman(folded) : folded
        let sounds = Sounds(text)
        self.sounds = SoundDistance.Weighed(sounds.codes)
        key = sounds.key
        keySounds = SoundDistance.Weighed(key.codes)
        meant = PetNames.meant(by: text)
        bareKey = NameWords.bare(text).map { Sounds($0).key }
        isFigures = !text.isEmpty && text.utf8.allSatisfy { (48...57).contains($0) }
    }

    /// Scores, in one place. What is not the same name by spelling stays below `takenFrom` whatever its likeness:
    /// near is a question, never a guess.
    static let exact = 1.0
    static let spelling = 0.97
    static let proposedMost = 0.84
    static let proposed = 0.75
    /// Below this a name is not proposed.
    static let proposedFrom = 0.6

    func score(_ other: NameWord) -> Double {
        if text == other.text { return Self.exact }
        if isFigures || other.isFigures { return 0 }
        // One letter says nothing about how a name is spelled.
        guard !key.codes.isEmpty, !other.key.codes.isEmpty else { return 0 }
        if key.codes.count > 1, key == other.key { return Self.spelling }
        if let bareKey, bareKey == other.key || bareKey == other.bareKey { return Self.spelling }
        if let bare = other.bareKey, bare == key { return Self.spelling }
        var best = SoundDistance.likeness(sounds, other.sounds, atLeast: Self.proposedFrom)
        if best < Self.proposedMost {
            best = max(best, SoundDistance.likeness(keySounds, other.keySounds, atLeast: Self.proposedFrom))
        }
        if best < Self.proposed, isPet(of: other) || other.isPet(of: self) { best = Self.proposed }
        return min(best, Self.proposedMost)
    }
}

extension NameWord {
    private func isPet(of name: NameWord) -> Bool {
        meant.contains { name.text.hasPrefix($0) } || PetNames.isStem(sounds.codes, of: name.sounds.codes)
    }
}

/// Whether two names as written are one person's.
public enum NameVerdict: String, Sendable {
    /// Spellings of one name, with or without a courtesy, or in the other script.
    case same
    /// A pet name, or near enough to have been misheard: may be proposed, never taken.
    case ask
    /// Not to be proposed.
    case different

    public init(_ said: String, _ written: String) {
        let left = Self.words(said)
        let right = Self.words(written)
        // Raj Kumar is Rajkumar.
        let joined = NameWord(left.map(\.text).joined()).score(NameWord(right.map(\.text).joined()))
        if left.count != right.count, joined >= NameWord.spelling {
            self = .same
            return
        }
        let score = left.count >= right.count ? Self.score(right, in: left) : Self.score(left, in: right)
        if score > NameWord.proposedMost {
            // Part of a longer name may be that person, and may be another of the name.
            self = left.count == right.count ? .same : .ask
        } else {
            self = score >= NameWord.proposedFrom ? .ask : .different
        }
    }

    /// The weakest word of the shorter name against its best partner in the longer.
    private static func score(_ short: [NameWord], in long: [NameWord]) -> Double {
        guard !short.isEmpty else { return 0 }
        var free = long
        var weakest = 1.0
        for word in short {
            guard let best = free.indices.max(by: { word.score(free[$0]) < word.score(free[$1]) }) else { return 0 }
            weakest = min(weakest, word.score(free[best]))
            free.remove(at: best)
        }
        return weakest
    }

    private static func words(_ name: String) -> [NameWord] {
        let all = Tokens(name).items.filter { $0.kind == .word && $0.text != "'s" }.map(\.text)
        let own = all.filter { !NameWords.honorifics.contains($0) }
        return (own.isEmpty ? all : own).map(NameWord.init)
    }
}
