import JSONText
import Testing

@testable import Conversation

struct TokensTests {
    @Test(arguments: [
        ("Rahul ka 500 likh do", "rahul ka 500 likh do"),
        ("Priya's balance?", "priya 's balance"), ("don't at 5 o'clock", "dont at 5 oclock"),
        ("5kg chawal 500ml", "5 kg chawal 500 ml"), ("₹1,50,000 + 2,3", "₹ 150000 + 2 3"), ("250/- only", "250 only"),
        ("GSTR-1 FY 2025-26", "gstr 1 fy 2025 26"), ("P&L report", "p&l report"), ("7:30 p.m. kal", "7:30 pm kal"),
        ("priya@gmail.com save karo.", "priya@gmail.com save karo"), ("07AABCU9603R1ZP hai", "07aabcu9603r1zp hai"),
        ("Rs.500 Rs. 500", "rs 500 rs 500"), ("१,२५० रुपये", "1250 रुपये"), ("हज़ार हज़ार", "हजार हजार"),
        ("पाँच पन्द्रह", "पांच पंद्रह"), ("bill: 1 bread, 2 milk", "bill 1 bread 2 milk"), ("10% off", "10 % off"),
        ("10/12/2025", "10 12 2025"), ("1/2 kilo", "1/2 kilo"), ("", ""), ("… — !", ""),
        ("Rāhul Śarmā", "rahul sharma"),
        ("not-an-email", "not an email"), ("a\u{200D}b", "ab"), ("98765-43210", "98765 43210"),
        ("-50 aur x-50", "- 50 aur x 50"), ("@ gmail", "@ gmail"), ("१२ बजे।", "12 बजे"),
    ])
    func `a text is cut into its words`(text: String, words: String) {
        #expect(Tokens(text).items.map(\.text).joined(separator: " ") == words)
    }

    @Test func `gaps say how far words are apart`() {
        let tokens = Tokens("1 bread, 2 milk. GSTR-1 5kg").items
        #expect(tokens.map(\.gap) == [.space, .space, .comma, .space, .stop, .dash, .space, .joined])
        #expect(Tokens("Rahul ka balance? Aur Priya ka?").hasQuestionMark)
        #expect(!Tokens("Rahul ka balance").hasQuestionMark)
    }

    @Test func `a range of tokens gives back what was said`() {
        let tokens = Tokens("naya customer Sunita Devi, phone 9123456780")
        #expect(tokens.original(2..<4) == "Sunita Devi")
        #expect(Tokens("भारत का ५०० लिख दो").original(2..<3) == "५००")
        #expect(tokens.original(2..<2).isEmpty)
        #expect(tokens.original(4..<99).isEmpty)
    }

    @Test func `a text too long is cut and says so`() {
        let long = Tokens(String(repeating: "a ", count: Tokens.scalarsMax))
        #expect(long.isCut)
        #expect(long.count == Tokens.scalarsMax / 2)
        #expect(!Tokens("a").isCut)
    }

    /// Any Unicode at all: no crash, ranges in order and inside the text.
    @Test func `arbitrary text is cut without a crash`() {
        var random = SplitMix(seed: 7)
        let pools: [ClosedRange<UInt32>] = [
            0x20...0x7E, 0x900...0x97F, 0x2000...0x206F, 0x1F300...0x1F6FF, 0x0...0xD7FF,
        ]
        for _ in 0..<3000 {
            var text = ""
            for _ in 0..<Int(random.next() % 40) {
                let pool = pools[Int(random.next() % UInt64(pools.count))]
                let value = pool.lowerBound + UInt32(random.next() % UInt64(pool.count))
                if let scalar = Unicode.Scalar(value) { text.unicodeScalars.append(scalar) }
            }
            let tokens = Tokens(text)
            var last = 0
            for token in tokens.items {
                #expect(token.range.lowerBound >= last && token.range.upperBound <= text.utf8.count)
                last = token.range.upperBound
            }
            for index in tokens.items.indices { _ = NumberReader.amount(in: tokens.items, at: index) }
            _ = Transliteration.roman(text)
            _ = NameVerdict(text, "Rahul")
        }
    }
}

/// SplitMix64 (Vigna): a seeded source for tests.
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
