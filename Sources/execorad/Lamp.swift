import Glibc
import Synchronization

/// The counter's light: what the ear is doing. A LED of the kernel where the board names one, else a log line.
final class Lamp: Sendable {
    enum Show: String, Sendable {
        case dark, listening, thinking, speaking, muted
    }

    private let path: String
    private let log: EventLog
    private let shown = Mutex(Show.dark)

    /// - Parameter path: folder under /sys/class/leds, or empty.
    init(path: String, log: EventLog) {
        self.path = path
        self.log = log
    }

    func show(_ next: Show) {
        let changed = shown.withLock { now in
            defer { now = next }
            return now != next
        }
        guard changed else { return }
        guard !path.isEmpty else {
            log.debug("lamp", .init("shows", .string(next.rawValue)))
            return
        }
        let file = open(path + "/brightness", O_WRONLY | O_CLOEXEC)
        let digit: [UInt8] = [UInt8(ascii: next == .dark ? "0" : "1")]
        if file < 0 || write(file, digit, 1) != 1 {
            log.warning("the lamp cannot be set", .init("errno", .integer(Int64(errno))))
        }
        if file >= 0 { close(file) }
    }
}
