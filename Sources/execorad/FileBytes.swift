import Glibc

/// Small files read whole: configuration, models, worlds.
enum FileBytes {
    /// - Returns: nil with `errno` set when it cannot be opened or read, or is larger than told (`EFBIG`).
    static func read(_ path: String, bytesMax: Int) -> [UInt8]? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer {
            let kept = errno
            close(file)
            errno = kept
        }
        var all: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = Glibc.read(file, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { return nil }
            if count == 0 { return all }
            guard all.count + count <= bytesMax else {
                errno = EFBIG
                return nil
            }
            all += chunk[..<count]
        }
    }

    /// Makes a folder and those above it, 0700 where new.
    static func makeFolder(_ path: String) -> Bool {
        var built = path.hasPrefix("/") ? "" : "."
        for part in path.split(separator: "/") {
            built += "/" + part
            if mkdir(built, 0o700) != 0, errno != EEXIST { return false }
        }
        return true
    }
}

extension FileBytes {
    /// Replaces a small file whole: written beside, brought to the disk, renamed.
    @discardableResult
    static func keep(_ bytes: [UInt8], at path: String) -> Bool {
        let beside = path + ".new"
        let file = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { return false }
        let isWhole = Glibc.write(file, bytes, bytes.count) == bytes.count && fsync(file) == 0
        close(file)
        return isWhole && rename(beside, path) == 0
    }

    /// Overwrites and removes. On flash the old cells may live on for a while; the name and the first copy do not.
    static func destroy(_ path: String) {
        let file = open(path, O_WRONLY | O_CLOEXEC)
        if file >= 0 {
            var facts = stat()
            if fstat(file, &facts) == 0 {
                let zeros = [UInt8](repeating: 0, count: Int(min(facts.st_size, 1 << 20)))
                _ = Glibc.write(file, zeros, zeros.count)
                fsync(file)
            }
            close(file)
        }
        unlink(path)
    }
}
