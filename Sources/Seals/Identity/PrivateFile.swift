import Glibc

/// Small files that only their owner reads, replaced whole or not at all.
public enum PrivateFile {
    /// Keys, chains and `identity.json` are a few kB.
    public static let bytesMax = 64 * 1024

    /// Writes beside, syncs, renames over, syncs the folder: after any kill or power cut the file is the old one
    /// or the new one. Mode 0600.
    public static func write(_ bytes: [UInt8], to path: String) throws(SealError) {
        precondition(bytes.count <= bytesMax, "a private file of \(bytes.count) bytes")
        let beside = path + ".new"
        // Left over from a cut: no one else may own it, the folder is 0700.
        if unlink(beside) != 0, errno != ENOENT { throw .file(code: errno, operation: "unlink", path: beside) }
        let file = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw .file(code: errno, operation: "open", path: beside) }
        do throws(SealError) {
            defer { close(file) }
            guard fchmod(file, 0o600) == 0 else { throw .file(code: errno, operation: "fchmod", path: beside) }
            try writeAll(bytes, to: file, path: beside)
            guard fsync(file) == 0 else { throw .file(code: errno, operation: "fsync", path: beside) }
        } catch {
            unlink(beside)
            throw error
        }
        guard rename(beside, path) == 0 else {
            let code = errno
            unlink(beside)
            throw .file(code: code, operation: "rename", path: path)
        }
        try syncFolder(of: path)
    }

    /// - Parameter secret: refuse a file that group or others may read.
    public static func read(_ path: String, secret: Bool) throws(SealError) -> [UInt8] {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else {
            if errno == ENOENT { throw .missing(path: path) }
            throw .file(code: errno, operation: "open", path: path)
        }
        defer { close(file) }
        var facts = stat()
        guard fstat(file, &facts) == 0 else { throw .file(code: errno, operation: "fstat", path: path) }
        if secret, facts.st_mode & 0o077 != 0 { throw .exposed(path: path, mode: facts.st_mode & 0o777) }
        guard facts.st_size <= bytesMax else { throw .malformed("file is too long") }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = Glibc.read(file, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .file(code: errno, operation: "read", path: path) }
            if count == 0 { return bytes }
            bytes += chunk[..<count]
            guard bytes.count <= bytesMax else { throw .malformed("file is too long") }
        }
    }

    /// Makes a folder 0700, or sets an existing one to that.
    public static func makeFolder(_ path: String) throws(SealError) {
        if mkdir(path, 0o700) != 0, errno != EEXIST { throw .file(code: errno, operation: "mkdir", path: path) }
        guard chmod(path, 0o700) == 0 else { throw .file(code: errno, operation: "chmod", path: path) }
    }

    private static func writeAll(_ bytes: [UInt8], to file: Int32, path: String) throws(SealError) {
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw .file(code: errno, operation: "write", path: path) }
            written += count
        }
    }

    private static func syncFolder(of path: String) throws(SealError) {
        let parts = path.utf8.lastIndex(of: UInt8(ascii: "/"))
        let folder = parts.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let file = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard file >= 0 else { throw .file(code: errno, operation: "open", path: folder) }
        defer { close(file) }
        guard fsync(file) == 0 else { throw .file(code: errno, operation: "fsync", path: folder) }
    }
}
