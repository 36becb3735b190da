import Conversation
import JSONText
import Ledger

/// One clip through everything a turn goes through: recognition, a language model where one is configured, and then the
/// device's own grammar, decoder and vote on a fresh book of the world given.
struct ClipReader {
    let speech: any SpeechToText
    let opinion: ChatOpinion?
    let world: JSONValue
    let vocabulary: [String]
    let people: Int
    let language: String
    /// The moment the clip is spoken at, for "kal" and "aaj": a Wednesday morning.
    static let clock = "2026-03-04T10:30:00+05:30"

    /// - Throws: when the world cannot be used.
    init(world: JSONValue, speech: any SpeechToText, opinion: ChatOpinion? = nil) throws {
        let shop = try ShopWorld(json: world)
        self.speech = speech
        self.opinion = opinion
        self.world = world
        language = shop.shop.language
        // As the device tells them: people first, then goods.
        let names = shop.customers.flatMap { [$0.details.name, $0.details.nickname].compactMap { $0 } }
        let wares = shop.products.flatMap { [$0.details.name] + $0.details.aliases }
        people = min(names.count, TurnHello.vocabularyMax)
        vocabulary = Array((names + wares).prefix(TurnHello.vocabularyMax))
    }

    struct Reading {
        var reply: TurnReply
        /// The device's answer: intent, slots, code, speech.
        var step: JSONValue
        /// The book afterwards, and before.
        var state: JSONValue
        var before: JSONValue
        /// Tokens that the language model counted.
        var tokens: Int64 = 0
    }

    func read(_ samples: [Int16], number: UInt64) async throws -> Reading {
        let turn = ULID(high: 0x0198_0000_0000_0000, low: number)
        let clip = try AudioFile.clip(samples, language: language, vocabulary: vocabulary, people: people, turn: turn)
        let started = ContinuousClock.now
        let heard = try await speech.transcribe(clip)
        var reply = TurnReply(turn: turn, verdict: .heard, transcripts: heard, milliseconds: 0)
        var tokens: Int64 = 0
        if let opinion, opinion.isWanted(for: heard), let answer = try await opinion.opinion(on: heard, clip) {
            reply.opinions = answer.opinion.map { [$0] } ?? []
            tokens = answer.tokens
        }
        reply.milliseconds = started.duration(to: .now).milliseconds
        let (step, state, before) = Self.replay(reply, world: world)
        return Reading(reply: reply, step: step, state: state, before: before, tokens: tokens)
    }

    /// What the device makes of a reply, and the book before and after.
    static func replay(_ reply: TurnReply, world: JSONValue) -> (step: JSONValue, state: JSONValue, before: JSONValue) {
        func run(_ say: [JSONValue]) -> JSONValue {
            Replay(world: world).run(["id": "clip", "clock": .string(clock), "say": .array(say)])
        }
        let done = run([["heard": reply.json]])
        return (done["steps"]?[0] ?? .null, done["state"] ?? .null, run([])["state"] ?? .null)
    }
}
