/// Takes the wake word off the front of a transcript, however the recogniser spelt it ("Okay, not boo.").
///
/// By an edit distance in which a vowel counts half a consonant, over the letters of the first words run together.
enum WakePhrase {
    /// - Parameter phrase: the wake word that opens the clip; nil leaves the text as it is.
    /// - Returns: what follows it, or the whole text when nothing at its front is like the phrase.
    static func stripped(from text: String, phrase: String?) -> String {
        guard let phrase else { return text }
        let wanted = sounds(phrase)
        let words = text.split(separator: " ")
        guard let first = wanted.first, words.first.flatMap({ sounds($0).first }) == first else { return text }
        var best: (cost: Int, words: Int)?
        // The phrase may be heard as one word less or two more than it has.
        for count in 1...phrase.split(separator: " ").count + 2 where count <= words.count {
            let cost = distance(sounds(words[..<count].joined()), wanted)
            if cost < best?.cost ?? Int.max { best = (cost, count) }
        }
        // A third of it wrong at most: "okay" alone, or "okay haan", is an answer and stays.
        guard let best, best.cost * 3 <= wanted.map(weight).reduce(0, +) else { return text }
        return words[best.words...].joined(separator: " ")
    }

    /// Letters and digits alone, long vowels as one.
    private static func sounds(_ text: some StringProtocol) -> [Character] {
        var sounds: [Character] = []
        for letter in text.lowercased() where letter.isLetter || letter.isNumber {
            guard letter == sounds.last, isVowel(letter) else {
                sounds.append(letter)
                continue
            }
            sounds[sounds.count - 1] = letter == "o" ? "u" : letter == "e" ? "i" : letter
        }
        return sounds
    }

    private static func isVowel(_ letter: Character) -> Bool { "aeiou".contains(letter) }
    private static func weight(_ letter: Character) -> Int { isVowel(letter) ? 1 : 2 }

    /// Levenshtein's, over two rows, weighted.
    private static func distance(_ left: [Character], _ right: [Character]) -> Int {
        var row = right.reduce(into: [0]) { $0.append($0.last! + weight($1)) }
        for letter in left {
            var next = [row[0] + weight(letter)]
            for (place, other) in right.enumerated() {
                let change = letter == other ? 0 : max(weight(letter), weight(other))
                next.append(
                    min(row[place + 1] + weight(letter), next[place] + weight(other), row[place] + change))
            }
            row = next
        }
        return row[right.count]
    }
}
