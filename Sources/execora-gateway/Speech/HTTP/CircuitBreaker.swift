/// Whether a provider is asked at all. A value; time comes in.
///
/// Closed until `failuresMax` failures on end, then open: nobody waits for a provider that is down. After `pause` one
/// call is let through; if it succeeds the breaker closes, else it opens again for twice as long, `pauseMax` at most.
struct CircuitBreaker: Sendable {
    static let failuresMax = 3
    static let pauseFirst = Duration.seconds(10)
    static let pauseMax = Duration.seconds(300)
    /// A refusal (key, credit, model) is not cured by waiting seconds; it opens at once for so long.
    static let pauseRefused = Duration.seconds(60)

    private var failures = 0
    private var pause = pauseFirst
    private var opensAt: ContinuousClock.Instant?
    private var isTrying = false

    /// Asked before a call; a `true` must be followed by `succeeded`, `failed` or `abandoned`.
    mutating func admits(at now: ContinuousClock.Instant) -> Bool {
        guard let opensAt else { return true }
        guard now >= opensAt, !isTrying else { return false }
        isTrying = true
        return true
    }

    /// Whether a call would be let through now, without asking for one.
    func isOpen(at now: ContinuousClock.Instant) -> Bool {
        guard let opensAt else { return false }
        return now < opensAt || isTrying
    }

    mutating func succeeded() { self = CircuitBreaker() }

    mutating func failed(refused: Bool = false, at now: ContinuousClock.Instant) {
        failures += 1
        let wasTrying = isTrying
        isTrying = false
        if refused {
            opensAt = now + max(pause, Self.pauseRefused)
        } else if wasTrying || failures >= Self.failuresMax {
            opensAt = now + pause
        } else {
            return
        }
        pause = min(pause * 2, Self.pauseMax)
    }

    /// The caller left before the provider answered: neither good nor bad.
    mutating func abandoned() { isTrying = false }
}
