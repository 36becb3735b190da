import Ledger

@testable import Conversation

/// A dialogue on a fresh book of the suite's shop, with a clock of its own.
final class Counter {
    let store: LedgerStore
    var dialogue: Dialogue
    var now = WallTime(milliseconds: 1_772_600_400_000)
    let configuration: DialogueConfiguration

    init(_ world: ShopWorld? = nil, wallQuality: Int64 = 3) throws {
        let world = try world ?? ShopWorld(json: Fixture.world)
        store = try LedgerStore.open(
            path: nil,
            configuration: LedgerConfiguration(
                deviceID: [UInt8](repeating: 1, count: 16), shopID: [UInt8](repeating: 2, count: 16),
                bootID: [UInt8](repeating: 3, count: 16), monotonicMilliseconds: { 0 }, wallQuality: { wallQuality }))
        var random = CaseRandom(seed: 7)
        try world.seed(store, at: now, using: &random)
        var configuration = DialogueConfiguration()
        let pin = world.ownerPIN
        configuration.isOwnerPIN = { $0 == pin }
        self.configuration = configuration
        dialogue = Dialogue(book: store, configuration: configuration, random: random)
    }

    @discardableResult
    func say(_ text: String, confidence: Int64 = 1000, turn: ULID? = nil, late: Bool = false, or others: [String] = [])
        -> Answer
    {
        dialogue.hear(
            Utterance(
                text: text, confidenceMilli: confidence, turn: turn, isLate: late,
                alternatives: others.enumerated().map { .init($0.element, voter: "other \($0.offset)") }), now: now)
    }

    /// What a speech engine wrote down, a voter a transcript.
    @discardableResult
    func hear(
        _ transcripts: [(text: String, voter: String)], confidence: Int64 = 800, opinions: [TurnOpinion] = []
    ) -> Answer {
        dialogue.hear(
            Utterance(
                text: transcripts[0].text, confidenceMilli: confidence,
                alternatives: transcripts.dropFirst().map { .init($0.text, voter: $0.voter) }, origin: .heard,
                voter: transcripts[0].voter, opinions: opinions), now: now)
    }

    /// Something done beside the conversation.
    func write(_ command: Command) throws {
        _ = try store.perform(
            command, id: ULID(high: 9, low: UInt64(try store.head().seq)),
            evidence: Evidence(confirmedBy: "technician"),
            at: now)
    }

    /// Power lost and back: what is not in the book is forgotten.
    func restart() {
        dialogue = Dialogue(book: store, configuration: configuration, random: CaseRandom(seed: 99))
    }

    func wait(_ seconds: Int64) { now = now.adding(seconds: seconds) }

    func id(_ name: String) throws -> CustomerID { try store.customers().first { $0.details.name == name }!.id }

    /// In rupees.
    func balance(_ name: String) throws -> Int64 { try store.balance(of: id(name)).rawValue / 100 }

    /// All balances and stocks: equal means that nothing was posted.
    func figures() throws -> [Int64] {
        try store.customers().map { try store.balance(of: $0.id).rawValue } + store.products().map(\.stock.rawValue)
    }
}
