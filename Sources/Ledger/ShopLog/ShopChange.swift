/// A customer as all counters of a shop can name them: numbers of customers are each counter's own.
public struct SharedCustomer: Hashable, Sendable {
    /// 16 bytes.
    public var device: [UInt8]
    public var customer: CustomerID

    public init(device: [UInt8], customer: CustomerID) {
        self.device = device
        self.customer = customer
    }
}

/// A counter of the shop as the shop's log tells of it.
public struct CounterDetails: Hashable, Sendable {
    /// 16 bytes.
    public var device: [UInt8]
    /// Its invoice series, by which people name it.
    public var series: String
    /// 32 bytes; what its batches are verified with from here on.
    public var ledgerKey: [UInt8]
    public var isRevoked: Bool
    /// How this key follows from the one before, signed by both (`KeyHandover`, as JSON); nil for the first key.
    public var handover: [UInt8]?

    public init(
        device: [UInt8], series: String, ledgerKey: [UInt8], isRevoked: Bool, handover: [UInt8]? = nil
    ) {
        self.device = device
        self.series = series
        self.ledgerKey = ledgerKey
        self.isRevoked = isRevoked
        self.handover = handover
    }
}

/// Entries of another counter, in order. Whoever makes this has checked that counter's own signature over them.
public struct CounterFacts: Hashable, Sendable {
    public var device: [UInt8]
    public var epoch: Int64
    public var firstSeq: Int64
    /// The hash before the first entry.
    public var prev: [UInt8]
    public var bodies: [[UInt8]]

    public init(device: [UInt8], epoch: Int64, firstSeq: Int64, prev: [UInt8], bodies: [[UInt8]]) {
        self.device = device
        self.epoch = epoch
        self.firstSeq = firstSeq
        self.prev = prev
        self.bodies = bodies
    }
}

/// A product as the owner sells it everywhere. Found at a counter by its name.
public struct CatalogueItem: Hashable, Sendable {
    /// The name it had before, when it is renamed.
    public var was: String?
    public var details: ProductDetails

    public init(_ details: ProductDetails, was: String? = nil) {
        self.details = details
        self.was = was
    }
}

/// What the owner has decided for all counters; nil leaves a thing as each counter has it.
public struct ShopSettings: Hashable, Sendable {
    public var language: String?
    public var rules: ShopRules?
    /// Between two looks at the shop's log.
    public var pollSeconds: Int64?

    public static let languages = ["hi-en", "hi", "en"]
    public static let pollSecondsRange: ClosedRange<Int64> = 5...3600

    public init() {}

    /// None of these keys touches the line itself, so none can cut a counter off: there is nothing to go back from.
    var areValid: Bool {
        if let language, !Self.languages.contains(language) { return false }
        if let pollSeconds, !Self.pollSecondsRange.contains(pollSeconds) { return false }
        return true
    }
}

/// One thing the shop's log says.
public enum ShopChange: Hashable, Sendable {
    case counter(CounterDetails)
    case facts(CounterFacts)
    /// Facts of the reading counter itself: it has them.
    case ownFacts
    case catalogue([CatalogueItem])
    /// The owner's word that two customers are one person. Numbers and entries stay; sums follow.
    case merge(SharedCustomer, into: SharedCustomer)
    case unmerge(SharedCustomer)
    case settings(ShopSettings)
    /// Said by a newer gateway: passed over, so that a new kind does not stop the old ones.
    case unknown(kind: Int64)
}

/// An entry of the shop's log whose signature was checked.
public struct ShopLogEntry: Hashable, Sendable {
    public var seq: Int64
    /// Hash of the entry before; 32 zero bytes before the first.
    public var prev: [UInt8]
    public var hash: [UInt8]
    /// The gateway's clock.
    public var server: WallTime
    public var change: ShopChange

    public init(seq: Int64, prev: [UInt8], hash: [UInt8], server: WallTime, change: ShopChange) {
        self.seq = seq
        self.prev = prev
        self.hash = hash
        self.server = server
        self.change = change
    }
}

/// How far the shop's log was applied; 0 and 32 zero bytes before the first entry.
public struct ShopLogPlace: Hashable, Sendable {
    public var seq: Int64
    public var hash: [UInt8]

    public init(seq: Int64, hash: [UInt8]) {
        self.seq = seq
        self.hash = hash
    }

    public static let start = ShopLogPlace(seq: 0, hash: ChainLink.start)
}
