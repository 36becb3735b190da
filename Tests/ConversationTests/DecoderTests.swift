import Ledger
import Testing

@testable import Conversation

/// Speech recognition spells as it likes; the decoder finds the sentence of the grammar that sounds like it.
struct DecoderTests {
    private static let people = [
        "Rahul Sharma", "Sunita Rawat", "Gurpreet Kaur", "Ramesh Gupta", "Rajesh Gupta", "Bharat Yadav",
    ]
    private static let shelf: Shelf = {
        var bharat = CustomerDetails(name: people[5])
        bharat.landmark = "ATM wala"
        let customers = people.indices.map { index in
            Customer(
                id: CustomerID(rawValue: Int64(index)),
                details: index == 5 ? bharat : CustomerDetails(name: people[index]))
        }
        let products = ["Milk", "Paneer", "Chawal"].enumerated().map {
            Product(
                id: ProductID(rawValue: Int64($0.offset)),
                details: ProductDetails(name: $0.element, unit: "kg", price: Paise(1000)))
        }
        return Shelf(customers: customers, products: products)
    }()

    private func decode(_ text: String) -> [Decoder.Finding] {
        let grammar = Grammar.builtIn
        let interpreter = Interpreter(grammar: grammar, shelf: Self.shelf, context: [], now: WallTime(milliseconds: 0))
        guard let stream = SoundStream(interpreter.prepared(text).tokens) else { return [] }
        return Decoder(grammar: grammar, shelf: Self.shelf).decode(stream)
    }

    private func read(_ text: String) -> Request {
        Interpreter(grammar: .builtIn, shelf: Self.shelf, context: [], now: WallTime(milliseconds: 1_772_600_400_000))
            .interpret(text).request
    }

    struct Heard: Sendable {
        var text: String
        var intent: String
        var name: String?
        var rupees: Int64?
    }

    /// What an engine wrote for spoken sentences, in both scripts, words torn and run together.
    static let heard = [
        Heard(text: "Bharat ka tinso agaya", intent: "RECORD_PAYMENT", name: "Bharat", rupees: 300),
        Heard(text: "Sunita Kadhai Hazaar Mil Gaya", intent: "RECORD_PAYMENT", name: "Sunita", rupees: 2500),
        Heard(text: "Gurpreet se panchhazar rupye praptue", intent: "RECORD_PAYMENT", name: "Gurpreet", rupees: 5000),
        Heard(text: "सुनीता के काते में दो सो अरुपये लिक दो", intent: "ADD_CREDIT", name: "Sunita", rupees: 200),
        Heard(text: "Rahul gave 1000 rupis by kart", intent: "RECORD_PAYMENT", name: "Rahul", rupees: 1000),
        Heard(text: "milka stok kidna hai", intent: "CHECK_STOCK", name: nil, rupees: nil),
        Heard(text: "Bharat ityem wala kabalens patao", intent: "CHECK_BALANCE", name: "Bharat ATM wala", rupees: nil),
    ]

    @Test(arguments: heard) func `misspelt speech finds its sentence`(_ heard: Heard) throws {
        let best = try #require(decode(heard.text).first { read($0.text).intent != "UNKNOWN" })
        let request = read(best.text)
        #expect(request.intent == heard.intent)
        if let name = heard.name { #expect(request.spokenName?.lowercased() == name.lowercased()) }
        #expect(request.amount == heard.rupees.map { Paise($0 * 100) })
    }

    @Test func `the same sounds cost next to nothing`() throws {
        let best = try #require(decode("Rahul ne do sau rupaye diye").first)
        #expect(best.text == "Rahul ne do sau rupaye diye")
        // Six words at the price of a word.
        #expect(best.cost < 0.04)
    }

    @Test func `a count, a thing and what it is packed in are one item`() throws {
        let best = try #require(decode("Rahul ko ek chawal do milkki bothal ka billbanao").first)
        #expect(best.text.lowercased().contains("do milk"))
        #expect(!best.text.contains(" ik "))
    }

    @Test func `a figure never vanishes`() {
        for finding in decode("Rahul ne 200 diye") + decode("Rahul 700 ka balance batao") {
            #expect(finding.text.contains("200") || finding.text.contains("700"))
        }
    }

    @Test func `two names that fit nearly alike are rivals`() throws {
        let best = try #require(decode("Ramjesh ka balance batao").first)
        #expect(best.rivals.contains { $0.hasPrefix("R") })
    }

    @Test func `talk that is no command is not found`() {
        for talk in ["aaj mausam bahut accha hai yaar", "India won the cricket match yesterday evening at last"] {
            #expect(decode(talk).isEmpty)
        }
    }

    @Test func `the same words are decoded alike every time`() {
        let first = decode("Sunita Kadhai Hazaar Milk Gaya").map(\.text)
        for _ in 0..<5 { #expect(decode("Sunita Kadhai Hazaar Milk Gaya").map(\.text) == first) }
    }

    @Test func `a wrong pattern is named with its line`() {
        let bytes = Array("[words]\nne: ne\n[patterns]\n<name> ne\n<nobody> ne\n".utf8)
        #expect(throws: GrammarPackError(pack: "p.txt", line: 5, what: "<nobody> is no slot")) {
            try Grammar(packs: [("p.txt", bytes)])
        }
    }
}

/// What is heard badly is asked about, whoever agrees.
struct HeardBadlyTests {
    @Test(arguments: [
        ["Rahul ne dosau diyee", "राहुल ने दो सो दीये"], ["Rahulne do saudiye"],
    ]) func `money in misspelt words is a question`(_ texts: [String]) throws {
        let counter = try Counter()
        let before = try counter.figures()
        let answer = counter.hear(texts.enumerated().map { ($0.element, "voter \($0.offset)") })
        #expect(answer.committed.isEmpty)
        #expect(answer.intent == "RECORD_PAYMENT")
        #expect(try counter.figures() == before)
    }

    /// A negation, a question, a condition in the transcript is not repaired away.
    @Test(arguments: [
        "Rahul ne dosau nahi diyee", "kya Rahul ne dosau diyee", "agar Rahulne dosau diyee to batana",
        "Rahul dosau degaa kal",
    ]) func `a doubt is never decoded into a deed`(_ text: String) throws {
        let counter = try Counter()
        let before = try counter.figures()
        counter.hear([(text, "w/hi"), (text, "w/en")])
        counter.hear([("haan", "w/hi"), ("haan", "w/en")])
        #expect(try counter.figures() == before)
    }

    @Test func `a new customer that was heard is asked about`() throws {
        let counter = try Counter()
        let count = try counter.store.customers().count
        #expect(counter.hear([("naya customer Zubin add karo", "w/hi")]).gate == .yesNo)
        #expect(try counter.store.customers().count == count)
        counter.hear([("haan", "w/hi")])
        #expect(try counter.store.customers().count == count + 1)
    }

    /// What bystanders' talk could be repaired into while a bill waits.
    @Test func `a confirm that was repaired asks before it commits the bill`() throws {
        let counter = try Counter()
        counter.say("Rahul ko 2 maggi ka bill banao")
        let before = try counter.figures()
        let answer = counter.hear([("Rahul bil konfarm", "w/hi"), ("Rahool kaa bil konfrm", "w/en")])
        #expect(answer.intent == "CONFIRM_INVOICE" && answer.gate == .yesNo && answer.committed.isEmpty)
        #expect(try counter.figures() == before)
        #expect(counter.hear([("haan", "w/hi")]).committed.count == 1)
    }

    @Test(arguments: ["Rahul kabil bhejo", "Rahulka billbhejdo"])
    func `a repaired deed that asks nothing of its own is asked about`(_ text: String) throws {
        let counter = try Counter()
        counter.say("Rahul ko 2 maggi ka bill banao")
        counter.say("haan")
        let head = try counter.store.head().seq
        let answer = counter.hear([(text, "w/hi")])
        #expect(answer.intent == "SEND_INVOICE" && answer.gate == .yesNo)
        #expect(try counter.store.head().seq == head)
    }

    @Test func `what only sounds like a yes settles nothing`() throws {
        let counter = try Counter()
        let before = try counter.figures()
        counter.hear([("Rahul ne 200 diye", "w/hi")])
        for talk in ["han jeet lagun", "haal theek", "hano"] { counter.hear([(talk, "w/hi")]) }
        #expect(try counter.figures() == before)
        counter.hear([("haan", "w/hi")])
        #expect(try counter.balance("Rahul Sharma") == 300)
    }
}
