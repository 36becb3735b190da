import JSONText
import Ledger
import Testing

@testable import Conversation

/// Laws that hold for every sentence, not for the ones somebody thought of.
struct GrammarPropertyTests {
    /// Sentences that post when nothing is added to them.
    static let postings = [
        "Rahul ka 250 likh do", "Rahul ko 300 udhaar do", "Rahul ne 200 diye", "Rahul ka 400 aa gaya",
        "Suresh ne 500 UPI kiya", "Suresh ke khate mein 100 jodo", "Rahul ne 100 cash aur 50 UPI diye",
        "50 kilo aata aaya", "राहुल का दो सौ लिख दो", "सुरेश ने तीन सौ जमा किए", "Rahul gave 200 rupees",
        "add 500 to Rahul's account", "give Rahul 200 credit", "100 Maggi ka stock add karo",
    ]

    @Test(arguments: postings)
    func `a posting posts`(_ text: String) throws {
        let counter = try Counter()
        let before = try counter.figures()
        #expect(counter.say(text).code == "OK")
        #expect(try counter.figures() != before)
    }

    /// Negated, questioned, conditional, promised and reported forms. Remove the blocking classes and this fails.
    static let twists: [@Sendable (String) -> String] = [
        { $0 + " mat" }, { $0 + " nahi" }, { $0 + " kya" }, { $0 + "?" }, { "kya " + $0 }, { "agar " + $0 },
        { "shayad " + $0 }, { "yadi " + $0 + " to batana" }, { $0 + " mat karna" }, { "mat " + $0 },
        { "अगर " + $0 }, { $0 + " नहीं" }, { "if " + $0 }, { "did " + $0 }, { "don't " + $0 }, { "never " + $0 },
        { "Mohan bol raha tha " + $0 }, { $0 + " chahiye" }, { "maybe " + $0 }, { $0 + " lagta hai" },
        { $0 + " jab milega" }, { "he said " + $0 }, { $0 + " mat likhna abhi" }, { "suna hai " + $0 },
        { "क्या " + $0 }, { $0 + " शायद" }, { $0 + " मत" }, { "unless " + $0 }, { "should I " + $0 },
    ]

    @Test(arguments: postings)
    func `no twisted form of a posting posts, nor does a yes after it`(_ text: String) throws {
        for twist in Self.twists {
            let counter = try Counter()
            let before = try counter.figures()
            counter.say(twist(text))
            #expect(try counter.figures() == before, "\(twist(text))")
        }
    }

    /// Words nobody knows inside a posting are never passed over.
    @Test(arguments: postings)
    func `a posting with two words nobody knows is not written`(_ text: String) throws {
        let counter = try Counter()
        let words = text.split(separator: " ")
        for place in 1..<words.count {
            let noisy =
                words[..<place].joined(separator: " ") + " blorfen zwick " + words[place...].joined(separator: " ")
            let before = try counter.figures()
            counter.say(noisy)
            #expect(try counter.figures() == before, "\(noisy)")
            counter.wait(1000)
        }
    }

    /// Who is charged does not hang on the order in which the book lists people.
    @Test func `permuting the customers never changes who is charged`() throws {
        let json = Fixture.world
        var random = CaseRandom(seed: 3)
        for _ in 0..<6 {
            var world = try ShopWorld(json: json)
            world.customers.shuffle(using: &random)
            world.products.shuffle(using: &random)
            let counter = try Counter(world)
            counter.say("Bharat ka 111 likh do")
            counter.say("Kavita bus stand wali ka 222 likh do")
            counter.say("9876543212 ka 333 likh do")
            counter.say("Singh ji ne 44 diye")
            #expect(try counter.balance("Bharat Kumar") == 111)
            #expect(try counter.balance("Kavita Desai") == 222)
            #expect(try counter.balance("Suresh Kumar") == 1833)
            #expect(try counter.balance("Amit Singh") == 156)
        }
    }

    /// The margin rule: two of a name are always asked about, whoever was spoken of before.
    @Test func `a name two people share is asked about`() throws {
        let patch: JSONValue = [
            "addCustomers": [["name": "Rahul Verma", "landmark": "Market wala", "openingBalancePaise": 0]]
        ]
        let counter = try Counter(ShopWorld.patched(Fixture.world, by: patch))
        counter.say("Rahul Sharma ka balance batao")
        let before = try counter.figures()
        let asked = counter.say("Rahul ka 100 likh do")
        #expect(asked.gate == .which && asked.committed.isEmpty)
        #expect(try counter.figures() == before)
        #expect(counter.say("Verma").committed.count == 1)
        #expect(try counter.balance("Rahul Verma") == 100)
    }

    /// People whose names sound alike are never taken for one another.
    @Test(arguments: [
        ("Ramesh", "Rajesh"), ("Mohan", "Sohan"), ("Mohit", "Rohit"), ("Neha", "Sneha"), ("Kiran", "Karan"),
    ])
    func `a near name is never charged`(_ pair: (String, String)) throws {
        let patch: JSONValue = ["addCustomers": [["name": .string(pair.0 + " Lal"), "openingBalancePaise": 0]]]
        let counter = try Counter(ShopWorld.patched(Fixture.world, by: patch))
        let before = try counter.figures()
        counter.say("\(pair.1) ka 200 likh do")
        counter.say("\(pair.1) ne 200 diye")
        #expect(try counter.figures() == before)
    }

    /// One slip of a writer or a speech engine in a name: near letters, a vowel, a breath, a doubling. Whoever is
    /// charged is the one who was meant, or somebody whose own name it then spells.
    @Test func `a name with a slip in it never charges somebody else`() throws {
        let names = [
            "Ramesh", "Rajesh", "Mohan", "Sohan", "Mohit", "Rohit", "Neha", "Sneha", "Kiran", "Karan", "Geeta", "Sita",
            "Anil", "Sunil", "Amit", "Sumit", "Vimla", "Kamla", "Salim", "Salma", "Deepak", "Dilip", "Imran", "Irfan",
            "Gurpreet", "Harpreet", "Lakshmi", "Lakshman", "Pooja", "Puneet", "Vijay", "Ajay", "Sanjay", "Dhananjay",
            "Manoj", "Saroj", "Farhan", "Farah", "Balwinder", "Surinder",
        ]
        let patch: JSONValue = [
            "removeCustomers": .array((Fixture.world["customers"]?.array ?? []).compactMap { $0["name"] }),
            "addCustomers": .array(names.map { ["name": .string($0), "openingBalancePaise": 0] }),
        ]
        let counter = try Counter(ShopWorld.patched(Fixture.world, by: patch))
        var random = CaseRandom(seed: 11)
        var charged = 0
        for name in names {
            for _ in 0..<8 {
                let said = Self.slipped(name, &random)
                let answer = counter.say("\(said) ka 7 likh do")
                guard !answer.committed.isEmpty else {
                    counter.say("nahi")
                    continue
                }
                charged += 1
                let customer = answer.slots["customer"]?.string ?? ""
                #expect(customer == name || NameVerdict(said, customer) == .same, "\(said), meant \(name): \(customer)")
            }
        }
        #expect(charged > 40, "a matcher that takes nobody proves nothing")
    }

    private static func slipped(_ name: String, _ random: inout CaseRandom) -> String {
        let near: [Character: [String]] = [
            "t": ["d", "th"], "d": ["t", "dh"], "k": ["g", "kh"], "g": ["k", "gh"], "p": ["b"], "b": ["p", "v", "bh"],
            "v": ["b", "w"], "s": ["sh", "j"], "j": ["z", "s"], "n": ["m"], "m": ["n"], "r": ["l"], "l": ["r"],
            "f": ["p", "ph"], "h": [""], "a": ["aa", "e", ""], "e": ["i", "ee", "a"], "i": ["ee", "e", ""],
            "o": ["u", "oo"], "u": ["oo", "o"],
        ]
        var letters = name.lowercased().map(String.init)
        let place = Int.random(in: 0..<letters.count, using: &random)
        letters[place] = near[Character(letters[place])]?.randomElement(using: &random) ?? letters[place]
        return letters.joined().prefix(1).uppercased() + letters.joined().dropFirst()
    }

    /// Any text at all: no crash, bounded, nothing posted by noise.
    @Test func `arbitrary Unicode never crashes and never posts`() throws {
        let counter = try Counter()
        let before = try counter.figures()
        var random = CaseRandom(seed: 42)
        let alphabet: [UInt32] =
            Array(0x20...0x7E) + Array(0x900...0x97F) + Array(0x300...0x310) + [
                0x200B, 0x200D, 0xFEFF, 0x1F600, 0x20B9, 0xFFFD, 0,
            ]
        for _ in 0..<400 {
            var text = String.UnicodeScalarView()
            for _ in 0..<Int.random(in: 0...60, using: &random) {
                let value =
                    Bool.random(using: &random)
                    ? alphabet.randomElement(using: &random)! : UInt32.random(in: 1...0x10FFFF, using: &random)
                if let scalar = Unicode.Scalar(value) { text.append(scalar) }
            }
            counter.say(String(text))
        }
        #expect(try counter.figures() == before)
    }

    /// Words of the packs thrown together: mostly nonsense, none of it may crash; only what the book accepts is written.
    @Test func `words of the packs in any order never crash`() throws {
        let counter = try Counter()
        var random = CaseRandom(seed: 8)
        let words =
            [
                "Rahul", "Suresh", "Priya", "milk", "chawal", "200", "do sau", "6000", "kilo", "aur", ",", "?", "Ramu",
                "0", "-5", "%",
            ]
            + Array(Grammar.builtIn.lexicon.phrases.keys.sorted())
        for _ in 0..<1500 {
            let count = Int.random(in: 1...9, using: &random)
            counter.say((0..<count).map { _ in words.randomElement(using: &random)! }.joined(separator: " "))
            if Bool.random(using: &random) { counter.wait(60) }
        }
        #expect(try counter.store.verify().valid)
    }

    @Test func `a transcript without end is refused, not cut where the no would have come`() throws {
        let counter = try Counter()
        let before = try counter.figures()
        let answer = counter.say("Rahul ka 200 likh do " + String(repeating: "aur ", count: 2000) + " nahi")
        #expect(answer.intent == "UNKNOWN")
        #expect(try counter.figures() == before)
    }
}
