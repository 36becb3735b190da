import Ledger
import Testing

@testable import Conversation

/// What the book itself is not sure of reaches the shopkeeper in words.
struct DoubtTests {
    @Test(arguments: ["en", "hi-en", "hi"])
    func `an entry that is held is not called written`(language: String) throws {
        let counter = try Counter()
        var rules = ShopRules()
        rules.holdAbove = Paise(100_000)
        try counter.write(.setRules(rules))
        try counter.write(.setLanguage(language))
        let answer = counter.say("Rahul ne 1200 diye")
        #expect(answer.code == "HELD" && answer.speech.contains("1200"))
        #expect(answer.committed.count == 1)
        #expect(try counter.balance("Rahul Sharma") == 500)
        #expect(try counter.store.holds().count == 1)
        // There is no entry to correct or take back.
        #expect(counter.say("nahi, 300").committed.isEmpty)
        #expect(counter.say("Rahul ne 200 diye").code == "OK")
        #expect(try counter.balance("Rahul Sharma") == 300)
    }

    @Test func `a large amount that was asked about is not held as well`() throws {
        let counter = try Counter()
        var rules = ShopRules()
        rules.holdAbove = Paise(100_000)
        try counter.write(.setRules(rules))
        #expect(counter.say("Suresh ne 6000 de diya").code == "CONFIRMATION_NEEDED")
        #expect(counter.say("haan").code == "OK")
        #expect(try counter.store.holds().isEmpty)
    }

    /// Over a power cut: the question is in the book before it is spoken.
    @Test(arguments: [true, false]) func `at the turn of the year the date is asked, and the bill waits`(yes: Bool)
        throws
    {
        let counter = try Counter(wallQuality: 2)
        counter.now = CivilTime(day: CivilDay(year: 2026, month: 4, day: 1), hour: 9, minute: 0).wallTime()
        counter.say("Rahul ka bill banao 2 chawal 1 cheeni")
        let asked = counter.say("haan")
        #expect(asked.code == "CONFIRMATION_NEEDED" && asked.gate == .yesNo, "\(asked)")
        #expect(asked.speech.contains("2026"))
        #expect(try counter.store.invoices(of: nil, limit: 1).isEmpty)
        counter.restart()
        let answer = counter.say(yes ? "haan" : "nahi")
        let invoices = try counter.store.invoices(of: nil, limit: 9)
        if yes {
            #expect(answer.code == "OK")
            #expect(invoices.map(\.number) == ["A01/26-0000001"])
            #expect(try counter.store.dateToConfirm(at: counter.now) == nil)
        } else {
            #expect(invoices.isEmpty && answer.committed.isEmpty)
            #expect(try counter.store.drafts(now: counter.now).count == 1)
        }
        #expect(try counter.store.verify().valid)
    }

    @Test func `a balance above what the customer may owe is said, and the entry stands`() throws {
        let counter = try Counter()
        let rahul = try counter.id("Rahul Sharma")
        var details = try #require(try counter.store.customers().first { $0.id == rahul }).details
        details.creditLimit = Paise(80_000)
        try counter.write(.updateCustomer(rahul, details))
        #expect(!counter.say("Rahul ka 300 likh do").speech.contains("Limit"))
        let answer = counter.say("Rahul ka 1 likh do")
        #expect(answer.code == "OK" && answer.speech.contains("Limit 800"), "\(answer.speech)")
        #expect(try counter.balance("Rahul Sharma") == 801)
    }

    @Test func `a shop that rounds quotes and charges whole rupees`() throws {
        let counter = try Counter()
        var rules = ShopRules()
        rules.roundsBills = true
        try counter.write(.setRules(rules))
        counter.say("Rahul ka gst bill banao 2 chawal 1 cheeni")
        counter.say("haan")
        let invoice = try #require(try counter.store.invoices(of: nil, limit: 1).first)
        #expect(invoice.bill.roundsToRupee && invoice.total.rawValue % 100 == 0)
    }

    /// A full disk must not make the counter deaf to questions.
    @Test func `a question is answered though its memory cannot be kept`() throws {
        let counter = try Counter()
        let broken = BrokenBook(counter.store)
        var dialogue = Dialogue(
            book: broken, configuration: counter.configuration, random: SystemRandomNumberGenerator())
        let answer = dialogue.hear(Utterance(text: "Rahul ka balance batao"), now: counter.now)
        #expect(answer.code == "OK" && answer.speech.contains("500"), "\(answer)")
        let refused = dialogue.hear(Utterance(text: "Rahul ne 200 diye"), now: counter.now)
        #expect(refused.earcon == .failure && refused.committed.isEmpty)
        #expect(try counter.balance("Rahul Sharma") == 500)
    }

    @Test func `what was said stands in the event as a hash, not as words`() throws {
        let counter = try Counter()
        var utterance = Utterance(text: "Rahul ne 200 diye")
        let hash = [UInt8](repeating: 0xA5, count: 32)
        utterance.transcriptHash = hash
        utterance.turn = ULID(high: 1, low: 2)
        utterance.confidenceMilli = 812
        let fact = try #require(counter.dialogue.hear(utterance, now: counter.now).committed.first)
        let event = try #require(
            try counter.store.events(after: fact.seq - 1, epoch: fact.epoch, limit: 1).first)
        let evidence = try JournalEntry(decoding: event.body).evidence
        #expect(evidence.turn == utterance.turn && evidence.transcriptHash == hash)
        #expect(evidence.confidenceMilli == 812 && evidence.confirmedBy == "voice")
    }
}
