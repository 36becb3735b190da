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
    let grammar: Grammar
    var random: any RandomNumberGenerator
    var state: DialogueState?
    var storedState: [UInt8] = []
    var index: ShopIndex?

    public init(
        book: any Book, configuration: DialogueConfiguration, random: any RandomNumberGenerator,
        grammar: Grammar = .builtIn
    ) {
        self.book = book
        self.configuration = configuration
        self.random = random
        self.grammar = grammar
    }

    /// Understands, acts and answers. Never throws: what goes wrong is said.
    public mutating func hear(_ utterance: Utterance, now: WallTime) -> Answer {
        let heard = utterance.cut
        return guarded(heard, now) { (dialogue, turn) throws(BookError) in try dialogue.answer(heard, &turn) }
    }

    /// What the owner typed on the keypad or at the socket. The PIN itself is neither stored nor spoken.
    public mutating func enter(pin: String, now: WallTime) -> Answer {
        let heard = Utterance(text: "")
        return guarded(heard, now) { (dialogue, turn) throws(BookError) in
            try dialogue.takePIN(dialogue.configuration.isOwnerPIN(pin), &turn)
        }
    }

    /// Somebody was erased: what the conversation remembers may name them.
    public mutating func forget() {
        state = nil
        storedState = []
        index = nil
    }

    /// True while a yes or a no is awaited. A late utterance should wait until it is not.
    public func isQuestionOpen(now: WallTime) -> Bool {
        let stored = try? book.recall(DialogueState.key)
        guard let question = (state ?? stored.map { DialogueState(bytes: $0) })?.question else { return false }
        return question.isYesNo && !isLapsed(question.askedAt, now)
    }

    // MARK: One turn

    /// What happens within one utterance: who speaks, the ids of its commands, what has been written.
    struct Turn {
        var now: WallTime
        /// Command ids count up from here.
        var base: ULID
        var commands: UInt64 = 0
        var evidence: Evidence
        var committed: [Committed] = []
        var confidenceMilli: Int64
        var isLate = false
        var prompter: Prompter
        var names: PeopleNames
        var shelf: Shelf
    }

    private mutating func guarded(
        _ utterance: Utterance, _ now: WallTime, _ body: (inout Dialogue, inout Turn) throws(BookError) -> Answer
    ) -> Answer {
        var turn: Turn?
        do throws(BookError) {
            try load(now)
            turn = try begin(utterance, now)
            let answer = try body(&self, &turn!)
            let finished = finish(answer, turn!)
            do throws(BookError) {
                try save(finished)
            } catch {
                // What was committed is on flash whatever became of the memory of it: that is what is said.
                if finished.committed.isEmpty {
                    // A full disk leaves what was asked in memory alone; an answer that opens nothing can be given.
                    guard error == .full, finished.gate == .none else { throw error }
                } else {
                    state = nil
                }
            }
            return finished
        } catch {
            state = nil
            let prompter = turn?.prompter ?? Prompter(grammar: grammar, language: "hi-en")
            return Self.fault(error, prompter, turn?.committed ?? [])
        }
    }

    private mutating func begin(_ utterance: Utterance, _ now: WallTime) throws(BookError) -> Turn {
        let language = try book.shop().language
        let customers = try book.customers()
        let products = try book.products()
        if index?.isCurrent(customers, products) != true { index = ShopIndex(customers, products) }
        index?.refresh(customers, products)
        // The same turn gives the same ids, however often it is handed in.
        let base =
            utterance.turn.map { ULID(high: $0.high, low: $0.low ^ 0x6578_6563_6F72_6100) }
            ?? ULID(at: now, using: &random)
        return Turn(
            now: now, base: base,
            evidence: Evidence(
                turn: utterance.turn, transcriptHash: utterance.transcriptHash,
                confidenceMilli: utterance.confidenceMilli, confirmedBy: "voice"),
            confidenceMilli: utterance.confidenceMilli, isLate: utterance.isLate,
            prompter: Prompter(grammar: grammar, language: language), names: PeopleNames(customers),
            shelf: index!.shelf)
    }

    private func finish(_ answer: Answer, _ turn: Turn) -> Answer {
        var answer = answer
        answer.committed = turn.committed
        answer.confidenceMilli = min(answer.confidenceMilli, turn.confidenceMilli)
        if let question = state?.question, answer.gate == .none {
            switch question.kind {
            case .which, .whichDraft: answer.gate = .which
            case .slot, .price: answer.gate = .slot
            default: answer.gate = .yesNo
            }
        }
        answer.opensEar = answer.gate != .none
        return answer
    }

    private static func fault(_ error: BookError, _ prompter: Prompter, _ committed: [Committed]) -> Answer {
        var line: String
        var code = "UPDATE_FAILED"
        switch error {
        case .refused(.amountOutOfRange): line = "refused.range"
        case .refused(.duplicateName): (line, code) = ("refused.other", "DUPLICATE_FOUND")
        case .refused: line = "refused.other"
        case .full: line = "fault.full"
        case .storage, .damaged, .unavailable: line = "fault.storage"
        }
        // The first of two things is on flash: "not written" would be a lie.
        if !committed.isEmpty { line = "fault.after" }
        return Answer(
            intent: "UNKNOWN", code: code, speech: prompter.say(line), committed: committed, earcon: .failure)
    }

    // MARK: State

    private mutating func load(_ now: WallTime) throws(BookError) {
        if state == nil {
            storedState = try book.recall(DialogueState.key) ?? []
            state = storedState.isEmpty ? DialogueState() : DialogueState(bytes: storedState)
        }
        if let question = state!.question, isLapsed(question.askedAt, now) { state!.question = nil }
        if now.rawValue - state!.peopleAt.rawValue >= DialogueState.peopleLapseSeconds * 1000 { state!.people = [] }
    }

    func isLapsed(_ since: WallTime, _ now: WallTime) -> Bool {
        // A clock that jumped back must not keep a question open for ever.
        let age = now.rawValue - since.rawValue
        return age >= configuration.questionLapsesSeconds * 1000 || age < -1000
    }

    /// Written before the answer is given out: a question that is heard is one that survives.
    private mutating func save(_ answer: Answer) throws(BookError) {
        if answer.intent != "REPEAT", !answer.speech.isEmpty { state!.lastSpeech = answer.speech }
        let bytes = state!.bytes
        guard bytes != storedState else { return }
        try book.remember(DialogueState.key, bytes)
        storedState = bytes
    }

    // MARK: Writing

    /// Commits one command with the next id of the turn.
    mutating func write(_ command: Command, _ turn: inout Turn) throws(BookError) -> Committed {
        let id = ULID(high: turn.base.high, low: turn.base.low &+ turn.commands)
        turn.commands += 1
        let fact = try book.perform(command, id: id, evidence: turn.evidence, at: turn.now)
        turn.committed.append(fact)
        return fact
    }

    /// A new ULID for a draft, a reminder, a message: named by the turn, so that a replay makes no second one.
    mutating func identity(_ turn: inout Turn) -> ULID {
        turn.commands += 1
        return ULID(high: turn.base.high, low: turn.base.low &+ (turn.commands << 32))
    }

    // MARK: People spoken of

    mutating func speakOf(_ customer: CustomerID, _ turn: Turn) {
        state!.people.removeAll { $0 == customer }
        state!.people.insert(customer, at: 0)
        state!.people = Array(state!.people.prefix(DialogueState.peopleMax))
        state!.peopleAt = turn.now
        state!.isTogether = false
    }

    /// Opens a question; it is in the book before it is spoken.
    mutating func ask(
        _ kind: OpenQuestion.Kind, _ request: Request, _ turn: inout Turn, speech: String,
        with change: (inout OpenQuestion) -> Void = { _ in }
    ) {
        var question = OpenQuestion(kind: kind, request: request, base: turn.base, askedAt: turn.now)
        // The ids already used by this turn stay used.
        question.base = ULID(high: turn.base.high, low: turn.base.low &+ (turn.commands << 8) &+ 0x100)
        question.speech = speech
        change(&question)
        state!.question = question
    }
}

extension Utterance {
    /// Within the limits of what is read. Text that had to be cut is not understood at all: the negation may have
    /// been in the rest.
    var cut: Utterance {
        var made = self
        made.alternatives = Array(alternatives.prefix(Self.alternativesMax))
        return made
    }
}

/// The reader's view of the shop, kept while names and products stay the same.
struct ShopIndex {
    private(set) var shelf: Shelf
    private var people: [Person]

    /// What of a customer the reader looks at; balances change with every entry.
    struct Person: Equatable {
        var id: CustomerID
        var details: CustomerDetails
        var aliases: [String]
    }

    init(_ customers: [Customer], _ products: [Product]) {
        shelf = Shelf(customers: customers, products: products)
        people = customers.map { Person(id: $0.id, details: $0.details, aliases: $0.aliases) }
    }

    func isCurrent(_ customers: [Customer], _ products: [Product]) -> Bool {
        guard customers.count == people.count, products.count == shelf.products.count else { return false }
        for (customer, known) in zip(customers, people)
        where customer.id != known.id || customer.details != known.details || customer.aliases != known.aliases {
            return false
        }
        return zip(products, shelf.products).allSatisfy { $0.id == $1.id && $0.details == $1.details }
    }

    /// Balances and stock as they are now.
    mutating func refresh(_ customers: [Customer], _ products: [Product]) {
        shelf.customers = customers
        shelf.products = products
    }
}
