import Glibc
import Synchronization

/// Settings that change while the daemon runs, for a technician at a distance. Any thread.
///
/// Every change goes back by itself: one made with `set` after a minute unless it is confirmed, so that a bad cutoff
/// cannot leave a box deaf that nobody stands at; the log's level after half an hour. What is confirmed counts until the
/// daemon ends; for good it belongs into the file, which the daemon may not write.
final class LiveSettings: Sendable {
    static let keys = ["wake.cutoff_milli", "diagnostics.log_level"]
    static let trialMilliseconds: Int64 = 60_000
    static let logLevelMilliseconds: Int64 = 1_800_000

    /// A mistake in what was asked, in words.
    struct Mistake: Error, Equatable { var words: String }

    private struct Trial {
        /// The values to go back to.
        var before: ApplianceConfiguration
        var until: Int64
    }

    private struct State {
        var now: ApplianceConfiguration
        var trials: [String: Trial] = [:]
    }

    private let state: Mutex<State>
    private let clock: @Sendable () -> Int64
    private let apply: @Sendable (ApplianceConfiguration) -> Void

    /// - Parameters:
    ///   - clock: milliseconds that never go back.
    ///   - apply: makes the daemon go by these values; called with one change at a time.
    init(
        _ configuration: ApplianceConfiguration, clock: @escaping @Sendable () -> Int64 = Moment.bootMilliseconds,
        apply: @escaping @Sendable (ApplianceConfiguration) -> Void
    ) {
        state = Mutex(State(now: configuration))
        self.clock = clock
        self.apply = apply
    }

    /// What counts now.
    var configuration: ApplianceConfiguration { state.withLock { $0.now } }

    /// Changes a key for a while. A second change of the same key goes back to where the first began.
    func set(_ name: String, to value: ConfigurationEntry.Value, milliseconds: Int64) throws(Mistake) {
        guard Self.keys.contains(name), let key = ConfigurationKey.all.first(where: { $0.name == name }) else {
            throw Mistake(
                words: "key is one of \(Self.keys.joined(separator: ", ")); the others are changed in the file")
        }
        let end = clock() + milliseconds
        let mistake: String? = state.withLock { state in
            var wanted = state.now
            if let mistake = wanted.set(key, to: value) { return "\(name) \(mistake)" }
            state.trials[name] = Trial(before: state.trials[name]?.before ?? state.now, until: end)
            state.now = wanted
            apply(wanted)
            return nil
        }
        if let mistake { throw Mistake(words: mistake) }
    }

    /// Keeps what is on trial.
    ///
    /// - Returns: false when nothing of that name is.
    func confirm(_ name: String) -> Bool { state.withLock { $0.trials.removeValue(forKey: name) != nil } }

    /// Takes back what nobody confirmed in time. Cheap to call.
    ///
    /// - Returns: the names of what went back.
    @discardableResult
    func tick() -> [String] {
        let now = clock()
        return state.withLock { state in
            let over = state.trials.filter { $0.value.until <= now }
            for (name, trial) in over {
                state.trials[name] = nil
                state.now.copy(name, from: trial.before)
            }
            if !over.isEmpty { apply(state.now) }
            return over.keys.sorted()
        }
    }
}

extension ApplianceConfiguration {
    /// Takes one key's value over from another configuration.
    fileprivate mutating func copy(_ name: String, from other: ApplianceConfiguration) {
        switch name {
        case "wake.cutoff_milli": wakeCutoffMilli = other.wakeCutoffMilli
        case "diagnostics.log_level": logLevel = other.logLevel
        default: preconditionFailure("\(name) cannot be changed while running")
        }
    }
}
