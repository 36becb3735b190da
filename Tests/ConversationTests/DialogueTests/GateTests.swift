import Ledger
import Testing

@testable import Conversation

/// Nothing is written that was not meant: gates, late words, low confidence, disagreement.
struct GateTests {
    /// The margin of the law: 5000 passes, one rupee more is asked about.
    @Test func `an amount above 5000 is asked about and written once after the yes`() throws {
        let counter = try Counter()
        #expect(counter.say("Suresh ka 5000 add karo").code == "OK")
        let asked = counter.say("Suresh ka 5001 add karo")
        #expect(asked.gate == .yesNo && asked.opensEar && asked.committed.isEmpty)
        #expect(counter.say("haan").committed.count == 1)
        #expect(counter.say("haan").committed.isEmpty)
        #expect(try counter.balance("Suresh Kumar") == 1500 + 5000 + 5001)
    }

    /// A question is in the book before it is heard.
    @Test func `a question outlives a power cut and lapses after three minutes`() throws {
        let counter = try Counter()
        counter.say("Suresh ka 6000 add karo")
        counter.restart()
        counter.wait(179)
        #expect(counter.say("haan").committed.count == 1)

        counter.say("Rahul ka 6000 add karo")
        counter.restart()
        counter.wait(180)
        #expect(counter.say("haan").committed.isEmpty)
        #expect(try counter.balance("Rahul Sharma") == 500)
    }

    @Test func `no wins where yes and no are both heard`() throws {
        let counter = try Counter()
        counter.say("Suresh ka 6000 add karo")
        counter.say("haan nahi")
        #expect(counter.say("haan").committed.isEmpty)
        #expect(try counter.balance("Suresh Kumar") == 1500)
    }

    @Test(arguments: ["haan", "yes", "हाँ", "ji haan", "theek hai", "kar do", "yes please", "haan likh do", "ok"])
    func `yes is understood`(_ yes: String) throws {
        let counter = try Counter()
        counter.say("Suresh ka 6000 add karo")
        #expect(counter.say(yes).committed.count == 1)
    }

    @Test(arguments: ["nahi", "no", "नहीं", "mat karo", "rehne do", "nahi nahi", "cancel", "no don't", "mat likho"])
    func `no is understood`(_ no: String) throws {
        let counter = try Counter()
        counter.say("Suresh ka 6000 add karo")
        #expect(counter.say(no).committed.isEmpty)
        #expect(counter.say("haan").committed.isEmpty)
    }

    /// Words from the spool are hours old: even a small sum is read back first.
    @Test func `a late utterance is never executed silently`() throws {
        let counter = try Counter()
        let before = try counter.figures()
        let turn = ULID(high: 5, low: 6)
        let answer = counter.say("Rahul ne 20 diye", turn: turn, late: true)
        #expect(answer.code == "CONFIRMATION_NEEDED" && answer.speech.contains("20"))
        #expect(try counter.figures() == before)
        counter.say("haan")
        #expect(try counter.balance("Rahul Sharma") == 480)
    }

    @Test func `a late yes confirms nothing`() throws {
        let counter = try Counter()
        counter.say("Rahul ka bill banao 2 bread")
        let before = try counter.figures()
        counter.say("haan", late: true)
        #expect(try counter.figures() == before)
    }

    @Test func `a late utterance waits while a question is open`() throws {
        let counter = try Counter()
        counter.say("Suresh ka 6000 add karo")
        #expect(counter.dialogue.isQuestionOpen(now: counter.now))
        counter.say("Rahul ne 20 diye", late: true)
        #expect(counter.say("haan").committed.count == 1)
        #expect(try counter.balance("Suresh Kumar") == 7500)
        #expect(try counter.balance("Rahul Sharma") == 500)
    }

    @Test func `below 0 point 65 nothing is executed`() throws {
        let counter = try Counter()
        let before = try counter.figures()
        #expect(counter.say("Rahul ne 200 diye", confidence: 649).gate == .again)
        #expect(try counter.figures() == before)
        #expect(counter.say("Rahul ne 200 diye", confidence: 650).committed.count == 1)
    }

    /// Two transcripts of one sound that would post different things.
    @Test(arguments: [["Rahul ne 300 diye"], ["Suresh ne 200 diye"], ["Rahul ko 200 diye"]])
    func `transcripts that disagree are asked about`(_ others: [String]) throws {
        let counter = try Counter()
        let before = try counter.figures()
        #expect(counter.say("Rahul ne 200 diye", or: others).code == "CONFIRMATION_NEEDED")
        #expect(try counter.figures() == before)
    }

    @Test func `transcripts that agree are done`() throws {
        let counter = try Counter()
        #expect(counter.say("Rahul ne 200 diye", or: ["राहुल ने दो सौ दिए"]).committed.count == 1)
    }

    /// A turn handed in again after a crash, or twice by the link.
    @Test func `the same turn writes once`() throws {
        let counter = try Counter()
        let turn = ULID(high: 11, low: 12)
        counter.say("Rahul ne 200 diye", turn: turn)
        counter.restart()
        let again = counter.say("Rahul ne 200 diye", turn: turn)
        #expect(again.code == "OK" && again.committed.count == 1 && again.committed[0].isReplay)
        #expect(try counter.balance("Rahul Sharma") == 300)
    }

    /// The crash between the commit and the answer: the yes is repeated.
    @Test func `a yes repeated after a crash is one entry`() throws {
        let counter = try Counter()
        counter.say("Suresh ka 6000 add karo")
        let remembered = try #require(try counter.store.recall(DialogueState.key))
        counter.say("haan")
        try counter.store.remember(DialogueState.key, remembered)
        counter.restart()
        let again = counter.say("haan").committed
        #expect(again.count == 1 && again[0].isReplay)
        #expect(try counter.balance("Suresh Kumar") == 7500)
    }

    @Test func `three wrong PINs end a deletion, and the right one then does nothing`() throws {
        let counter = try Counter()
        counter.say("Rahul ka data delete karo")
        for _ in 0..<3 { _ = counter.dialogue.enter(pin: "0000", now: counter.now) }
        _ = counter.dialogue.enter(pin: "4826", now: counter.now)
        counter.say("haan")
        #expect(try counter.store.customers().contains { $0.details.name == "Rahul Sharma" })
    }

    @Test func `yes first, then the PIN, erases; nothing the conversation keeps names them after`() throws {
        let counter = try Counter()
        counter.say("Rahul ka data delete karo")
        #expect(counter.say("haan").code == "UNAUTHORIZED")
        let answer = counter.dialogue.enter(pin: "4826", now: counter.now)
        #expect(answer.code == "OK")
        #expect(try !counter.store.customers().contains { $0.details.name == "Rahul Sharma" })
        let kept = String(decoding: try counter.store.recall(DialogueState.key) ?? [], as: UTF8.self)
        #expect(!kept.contains("Rahul"))
    }

    /// Which way the money went: a sentence that can be read both ways is asked about or not taken, never guessed.
    @Test(arguments: [
        "Rahul took 300 from me", "Rahul received 200", "Rahul got 200 from me", "Rahul ne udhaar ke 300 diye",
        "Rahul ne 500 diye khate mein likh do", "Rahul ne mujhse 200 liye", "Rahul ko 200 mile",
        "Rahul ko 200 wapas diye", "Suresh ne Rahul ke 200 diye", "Rahul ne Priya ko 500 diye",
        "Suresh paid 500 to Rahul", "Rahul ke papa ne 200 diye", "Rahul ke liye 200 diye", "Rahul ne 500 liye",
        "hum ne Rahul 200 diye", "Rahul ka 500 udhaar hai", "Suresh ka udhaar 500 kar do", "Rahul ka 100 50 likh do",
        "Rahul ne 500 mein se 200 diye", "Suresh paid 500 or 600", "Rahul ne kal 500 diye", "tell Suresh to pay 500",
        "Rahul ne 500 diye honge", "Rahul ko bolo 500 de de", "Rahul ka 500 kaat do", "Rahul ke 500 kam kar do",
    ])
    func `a direction that is not clear is never posted silently`(_ text: String) throws {
        let counter = try Counter()
        let before = try counter.figures()
        counter.say(text)
        #expect(try counter.figures() == before)
    }

    @Test(arguments: [
        ("maine Rahul ko 200 diye", 700), ("Rahul ne mujhe 200 diye", 300), ("I gave Rahul 200", 700),
        ("Rahul gave me 200", 300), ("200 received from Rahul", 300), ("Rahul ko 200 udhaar diya", 700),
        ("Rahul se 200 liye", 300), ("lend Rahul 200", 700), ("Rahul ne 200 udhaar liya", 700),
        ("मैंने राहुल को दो सौ दिए", 700), ("मुझे राहुल ने दो सौ दिए", 300),
    ])
    func `who gave to whom decides the sign`(_ pair: (String, Int64)) throws {
        let counter = try Counter()
        counter.say(pair.0)
        #expect(try counter.balance("Rahul Sharma") == pair.1)
    }
}
