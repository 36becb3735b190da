import CSQLite
import Glibc

/// A disk under SQLite that keeps what was synced and forgets, tears or refuses the rest when told to. The files are real
/// (in a folder of the caller's, best on tmpfs) and what a power cut leaves is written over them.
///
/// One at a time in a process, on one thread: it makes itself SQLite's default disk.
public final class FaultDisk {
    /// Every call that changes the disk, numbered from 1: the places where a fault can fall.
    public enum Operation: String, CaseIterable, Sendable {
        case create, write, sync, truncate, unlink
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
    private var platters: [String: Platter] = [:]
    /// Files that were unlinked while the folder was not synced: a cut may bring them back.
    private var unlinked: [String: Platter] = [:]
    var random: Seeded

    let base: UnsafeMutablePointer<sqlite3_vfs>
    private let face: UnsafeMutablePointer<sqlite3_vfs>

    public init(seed: UInt64) {
        random = Seeded(seed)
        base = sqlite3_vfs_find(nil)
        face = .allocate(capacity: 1)
        register(face)
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

    /// The platter of a file of the book; nil for what is not followed (backups are written whole and verified).
    func platter(_ name: String, isNew: Bool) -> Platter? {
        guard !name.contains(".backup-"), !name.contains(".part") else { return nil }
        if let known = platters[name] { return known }
        let platter = Platter(synced: isNew ? [] : Self.read(name), isNamed: !isNew)
        platters[name] = platter
        return platter
    }

    /// - Parameter withFolder: SQLite's own rule: the first sync of a log or journal also syncs the folder, which makes
    ///   all names in it, and all removals, certain.
    func didSync(_ name: String, _ platter: Platter, withFolder: Bool) {
        platter.sync()
        // The folder names this file now, not the one that had the name before.
        unlinked[name] = nil
        guard withFolder else { return }
        unlinked = [:]
        for other in platters.values { other.isNamed = true }
    }

    func didUnlink(_ name: String, folderIsSynced: Bool) {
        guard let platter = platters.removeValue(forKey: name) else { return }
        if platter.isNamed, !folderIsSynced { unlinked[name] = platter }
        if folderIsSynced { unlinked[name] = nil }
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
        var images: [String: [UInt8]?] = [:]
        for (name, platter) in platters.sorted(by: { $0.key < $1.key }) {
            images[name] = platter.isNamed || random.happens(50) ? .some(platter.image(&random)) : .some(nil)
        }
        for (name, platter) in unlinked.sorted(by: { $0.key < $1.key }) where (images[name] ?? nil) == nil {
            if random.happens(50) { images[name] = .some(platter.image(&random)) }
        }
        for (name, image) in images.sorted(by: { $0.key < $1.key }) {
            if let image { Self.write(name, image) } else { Glibc.unlink(name) }
            // The index beside the log is never synced: anything may stand in it.
            if access(name + "-shm", F_OK) == 0 { Self.write(name + "-shm", random.bytes(4096)) }
        }
        platters = [:]
        unlinked = [:]
        isEnded = false
        armed = nil
    }

    /// Forgets all files, for a new folder.
    public func forget() {
        platters = [:]
        unlinked = [:]
        isEnded = false
        armed = nil
        isFull = false
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
        case .unlink: SQLITE_IOERR | 10 << 8
        }
    }
}
