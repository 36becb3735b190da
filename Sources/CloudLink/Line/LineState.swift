/// Up or down, and when to call next. Decides only; the uplink thread acts. Moments are monotonic milliseconds.
struct LineState {
    struct Configuration: Hashable, Sendable {
        /// An idle line is used this often, below what routers forget a connection after (30 s is seen).
        var pingMilliseconds: Int64 = 25_000
        /// After the first failure; doubles with each up to the maximum. The real wait is between half of it and all.
        var backoffFirstMilliseconds: Int64 = 500
        /// A restored line is found within this. Shops notice half a minute, gateways bear the calls: each is one
        /// TLS handshake a device, spread by the jitter.
        var backoffMaxMilliseconds: Int64 = 30_000
    }

    private enum Standing: Equatable {
        case unknown
        case up
        case down(LinkError)
    }

    private let configuration: Configuration
    private var standing = Standing.unknown
    private var failures = 0
    /// When the next ping is due. The first one is due at once: it warms the line.
    private(set) var nextPingAt: Int64

    init(configuration: Configuration, now: Int64) {
        self.configuration = configuration
        nextPingAt = now
    }

    var isUp: Bool { standing == .up }

    /// The gateway answered something.
    /// - Returns: the event to tell, when this is news.
    mutating func answered(at now: Int64) -> LinkEvent? {
        failures = 0
        nextPingAt = now + configuration.pingMilliseconds
        guard standing != .up else { return nil }
        standing = .up
        return .up
    }

    /// The gateway could not be reached, or who answers is not our gateway.
    /// - Parameter jitter: 0 up to 1, from a random generator.
    mutating func failed(_ error: LinkError, at now: Int64, jitter: Double) -> LinkEvent? {
        // Shifting beyond the maximum would overflow in a long outage.
        let wait = min(
            configuration.backoffMaxMilliseconds, configuration.backoffFirstMilliseconds << min(failures, 16))
        failures += 1
        nextPingAt = now + wait / 2 + Int64(Double(wait - wait / 2) * jitter)
        guard standing != .down(error) else { return nil }
        standing = .down(error)
        return .down(error)
    }

    /// Something was odd without telling whether the line is up: asks at once.
    mutating func doubted(at now: Int64) { nextPingAt = min(nextPingAt, now) }
}

/// What the link tells of itself, once a change.
public enum LinkEvent: Equatable, Sendable {
    /// The gateway answered over TLS 1.3 with both certificates; the connection is kept warm.
    case up
    /// It does not; calls go on with back-off.
    case down(LinkError)
}
