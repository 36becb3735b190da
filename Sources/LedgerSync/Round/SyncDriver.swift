import Ledger

/// Decides when to send what, and what an answer means. Plain: no book, no line, no clock of its own.
///
/// Whatever happens, short of `stopped`, there is a next time (`dueMilliseconds`): a failed round always re-arms.
public struct SyncDriver {
    public enum Phase: Hashable, Sendable {
        /// Nothing known to be waiting, or waiting for company.
        case resting
        /// After a failure.
        case backingOff(failures: Int)
        /// One batch is out; never two.
        case inFlight(ULID, firstSeq: Int64, lastSeq: Int64)
        /// The gateway and this device do not have the same past. Selling goes on; only people can mend this.
        case stopped(StopReason)
    }

    public enum StopReason: Hashable, Sendable {
        /// Another history is stored under this device's name: a copied or restored device.
        case fork
        /// The gateway has entries this book lacks: this book is an old copy.
        case serverAhead
        /// The gateway no longer serves this device.
        case revoked
    }

    public enum Failure: Hashable, Sendable {
        case line
        /// 401 or 403: certificate, clock or enrolment.
        case identity(code: String)
        /// 429, 5xx.
        case busy(status: Int)
        /// A receipt that does not verify or does not belong to what was sent.
        case receipt
        /// Told the same gap again after sending from there.
        case gapAgain
        /// An answer this protocol does not know.
        case unexpected(status: Int)
        /// The book could not be read or written.
        case book
    }

    public private(set) var phase: Phase = .resting
    /// When `next` is to be called, by the monotonic clock. In flight: when the try is given up. Nil when stopped.
    public private(set) var dueMilliseconds: Int64?
    /// The entry that is refused by itself; sync waits before it, trying again at the slowest pace.
    public private(set) var parkedSeq: Int64?

    private let configuration: SyncConfiguration
    private var jitter: JitterSource
    private var eventsMax: Int
    private var failures = 0
    private var gaps = 0

    /// - Parameter seed: from real randomness; decides the jitter.
    public init(_ configuration: SyncConfiguration, seed: UInt64, now: Int64) {
        precondition(configuration.mistakes.isEmpty, "sync configuration: \(configuration.mistakes)")
        self.configuration = configuration
        jitter = JitterSource(seed: seed)
        eventsMax = configuration.eventsMax
        // What a cut left behind goes soon after start, spread over the fleet.
        dueMilliseconds = now + jitter.upTo(configuration.lineUpSpreadMilliseconds)
    }

    /// How many events the next batch may hold at most.
    public var batchEventsMax: Int { eventsMax }

    /// The book has a new entry.
    public mutating func committed(now: Int64) {
        // After a failure the back-off stands: new sales must not become a hammer on a sick gateway.
        guard case .resting = phase, let due = dueMilliseconds else { return }
        dueMilliseconds = min(due, now + configuration.coalesceMilliseconds)
    }

    /// The line to the gateway came up.
    public mutating func lineUp(now: Int64) {
        switch phase {
        case .resting, .backingOff:
            guard parkedSeq == nil, let due = dueMilliseconds else { return }
            dueMilliseconds = min(due, now + jitter.upTo(configuration.lineUpSpreadMilliseconds))
        case .inFlight, .stopped: break
        }
    }

    /// Someone asks for a round now (technician, owner).
    public mutating func hurry(now: Int64) {
        switch phase {
        case .resting, .backingOff: dueMilliseconds = now
        case .inFlight, .stopped: break
        }
    }

    /// True when a round is to be made at `now`. A try that was given up becomes a failure here.
    public mutating func isDue(now: Int64) -> Bool {
        guard let due = dueMilliseconds, now >= due else { return false }
        if case .inFlight = phase {
            failed(.line, now: now)
            return false
        }
        return true
    }

    /// The round found nothing to send.
    public mutating func foundNothing(now: Int64) {
        failures = 0
        rest(now: now)
    }

    /// The round sent a batch.
    public mutating func sent(_ id: ULID, firstSeq: Int64, lastSeq: Int64, now: Int64) {
        phase = .inFlight(id, firstSeq: firstSeq, lastSeq: lastSeq)
        dueMilliseconds = now + configuration.answerMilliseconds
    }

    /// A receipt that was checked and stored.
    ///
    /// - Parameters: whether entries behind it wait already, and whether the batch had been filled to a limit, so
    ///   that they are a backlog and not what came in meanwhile.
    public mutating func receipted(hasMore: Bool, wasFull: Bool, now: Int64) {
        failures = 0
        gaps = 0
        parkedSeq = nil
        // Back from isolating one bad entry, step by step: the next may be bad too.
        eventsMax = min(configuration.eventsMax, eventsMax * 2)
        if hasMore {
            phase = .resting
            // A backlog drains without waiting; what came in meanwhile waits for company as ever.
            dueMilliseconds = now + (wasFull ? 0 : configuration.coalesceMilliseconds)
        } else {
            rest(now: now)
        }
    }

    /// The gateway wants to go on elsewhere, and that place is known to be on this chain.
    public mutating func resumeElsewhere(now: Int64) {
        gaps += 1
        guard gaps < 3 else { return failed(.gapAgain, now: now) }
        phase = .resting
        dueMilliseconds = now
    }

    /// The gateway refused the batch as such (400, 413, 422).
    ///
    /// - Returns: the entry that is refused by itself, the first time it is.
    public mutating func refused(firstSeq: Int64, count: Int, now: Int64) -> Int64? {
        guard count <= 1 else {
            // Halve: the bad one is in one of the halves, the good ones before it get through.
            eventsMax = max(1, count / 2)
            phase = .resting
            dueMilliseconds = now
            return nil
        }
        eventsMax = 1
        let isNew = parkedSeq != firstSeq
        parkedSeq = firstSeq
        failures += 1
        phase = .backingOff(failures: failures)
        // Not full jitter: a refused entry is not accepted by asking often.
        let least = configuration.backoffMaxMilliseconds * 3 / 4
        dueMilliseconds = now + least + jitter.upTo(configuration.backoffMaxMilliseconds - least)
        return isNew ? firstSeq : nil
    }

    public mutating func failed(_ failure: Failure, retryAfterSeconds: Int64? = nil, now: Int64) {
        failures += 1
        phase = .backingOff(failures: failures)
        var wait = max(1, jitter.upTo(ceiling(failure)))
        if let seconds = retryAfterSeconds, seconds > 0 {
            // Never earlier than asked; the jitter spreads those who were asked together.
            let asked = min(seconds, configuration.retryAfterMaxMilliseconds / 1000) * 1000
            wait = asked + jitter.upTo(min(asked / 4, configuration.backoffFirstMilliseconds * 4))
        }
        dueMilliseconds = now + wait
    }

    public mutating func stop(_ reason: StopReason) {
        phase = .stopped(reason)
        dueMilliseconds = nil
    }

    /// Full jitter (M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
    private func ceiling(_ failure: Failure) -> Int64 {
        if case .identity = failure { return configuration.backoffMaxMilliseconds }
        // 2^40 first steps are above any maximum that is allowed.
        let doublings = min(failures - 1, 40)
        let (ceiling, overflow) = configuration.backoffFirstMilliseconds.multipliedReportingOverflow(by: 1 << doublings)
        return overflow ? configuration.backoffMaxMilliseconds : min(ceiling, configuration.backoffMaxMilliseconds)
    }

    private mutating func rest(now: Int64) {
        phase = .resting
        let spread = configuration.idleMilliseconds * configuration.idleJitterPercent / 100
        dueMilliseconds = now + configuration.idleMilliseconds - spread + jitter.upTo(2 * spread)
    }
}
