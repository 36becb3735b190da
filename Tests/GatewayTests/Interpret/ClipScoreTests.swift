import Conversation
import JSONText
import Ledger
import Testing

@testable import execora_gateway

/// What counts as understood, and above all what counts as wrongly posted: the figure that must be nought.
struct ClipScoreTests {
    static let world: JSONValue = [
        "format": 1, "shop": ["name": "T", "state": "Delhi", "language": "hi-en"],
        "customers": [
            ["name": "Rahul Verma", "openingBalancePaise": 50_000], ["name": "Bharat Yadav", "landmark": "ATM wala"],
            ["name": "Dinesh Sharma"],
        ],
        "products": [
            [
                "name": "Egg", "aliases": ["egg", "anda"], "unit": "piece", "pricePaise": 600, "stockMilli": 100_000,
                "conversionsMilli": ["tray": 30_000],
            ],
            ["name": "Chawal", "aliases": ["rice"], "unit": "kg", "pricePaise": 6000, "stockMilli": 50_000],
        ],
    ]

    private func score(_ meant: JSONValue, heard texts: [(String, String)]) -> ClipScore {
        let transcripts = texts.map {
            TurnReply.Transcript(
                text: $0.0, confidenceMilli: 900, language: $0.1, engine: "e", model: "", milliseconds: 1)
        }
        let reply = TurnReply(turn: ULID(high: 1, low: 1), verdict: .heard, transcripts: transcripts, milliseconds: 1)
        let (step, state, before) = ClipReader.replay(reply, world: Self.world)
        return ClipScore(meant, step: step, state: state, before: before, world: Self.world)
    }

    private static let payment: JSONValue = [
        "intent": "RECORD_PAYMENT", "slots": ["customer": "Rahul", "amount_paise": 20_000],
    ]

    @Test func `two that agree post what was meant, and it is exact`() {
        let score = score(Self.payment, heard: [("Rahul ne 200 diye", "hi"), ("Rahul ne do sau diye", "en")])
        #expect(score.isExact && score.isPosted && !score.isWronglyPosted, "\(score.differences)")
    }

    @Test func `one that stands alone asks, and is exact without being posted`() {
        let score = score(Self.payment, heard: [("Rahul ne 200 diye", "hi")])
        #expect(score.isExact && score.isAsked && !score.isPosted, "\(score.differences)")
    }

    @Test func `another amount that is posted is counted as such`() {
        let score = score(Self.payment, heard: [("Rahul ne 300 diye", "hi"), ("Rahul ne teen sau diye", "en")])
        #expect(!score.isExact && score.isWronglyPosted)
        #expect(score.differences == ["amount 30000"])
    }

    @Test func `a posting where none was meant is wrong however well it reads`() {
        let meant: JSONValue = ["intent": "UNKNOWN", "slots": .object([])]
        let score = score(meant, heard: [("Rahul ne 200 diye", "hi"), ("Rahul ne 200 diye", "en")])
        #expect(score.isWronglyPosted)
    }

    @Test func `spoken names and units are resolved before they are compared`() {
        let meant: JSONValue = [
            "intent": "CREATE_INVOICE",
            "slots": [
                "customer": "Sharma ji",
                "items": .array([
                    ["product": "anda", "quantity": 1, "unit": "dozen"],
                    ["product": "rice", "quantity": 0.5, "unit": "kg"],
                ]),
            ],
        ]
        let score = score(meant, heard: [("Dinesh Sharma ka bill ek darjan anda aur aadha kilo chawal", "hi")])
        #expect(score.isExact && !score.isPosted, "\(score.differences)")
        #expect(ClipScore.customer("Bharat ATM wala", in: Self.world) == "Bharat Yadav")
    }

    @Test func `figures are told by group, exact and wrongly posted apart`() {
        var tally = ClipTally()
        tally.add(score(Self.payment, heard: [("Rahul ne 200 diye", "hi")]), milliseconds: 900, group: "hi clean")
        tally.add(
            score(Self.payment, heard: [("Rahul ne 300 diye", "hi"), ("Rahul ne 300 diye", "en")]), milliseconds: 1100,
            group: "hi clean")
        #expect(tally.wronglyPosted == 1)
        let rows = tally.rows
        #expect(
            rows.map { $0["bench"]?.string } == [
                "speech.hi.clean.exact", "speech.hi.clean.posted_wrongly", "speech.hi.clean.milliseconds_p50",
            ])
        #expect(rows[0]["value"]?.number == 50 && rows[1]["value"]?.integer == 1 && rows[2]["value"]?.integer == 1100)
    }

    /// What Whisper made of bystanders' sentences over shop noise.
    @Test(arguments: [
        "My brother is coming and showing brother", "Where did you keep the keys? The school is closed tomorrow.",
        "It is too hot outside.",
    ])
    func `bystanders' talk overwrites nothing`(text: String) {
        let world: JSONValue = [
            "format": 1, "shop": ["name": "T", "state": "Delhi", "language": "hi-en"],
            "customers": [["name": "Kavita Desai"], ["name": "Suresh Kumar"], ["name": "Rahul Verma"]],
            "products": .array([]),
        ]
        let transcripts = ["en", "hi"].map {
            TurnReply.Transcript(
                text: text, confidenceMilli: 850, language: $0, engine: "e", model: "", milliseconds: 1)
        }
        let reply = TurnReply(turn: ULID(high: 1, low: 1), verdict: .heard, transcripts: transcripts, milliseconds: 1)
        let (step, state, before) = ClipReader.replay(reply, world: world)
        #expect(state == before && step["intent"]?.string == "UNKNOWN", "\(step.text)")
    }
}
