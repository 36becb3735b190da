import Glibc
import Synchronization

/// The calls by which files change. They answer as the kernel's do: -1 or less is a failure, told by `errno`.
///
/// A door of its own because what a power cut leaves depends on which of them were made: the fault programme stands
/// behind it with a disk that forgets, tears and refuses.
public protocol FlashCalls: Sendable {
    /// A new file for writing, mode 0600; one that is there already is refused.
    func create(_ path: String) -> Int32
    /// At the end of what was written so far; may take less than all.
    func write(_ file: Int32, _ bytes: UnsafeRawBufferPointer) -> Int
    func sync(_ file: Int32) -> Int32
    func close(_ file: Int32)
    /// Syncs the bytes of a file that somebody else has written.
    func syncContent(_ path: String) -> Int32
    func syncFolder(_ path: String) -> Int32
    func rename(_ from: String, _ to: String) -> Int32
    func unlink(_ path: String) -> Int32
}

extension Flash {
    private static let used = Mutex<any FlashCalls>(KernelCalls())

    /// Whose calls are made where nobody says otherwise: the kernel's.
    public static var calls: any FlashCalls { used.withLock { $0 } }

    /// Other calls for the whole process, as SQLite has one default disk for the process: at its start, by the fault
    /// programme alone.
    public static func use(_ calls: any FlashCalls) { used.withLock { $0 = calls } }
}

/// The kernel's own.
public struct KernelCalls: FlashCalls {
    public init() {}

    public func create(_ path: String) -> Int32 {
        let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        // Whatever the umask takes away.
        if file >= 0 { fchmod(file, 0o600) }
        return file
    }

    public func write(_ file: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
        Glibc.write(file, bytes.baseAddress, bytes.count)
    }

    public func sync(_ file: Int32) -> Int32 { fsync(file) }
    public func close(_ file: Int32) { Glibc.close(file) }
    public func syncContent(_ path: String) -> Int32 { sync(path, O_RDONLY) }
    public func syncFolder(_ path: String) -> Int32 { sync(path, O_RDONLY | O_DIRECTORY) }
    public func rename(_ from: String, _ to: String) -> Int32 { Glibc.rename(from, to) }
    public func unlink(_ path: String) -> Int32 { Glibc.unlink(path) }

    private func sync(_ path: String, _ flags: Int32) -> Int32 {
        let file = open(path, flags | O_CLOEXEC)
        guard file >= 0 else { return -1 }
        let code = fsync(file)
        let kept = errno
        Glibc.close(file)
        errno = kept
        return code
    }
}
