import Glibc

/// The file work of the spool: a file is there whole and on flash, or not at all.
struct SpoolFolder: Sendable {
    static let turnSuffix = ".turn"
    /// Half-written; of no use after a power cut.
    static let halfSuffix = ".half"
    static let badSuffix = ".bad"

    let path: String
    /// write(2), or what a test puts in its place to make a disk full.
    var writeSome: @Sendable (Int32, UnsafeRawBufferPointer) -> Int = { Glibc.write($0, $1.baseAddress, $1.count) }

    init(path: String) { self.path = path }

    func make() throws(SpoolError) {
        if mkdir(path, 0o700) != 0, errno != EEXIST { throw .file(code: errno, operation: "mkdir") }
        guard chmod(path, 0o700) == 0 else { throw .file(code: errno, operation: "chmod") }
    }

    /// Regular files, in no order.
    func files() throws(SpoolError) -> [(name: String, bytes: Int)] {
        guard let stream = opendir(path) else { throw .file(code: errno, operation: "opendir") }
        defer { closedir(stream) }
        var files: [(name: String, bytes: Int)] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            var facts = stat()
            guard lstat("\(path)/\(name)", &facts) == 0, facts.st_mode & S_IFMT == S_IFREG else { continue }
            files.append((name, Int(facts.st_size)))
        }
        return files
    }

    func write(_ bytes: [UInt8], name: String) throws(SpoolError) {
        let half = "\(path)/\(name)\(Self.halfSuffix)"
        let file = open(half, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw Self.error(errno, "open") }
        do throws(SpoolError) {
            defer { close(file) }
            var written = 0
            while written < bytes.count {
                let count = bytes[written...].withUnsafeBytes { writeSome(file, $0) }
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { throw Self.error(count < 0 ? errno : ENOSPC, "write") }
                written += count
            }
            guard fdatasync(file) == 0 else { throw Self.error(errno, "fdatasync") }
            guard Glibc.rename(half, "\(path)/\(name)") == 0 else { throw Self.error(errno, "rename") }
        } catch {
            unlink(half)
            throw error
        }
        try sync()
    }

    func read(_ name: String, bytesMax: Int) throws(SpoolError) -> [UInt8] {
        let file = open("\(path)/\(name)", O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
        guard file >= 0 else {
            if errno == ENOENT { throw .missing }
            throw Self.error(errno, "open")
        }
        defer { close(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = Glibc.read(file, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw Self.error(errno, "read") }
            if count == 0 { return bytes }
            bytes += chunk[..<count]
            guard bytes.count <= bytesMax else { throw .tooLarge }
        }
    }

    func rename(_ name: String, to other: String) throws(SpoolError) {
        guard Glibc.rename("\(path)/\(name)", "\(path)/\(other)") == 0 else { throw Self.error(errno, "rename") }
        try sync()
    }

    /// What is not there is removed already.
    ///
    /// - Parameter isLasting: also after a power cut: a delivered turn must not come back to be asked about again.
    func remove(_ name: String, isLasting: Bool = false) throws(SpoolError) {
        guard unlink("\(path)/\(name)") == 0 || errno == ENOENT else { throw Self.error(errno, "unlink") }
        if isLasting { try sync() }
    }

    /// Names are on flash after this, not only contents.
    private func sync() throws(SpoolError) {
        let file = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard file >= 0 else { throw Self.error(errno, "open") }
        defer { close(file) }
        guard fsync(file) == 0 else { throw Self.error(errno, "fsync") }
    }

    private static func error(_ code: Int32, _ operation: String) -> SpoolError {
        code == ENOSPC || code == EDQUOT ? .diskFull : .file(code: code, operation: operation)
    }
}
