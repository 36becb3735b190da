/// Clips that wait for the one speech service, first come first served. Generic over what resumes the one who waits,
/// so that its rules are tested without threads.
struct WhisperQueue<Waiter: Sendable>: Sendable {
    struct Job: Sendable {
        var id: UInt64
        var clip: SpeechClip
        var deadline: ContinuousClock.Instant
        var waiter: Waiter
    }

    /// Clips that wait, at 1 MB at most each. When full: the next is refused as busy, the device keeps it in its spool.
    static var jobsMax: Int { 8 }

    private(set) var jobs: [Job] = []

    var isFull: Bool { jobs.count >= Self.jobsMax }
    var earliestDeadline: ContinuousClock.Instant? { jobs.map(\.deadline).min() }

    mutating func add(_ job: Job) {
        precondition(!isFull, "the queue is asked before it is given a clip")
        jobs.append(job)
    }

    mutating func next() -> Job? { jobs.isEmpty ? nil : jobs.removeFirst() }

    /// Takes out the clip of one who no longer waits; nil when it is being worked on or done.
    mutating func drop(id: UInt64) -> Job? {
        jobs.firstIndex { $0.id == id }.map { jobs.remove(at: $0) }
    }

    /// Takes out those whose time has passed.
    mutating func expire(at now: ContinuousClock.Instant) -> [Job] {
        defer { jobs.removeAll { $0.deadline <= now } }
        return jobs.filter { $0.deadline <= now }
    }

    mutating func empty() -> [Job] {
        defer { jobs = [] }
        return jobs
    }
}

/// How long to wait before starting a service that ended: doubling from a quarter of a second to half a minute, and
/// from the start again once the service has proved good.
struct WhisperBackoff {
    static let first = Duration.milliseconds(250)
    static let longest = Duration.seconds(30)
    /// A service that lived so long was good, whether anyone spoke or not.
    static let goodAfter = Duration.seconds(60)

    private var next = first

    mutating func pause() -> Duration {
        defer { next = min(next * 2, Self.longest) }
        return next
    }

    mutating func provedGood() { next = Self.first }
}
