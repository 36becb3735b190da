import Glibc
import Synchronization

/// The counter's light: what the ear is doing. A LED of the kernel where the board names one, else a log line.
///
/// While service is open to a technician it blinks (the kernel's `timer` trigger) whatever the ear does: that somebody
/// may take sound from the box is for everybody to see.
final class Lamp: Sendable {
    enum Show: String, Sendable {
        case dark, listening, thinking, speaking, muted
    }

    private struct State: Equatable {
        var show = Show.dark
        var isInService = false

        var isLit: Bool { show != .dark }
    }

    private let path: String
    private let log: EventLog
    private let state = Mutex(State())

    /// - Parameter path: folder under /sys/class/leds, or empty.
    init(path: String, log: EventLog) {
        self.path = path
        self.log = log
    }

    func show(_ next: Show) { change { $0.show = next } }

    /// Service is open or has ended. Called again and again; only a change does something.
    func serve(_ isInService: Bool) { change { $0.isInService = isInService } }

    private func change(_ body: (inout State) -> Void) {
        // The lock is held while it is written: two threads must not leave the light in the order they came out.
        state.withLock { state in
            let before = state
            body(&state)
            guard state != before else { return }
            guard !path.isEmpty else {
                log.debug(
                    "lamp", .init("shows", .string(state.show.rawValue)), .init("service", .bool(state.isInService)))
                return
            }
            if state.isInService {
                // Without the trigger it stands still and lit.
                if before.isInService || write("timer", to: "trigger") { return }
                return told(write("1", to: "brightness"))
            }
            if before.isInService { _ = write("none", to: "trigger") }
            told(write(state.isLit ? "1" : "0", to: "brightness"))
        }
    }

    private func told(_ isWritten: Bool) {
        if !isWritten { log.warning("the lamp cannot be set", .init("errno", .integer(Int64(errno)))) }
    }

    private func write(_ text: String, to name: String) -> Bool {
        let file = open("\(path)/\(name)", O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { return false }
        defer { close(file) }
        let bytes = Array(text.utf8)
        return Glibc.write(file, bytes, bytes.count) == bytes.count
    }
}
