import Flash
import Glibc

/// The file work of the spool: a file is there whole and on flash, or not at all.
struct SpoolFolder: Sendable {
    static let turnSuffix = ".turn"
    /// Half-written; of no use after a power cut.
    static let halfSuffix = ".half"
    static let badSuffix = ".bad"

    let path: String
    /// The calls that change files, or what a test puts in their place to make a disk full.
    var calls: any FlashCalls = Flash.calls

    init(path: String) { self.path = path }

    func make() throws(SpoolError) {
        do throws(FlashError) { try Flash.makeFolder(path, by: calls) } catch { throw SpoolError(error) }
    }

    /// Regular files, in order of name.
    func files() throws(SpoolError) -> [(name: String, bytes: Int)] {
        let names: [String]
        do throws(FlashError) { names = try Flash.names(in: path) } catch { throw SpoolError(error) }
        return names.compactMap { name in
            var facts = stat()
            guard lstat("\(path)/\(name)", &facts) == 0, facts.st_mode & S_IFMT == S_IFREG else { return nil }
            return (name, Int(facts.st_size))
        }
    }

    func write(_ bytes: [UInt8], name: String) throws(SpoolError) {
        let place = "\(path)/\(name)"
        do throws(FlashError) {
            try Flash.put(bytes, at: place, beside: place + Self.halfSuffix, by: calls)
        } catch { throw SpoolError(error) }
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
        do throws(FlashError) { try Flash.move("\(path)/\(name)", to: "\(path)/\(other)", by: calls) } catch {
            throw SpoolError(error)
        }
    }

    /// What is not there is removed already.
    ///
    /// - Parameter isLasting: also after a power cut: a delivered turn must not come back to be asked about again.
    func remove(_ name: String, isLasting: Bool = false) throws(SpoolError) {
        do throws(FlashError) { try Flash.remove("\(path)/\(name)", isLasting: isLasting, by: calls) } catch {
            throw SpoolError(error)
        }
    }

    private static func error(_ code: Int32, _ operation: String) -> SpoolError {
        SpoolError(FlashError(code: code, operation: operation, path: ""))
    }
}

extension SpoolError {
    fileprivate init(_ error: FlashError) {
        self = error.isFull ? .diskFull : .file(code: error.code, operation: error.operation)
    }
}
