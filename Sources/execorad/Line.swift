import CloudLink
import Synchronization

/// Whether the gateway can be reached, for whoever asks. Written on the uplink thread, read on any.
final class Line: Sendable {
    private let up = Atomic<Bool>(false)
    private let told = Mutex("none")

    var isUp: Bool { up.load(ordering: .acquiring) }

    /// "up", "none" before the first word of the link, or the code of what is wrong.
    var word: String { told.withLock { $0 } }

    func take(_ event: LinkEvent) {
        switch event {
        case .up:
            told.withLock { $0 = "up" }
            up.store(true, ordering: .releasing)
        case .down(let error):
            told.withLock { $0 = error.code }
            up.store(false, ordering: .releasing)
        }
    }
}
