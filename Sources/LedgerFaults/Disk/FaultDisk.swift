import CSQLite
import Flash
import Glibc

/// A disk under SQLite that keeps what was synced and forgets, tears or refuses the rest when told to. The files are real
/// (in a folder of the caller's, best on tmpfs) and what a power cut leaves is written over them.
///
/// One at a time in a process, on one thread: it makes itself SQLite's default disk, and stands behind `Flash` for all
/// files that are not SQLite's.
public final class FaultDisk {
    /// Every call that changes the disk, numbered from 1: the places where a fault can fall.
    public enum Operation: String, CaseIterable, Sendable {
        case create, write, sync, truncate, unlink, rename
    }

    public enum Fault: Hashable, Sendable {
        /// The process ends (or the plug is pulled) with this call not yet made, or just made.
        case endBefore, endAfter
        case ioError, noSpace
        /// Half of a write arrives, then EIO.
        case shortWrite
    }

    /// Calls made so far.
    public private(set) var operations = 0
    /// The kinds of those calls, while somebody counts.
    public private(set) var log: [Operation]?
    /// Set by a fault that ended the process: nothing reaches the disk any more.
    public private(set) var isEnded = false
    /// True once the armed fault has fallen.
    public private(set) var hasFallen = false
    /// No space for any write or new file while true.
    public var isFull = false
    /// The negative control: SQLite runs at `synchronous=NORMAL`, whatever it is told, and says it is FULL.
    public var isWeak = false

    private var armed: (at: Int, fault: Fault)?
    /// Names as the running system sees them, as flash certainly has them, and what lies between.
    private var names: [String: Platter] = [:]
    private var certain: [String: Platter] = [:]
    private var nameChanges: [NameChange] = []
    var random: Seeded

    /// What was done to a folder and is not synced: a cut may undo it. A rename is one change: flash has it or has not.
    private enum NameChange {
        case made(String, Platter)
        case removed(String)
        case renamed(String, to: String)

        func apply(to names: inout [String: Platter]) {
            switch self {
            case .made(let name, let platter): names[name] = platter
            case .removed(let name): names[name] = nil
            case .renamed(let name, let other):
                // Not of a file that flash never had.
                guard let platter = names.removeValue(forKey: name) else { return }
                names[other] = platter
            }
        }

        var folder: String {
            switch self {
            case .made(let name, _), .removed(let name), .renamed(_, let name): Flash.folder(of: name)
            }
        }
    }

    let base: UnsafeMutablePointer<sqlite3_vfs>
    private let face: UnsafeMutablePointer<sqlite3_vfs>

    public init(seed: UInt64) {
        random = Seeded(seed)
        base = sqlite3_vfs_find(nil)
        face = .allocate(capacity: 1)
        register(face)
        Flash.use(FaultFiles(self))
    }

    // MARK: Faults

    /// The fault falls at the given call from now (1 is the next).
    public func arm(_ fault: Fault, after calls: Int) {
        armed = (operations + calls, fault)
        hasFallen = false
    }

    public func disarm() { armed = nil }

    /// Starts and ends the list of calls.
    public func startLog() { log = [] }
    public func endLog() -> [Operation] {
        defer { log = nil }
        return log ?? []
    }

    enum Verdict {
        case proceed(thenEnd: Bool)
        case half
        case refuse(Int32)
    }

    /// Counts a call and says what becomes of it.
    func verdict(_ operation: Operation) -> Verdict {
        if isEnded { return .refuse(operation.refusal) }
        operations += 1
        log?.append(operation)
        if isFull, operation == .write || operation == .create { return .refuse(SQLITE_FULL) }
        guard let armed, armed.at == operations else { return .proceed(thenEnd: false) }
        hasFallen = true
        switch armed.fault {
        case .endBefore:
            isEnded = true
            return .refuse(operation.refusal)
        case .endAfter: return .proceed(thenEnd: true)
        case .ioError: return .refuse(operation.refusal)
        case .noSpace:
            return .refuse(operation == .write || operation == .create ? SQLITE_FULL : operation.refusal)
        case .shortWrite: return operation == .write ? .half : .refuse(operation.refusal)
        }
    }

    func end() { isEnded = true }

    // MARK: Files

    /// The platter of a file.
    func platter(_ name: String, isNew: Bool) -> Platter {
        if let known = names[name] { return known }
        let platter = Platter(synced: isNew ? [] : Self.read(name))
        names[name] = platter
        if isNew { nameChanges.append(.made(name, platter)) } else { certain[name] = platter }
        return platter
    }

    /// SQLite's own rule: a file's sync makes its name certain, and the first sync of a log or journal also syncs the
    /// folder, which makes all names in it, and all removals, certain.
    func didSync(_ name: String, _ platter: Platter, withFolder: Bool) {
        platter.sync()
        certain[name] = platter
        nameChanges.removeAll { change in
            switch change {
            case .made(name, _), .removed(name): true
            default: false
            }
        }
        if withFolder { didSyncFolder(Flash.folder(of: name)) }
    }

    func didSyncFolder(_ folder: String) {
        for change in nameChanges where change.folder == folder { change.apply(to: &certain) }
        nameChanges.removeAll { $0.folder == folder }
    }

    /// - Parameter name: of a file whose platter was asked for before it went.
    func didUnlink(_ name: String, folderIsSynced: Bool) {
        guard names.removeValue(forKey: name) != nil else { return }
        nameChanges.append(.removed(name))
        if folderIsSynced { didSyncFolder(Flash.folder(of: name)) }
    }

    /// Call before the kernel renames.
    func willRename(_ name: String, to other: String) {
        if access(other, F_OK) == 0 { _ = platter(other, isNew: false) }
        names[other] = platter(name, isNew: false)
        names[name] = nil
        nameChanges.append(.renamed(name, to: other))
    }

    func failSync(_ platter: Platter) { platter.failSync(&random) }

    // MARK: After the end

    /// The process was killed: the kernel still has all that was written. Call with every connection closed.
    public func restartAfterKill() {
        isEnded = false
        armed = nil
    }

    /// The power was cut: of what was not synced, a part is there. Call with every connection closed.
    public func restartAfterPowerCut() {
        var left = certain
        // Folders keep an order, or do not: up to one change, or each by its own chance.
        let isOrdered = random.happens(50)
        let count = random.pick(0...nameChanges.count)
        for (index, change) in nameChanges.enumerated() where isOrdered ? index < count : random.happens(50) {
            change.apply(to: &left)
        }
        for name in Set(names.keys).union(left.keys).sorted() {
            if let platter = left[name] { Self.write(name, platter.image(&random)) } else { Glibc.unlink(name) }
            // The index beside the log is never synced: anything may stand in it.
            if access(name + "-shm", F_OK) == 0 { Self.write(name + "-shm", random.bytes(4096)) }
        }
        forgetNames()
        isEnded = false
        armed = nil
    }

    /// Forgets all files, for a new folder.
    public func forget() {
        forgetNames()
        isEnded = false
        armed = nil
        isFull = false
    }

    private func forgetNames() {
        (names, certain, nameChanges) = ([:], [:], [])
    }

    /// A bit of a file turns over, on flash too.
    func rot(_ path: String, at index: Int, bit: UInt8) {
        var bytes = Self.read(path)
        guard index < bytes.count else { return }
        bytes[index] ^= bit
        Self.write(path, bytes)
        if names[path] != nil {
            let platter = Platter(synced: bytes)
            (names[path], certain[path]) = (platter, platter)
        }
    }

    static func read(_ path: String) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return [] }
        defer { close(descriptor) }
        var facts = stat()
        guard fstat(descriptor, &facts) == 0, facts.st_size > 0 else { return [] }
        return [UInt8](unsafeUninitializedCapacity: Int(facts.st_size)) { buffer, count in
            count = max(0, Glibc.read(descriptor, buffer.baseAddress, buffer.count))
        }
    }

    static func write(_ path: String, _ bytes: [UInt8]) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        var done = 0
        while done < bytes.count {
            let count = bytes[done...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { return }
            done += count
        }
    }
}

extension FaultDisk.Operation {
    /// SQLite's code for this call having failed with EIO (SQLITE_IOERR and what was tried).
    var refusal: Int32 {
        switch self {
        case .create: SQLITE_CANTOPEN
        case .write: SQLITE_IOERR | 3 << 8
        case .sync: SQLITE_IOERR | 4 << 8
        case .truncate: SQLITE_IOERR | 6 << 8
        case .unlink, .rename: SQLITE_IOERR | 10 << 8
        }
    }
}
