import CALSA
import Glibc

/// A bell one thread rings and another waits for. Ringing never blocks, allocates or locks, so an audio thread may.
///
/// Any thread may ring; one thread waits. Rings before the wait are not lost; several rings are one.
/// An eventfd: it also stands in a `poll` set.
public final class WakeUp: Sendable {
    /// For a `poll` set (POLLIN); call `drain` when it is readable.
    public let descriptor: Int32

    /// A process that has no file descriptor left at start cannot work: that is fatal.
    public init() {
        descriptor = calsa_eventfd()
        precondition(descriptor >= 0, "no file descriptor for a wake-up")
    }

    deinit { close(descriptor) }

    public func signal() {
        var one: UInt64 = 1
        _ = write(descriptor, &one, 8)
    }

    /// Forgets the rings so far.
    public func drain() {
        var count: UInt64 = 0
        _ = read(descriptor, &count, 8)
    }

    /// - Parameter milliseconds: longest wait; negative waits for ever, 0 only looks.
    /// - Returns: whether the bell rang.
    @discardableResult
    public func wait(milliseconds: Int) -> Bool {
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&entry, 1, Int32(clamping: milliseconds)) > 0 else { return false }
        drain()
        return true
    }
}
