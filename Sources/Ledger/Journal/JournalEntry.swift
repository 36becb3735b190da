/// One line of the journal in full: the command, where it came from, when, and everything it did. What is here is
/// never computed again: a bill's tax and a customer's number are read, not derived.
public struct JournalEntry: Hashable, Sendable {
    /// Also the id of the command, which makes the event its own answer to a repeated command.
    public var id: ULID
    /// Code of the command (`Command.code`); stable for ever.
    public var type: Int64
    /// The command's arguments without personal data, which stand as a salted commitment.
    public var arguments: [CBORValue]
    public var evidence: Evidence
    public var at: WallTime
    /// 0 unknown, 1 floor, 2 RTC, 3 NTP, 4 attested by the gateway.
    public var wallQuality: Int64
    /// Since boot.
    public var monotonicMilliseconds: Int64
    /// Named by the first event of each run of the daemon; the ones after belong to the same boot.
    public var bootID: [UInt8]?
    /// The shop's own calendar day.
    public var day: CivilDay
    public var postings: [Posting]
    public var moves: [StockMove]
    public var outcome: Committed.Outcome
    /// Of a bill: its figures as charged.
    public var pricing: PricedBill?
    /// The event this one takes back.
    public var reverses: ULID?
    /// Of a day's close: what stood in each account before it, all udhaar as one sum. Replay must find the same.
    public var totals: [Posting]
    /// The held entry this one posts. Since schema version 2.
    public var settles: ULID?
}

public enum JournalError: Error, Equatable {
    case cbor(CBORError)
    /// A field is missing or of another kind.
    case field(Int64)
    /// Written by a newer product.
    case version(Int64)
    /// The postings do not sum to zero.
    case unbalanced
}

extension JournalEntry {
    static let version: Int64 = 1
    /// Largest body in bytes (sync.md C.3). A command that would be longer is refused.
    public static let bodyBytesMax = 8192

    /// Map keys of a body. 0 is the id, at a fixed place in the bytes.
    private enum Key {
        static let id: Int64 = 0
        static let version: Int64 = 1
        static let type: Int64 = 2
        static let arguments: Int64 = 3
        static let evidence: Int64 = 4
        static let at: Int64 = 5
        static let wallQuality: Int64 = 6
        static let monotonic: Int64 = 7
        static let boot: Int64 = 8
        static let day: Int64 = 9
        static let postings: Int64 = 10
        static let moves: Int64 = 11
        static let outcome: Int64 = 12
        static let pricing: Int64 = 13
        static let reverses: Int64 = 14
        static let totals: Int64 = 15
        static let settles: Int64 = 16
    }

    public var encoded: [UInt8] {
        var map: [Int64: CBORValue] = [
            Key.id: .bytes(id.bytes), Key.version: .integer(Self.version), Key.type: .integer(type),
            Key.arguments: .array(arguments), Key.evidence: evidence.cbor, Key.at: .integer(at.rawValue),
            Key.wallQuality: .integer(wallQuality), Key.monotonic: .integer(monotonicMilliseconds),
            Key.day: .integer(day.number),
        ]
        if let bootID { map[Key.boot] = .bytes(bootID) }
        if !postings.isEmpty { map[Key.postings] = Self.pairs(postings) }
        if !totals.isEmpty { map[Key.totals] = Self.pairs(totals) }
        if !moves.isEmpty {
            map[Key.moves] = .array(moves.flatMap { [.integer($0.product.rawValue), .integer($0.quantity.rawValue)] })
        }
        if outcome != .done { map[Key.outcome] = outcome.cbor }
        if let pricing { map[Key.pricing] = pricing.cbor }
        if let reverses { map[Key.reverses] = .bytes(reverses.bytes) }
        if let settles { map[Key.settles] = .bytes(settles.bytes) }
        return CBORValue.map(map).encoded
    }

    /// Reads a body strictly, and checks that its money sums to zero.
    public init(decoding bytes: [UInt8]) throws(JournalError) {
        let root: CBORValue
        do { root = try CBORValue(decoding: bytes) } catch { throw .cbor(error) }
        guard let map = root.map else { throw .field(-1) }
        let version = try Self.integer(map, Key.version)
        guard version == Self.version else { throw .version(version) }
        for key in map.keys where !(Key.id...Key.settles).contains(key) { throw .field(key) }
        guard let id = map[Key.id]?.bytes.flatMap({ ULID(bytes: $0) }) else { throw .field(Key.id) }
        guard let arguments = map[Key.arguments]?.array else { throw .field(Key.arguments) }
        guard let evidence = Evidence(map[Key.evidence]) else { throw .field(Key.evidence) }
        let postings = try Self.pairs(map, Key.postings).map { Posting(Account(rawValue: $0.0), Paise($0.1)) }
        let moves = try Self.pairs(map, Key.moves).map { StockMove(ProductID(rawValue: $0.0), MilliQuantity($0.1)) }
        guard let outcome = Committed.Outcome(map[Key.outcome]) else { throw .field(Key.outcome) }
        var pricing: PricedBill?
        if let stored = map[Key.pricing] {
            pricing = PricedBill(stored)
            guard pricing != nil else { throw .field(Key.pricing) }
        }
        let reverses = try Self.name(map, Key.reverses)
        let bootID = map[Key.boot]?.bytes
        guard (bootID == nil) == (map[Key.boot] == nil) else { throw .field(Key.boot) }
        self.init(
            id: id, type: try Self.integer(map, Key.type), arguments: arguments, evidence: evidence,
            at: WallTime(milliseconds: try Self.integer(map, Key.at)),
            wallQuality: try Self.integer(map, Key.wallQuality),
            monotonicMilliseconds: try Self.integer(map, Key.monotonic), bootID: bootID,
            day: CivilDay(number: try Self.integer(map, Key.day)), postings: postings, moves: moves, outcome: outcome,
            pricing: pricing, reverses: reverses,
            totals: try Self.pairs(map, Key.totals).map { Posting(Account(rawValue: $0.0), Paise($0.1)) },
            settles: try Self.name(map, Key.settles))
        guard isBalanced else { throw .unbalanced }
    }

    /// True when debits equal credits, by arithmetic that cannot wrap.
    public var isBalanced: Bool {
        var sum: Int64 = 0
        for posting in postings {
            let (next, overflow) = sum.addingReportingOverflow(posting.amount.rawValue)
            guard !overflow else { return false }
            sum = next
        }
        return sum == 0 && postings.count != 1
    }

    private static func integer(_ map: [Int64: CBORValue], _ key: Int64) throws(JournalError) -> Int64 {
        guard let number = map[key]?.integer else { throw .field(key) }
        return number
    }

    /// Another event named by its id, where there is one.
    private static func name(_ map: [Int64: CBORValue], _ key: Int64) throws(JournalError) -> ULID? {
        guard let stored = map[key] else { return nil }
        guard let id = stored.bytes.flatMap({ ULID(bytes: $0) }) else { throw .field(key) }
        return id
    }

    private static func pairs(_ postings: [Posting]) -> CBORValue {
        .array(postings.flatMap { [.integer($0.account.rawValue), .integer($0.amount.rawValue)] })
    }

    private static func pairs(_ map: [Int64: CBORValue], _ key: Int64) throws(JournalError) -> [(Int64, Int64)] {
        guard let stored = map[key] else { return [] }
        guard let items = stored.array, !items.isEmpty, items.count % 2 == 0 else { throw .field(key) }
        var pairs: [(Int64, Int64)] = []
        for index in stride(from: 0, to: items.count, by: 2) {
            guard let first = items[index].integer, let second = items[index + 1].integer else { throw .field(key) }
            pairs.append((first, second))
        }
        return pairs
    }
}
