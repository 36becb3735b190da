import CSQLite
import Glibc

// The face SQLite sees: a disk (`sqlite3_vfs`) and its files (`sqlite3_io_methods`). Reads, locks and the shared index
// go straight to the kernel's disk; what changes a file is counted, judged and remembered first.

/// One open file: SQLite's part, what stands behind it, then the kernel disk's own file.
private struct FaultFile {
    var face: sqlite3_file
    var opened: Unmanaged<OpenedFile>?

    /// Where the kernel disk's file begins; aligned for anything.
    static let bytes = (MemoryLayout<FaultFile>.size + 15) / 16 * 16
}

private final class OpenedFile {
    let disk: FaultDisk
    let name: String
    let platter: Platter?
    /// True until its first sync, of a log or journal that was opened to be made.
    var syncsFolder: Bool

    init(disk: FaultDisk, name: String, platter: Platter?, syncsFolder: Bool) {
        self.disk = disk
        self.name = name
        self.platter = platter
        self.syncsFolder = syncsFolder
    }
}

private typealias FilePointer = UnsafeMutablePointer<sqlite3_file>

private func real(_ file: FilePointer?) -> FilePointer {
    UnsafeMutableRawPointer(file!).advanced(by: FaultFile.bytes).assumingMemoryBound(to: sqlite3_file.self)
}

private func methods(_ file: FilePointer?) -> sqlite3_io_methods { real(file).pointee.pMethods.pointee }

private func opened(_ file: FilePointer?) -> OpenedFile {
    UnsafeMutableRawPointer(file!).assumingMemoryBound(to: FaultFile.self).pointee.opened!.takeUnretainedValue()
}

private func disk(_ vfs: UnsafeMutablePointer<sqlite3_vfs>?) -> FaultDisk {
    Unmanaged<FaultDisk>.fromOpaque(vfs!.pointee.pAppData).takeUnretainedValue()
}

extension FaultDisk {
    /// Becomes SQLite's default disk.
    func register(_ face: UnsafeMutablePointer<sqlite3_vfs>) {
        // Copied first: how to sleep, tell the time and find libraries stays the kernel disk's.
        face.initialize(to: base.pointee)
        // Version 2: no system calls to exchange.
        face.pointee.iVersion = 2
        face.pointee.szOsFile = Int32(FaultFile.bytes) + base.pointee.szOsFile
        face.pointee.pNext = nil
        face.pointee.zName = UnsafePointer(strdup("execora-faults"))
        face.pointee.pAppData = Unmanaged.passRetained(self).toOpaque()
        face.pointee.xOpen = { vfs, name, file, flags, outFlags in
            disk(vfs).openFile(name, file!, flags, outFlags)
        }
        face.pointee.xDelete = { vfs, name, syncFolder in disk(vfs).unlinkFile(name, syncFolder) }
        face.pointee.xAccess = { vfs, name, flags, result in
            let disk = disk(vfs)
            if disk.isEnded { return SQLITE_IOERR }
            return disk.base.pointee.xAccess(disk.base, name, flags, result)
        }
        face.pointee.xFullPathname = { vfs, name, count, result in
            let base = disk(vfs).base
            return base.pointee.xFullPathname(base, name, count, result)
        }
        sqlite3_vfs_register(face, 1)
    }

    fileprivate func openFile(
        _ name: UnsafePointer<CChar>?, _ file: FilePointer, _ flags: Int32, _ outFlags: UnsafeMutablePointer<Int32>?
    ) -> Int32 {
        file.pointee.pMethods = nil
        if isEnded { return SQLITE_CANTOPEN }
        let path = name.map { String(cString: $0) } ?? ""
        var isNew = false
        var thenEnd = false
        if flags & SQLITE_OPEN_CREATE != 0, !path.isEmpty, access(path, F_OK) != 0 {
            isNew = true
            switch verdict(.create) {
            case .refuse(let code): return code
            case .half: return SQLITE_CANTOPEN
            case .proceed(let ends): thenEnd = ends
            }
        }
        let code = base.pointee.xOpen(base, name, real(file), flags, outFlags)
        guard code == SQLITE_OK else { return code }
        let platter = path.isEmpty ? nil : platter(path, isNew: isNew)
        let journals = SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_WAL | SQLITE_OPEN_SUPER_JOURNAL
        let syncsFolder = flags & SQLITE_OPEN_CREATE != 0 && flags & journals != 0
        UnsafeMutableRawPointer(file).assumingMemoryBound(to: FaultFile.self).pointee.opened = .passRetained(
            OpenedFile(disk: self, name: path, platter: platter, syncsFolder: syncsFolder))
        file.pointee.pMethods = UnsafePointer(fileMethods)
        if thenEnd { end() }
        return SQLITE_OK
    }

    fileprivate func unlinkFile(_ name: UnsafePointer<CChar>?, _ syncFolder: Int32) -> Int32 {
        switch verdict(.unlink) {
        case .refuse(let code): return code
        case .half: return Operation.unlink.refusal
        case .proceed(let thenEnd):
            if let name, access(name, F_OK) == 0 { _ = platter(String(cString: name), isNew: false) }
            let code = base.pointee.xDelete(base, name, syncFolder)
            if code == SQLITE_OK, let name {
                didUnlink(String(cString: name), folderIsSynced: syncFolder != 0)
            }
            if thenEnd { end() }
            return code
        }
    }

    /// At the negative control SQLite is told nothing of `synchronous`, and asked for it, is said to be FULL.
    fileprivate func answersPragma(_ words: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Bool {
        guard isWeak, let name = words[1], strcasecmp(name, "synchronous") == 0 else { return false }
        if let value = words[2], strcasecmp(value, "NORMAL") == 0 { return false }
        if words[2] == nil {
            let answer = sqlite3_malloc(2)!.assumingMemoryBound(to: CChar.self)
            answer[0] = CChar(UInt8(ascii: "2"))
            answer[1] = 0
            words[0] = answer
        }
        return true
    }
}

/// Runs on every new connection of the process: at the negative control, before the book says FULL.
func weakenEveryConnection() {
    typealias Entry =
        @convention(c) (
            OpaquePointer?, UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?, OpaquePointer?
        ) -> Int32
    let entry: Entry = { connection, _, _ in sqlite3_exec(connection, "PRAGMA synchronous = NORMAL", nil, nil, nil) }
    _ = sqlite3_auto_extension(unsafeBitCast(entry, to: (@convention(c) () -> Void).self))
}

func leaveConnectionsAlone() { sqlite3_reset_auto_extension() }

private func write(_ file: FilePointer?, _ bytes: UnsafeRawPointer?, _ count: Int32, _ offset: Int64) -> Int32 {
    let opened = opened(file)
    var (count, code, thenEnd) = (count, SQLITE_OK, false)
    switch opened.disk.verdict(.write) {
    case .refuse(let refusal): return refusal
    case .half: (count, code) = (count / 2, FaultDisk.Operation.write.refusal)
    case .proceed(let ends): thenEnd = ends
    }
    let written = methods(file).xWrite(real(file), bytes, count, offset)
    guard written == SQLITE_OK else { return written }
    opened.platter?.write(UnsafeRawBufferPointer(start: bytes, count: Int(count)), at: Int(offset))
    if thenEnd { opened.disk.end() }
    return code
}

private func truncate(_ file: FilePointer?, _ size: Int64) -> Int32 {
    let opened = opened(file)
    guard case .proceed(let thenEnd) = opened.disk.verdict(.truncate) else {
        return FaultDisk.Operation.truncate.refusal
    }
    let code = methods(file).xTruncate(real(file), size)
    guard code == SQLITE_OK else { return code }
    opened.platter?.truncate(to: Int(size))
    if thenEnd { opened.disk.end() }
    return code
}

private func sync(_ file: FilePointer?) -> Int32 {
    let opened = opened(file)
    let wasEnded = opened.disk.isEnded
    guard case .proceed(let thenEnd) = opened.disk.verdict(.sync) else {
        if !wasEnded, !opened.disk.isEnded, let platter = opened.platter { opened.disk.failSync(platter) }
        return FaultDisk.Operation.sync.refusal
    }
    // The kernel's own sync is not needed: what it would keep is kept here.
    if let platter = opened.platter {
        opened.disk.didSync(opened.name, platter, withFolder: opened.syncsFolder)
        opened.syncsFolder = false
    }
    if thenEnd { opened.disk.end() }
    return SQLITE_OK
}

/// Immutable after it was made; one for the process.
nonisolated(unsafe) private let fileMethods: UnsafeMutablePointer<sqlite3_io_methods> = {
    let made = UnsafeMutablePointer<sqlite3_io_methods>.allocate(capacity: 1)
    made.initialize(to: sqlite3_io_methods())
    // Version 2: a shared index, no memory-mapped pages.
    made.pointee.iVersion = 2
    made.pointee.xClose = { file in
        let code = methods(file).xClose(real(file))
        UnsafeMutableRawPointer(file!).assumingMemoryBound(to: FaultFile.self).pointee.opened?.release()
        file!.pointee.pMethods = nil
        return code
    }
    made.pointee.xRead = { file, bytes, count, offset in
        if opened(file).disk.isEnded { return SQLITE_IOERR | 1 << 8 }
        return methods(file).xRead(real(file), bytes, count, offset)
    }
    made.pointee.xWrite = { write($0, $1, $2, $3) }
    made.pointee.xTruncate = { truncate($0, $1) }
    made.pointee.xSync = { file, _ in sync(file) }
    made.pointee.xFileSize = { methods($0).xFileSize(real($0), $1) }
    made.pointee.xLock = { methods($0).xLock(real($0), $1) }
    made.pointee.xUnlock = { methods($0).xUnlock(real($0), $1) }
    made.pointee.xCheckReservedLock = { methods($0).xCheckReservedLock(real($0), $1) }
    made.pointee.xFileControl = { file, what, argument in
        if what == SQLITE_FCNTL_PRAGMA, let argument {
            let words = argument.assumingMemoryBound(to: UnsafeMutablePointer<CChar>?.self)
            if opened(file).disk.answersPragma(words) { return SQLITE_OK }
        }
        // The kernel disk would make room itself, past the count.
        if what == SQLITE_FCNTL_SIZE_HINT || what == SQLITE_FCNTL_CHUNK_SIZE { return SQLITE_OK }
        return methods(file).xFileControl(real(file), what, argument)
    }
    made.pointee.xSectorSize = { methods($0).xSectorSize(real($0)) }
    made.pointee.xDeviceCharacteristics = { methods($0).xDeviceCharacteristics(real($0)) }
    made.pointee.xShmMap = { methods($0).xShmMap(real($0), $1, $2, $3, $4) }
    made.pointee.xShmLock = { methods($0).xShmLock(real($0), $1, $2, $3) }
    made.pointee.xShmBarrier = { methods($0).xShmBarrier(real($0)) }
    made.pointee.xShmUnmap = { methods($0).xShmUnmap(real($0), $1) }
    return made
}()
