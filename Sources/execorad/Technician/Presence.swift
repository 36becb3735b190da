import Synchronization

/// Whether somebody stands at the box, and whether service is open to anybody at all. Any thread.
///
/// The talk button held for ten seconds without a word opens service on the technician's socket for fifteen minutes; it
/// ends by itself. Ten and not five seconds, and without a word: people hold the button while they talk, and nobody may
/// open service by dictating a bill.
final class Presence: Sendable {
    static let milliseconds: Int64 = 900_000

    private let until = Atomic<Int64>(0)
    private let tokenUntil = Atomic<Int64>(0)
    private let clock: @Sendable () -> Int64

    /// - Parameter clock: milliseconds that never go back, also over sleep.
    init(clock: @escaping @Sendable () -> Int64 = Moment.bootMilliseconds) { self.clock = clock }

    var isPresent: Bool { clock() < until.load(ordering: .acquiring) }
    /// By the button or by a token on some connection: what the lamp shows.
    var isServiceOpen: Bool { isPresent || clock() < tokenUntil.load(ordering: .acquiring) }

    /// The button was held.
    func shown() { until.store(clock() + Self.milliseconds, ordering: .releasing) }

    /// A token was taken, good for so long.
    func tokenShown(milliseconds: Int64) {
        let end = clock() + milliseconds
        if end > tokenUntil.load(ordering: .acquiring) { tokenUntil.store(end, ordering: .releasing) }
    }

    /// Whoever had shown a token has gone.
    func tokenGone() { tokenUntil.store(0, ordering: .releasing) }
}
