import AudioIO

/// When the daemon may call itself ready, judged once a tick. Plain.
///
/// READY means "it hears": the first captured period was scored, or the microphone is closed because somebody muted it. A card
/// that is not there yet is neither: the unit stays "activating" and says why, while the sockets answer (they are
/// systemd's) and the card is tried again. That is told to systemd as an extension of the start's time, up to
/// `extendSecondsMax`; then systemd ends the start as failed and begins anew, which helps where the driver is stuck
/// and costs nothing where the card is missing.
struct StartWatch {
    enum Action: Equatable {
        case ready
        /// Not yet: ask for `extendSeconds` more.
        case extend
        /// Not yet, and no more time is asked for.
        case wait
    }

    /// Each extension; a tick comes at most every 2 s.
    static let extendSeconds: Int64 = 30
    /// A USB array may be plugged in by hand after the box was switched on; nobody waits longer for that.
    static let extendSecondsMax: Int64 = 600

    private let beganAt: Int64

    /// - Parameter now: monotonic milliseconds.
    init(now: Int64) { beganAt = now }

    /// - Parameter scored: samples scored since the start.
    func look(_ state: MicrophoneState, scored: UInt64, now: Int64) -> Action {
        if scored > 0 || state == .muted { return .ready }
        return now - beganAt < Self.extendSecondsMax * 1000 ? .extend : .wait
    }
}
