/// When sync speaks. All in milliseconds of a monotonic clock that runs through sleep.
public struct SyncConfiguration: Hashable, Sendable {
    /// How long a new entry waits for company before it is sent. Default 15 s; 0 sends each at once.
    public var coalesceMilliseconds: Int64 = 15_000
    /// The round that is made although nothing new was said: it picks up what an accident left behind. Default 300 s.
    public var idleMilliseconds: Int64 = 300_000
    /// The idle round is moved by up to this share either way, so that a fleet does not march in step. Default 20 %.
    public var idleJitterPercent: Int64 = 20
    /// Back-off after a failure: anywhere between 0 and a ceiling that starts here and doubles. Default 1 s.
    public var backoffFirstMilliseconds: Int64 = 1000
    /// The highest ceiling. Default 15 min.
    public var backoffMaxMilliseconds: Int64 = 900_000
    /// When the line comes back, sync comes anywhere within this. Default 5 s; an outage of a region calls for more.
    public var lineUpSpreadMilliseconds: Int64 = 5000
    /// A try without an answer is given up after this. Default 45 s, above the link's own deadline.
    public var answerMilliseconds: Int64 = 45_000
    /// The longest `Retry-After` that is honoured to the letter; a longer one is taken as this. Default 1 h.
    public var retryAfterMaxMilliseconds: Int64 = 3_600_000
    /// Events a batch at most.
    public var eventsMax: Int = SyncLimits.eventsMax

    public init() {}

    /// Everything wrong with these numbers, in words; empty when they can be used.
    public var mistakes: [String] {
        var mistakes: [String] = []
        func check(_ name: String, _ value: Int64, _ range: ClosedRange<Int64>) {
            if !range.contains(value) {
                mistakes.append("\(name) is \(value), not \(range.lowerBound) to \(range.upperBound)")
            }
        }
        check("coalesce_ms", coalesceMilliseconds, 0...3_600_000)
        check("idle_ms", idleMilliseconds, 5000...86_400_000)
        check("idle_jitter_percent", idleJitterPercent, 0...100)
        check("backoff_first_ms", backoffFirstMilliseconds, 100...60_000)
        check("backoff_max_ms", backoffMaxMilliseconds, backoffFirstMilliseconds...86_400_000)
        check("line_up_spread_ms", lineUpSpreadMilliseconds, 0...600_000)
        check("answer_ms", answerMilliseconds, 1000...600_000)
        check("retry_after_max_ms", retryAfterMaxMilliseconds, 1000...86_400_000)
        check("events_max", Int64(eventsMax), 1...Int64(SyncLimits.eventsMax))
        return mistakes
    }
}

/// A small generator for jitter alone (SplitMix64, Steele, Lea and Flood 2014): the same seed, the same times.
struct JitterSource {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    private mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }

    /// 0 to `ceiling`, both included.
    mutating func upTo(_ ceiling: Int64) -> Int64 {
        ceiling <= 0 ? 0 : Int64(next() % (UInt64(ceiling) + 1))
    }
}
