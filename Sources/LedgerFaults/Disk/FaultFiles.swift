import CSQLite
import Flash
import Glibc

/// The face `Flash` sees: keys, kept turns, backups' names and all else that is not SQLite's go to the same disk, in the
/// same count of calls.
final class FaultFiles: FlashCalls, @unchecked Sendable {
    // @unchecked: the programme has one thread, see `FaultDisk`.
    private let disk: FaultDisk
    private var open: [Int32: (path: String, bytes: Int)] = [:]
    private let kernel = KernelCalls()

    init(_ disk: FaultDisk) { self.disk = disk }

    func create(_ path: String) -> Int32 {
        guard access(path, F_OK) != 0 else { return kernel.create(path) }
        return changing(.create) {
            let file = kernel.create(path)
            guard file >= 0 else { return file }
            open[file] = (path, 0)
            _ = disk.platter(path, isNew: true)
            return file
        }
    }

    func write(_ file: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
        guard let (path, end) = open[file] else { return kernel.write(file, bytes) }
        var bytes = bytes
        var thenEnd = false
        switch disk.verdict(.write) {
        case .refuse(let code): return fail(code)
        // As the kernel tells it: less was written than asked; what is left comes with the next call.
        case .half: bytes = UnsafeRawBufferPointer(rebasing: bytes[..<(bytes.count / 2)])
        case .proceed(let ends): thenEnd = ends
        }
        let count = kernel.write(file, bytes)
        guard count > 0 else { return count }
        disk.platter(path, isNew: false).write(UnsafeRawBufferPointer(rebasing: bytes[..<count]), at: end)
        open[file] = (path, end + count)
        if thenEnd { disk.end() }
        return count
    }

    func sync(_ file: Int32) -> Int32 {
        guard let (path, _) = open[file] else { return kernel.sync(file) }
        return syncContent(path)
    }

    func close(_ file: Int32) {
        open[file] = nil
        kernel.close(file)
    }

    func syncContent(_ path: String) -> Int32 {
        let platter = disk.platter(path, isNew: false)
        let wasEnded = disk.isEnded
        let code = changing(.sync) {
            platter.sync()
            return 0
        }
        if code != 0, !wasEnded, !disk.isEnded { disk.failSync(platter) }
        return code
    }

    func syncFolder(_ path: String) -> Int32 {
        changing(.sync) {
            disk.didSyncFolder(path)
            return 0
        }
    }

    func rename(_ from: String, _ to: String) -> Int32 {
        changing(.rename) {
            disk.willRename(from, to: to)
            return kernel.rename(from, to)
        }
    }

    func unlink(_ path: String) -> Int32 {
        guard access(path, F_OK) == 0 else { return kernel.unlink(path) }
        return changing(.unlink) {
            _ = disk.platter(path, isNew: false)
            disk.didUnlink(path, folderIsSynced: false)
            return kernel.unlink(path)
        }
    }

    private func changing(_ operation: FaultDisk.Operation, _ body: () -> Int32) -> Int32 {
        switch disk.verdict(operation) {
        case .refuse(let code): return Int32(fail(code))
        case .half: return Int32(fail(operation.refusal))
        case .proceed(let thenEnd):
            let answer = body()
            if thenEnd { disk.end() }
            return answer
        }
    }

    private func fail(_ code: Int32) -> Int {
        errno = code == SQLITE_FULL ? ENOSPC : EIO
        return -1
    }
}
