import Glibc

/// The lock that keeps a second process from writing: `flock` on `<book>.lock`, held while this value lives. The kernel
/// drops it when the process dies, however it dies. The file itself stays; removing it would let two in.
final class BookLock {
    private let descriptor: Int32

    init(book path: String) throws(BookError) {
        let descriptor = Glibc.open(path + ".lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw .unavailable("the book's folder cannot be written (\(Self.reason(errno)))")
        }
        var code: Int32 = 0
        for attempt in 0..<Self.attempts {
            if flock(descriptor, LOCK_EX | LOCK_NB) == 0 {
                self.descriptor = descriptor
                return
            }
            code = errno
            guard code == EWOULDBLOCK || code == EINTR else { break }
            if attempt + 1 < Self.attempts { usleep(Self.pauseMicroseconds) }
        }
        close(descriptor)
        throw code == EWOULDBLOCK
            ? .unavailable("another process holds the book") : .storage(code: code, operation: "flock")
    }

    /// Somebody who only asks whether the book is held holds it for a moment: a tenth of a second is waited out.
    private static let attempts = 6
    private static let pauseMicroseconds: UInt32 = 20_000

    /// True while a writer has the book.
    static func isHeld(book path: String) -> Bool {
        let descriptor = Glibc.open(path + ".lock", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        guard flock(descriptor, LOCK_SH | LOCK_NB) == 0 else { return errno == EWOULDBLOCK }
        flock(descriptor, LOCK_UN)
        return false
    }

    deinit {
        // Not close alone: between fork and exec a child of this process holds the same lock, and would keep it.
        flock(descriptor, LOCK_UN)
        close(descriptor)
    }

    private static func reason(_ code: Int32) -> String { String(cString: strerror(code)) }
}
