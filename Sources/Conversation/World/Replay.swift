import JSONText
import Ledger

/// Plays one written case against a fresh book in memory: what is said in, what then stands in the book out.
///
/// The form of cases, worlds and results is that of the acceptance suite. Cases never touch one another, and the
/// same input gives the same output: clock and chance come from the case.
public struct Replay {
    /// The world every case starts from, before its own patch.
    public let world: JSONValue

    public init(world: JSONValue) { self.world = world }

    /// One result line. A case that fails inside the product still gets its line.
    public func run(_ scene: JSONValue) -> JSONValue {
        let id = scene["id"] ?? .null
        do {
            return try play(scene, id)
        } catch {
            return ["id": id, "steps": [], "state": ["journalValid": false], "failure": .string("\(error)")]
        }
    }

    private func play(_ scene: JSONValue, _ id: JSONValue) throws -> JSONValue {
        let shop = try ShopWorld.patched(world, by: scene["patch"])
        guard let clock = scene["clock"]?.string.flatMap({ WallTime(iso8601: $0) }) else {
            throw ShopWorldError(description: "case: clock is missing or no ISO 8601 moment with offset")
        }
        var now = clock
        var random = CaseRandom(seed: 1)
        let store = try LedgerStore.open(
            path: nil,
            configuration: LedgerConfiguration(
                deviceID: [UInt8](repeating: 1, count: 16), shopID: [UInt8](repeating: 2, count: 16),
                bootID: [UInt8](repeating: 3, count: 16), monotonicMilliseconds: { 0 },
                randomBytes: { count in (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 11) } }))
        try shop.seed(store, at: now, using: &random)
        let opening = try Set(store.customers().map(\.id))

        var configuration = DialogueConfiguration()
        let pin = shop.ownerPIN
        configuration.isOwnerPIN = { typed in pin.map { $0 == typed } ?? false }
        var dialogue = Dialogue(book: store, configuration: configuration, random: random)
        var steps: [JSONValue] = []
        for item in scene["say"]?.array ?? [] {
            if let seconds = item["advanceSeconds"]?.integer {
                now = now.adding(seconds: seconds)
                steps.append(Self.empty)
            } else if item["restart"]?.bool == true {
                _ = CaseRandom.stir(&random)
                dialogue = Dialogue(book: store, configuration: configuration, random: random)
                steps.append(Self.empty)
            } else if let typed = item["pin"]?.string {
                steps.append(Self.step(dialogue.enter(pin: typed, now: now)))
            } else if let told = item["heard"], told.array == nil {
                // What the gateway made of a sound, as the device gets it.
                steps.append(Self.step(dialogue.hear(Utterance(try TurnReply(json: told), isLate: false), now: now)))
            } else if let heard = item["heard"]?.array {
                steps.append(Self.step(dialogue.hear(try Self.heard(heard), now: now)))
            } else if let text = item.string ?? item["text"]?.string {
                let confidence = item["confidence"]?.number ?? 1
                let heard = Utterance(
                    text: text, confidenceMilli: Int64((confidence * 1000).rounded()),
                    isLate: item["late"]?.bool ?? false,
                    alternatives: (item["alternatives"]?.array ?? []).compactMap(\.string).enumerated().map {
                        Utterance.Alternative($0.element, voter: "alternative \($0.offset)")
                    })
                steps.append(Self.step(dialogue.hear(heard, now: now)))
            } else {
                throw ShopWorldError(
                    description: "case: a say item is none of text, heard, pin, restart, advanceSeconds")
            }
        }
        let state = try BookState(store, opening: opening, since: clock, now: now)
            .json(pendingGate: dialogue.isQuestionOpen(now: now))
        return ["id": id, "steps": .array(steps), "state": state]
    }

    /// How one text is cut and which line of the intents takes it, for whoever writes packs.
    public func explain(_ text: String) throws -> [String] {
        let shop = try ShopWorld(json: world)
        let customers = shop.customers.enumerated().map {
            Customer(id: CustomerID(rawValue: Int64($0.offset)), details: $0.element.details)
        }
        let products = shop.products.enumerated().map {
            Product(id: ProductID(rawValue: Int64($0.offset)), details: $0.element.details)
        }
        let interpreter = Interpreter(
            grammar: .builtIn, shelf: Shelf(customers: customers, products: products), context: [],
            now: WallTime(milliseconds: 1_772_600_400_000))
        let heard = interpreter.interpret(text)
        var lines = heard.reading.pieces.map { piece in
            let senses = piece.senses.map { sense in sense.value.map { "\(sense.word)=\($0)" } ?? sense.word }
            return "\(heard.reading.text(piece.range)): \(piece.kind) \(senses.joined(separator: " "))"
        }
        lines.append("features: " + heard.classes.sorted().joined(separator: " "))
        lines.append("line: \(heard.rule ?? "none") -> \(heard.request.json.text), unread \(heard.unread)")
        if let stream = SoundStream(interpreter.prepared(text).tokens) {
            for found in Decoder(grammar: interpreter.grammar, shelf: interpreter.shelf).decode(stream) {
                let milli = Int((found.cost * 1000).rounded())
                lines.append("sounds like, at \(milli) thousandths: \(found.text)")
            }
        }
        return lines
    }

    private static let empty: JSONValue = [
        "intent": nil, "slots": .object([]), "code": nil, "speech": "", "confidence": nil,
    ]

    /// What an engine wrote down: `[{"text", "voter", "confidence"}]`, best first, confidence 0 to 1.
    private static func heard(_ list: [JSONValue]) throws -> Utterance {
        var made = Utterance(text: "", confidenceMilli: 0, origin: .heard)
        for (index, item) in list.enumerated() {
            guard let text = item["text"]?.string, let voter = item["voter"]?.string,
                let confidence = item["confidence"]?.number
            else { throw ShopWorldError(description: "case: a heard item has no text, voter or confidence") }
            if index == 0 {
                (made.text, made.voter) = (text, voter)
                made.confidenceMilli = Int64((confidence * 1000).rounded())
            } else {
                made.alternatives.append(
                    Utterance.Alternative(
                        text, voter: voter, confidenceMilli: Int64((confidence * 1000).rounded())))
            }
        }
        return made
    }

    private static func step(_ answer: Answer) -> JSONValue {
        [
            "intent": JSONValue(answer.intent), "slots": answer.slots, "code": JSONValue(answer.code),
            "speech": .string(answer.speech), "confidence": .decimal(Double(answer.confidenceMilli) / 1000),
        ]
    }
}

/// Chance that is the same in every run. Source: Steele, Lea and Flood, "Fast splittable pseudorandom number
/// generators", 2014 (SplitMix64).
struct CaseRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// A device that starts again draws other numbers than before.
    static func stir(_ random: inout CaseRandom) -> UInt64 {
        for _ in 0..<1000 { _ = random.next() }
        return random.next()
    }
}

extension WallTime {
    /// "2026-03-04T10:30:00+05:30" or with Z; nil for anything else.
    init?(iso8601 text: String) {
        let bytes = Array(text.utf8)
        func number(_ from: Int, _ count: Int) -> Int64? {
            guard from + count <= bytes.count, bytes[from..<from + count].allSatisfy({ (48...57).contains($0) }) else {
                return nil
            }
            return bytes[from..<from + count].reduce(0) { $0 * 10 + Int64($1 - 48) }
        }
        guard bytes.count >= 20, let year = number(0, 4), let month = number(5, 2), let day = number(8, 2),
            let hour = number(11, 2), let minute = number(14, 2), let second = number(17, 2), (1...12).contains(month),
            (1...31).contains(day), hour < 24, minute < 60, second < 60
        else { return nil }
        var offset: Int64 = 0
        switch bytes[19] {
        case UInt8(ascii: "Z"): break
        case UInt8(ascii: "+"), UInt8(ascii: "-"):
            guard let hours = number(20, 2), let minutes = number(23, 2) else { return nil }
            offset = (hours * 3600 + minutes * 60) * (bytes[19] == UInt8(ascii: "-") ? -1 : 1)
        default: return nil
        }
        let civil = CivilTime(
            day: CivilDay(year: year, month: month, day: day), secondOfDay: hour * 3600 + minute * 60 + second)
        self = civil.wallTime(offsetSeconds: offset)
    }
}
