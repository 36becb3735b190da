import CCurl
import Synchronization

/// What other threads ask of the uplink thread, and how they wake it.
final class Inbox: Sendable {
    enum Order: Sendable {
        case turn(TurnUpload, traceparent: String, reply: @Sendable (Result<TurnDelivery, LinkError>) -> Void)
        case request(LinkRequest, done: @Sendable (Result<LinkResponse, LinkError>) -> Void)
        case renewConnections
    }

    /// Far above what few callers can have under way; beyond it an order is refused as busy.
    static let ordersMax = 64

    enum Taking {
        case orders([Order])
        case stop([Order])
    }

    private struct State {
        var orders: [Order] = []
        var isStopped = false
        /// The address of the multi handle to wake, 0 for none; the lock keeps it from being freed meanwhile.
        var multi: UInt
    }

    private let state: Mutex<State>

    /// - Parameter multi: owned by the uplink thread, which calls `end` before it frees it.
    init(multi: UInt) { state = Mutex(State(multi: multi)) }

    /// - Throws: `cancelled` once stopped, `busy` when full. Nobody will answer the order then.
    func put(_ order: Order) throws(LinkError) {
        let refusal: LinkError? = state.withLock { state in
            guard !state.isStopped else { return .cancelled }
            guard state.orders.count < Self.ordersMax else { return .busy }
            state.orders.append(order)
            Self.wake(state)
            return nil
        }
        if let refusal { throw refusal }
    }

    func wake() { state.withLock { Self.wake($0) } }

    func stop() {
        state.withLock { state in
            state.isStopped = true
            Self.wake(state)
        }
    }

    private static func wake(_ state: State) {
        if let multi = UnsafeMutableRawPointer(bitPattern: state.multi) { curl_multi_wakeup(multi) }
    }

    // The uplink thread's side.

    func take() -> Taking {
        state.withLock { state in
            defer { state.orders = [] }
            return state.isStopped ? .stop(state.orders) : .orders(state.orders)
        }
    }

    /// From here on wakes go to this handle (0: nowhere); the one before may be freed.
    func replace(multi: UInt) { state.withLock { $0.multi = multi } }
}
