/// Waits between attempts to open a device: 0.1 s, doubling, at most 5 s. Plain.
struct Backoff {
    static let firstMilliseconds = 100
    static let mostMilliseconds = 5_000
    private var nextMilliseconds = firstMilliseconds

    mutating func next() -> Int {
        let now = nextMilliseconds
        nextMilliseconds = min(nextMilliseconds * 2, Self.mostMilliseconds)
        return now
    }

    mutating func reset() { nextMilliseconds = Self.firstMilliseconds }
}

/// More than three overruns within ten seconds: the buffer is too small for this machine. It is doubled once. Plain.
struct OverrunPolicy {
    static let overrunsMax = 3
    static let windowMilliseconds: Int64 = 10_000
    private var times: (Int64, Int64, Int64) = (.min, .min, .min)
    private var isDoubled = false

    /// - Returns: whether to double the buffer now.
    mutating func overrun(atMilliseconds now: Int64) -> Bool {
        let oldest = times.0
        times = (times.1, times.2, now)
        guard !isDoubled, oldest != .min, now - oldest <= Self.windowMilliseconds else { return false }
        isDoubled = true
        return true
    }
}
