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
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let code = errno
            close(descriptor)
            throw code == EWOULDBLOCK
                ? .unavailable("another process holds the book") : .storage(code: code, operation: "flock")
        }
        self.descriptor = descriptor
    }

    deinit {
        // Not close alone: between fork and exec a child of this process holds the same lock, and would keep it.
        flock(descriptor, LOCK_UN)
        close(descriptor)
    }

    private static func reason(_ code: Int32) -> String { String(cString: strerror(code)) }
}
