import Glibc

/// A listening unix socket under a name. One thread's.
struct ListeningSocket: ~Copyable {
    /// `sun_path` is 108 bytes with its ending zero; four more for ".new".
    static let pathBytesMax = 107 - 4
    /// Connections the kernel keeps until the server's thread comes round.
    static let backlog: Int32 = 8

    let descriptor: Int32
    let place: SocketPlace
    /// The name's inode, so that at the end no other's socket is removed. Nil where the name is systemd's.
    private let inode: UInt?

    deinit {
        Glibc.close(descriptor)
        guard let inode else { return }
        var facts = stat()
        if lstat(place.path, &facts) == 0, UInt(facts.st_ino) == inode { unlink(place.path) }
    }

    /// Replaces a socket nobody answers on; leaves one that is answered, and anything that is no socket, alone.
    ///
    /// The socket gets mode and group under another name and is renamed to its own: no moment has a wrong mode, and
    /// a client finds either the old or the new.
    static func open(_ place: SocketPlace) throws(DiagnosticsError) -> ListeningSocket {
        if let descriptor = place.descriptor { return try adopt(descriptor, place) }
        guard place.path.utf8.count <= pathBytesMax, !place.path.isEmpty else {
            throw .pathTooLong(path: place.path)
        }
        try checkName(place.path)
        let beside = place.path + ".new"
        let descriptor = socket(
            AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        guard descriptor >= 0 else { throw .system(code: errno, operation: "socket", path: place.path) }
        do throws(DiagnosticsError) {
            unlink(beside)
            guard UnixAddress.with(beside, { bind(descriptor, $0, $1) }) == 0 else {
                throw .system(code: errno, operation: "bind", path: beside)
            }
            guard chmod(beside, place.mode) == 0 else {
                throw .system(code: errno, operation: "chmod", path: beside)
            }
            if let group = place.group, chown(beside, uid_t.max, group) != 0 {
                throw .system(code: errno, operation: "chown", path: beside)
            }
            guard listen(descriptor, backlog) == 0 else {
                throw .system(code: errno, operation: "listen", path: beside)
            }
            var facts = stat()
            guard lstat(beside, &facts) == 0, rename(beside, place.path) == 0 else {
                throw .system(code: errno, operation: "rename", path: place.path)
            }
            return ListeningSocket(descriptor: descriptor, place: place, inode: UInt(facts.st_ino))
        } catch {
            Glibc.close(descriptor)
            unlink(beside)
            throw error
        }
    }

    /// Takes a socket systemd passed. It must listen: a wrong unit file is told, not guessed around.
    private static func adopt(_ descriptor: Int32, _ place: SocketPlace) throws(DiagnosticsError) -> ListeningSocket {
        var listens: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        guard getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listens, &length) == 0 else {
            throw .system(code: errno, operation: "getsockopt", path: place.path)
        }
        guard listens == 1 else { throw .system(code: EINVAL, operation: "listening socket", path: place.path) }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        return ListeningSocket(descriptor: descriptor, place: place, inode: nil)
    }

    private static func checkName(_ path: String) throws(DiagnosticsError) {
        var facts = stat()
        guard lstat(path, &facts) == 0 else {
            if errno == ENOENT { return }
            throw .system(code: errno, operation: "lstat", path: path)
        }
        guard facts.st_mode & S_IFMT == S_IFSOCK else { throw .notASocket(path: path) }
        let probe = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        guard probe >= 0 else { throw .system(code: errno, operation: "socket", path: path) }
        defer { Glibc.close(probe) }
        // Refused means that no process listens any more. EAGAIN is a full queue: somebody does.
        if UnixAddress.with(path, { connect(probe, $0, $1) }) == 0 || errno == EAGAIN { throw .inUse(path: path) }
        guard errno == ECONNREFUSED || errno == ENOENT else {
            throw .system(code: errno, operation: "connect", path: path)
        }
    }
}

enum UnixAddress {
    /// Calls with the address of a path of at most 107 bytes.
    static func with(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        precondition(bytes.count < MemoryLayout.size(ofValue: address.sun_path), "a socket's path is too long")
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}
