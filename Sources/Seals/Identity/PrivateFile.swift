import Flash
import Glibc

/// Small files that only their owner reads, replaced whole or not at all.
public enum PrivateFile {
    /// Keys, chains and `identity.json` are a few kB.
    public static let bytesMax = 64 * 1024

    /// Writes beside, syncs, renames over, syncs the folder: after any kill or power cut the file is the old one
    /// or the new one. Mode 0600.
    public static func write(_ bytes: [UInt8], to path: String) throws(SealError) {
        precondition(bytes.count <= bytesMax, "a private file of \(bytes.count) bytes")
        do throws(FlashError) { try Flash.put(bytes, at: path, beside: path + ".new") } catch {
            throw SealError(error)
        }
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
        do throws(FlashError) { try Flash.makeFolder(path) } catch { throw SealError(error) }
    }
}

extension SealError {
    fileprivate init(_ error: FlashError) {
        self = .file(code: error.code, operation: error.operation, path: error.path)
    }
}
