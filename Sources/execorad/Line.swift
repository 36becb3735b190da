import CloudLink
import Synchronization

/// Whether the gateway can be reached, for whoever asks. Written on the uplink thread, read on any.
final class Line: Sendable {
    private let up = Atomic<Bool>(false)
    private let told = Mutex("none")
    private let toldHint = Mutex<String?>(nil)

    var isUp: Bool { up.load(ordering: .acquiring) }

    /// "up", "none" before the first word of the link, or the code of what is wrong.
    var word: String { told.withLock { $0 } }

    /// What a person can do about it; nil while all is well.
    var hint: String? { toldHint.withLock { $0 } }

    func take(_ event: LinkEvent) {
        switch event {
        case .up:
            told.withLock { $0 = "up" }
            toldHint.withLock { $0 = nil }
            up.store(true, ordering: .releasing)
        case .down(let error):
            told.withLock { $0 = error.code }
            toldHint.withLock { $0 = error.hint }
            up.store(false, ordering: .releasing)
        }
    }
}
