/// Who, or what, is meant by some said words: the names of a shop, held ready to be asked.
///
/// Scores come from name, nickname, landmark, telephone number, edit distance by ear and sound key. A value; any
/// thread. Building costs some microseconds a name; build it again when the names change.
public struct NameMatcher: Sendable {
    /// One person or product as it may be called.
    public struct Candidate: Sendable {
        /// Full names, the first the written one: name, nickname, learned aliases; a product's name and aliases.
        public var names: [String]
        public var landmark: String?
        public var phone: String?

        public init(names: [String], landmark: String? = nil, phone: String? = nil) {
            self.names = names
            self.landmark = landmark
            self.phone = phone
        }
    }

    public struct Match: Hashable, Sendable {
        /// Index of the candidate as it was given.
        public var index: Int
        /// 0 to 1.
        public var score: Double
    }

    public enum Answer: Hashable, Sendable {
        /// One, at or above `takenFrom` and leading by `lead`.
        case one(Match)
        /// More than one who may be meant, best first; at least one of them scores as if it were alone.
        case several([Match])
        /// Only near ones, best first: a question ("Bharat?"), never an entry.
        case weak([Match])
        case none
    }

    /// conversation.md, "Who is meant".
    public static let takenFrom = 0.85
    public static let lead = 0.10
    /// At most so many are named in a question; the rest would not be listened to.
    public static let askedMax = 4
    /// Words of a query that are looked at; a longer query is no name.
    public static let wordsMax = 12

    private struct Entry {
        /// For each full name its words, as indices into `words`.
        var names: [[Int]]
        var landmark: [Int]
        var phone: [UInt8]
    }

    private var words: [NameWord] = []
    private var entries: [Entry] = []
    /// Entries in which a word occurs.
    private var holders: [[Int]] = []
    private var byText: [String: Int] = [:]
    /// Entries by a whole name written as one word, as spelled and as it sounds: "Rajkumar" for Raj Kumar.
    private var byJoinedText: [String: [Int]] = [:]
    private var byJoinedKey: [SoundKey: [Int]] = [:]

    public init(_ candidates: [Candidate]) {
        entries.reserveCapacity(candidates.count)
        for (index, candidate) in candidates.enumerated() {
            let names = candidate.names.map { take($0, dropping: NameWords.honorifics, for: index) }
            let landmark = candidate.landmark.map { take($0, dropping: NameWords.connectives, for: index) } ?? []
            let phone = Array((candidate.phone ?? "").utf8.filter { (48...57).contains($0) }.suffix(10))
            for name in names where !name.isEmpty {
                let joined = name.map { words[$0].text }.joined()
                byJoinedText[joined, default: []].append(index)
                byJoinedKey[Sounds(joined).key, default: []].append(index)
            }
            entries.append(Entry(names: names.filter { !$0.isEmpty }, landmark: landmark, phone: phone))
        }
    }

    private mutating func take(_ text: String, dropping optional: Set<String>, for entry: Int) -> [Int] {
        let all = Tokens(text).items.map(\.text).filter { $0 != "'s" }
        let own = all.filter { !optional.contains($0) }
        return (own.isEmpty ? all : own).map { word($0, for: entry) }
    }

    private mutating func word(_ text: String, for entry: Int) -> Int {
        let index: Int
        if let known = byText[text] {
            index = known
        } else {
            index = words.count
            byText[text] = index
            words.append(NameWord(text))
            holders.append([])
        }
        if holders[index].last != entry { holders[index].append(entry) }
        return index
    }

    /// Who is meant by these tokens, courtesies and "wala" among them.
    public func resolve(_ tokens: some Collection<Token>) -> Answer {
        Self.judge(scores(tokens))
    }

    public func resolve(_ text: String) -> Answer { resolve(Tokens(text).items) }

    /// The rule of conversation.md over scored candidates, best first.
    public static func judge(_ matches: [Match]) -> Answer {
        guard let best = matches.first, best.score >= NameWord.proposedFrom else { return .none }
        // Scores are sums of a few hundredths; a lead of exactly 0.10 must not fall to the last binary digit.
        let near = matches.filter { best.score - $0.score < lead - 1e-9 && $0.score >= NameWord.proposedFrom }
        guard best.score >= takenFrom else { return .weak(Array(near.prefix(askedMax))) }
        return near.count == 1 ? .one(best) : .several(Array(near.prefix(askedMax)))
    }

    /// How well one word fits any word of any name (not landmarks): for finding where a name stands in an utterance.
    public func bestWordScore(_ token: Token) -> Double {
        let said = NameWord(token.text)
        var best = 0.0
        for word in words { best = max(best, word.score(said)) }
        return best
    }

    /// All candidates that may be meant, best first, equal scores in the order given.
    public func scores(_ tokens: some Collection<Token>) -> [Match] {
        let said = tokens.filter { $0.kind == .word && $0.text != "'s" || $0.kind == .number }
        guard !said.isEmpty, said.count <= Self.wordsMax else { return [] }
        let isOptional = said.map {
            NameWords.honorifics.contains($0.text) || NameWords.connectives.contains($0.text)
        }
        let required = isOptional.allSatisfy { $0 } ? said : zip(said, isOptional).filter { !$0.1 }.map(\.0)
        let digits = Self.digits(of: required)

        // Score each required word against every known word once; entries then only look up.
        let queries = required.map { NameWord($0.text) }
        var table = [Double](repeating: 0, count: queries.count * words.count)
        var reached = [Bool](repeating: false, count: entries.count)
        for (row, query) in queries.enumerated() {
            for (column, word) in words.enumerated() {
                let score = word.score(query)
                guard score >= NameWord.proposedFrom else { continue }
                table[row * words.count + column] = score
                for entry in holders[column] { reached[entry] = true }
            }
        }

        // Together or apart: only a spelling of the whole name counts, likeness of long words says too little.
        var wholes: [Int: Double] = [:]
        let joined = queries.map(\.text).joined()
        for entry in byJoinedKey[Sounds(joined).key] ?? [] where joined.utf8.count > 2 {
            wholes[entry] = NameWord.spelling
        }
        for entry in byJoinedText[joined] ?? [] { wholes[entry] = NameWord.exact }

        var matches: [Match] = []
        for (index, entry) in entries.enumerated() {
            var score = 0.0
            if let digits { score = Self.phoneScore(digits, entry.phone) }
            if let whole = wholes[index] { score = max(score, whole * Self.wholeName) }
            if reached[index] { score = max(score, nameScore(entry, table, required.count)) }
            if score >= NameWord.proposedFrom { matches.append(Match(index: index, score: score)) }
        }
        return matches.sorted { ($0.score, $1.index) > ($1.score, $0.index) }
    }

    /// How much of a person was said: whole name, first name, name and landmark, surname, landmark alone.
    private static let wholeName = 1.0
    private static let nameAndLandmark = 0.99
    private static let firstName = 0.95
    private static let laterName = 0.90
    private static let landmarkOnly = 0.90

    private func nameScore(_ entry: Entry, _ table: [Double], _ rows: Int) -> Double {
        var best = 0.0
        for name in entry.names {
            best = max(best, score(of: name, entry.landmark, table, rows))
        }
        if entry.names.count > 1 {
            // Nickname and surname together: every word of the person is one pool, at the rate of a part.
            let pool = entry.names.flatMap { $0 }
            best = max(best, score(of: pool, entry.landmark, table, rows) * Self.firstName)
        }
        return best
    }

    private func score(of name: [Int], _ landmark: [Int], _ table: [Double], _ rows: Int) -> Double {
        var free = name
        var freeLandmark = landmark
        var weakest = 1.0
        var inName = 0
        var inLandmark = 0
        var saidFirst = false
        for row in 0..<rows {
            func fit(_ column: Int) -> Double { table[row * words.count + column] }
            let named = free.indices.max { fit(free[$0]) < fit(free[$1]) }
            let placed = freeLandmark.indices.max { fit(freeLandmark[$0]) < fit(freeLandmark[$1]) }
            let nameFit = named.map { fit(free[$0]) } ?? 0
            let placeFit = placed.map { fit(freeLandmark[$0]) } ?? 0
            let taken = max(nameFit, placeFit)
            // A word that fits nothing of this person speaks for somebody else.
            guard taken > 0 else { return 0 }
            weakest = min(weakest, taken)
            if let named, nameFit >= placeFit {
                if free[named] == name.first { saidFirst = true }
                free.remove(at: named)
                inName += 1
            } else if let placed {
                freeLandmark.remove(at: placed)
                inLandmark += 1
            }
        }
        let cover: Double
        if inName == 0 {
            // Part of a landmark of several words ("bus" of "bus stand") is less.
            cover = freeLandmark.isEmpty || inLandmark > 1 ? Self.landmarkOnly : Self.landmarkOnly - 0.04
        } else if inLandmark > 0 {
            cover = Self.nameAndLandmark
        } else if free.isEmpty {
            cover = Self.wholeName
        } else {
            cover = saidFirst ? Self.firstName : Self.laterName
        }
        return cover * weakest
    }

    /// The figures of a query that is nothing but figures, four at least.
    private static func digits(of tokens: [Token]) -> [UInt8]? {
        guard tokens.allSatisfy({ $0.kind == .number }) else { return nil }
        let digits = tokens.flatMap { Array($0.text.utf8) }
        guard digits.count >= 4, digits.allSatisfy({ (48...57).contains($0) }) else { return nil }
        return Array(digits.suffix(10))
    }

    /// The whole number, or its last digits, as people tell apart two of a name.
    private static func phoneScore(_ digits: [UInt8], _ phone: [UInt8]) -> Double {
        guard phone.count >= digits.count, phone.suffix(digits.count).elementsEqual(digits) else { return 0 }
        return digits.count == phone.count ? 1 : 0.9
    }
}
