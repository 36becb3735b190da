import JSONText
import Ledger
import Testing

@testable import Conversation

/// What is said beside the things of a bill, or in half a sentence, is neither put aside nor guessed.
struct SaidInPassingTests {
    /// Biscuit is 20 rupees in the suite's shop, a milk packet 60.
    private func biscuit(_ counter: Counter) throws -> Int64 {
        try counter.store.products().first { $0.details.name == "Biscuit" }!.details.price.rawValue / 100
    }

    @Test func `the price of another kind is asked about, and the yes charges it`() throws {
        let counter = try Counter()
        let other = try biscuit(counter) + 15
        let asked = counter.say("Rahul ka \(other) rupaye wala biscuit likh do")
        #expect(asked.code == "CONFIRMATION_NEEDED" && asked.committed.isEmpty)
        #expect(try counter.store.drafts(now: counter.now).isEmpty)
        counter.say("haan")
        let draft = try #require(try counter.store.drafts(now: counter.now).first)
        #expect(draft.bill.lines.map(\.unitPrice.rawValue) == [other * 100])
    }

    @Test func `the price the book has needs no question`() throws {
        let counter = try Counter()
        let own = try biscuit(counter)
        #expect(counter.say("Rahul ka \(own) rupaye wala biscuit likh do").code == "OK")
        let draft = try #require(try counter.store.drafts(now: counter.now).first)
        #expect(draft.bill.lines.map(\.quantity.rawValue) == [1000])
    }

    @Test func `of two kinds the price says which, before the name or in answer to the question`() throws {
        let patch: JSONValue = [
            "addProducts": [
                ["name": "Sabun Lal", "aliases": ["sabun"], "unit": "piece", "pricePaise": 2000, "stockMilli": 9000],
                ["name": "Sabun Hara", "aliases": ["sabun"], "unit": "piece", "pricePaise": 3000, "stockMilli": 9000],
            ]
        ]
        for said in [["Rahul ka bill 2 tees rupaye wale sabun"], ["Rahul ka bill 2 sabun", "30"]] {
            let counter = try Counter(ShopWorld.patched(Fixture.world, by: patch))
            let count = try counter.store.products().count
            for text in said { counter.say(text) }
            let draft = try #require(try counter.store.drafts(now: counter.now).first)
            #expect(draft.bill.lines.map(\.unitPrice.rawValue) == [3000])
            #expect(draft.bill.lines.map(\.quantity.rawValue) == [2000])
            #expect(try counter.store.products().count == count, "no third soap was made")
        }
    }

    @Test func `what is paid with a bill is booked with it`() throws {
        let counter = try Counter()
        let before = try counter.balance("Rahul Sharma")
        #expect(counter.say("Rahul ka bill 2 milk, 50 rupaye upi diye").committed.allSatisfy { _ in true })
        #expect(try counter.balance("Rahul Sharma") == before)
        counter.say("haan")
        #expect(try counter.balance("Rahul Sharma") == before + 120 - 50)
        let payment = try #require(try counter.store.payments(of: nil, limit: 1).first)
        #expect(payment.split == PaymentSplit(amount: Paise(5000), mode: .upi))
    }

    @Test func `a sum nobody can place keeps even a bill that is to be sent waiting`() throws {
        let counter = try Counter()
        let asked = counter.say("Rahul ko 70 rupaye ka doodh ka bill bhej do")
        #expect(asked.code == "CONFIRMATION_NEEDED" && asked.speech.contains("70"))
        #expect(try counter.balance("Rahul Sharma") == 500)
    }

    @Test(arguments: ["Rahul ne kal 500 diye", "Rahul pay 200 rupees"])
    func `money of another day, and money that may be still to come, is asked about`(_ text: String) throws {
        let counter = try Counter()
        let asked = counter.say(text)
        #expect(asked.intent == "RECORD_PAYMENT" && asked.gate == .yesNo && asked.committed.isEmpty)
        #expect(counter.say("nahi").committed.isEmpty)
        #expect(try counter.balance("Rahul Sharma") == 500)
    }

    @Test(arguments: ["doodh ka rate kya hai", "doodh kitne ka hai", "दूध कितने का है", "what is the price of milk"])
    func `a price that is asked for is told`(_ text: String) throws {
        let counter = try Counter()
        let answer = counter.say(text)
        #expect(answer.intent == "CHECK_PRICE" && answer.code == "OK" && answer.speech.contains("60"))
    }

    @Test(arguments: ["Rahul ka 500 mat likho", "Rahul ne 500 diya kya?", "agar Rahul 500 de de to bata dena"])
    func `what was understood to be nothing leaves the ear closed`(_ text: String) throws {
        #expect(try Counter().say(text).opensEar == false)
    }

    /// Lentils are no imperative, and a thing may go by part of its name where only one thing has it.
    @Test func `a number behind dal counts the next thing, and oil is the only oil`() throws {
        let patch: JSONValue = [
            "addProducts": [
                ["name": "Mustard Ghee", "unit": "kg", "pricePaise": 9000, "stockMilli": 9000],
                ["name": "Desi Ghee", "unit": "kg", "pricePaise": 8000, "stockMilli": 9000],
            ]
        ]
        let counter = try Counter(ShopWorld.patched(Fixture.world, by: patch))
        counter.say("Rahul ka bill ek kilo arhar dal do kilo chawal aur teen kilo mustard")
        let draft = try #require(try counter.store.drafts(now: counter.now).first)
        #expect(draft.bill.lines.map(\.quantity.rawValue) == [1000, 2000, 3000])
        // Two are called ghee: neither is taken.
        #expect(counter.say("Priya ka bill 2 kilo ghee").code == "PRODUCT_NOT_FOUND")
    }

    @Test func `an alternative without end is no vote, and what it hides is asked about`() throws {
        let counter = try Counter()
        let before = try counter.figures()
        let long = "Rahul ka 200 likh do " + String(repeating: "aur ", count: 1500) + " nahi"
        counter.hear([("Rahul ka 200 likh do", "a"), (long, "b")])
        counter.hear([(long, "a"), ("Rahul ka 200 likh do", "b")])
        #expect(try counter.figures() == before)
    }
}

/// Names and things as the two scripts write them.
struct TwoScriptTests {
    @Test(arguments: [
        ("गुरप्रीत", "Gurpreet"), ("बलविंदर", "Balwinder"), ("कमला", "Kamla"), ("सलमा", "Salma"), ("हरप्रीत", "Harpreet"),
        ("विमला", "Vimla"), ("रामकृष्ण", "Ramkrishna"), ("सुरिंदर", "Surinder"), ("Kamala", "Kamla"),
    ])
    func `a name is the same in both scripts`(_ pair: (String, String)) {
        #expect(NameVerdict(pair.0, pair.1) == .same)
    }

    @Test(arguments: [
        ("Kamal", "Kamla"), ("Salim", "Salma"), ("Gurpreet", "Harpreet"), ("Balwinder", "Harvinder"),
        ("Surinder", "Mahinder"), ("Vimla", "Nirmala"),
    ])
    func `names that are not one another stay apart`(_ pair: (String, String)) {
        #expect(NameVerdict(pair.0, pair.1) != .same)
    }
}
