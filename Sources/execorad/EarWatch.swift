import AudioIO

/// Whether the house still hears, judged once a tick from two counters: samples captured, samples scored. Plain.
///
/// Frame-fed on purpose (complaint F7, "runs but is deaf until restart"): a process that is alive, a device that is open and
/// a line that is up prove nothing; only counters that move do. Captured standing still: the device is opened again, and
/// when that does not help, or the scoring thread itself stands, systemd's watchdog gets no more word and starts the
/// daemon anew. A muted microphone, or one that is gone and being looked for, is no fault of the house.
struct EarWatch {
    enum Action: Equatable {
        case well
        /// Deaf: open the device again. The watchdog is still fed.
        case reopen
        /// Deaf beyond help from inside: let the watchdog starve.
        case starve
    }

    /// Ticks of a second: a driver's hiccup is over in one.
    static let reopenTicks = 3
    /// By then two reopenings have not helped. With WatchdogSec=20 the restart comes at most 28 s after the last sample.
    static let starveTicks = 8
    /// Opening takes a driver well under a second; a call that never returns is as deaf as the rest.
    static let openingTicksMax = 15

    private var captured: UInt64 = 0
    private var scored: UInt64 = 0
    private var stillTicks = 0
    private var openingTicks = 0

    mutating func look(_ state: MicrophoneState, captured nowCaptured: UInt64, scored nowScored: UInt64) -> Action {
        let captures = nowCaptured != captured
        let scores = nowScored != scored
        (captured, scored) = (nowCaptured, nowScored)
        openingTicks = state == .opening ? openingTicks + 1 : 0
        if openingTicks > Self.openingTicksMax { return .starve }
        guard state == .open, !captures || !scores else {
            if state != .opening { stillTicks = 0 }
            return .well
        }
        stillTicks += 1
        if stillTicks >= Self.starveTicks { return .starve }
        return !captures && stillTicks % Self.reopenTicks == 0 ? .reopen : .well
    }
}
