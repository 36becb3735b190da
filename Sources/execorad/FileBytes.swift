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
