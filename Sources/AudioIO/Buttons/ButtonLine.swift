import CLinux
import Glibc

/// One input line of the kernel's GPIO character device (version 2), debounced by the kernel; closed when released.
///
/// One thread reads its edges.
public final class ButtonLine: Sendable {
    public enum Edge: Sendable, Equatable { case pressed, released }

    public struct Event: Sendable, Equatable {
        public var edge: Edge
        /// The kernel's own mark, CLOCK_MONOTONIC: exact, however late a thread wakes.
        public var nanoseconds: Int64

        public init(edge: Edge, nanoseconds: Int64) {
            self.edge = edge
            self.nanoseconds = nanoseconds
        }
    }

    /// Contacts bounce for 1 to 10 ms; a finger is slower than 15.
    static let debounceMicroseconds: UInt32 = 15_000

    /// For a `poll` set (POLLIN).
    public let descriptor: Int32

    /// - Parameter descriptor: gives `gpio_v2_line_event`s; closed with this object. For a rehearsal a pipe will do.
    public init(descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    /// - Parameters:
    ///   - chip: path, `/dev/gpiochip0`.
    ///   - line: offset on the chip.
    ///   - isActiveLow: a button to ground with a pull-up: low is pressed.
    public static func open(chip: String, line: Int, isActiveLow: Bool) throws(AudioError) -> ButtonLine {
        let file = Glibc.open(chip, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else {
            let code = errno
            throw code == ENOENT || code == ENODEV
                ? .missing(device: chip) : .badLine(chip: chip, line: line, code: code)
        }
        defer { close(file) }
        let flags = clinux_gpio_input() | (isActiveLow ? clinux_gpio_active_low() : 0)
        let descriptor = clinux_gpio_request(file, UInt32(line), flags, debounceMicroseconds)
        guard descriptor >= 0 else {
            throw descriptor == -EBUSY
                ? .busy(device: "\(chip) line \(line)") : .badLine(chip: chip, line: line, code: -descriptor)
        }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        return ButtonLine(descriptor: descriptor)
    }

    /// How the line stands now; nil where that cannot be asked. For a switch, whose edge may have been before the start.
    public var isActive: Bool? {
        let value = clinux_gpio_value(descriptor)
        return value < 0 ? nil : value == 1
    }

    /// The next edge. Blocks until there is one.
    /// - Returns: nil when the line is gone.
    public func next() -> Event? {
        var event = gpio_v2_line_event()
        let size = MemoryLayout<gpio_v2_line_event>.size
        while true {
            let count = read(descriptor, &event, size)
            if count < 0, errno == EINTR { continue }
            guard count == size else { return nil }
            if event.id == clinux_gpio_rising() {
                return Event(edge: .pressed, nanoseconds: Int64(clamping: event.timestamp_ns))
            }
            if event.id == clinux_gpio_falling() {
                return Event(edge: .released, nanoseconds: Int64(clamping: event.timestamp_ns))
            }
        }
    }
}
