/// Takes the wake word off the front of a transcript, however the recogniser spelt it ("Okay, not boo.").
enum WakePhrase {
    /// - Parameter phrase: the wake word that opens the clip; nil leaves the text as it is.
    /// - Returns: what follows it, or the whole text when nothing at its front is like the phrase.
    static func stripped(from text: String, phrase: String?) -> String {
        guard let phrase else { return text }
        let wanted = letters(phrase)
        let words = text.split(separator: " ")
        guard let first = wanted.first, words.first.flatMap({ letters($0).first }) == first else { return text }
        var best: (distance: Int, words: Int)?
        // The phrase may be heard as one word less or two more than it has.
        for count in 1...phrase.split(separator: " ").count + 2 where count <= words.count {
            let distance = distance(letters(words[..<count].joined()), wanted)
            if distance < best?.distance ?? Int.max { best = (distance, count) }
        }
        // Up to half its letters wrong; a command that begins like the phrase and differs in half is not known to us.
        guard let best, best.distance * 2 <= wanted.count else { return text }
        return words[best.words...].joined(separator: " ")
    }

    private static func letters(_ text: some StringProtocol) -> [Character] {
        text.lowercased().filter { $0.isLetter || $0.isNumber }.map { $0 }
    }

    /// Levenshtein's, over two rows.
    private static func distance(_ left: [Character], _ right: [Character]) -> Int {
        var row = Array(0...right.count)
        for (index, character) in left.enumerated() {
            var next = [index + 1]
            for (place, other) in right.enumerated() {
                next.append(min(row[place + 1] + 1, next[place] + 1, row[place] + (character == other ? 0 : 1)))
            }
            row = next
        }
        return row[right.count]
    }
}
