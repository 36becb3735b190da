import Testing

@testable import Conversation

/// One engine's word never moves money or stock silently.
struct VoteTests {
    private static let agreeing: [[(text: String, voter: String)]] = [
        [("Rahul gave 200 rupees", "w/en"), ("राहुल ने दो सौ दिए", "w/hi")],
        [("Rahul ne 200 diye", "w/hi"), ("Parathe hogaya", "w/en"), ("Rahul ne do sau diye", "other/hi")],
        [("Rahul ne 200 diye", "a"), ("Rahul ne do sau diye", "a"), ("Rahul ne 200 diye", "b")],
    ]

    @Test(arguments: agreeing.indices) func `two voters who agree are enough`(_ index: Int) throws {
        let counter = try Counter()
        #expect(counter.hear(Self.agreeing[index]).committed.count == 1)
        #expect(try counter.balance("Rahul Sharma") == 300)
    }

    private static let alone: [[(text: String, voter: String)]] = [
        [("Rahul ne 200 diye", "w/hi")],
        [("Rahul ne 200 diye", "w/hi"), ("Paratha hogaya bhai", "w/en")],
        // Three spellings of one voter are one opinion.
        [("Rahul ne 200 diye", "w/hi"), ("Rahul ne do sau diye", "w/hi"), ("राहुल ने दो सौ दिए", "w/hi")],
        // A second voter who heard another sum, another person, a negation, a question.
        [("Rahul ne 200 diye", "w/hi"), ("Rahul ne 300 diye", "w/en")],
        [("Rahul ne 200 diye", "w/hi"), ("Suresh ne 200 diye", "w/en")],
        [("Rahul ne 200 diye", "a"), ("Rahul ne 200 diye", "b"), ("Rahul ne 200 nahi diye", "c")],
        [("Rahul ne 200 diye", "a"), ("Rahul ne 200 diye", "b"), ("Rahul ka balance kitna hai", "c")],
        [("maggi ka 10 packet stock add karo", "w/hi")],
    ]

    @Test(arguments: alone.indices) func `one voter, or two who differ, is a question`(_ index: Int) throws {
        let counter = try Counter()
        let before = try counter.figures()
        let answer = counter.hear(Self.alone[index])
        #expect(answer.committed.isEmpty && answer.gate == .yesNo)
        #expect(try counter.figures() == before)
    }

    @Test func `a yes settles what one voter heard`() throws {
        let counter = try Counter()
        counter.hear([("Rahul ne 200 diye", "w/hi")])
        #expect(counter.hear([("haan", "w/hi")]).committed.count == 1)
        #expect(try counter.balance("Rahul Sharma") == 300)
    }

    @Test func `several commands in one breath need a second voter too`() throws {
        let counter = try Counter()
        let before = try counter.figures()
        let said = "Rahul ne 200 diye aur Suresh ne 100 diye"
        #expect(counter.hear([(said, "w/hi")]).committed.isEmpty)
        #expect(counter.hear([(said, "w/hi"), ("Rahul ne 200 diye aur Suresh ne 300 diye", "w/en")]).committed.isEmpty)
        #expect(try counter.figures() == before)
        counter.hear([(said, "w/hi"), (said, "w/en")])
        #expect(try counter.balance("Rahul Sharma") == 300)
    }

    @Test func `a question needs no second voter`() throws {
        let counter = try Counter()
        #expect(counter.hear([("Rahul ka balance kitna hai", "w/hi")]).code == "OK")
    }

    private static func paid(_ name: String, _ rupees: Int64, _ intent: String = "RECORD_PAYMENT") -> TurnOpinion {
        TurnOpinion(intent: intent, customer: name, amountPaise: rupees * 100, engine: "llm")
    }

    @Test func `a model and one exact transcript that agree are enough`() throws {
        let counter = try Counter()
        let heard = [(text: "Rahul ne 200 diye", voter: "w/hi"), (text: "paratha hogaya bhai", voter: "w/en")]
        #expect(counter.hear(heard, opinions: [Self.paid("Rahul", 200)]).committed.count == 1)
        #expect(try counter.balance("Rahul Sharma") == 300)
    }

    /// Alone, against the transcript, or beside words that only sound like it, a model moves nothing.
    @Test(arguments: [
        ("Rahul ne 200 diye", paid("Rahul", 300)), ("Rahul ne 200 diye", paid("Suresh", 200)),
        ("Rahul ne 200 diye", paid("Rahul", 200, "ADD_CREDIT")), ("Rahulne dosau diyee", paid("Rahul", 200)),
        ("paratha hogaya bhai", paid("Rahul", 200)), ("Rahul ne 200 nahi diye", paid("Rahul", 200)),
    ])
    func `a model alone moves no money`(_ text: String, _ opinion: TurnOpinion) throws {
        let counter = try Counter()
        let before = try counter.figures()
        #expect(counter.hear([(text, "w/hi")], opinions: [opinion, opinion]).committed.isEmpty)
        #expect(try counter.figures() == before)
    }

    /// Ten free digits fit any sound; an engine that knows commands alone writes them into noise.
    @Test func `a telephone number that one voter heard is asked about before it overwrites`() throws {
        let counter = try Counter()
        let head = try counter.store.head().seq
        let heard = "Rahul ka phone number 9876543211 karo"
        #expect(counter.hear([(heard, "w/grammar")]).gate == .yesNo)
        #expect(try counter.store.head().seq == head)
        #expect(counter.hear([("haan", "w/hi")]).committed.count == 1)
        #expect(counter.hear([("Rahul ka phone number 9876543212 karo", "a"), (heard, "b")]).gate == .yesNo)
        counter.hear([("nahi", "w/hi")])
        #expect(counter.hear([(heard, "a"), (heard, "b")]).committed.count == 1)
    }

    private func hear(_ counter: Counter, _ said: [(text: String, voter: String, sure: Int64)]) -> Answer {
        counter.dialogue.hear(
            Utterance(
                text: said[0].text, confidenceMilli: said[0].sure,
                alternatives: said.dropFirst().map { .init($0.text, voter: $0.voter, confidenceMilli: $0.sure) },
                origin: .heard, voter: said[0].voter), now: counter.now)
    }

    @Test func `a voter's weak second thought neither objects nor agrees`() throws {
        let counter = try Counter()
        let sure = ("Rahul ne 200 diye", "w/grammar", Int64(900))
        let weak = ("Rahul ne 300 diye", "w/grammar", Int64(700))
        #expect(hear(counter, [sure, weak, ("Rahul ne do sau diye", "w/hi", 800)]).committed.count == 1)
        #expect(try counter.balance("Rahul Sharma") == 300)
        // The other way round it agrees with nobody: 300 was one voter's first word.
        #expect(hear(counter, [sure, weak, ("Rahul ne teen sau diye", "w/hi", 800)]).committed.isEmpty)
        #expect(try counter.balance("Rahul Sharma") == 300)
    }

    @Test func `a second thought nearly as sure as the first is an objection`() throws {
        let counter = try Counter()
        let answer = hear(
            counter,
            [
                ("Rahul ne 200 diye", "w/grammar", 900), ("Rahul ne 300 diye", "w/grammar", 890),
                ("Rahul ne do sau diye", "w/hi", 800),
            ])
        #expect(answer.committed.isEmpty && answer.gate == .yesNo)
    }

    @Test func `a sum that one voter heard as a correction is asked about too`() throws {
        let counter = try Counter()
        counter.hear([("Rahul ne 200 diye", "w/hi")])
        let answer = counter.hear([("nahi teen sau", "w/hi")])
        #expect(answer.gate == .yesNo && answer.committed.isEmpty)
        #expect(counter.hear([("haan", "w/hi")]).committed.count == 1)
        #expect(try counter.balance("Rahul Sharma") == 200)
        counter.hear([("Rahul ne 100 diye", "w/hi")])
        #expect(counter.hear([("nahi 50", "w/hi"), ("nahi pachaas", "w/en")]).committed.count == 1)
        #expect(try counter.balance("Rahul Sharma") == 150)
    }
}
