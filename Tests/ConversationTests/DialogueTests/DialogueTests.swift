import Ledger
import Testing

@testable import Conversation

/// Conversations of several turns: what one sentence leaves open, the next one settles.
struct DialogueTests {
    @Test func `a correction reverses the last entry after a yes`() throws {
        let counter = try Counter()
        counter.say("Rahul ne teen sau diye")
        #expect(counter.say("nahi, chaar sau").code == "CONFIRMATION_NEEDED")
        #expect(try counter.balance("Rahul Sharma") == 200)
        counter.say("haan")
        #expect(try counter.balance("Rahul Sharma") == 100)
    }

    @Test func `a correction of an open question needs no second yes below 5000`() throws {
        let counter = try Counter()
        counter.say("Suresh ka 6000 likh do")
        #expect(counter.say("nahi, 600").code == "OK")
        #expect(try counter.balance("Suresh Kumar") == 2100)
    }

    @Test func `undo is asked about and done once`() throws {
        let counter = try Counter()
        counter.say("Rahul ka 200 likh do")
        #expect(counter.say("undo").gate == .yesNo)
        counter.say("haan")
        #expect(try counter.balance("Rahul Sharma") == 500)
        #expect(counter.say("haan").committed.isEmpty)
    }

    @Test func `commands in one breath are done in order`() throws {
        let counter = try Counter()
        let answer = counter.say("Rahul ne 200 diye aur Priya ka 100 likh do")
        #expect(answer.committed.count == 2)
        #expect(try counter.balance("Rahul Sharma") == 300)
        #expect(try counter.balance("Priya Patel") == 100)
    }

    /// One of them would have to be asked about: none is done.
    @Test(arguments: ["Rahul ne 200 diye aur Priya ka 6000 likh do", "Rahul ne 200 diye aur Ramu ka 100 likh do"])
    func `commands in one breath are all done or none`(_ text: String) throws {
        let counter = try Counter()
        let before = try counter.figures()
        #expect(counter.say(text).committed.isEmpty)
        #expect(try counter.figures() == before)
    }

    @Test func `after two were spoken of, uska asks which`() throws {
        let counter = try Counter()
        counter.say("Rahul aur Suresh ka balance batao")
        #expect(counter.say("uska 100 likh do").gate == .which)
        counter.say("Suresh")
        #expect(try counter.balance("Suresh Kumar") == 1600)
        #expect(try counter.balance("Rahul Sharma") == 500)
    }

    @Test func `somebody spoken of a quarter of an hour ago is not uska`() throws {
        let counter = try Counter()
        counter.say("Rahul ka balance batao")
        counter.wait(900)
        #expect(counter.say("100 likh do").code == "NO_ACTIVE_CUSTOMER")
        #expect(try counter.balance("Rahul Sharma") == 500)
    }

    /// The idempotency key: two yeses are one invoice, however they come.
    @Test func `two yeses to a bill are one invoice, across a power cut too`() throws {
        let counter = try Counter()
        counter.say("Rahul ka bill banao 2 milk")
        counter.say("haan")
        counter.restart()
        counter.say("haan")
        #expect(try counter.store.invoices(of: nil, limit: 10).count == 1)
    }

    @Test func `after a no to a bill in one breath a yes commits nothing`() throws {
        let counter = try Counter()
        #expect(counter.say("Rahul ka 70 kilo chawal ka bill banao aur bhej do").code == "CONFIRMATION_NEEDED")
        counter.say("nahi")
        counter.say("haan")
        #expect(try counter.store.invoices(of: nil, limit: 10).isEmpty)
        #expect(try counter.store.drafts(now: counter.now).isEmpty)
    }

    @Test func `a draft is gone after four hours`() throws {
        let counter = try Counter()
        counter.say("Rahul ka bill banao 2 milk")
        counter.wait(4 * 3600 + 1)
        #expect(counter.say("Rahul ka bill confirm karo").code == "NO_PENDING_INVOICE")
    }

    @Test func `the price of an unknown thing is asked and the bill goes on`() throws {
        let counter = try Counter()
        #expect(counter.say("Rahul ka bill 2 milk aur 1 Surf Excel").gate == .slot)
        #expect(try counter.store.drafts(now: counter.now).isEmpty)
        #expect(counter.say("120 rupaye").speech.contains("240"))
        #expect(counter.say("haan").committed.count == 1)
    }

    @Test func `a unit without a conversion is asked about, never guessed`() throws {
        let counter = try Counter()
        #expect(counter.say("Rahul ka bill 2 bori milk").code == "MISSING_QUANTITY")
        #expect(counter.say("3 bori milk aaya").code == "MISSING_QUANTITY")
        #expect(try counter.store.products().first { $0.details.name == "Milk" }?.stock == MilliQuantity(50_000))
    }

    @Test func `a confirmed near name is learned`() throws {
        let counter = try Counter()
        #expect(counter.say("Raul ne 100 diye").code == "CONFIRMATION_NEEDED")
        counter.say("haan")
        #expect(counter.say("Raul ne 100 diye").code == "OK")
        #expect(try counter.balance("Rahul Sharma") == 300)
    }

    @Test func `paise stay paise`() throws {
        let counter = try Counter()
        counter.say("Rahul ka 50 paise likh do")
        #expect(try counter.store.balance(of: counter.id("Rahul Sharma")) == Paise(50_050))
    }

    /// The book is full or broken: it is said, and nothing is thought written.
    @Test func `a book that cannot write is heard as a failure`() throws {
        let counter = try Counter()
        let broken = BrokenBook(counter.store)
        var dialogue = Dialogue(book: broken, configuration: counter.configuration, random: CaseRandom(seed: 1))
        let answer = dialogue.hear(Utterance(text: "Rahul ne 200 diye"), now: counter.now)
        #expect(answer.earcon == .failure && answer.committed.isEmpty && answer.speech.contains("nahi likha"))
        #expect(try counter.balance("Rahul Sharma") == 500)
    }

    /// The entry is on flash, only the memory of the conversation is not: "not written" would have it said twice.
    @Test func `what was committed is said although the conversation could not be remembered`() throws {
        let counter = try Counter()
        let broken = BrokenBook(counter.store, writes: true)
        var dialogue = Dialogue(book: broken, configuration: counter.configuration, random: CaseRandom(seed: 1))
        let answer = dialogue.hear(Utterance(text: "Rahul ne 200 diye"), now: counter.now)
        #expect(answer.code == "OK" && answer.committed.count == 1)
        #expect(try counter.balance("Rahul Sharma") == 300)
        // A question that cannot be kept is not asked.
        let asked = dialogue.hear(Utterance(text: "Rahul ne 6000 diye"), now: counter.now)
        #expect(asked.earcon == .failure && asked.gate == .none)
    }

    @Test(arguments: [
        "Rahul gave two hundred rupees cash", "Rahul gave 200 rupees cash.", "Okay Nabu, Rahul gave 200 rupees cash.",
        "ok naboo Rahul gave 200 rupees cash", "Raahul ne do so cash diye", "राहुल ने दो सौ कैश दिए",
    ])
    func `the counter's first line is understood however it is spelt`(_ text: String) throws {
        let counter = try Counter()
        #expect(counter.say(text).intent == "RECORD_PAYMENT")
        #expect(try counter.balance("Rahul Sharma") == 300)
    }

    @Test func `chatter with the wake word is no command`() throws {
        let counter = try Counter()
        #expect(counter.say("tell me a story about the elephants in the forest").intent == "UNKNOWN")
    }
}

/// A book whose disk is full.
final class BrokenBook: Book {
    private let store: LedgerStore
    /// True when entries are still written and only the conversation's memory fails.
    private let writes: Bool

    init(_ store: LedgerStore, writes: Bool = false) {
        self.store = store
        self.writes = writes
    }

    func shop() throws(BookError) -> ShopDetails { try store.shop() }
    func customers() throws(BookError) -> [Customer] { try store.customers() }
    func products() throws(BookError) -> [Product] { try store.products() }
    func balance(of customer: CustomerID) throws(BookError) -> Paise { try store.balance(of: customer) }
    func drafts(now: WallTime) throws(BookError) -> [Draft] { try store.drafts(now: now) }
    func invoices(of customer: CustomerID?, limit: Int) throws(BookError) -> [Invoice] {
        try store.invoices(of: customer, limit: limit)
    }
    func payments(of customer: CustomerID?, limit: Int) throws(BookError) -> [Payment] {
        try store.payments(of: customer, limit: limit)
    }
    func reminders() throws(BookError) -> [Reminder] { try store.reminders() }
    func outgoing() throws(BookError) -> [OutgoingMessage] { try store.outgoing() }
    func summary(of day: CivilDay) throws(BookError) -> DailySummary { try store.summary(of: day) }
    func lastReversible() throws(BookError) -> (event: ULID, command: String, customer: CustomerID?, amount: Paise)? {
        try store.lastReversible()
    }
    func dateToConfirm(at: WallTime) throws(BookError) -> CivilDay? { try store.dateToConfirm(at: at) }
    func perform(_ command: Command, id: ULID, evidence: Evidence, at: WallTime) throws(BookError) -> Committed {
        guard writes else { throw .full }
        return try store.perform(command, id: id, evidence: evidence, at: at)
    }
    func remember(_ key: String, _ bytes: [UInt8]?) throws(BookError) { throw .full }
    func recall(_ key: String) throws(BookError) -> [UInt8]? { try store.recall(key) }
}
