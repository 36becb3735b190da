import JSONText
import Ledger

/// The shop's conversation: an utterance enters, entries are made through the book, an answer leaves.
///
/// One owner, on the thread of the book. Deterministic: the same state, words, clock and random numbers give the
/// same answer. What is open (a question, the customers just spoken of) is kept in the book before anything is
/// said, so a `Dialogue` made anew on the same book goes on where the last one stopped.
public struct Dialogue {
    let book: any Book
    let configuration: DialogueConfiguration
    var random: any RandomNumberGenerator

    public init(book: any Book, configuration: DialogueConfiguration, random: any RandomNumberGenerator) {
        self.book = book
        self.configuration = configuration
        self.random = random
    }

    /// Understands, acts and answers. Never throws: what goes wrong is said.
    public mutating func hear(_ utterance: Utterance, now: WallTime) -> Answer {
        Answer(intent: "UNKNOWN", code: "UNKNOWN_INTENT", speech: "Phir se boliye.", gate: .again, earcon: .failure)
    }

    /// What the owner typed on the keypad or at the socket. The PIN itself is neither stored nor spoken.
    public mutating func enter(pin: String, now: WallTime) -> Answer {
        Answer(intent: nil, code: nil, speech: "")
    }

    /// True while a yes or a no is awaited. A late utterance should wait until it is not.
    public func isQuestionOpen(now: WallTime) -> Bool { false }
}
