import JSONText
import Ledger
import Synchronization

/// The turns under way and the last ones done, each with its trace. Every thread of the house adds what it knows.
final class TurnRegister: Sendable {
    /// Turns under way at once: one being heard, one being answered, one late; more is a leak and the oldest goes.
    static let openMax = 16
    /// What `turn.last` can look back on.
    static let doneMax = 200

    private struct State {
        var open: [TurnTrace] = []
        var done: [TurnTrace] = []
        var watchers: [Int: @Sendable (TurnTrace) -> Void] = [:]
        var nextWatcher = 0
    }

    private let state = Mutex(State())

    func open(_ trace: TurnTrace) {
        state.withLock { state in
            if state.open.count >= Self.openMax { state.open.removeFirst() }
            state.open.append(trace)
        }
    }

    /// Changes the trace of a turn under way; a turn that is done or unknown is left alone.
    func update(_ turn: ULID, _ change: (inout TurnTrace) -> Void) {
        state.withLock { state in
            guard let index = state.open.firstIndex(where: { $0.turn == turn }) else { return }
            change(&state.open[index])
        }
    }

    func trace(of turn: ULID) -> TurnTrace? {
        state.withLock { state in
            state.open.last { $0.turn == turn } ?? state.done.last { $0.turn == turn }
        }
    }

    /// The turn is over: its trace goes to the watchers and into the history. Once a turn.
    func finish(_ turn: ULID) {
        let (trace, watchers): (TurnTrace?, [@Sendable (TurnTrace) -> Void]) = state.withLock { state in
            guard let index = state.open.firstIndex(where: { $0.turn == turn }) else { return (nil, []) }
            let trace = state.open.remove(at: index)
            if state.done.count >= Self.doneMax { state.done.removeFirst() }
            state.done.append(trace)
            return (trace, Array(state.watchers.values))
        }
        guard let trace else { return }
        for watcher in watchers { watcher(trace) }
    }

    /// A turn that came to nothing (no speech behind the wake): forgotten without a trace for watchers.
    func drop(_ turn: ULID) {
        state.withLock { $0.open.removeAll { $0.turn == turn } }
    }

    var openCount: Int { state.withLock { $0.open.count } }
    /// The newest last.
    func done(last count: Int) -> [TurnTrace] { state.withLock { Array($0.done.suffix(count)) } }
    var last: TurnTrace? { state.withLock { $0.done.last } }

    func watch(_ watcher: @escaping @Sendable (TurnTrace) -> Void) {
        state.withLock { state in
            state.watchers[state.nextWatcher] = watcher
            state.nextWatcher += 1
        }
    }
}
