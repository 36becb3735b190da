import Glibc

/// What a restore did.
public struct RestoreReport: Hashable, Sendable {
    /// The backup the book was made from.
    public var backup: String
    /// Entries the backup had, and entries behind them that were read from the damaged book.
    public var entries: Int64
    public var salvaged: Int64
    /// Where the damaged files lie now; nothing of them was deleted.
    public var quarantine: String
    /// True when entries behind the salvaged ones may be lost: the book goes on in a new epoch.
    public var isLossy: Bool
}

/// Makes a damaged book good: from the newest backup that verifies and from what of the damaged journal still follows it
/// in the chain. The daemon must not run.
///
/// All is prepared and verified beside the book; the swap is marked by a file, so that a cut within it leaves a book that
/// says "run the restore again" and never one that looks whole and is not.
public struct Restore {
    private let book: String
    private let keys: [[UInt8]]
    private var prepared: String { book + ".restored" }
    private var marker: String { Self.marker(of: book) }

    static func marker(of book: String) -> String { book + ".restoring" }

    public init(book: String, wrappingKeys: [[UInt8]] = []) {
        self.book = book
        keys = wrappingKeys
    }

    /// - Parameters:
    ///   - backup: nil takes the newest beside the book that verifies.
    ///   - acceptsLoss: without it a restore that cannot prove to have the newest entry is refused and changes nothing.
    ///     With it a new epoch begins and the counter gives no more bill numbers of its series: one that was given and
    ///     lost would be given twice (design B.4).
    /// - Throws: `.unavailable` when there is no good backup, or entries would be lost.
    public func run(from backup: String?, acceptsLoss: Bool, at now: WallTime, id: ULID) throws(BookError)
        -> RestoreReport
    {
        let lock = try BookLock(book: book)
        defer { withExtendedLifetime(lock) {} }
        let source = if let backup { backup } else { try newestGoodBackup() }
        guard try LedgerStore.inspect(path: source, wrappingKeys: keys).verify().valid else {
            throw .unavailable("the backup does not verify")
        }
        let quarantine = try setAside()
        for suffix in ["", "-wal", "-shm", ".lock"] { unlink(prepared + suffix) }
        try Self.copy(source, to: prepared)
        var report = RestoreReport(
            backup: source, entries: 0, salvaged: 0, quarantine: quarantine, isLossy: false)
        do throws(BookError) {
            let store = try LedgerStore.take(path: prepared, wrappingKeys: keys)
            try store.migrate()
            try store.load()
            report.entries = store.memory.newest.seq
            let isWhole = try store.salvage(from: quarantine, into: &report)
            if !isWhole {
                guard acceptsLoss else {
                    throw .unavailable(
                        "entries after \(store.memory.newest.seq) cannot be read from the damaged book; the gateway may "
                            + "have them: ask the operator, or accept the loss")
                }
                report.isLossy = true
                try store.beginEpoch(at: now, id: id)
            }
            let verified = try store.verify()
            guard verified.valid else { throw .damaged(verified.reason ?? "the restored book does not verify") }
            guard try store.connection.checkpoint() else { throw .unavailable("the restored book is being read") }
            store.connection.close()
            try Backups.sync(prepared)
        } catch {
            for suffix in ["", "-wal", "-shm", ".lock"] { unlink(prepared + suffix) }
            throw error
        }
        try swap()
        return report
    }

    private func newestGoodBackup() throws(BookError) -> String {
        for path in Backups(book: book).paths.reversed() {
            if let report = try? LedgerStore.inspect(path: path, wrappingKeys: keys).verify(), report.valid {
                return path
            }
        }
        throw .unavailable("no backup beside the book verifies; give one with --from")
    }

    /// Copies the damaged files to a name of their own, the log with them. The book itself still stands.
    private func setAside() throws(BookError) -> String {
        var number = 1
        while access("\(book).quarantine-\(number)", F_OK) == 0 { number += 1 }
        let path = "\(book).quarantine-\(number)"
        if access(book, F_OK) == 0 { try Self.copy(book, to: path) }
        if access(book + "-wal", F_OK) == 0 { try Self.copy(book + "-wal", to: path + "-wal") }
        return path
    }

    private func swap() throws(BookError) {
        try Self.make(marker)
        unlink(book + "-wal")
        unlink(book + "-shm")
        guard rename(prepared, book) == 0 else { throw .storage(code: errno, operation: "rename") }
        try Backups.sync(book)
        unlink(marker)
        for suffix in ["-wal", "-shm", ".lock"] { unlink(prepared + suffix) }
        try Backups.sync(book)
    }

    private static func make(_ path: String) throws(BookError) {
        let file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw .storage(code: errno, operation: "mark the restore") }
        close(file)
        try Backups.sync(path)
    }

    static func copy(_ from: String, to path: String) throws(BookError) {
        let source = open(from, O_RDONLY | O_CLOEXEC)
        guard source >= 0 else { throw .storage(code: errno, operation: "open") }
        defer { close(source) }
        let target = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard target >= 0 else { throw .storage(code: errno, operation: "create") }
        do {
            defer { close(target) }
            var chunk = [UInt8](repeating: 0, count: 1 << 20)
            while true {
                let count = read(source, &chunk, chunk.count)
                if count < 0, errno == EINTR { continue }
                guard count >= 0 else { throw .storage(code: errno, operation: "read") }
                if count == 0 { break }
                var written = 0
                while written < count {
                    let more = chunk[written..<count].withUnsafeBytes { write(target, $0.baseAddress, $0.count) }
                    if more < 0, errno == EINTR { continue }
                    guard more > 0 else { throw errno == ENOSPC ? .full : .storage(code: errno, operation: "write") }
                    written += more
                }
            }
        }
        try Backups.sync(path)
    }
}

extension LedgerStore {
    /// Takes over the events of another copy of this book that follow its own in the chain, with what is sealed beside
    /// them.
    ///
    /// - Returns: true when the last of them is the newest event of the other copy.
    fileprivate func salvage(from path: String, into report: inout RestoreReport) throws(BookError) -> Bool {
        guard access(path, F_OK) == 0, let other = try? Connection(path: path),
            let device = try? other.blob("SELECT value FROM meta WHERE key = 'device_id'"),
            device == configuration.deviceID
        else { return false }
        let start = Place(epoch: memory.newest.epoch, seq: memory.newest.seq)
        // Nobody relies on the prepared book before the checkpoint and the sync behind it.
        try connection.script("PRAGMA synchronous = OFF")
        defer { try? connection.script("PRAGMA synchronous = FULL") }
        var next: [(place: Place, body: [UInt8], hash: [UInt8])] = []
        // A page that cannot be read ends the walk; what was read before it stands.
        try? other.run(
            "SELECT place, body, hash FROM event WHERE place > ? ORDER BY place", [.integer(start.rawValue)]
        ) { next.append((Place(rawValue: $0.integer(0)), $0.blob(1), $0.blob(2))) }
        // Each by itself: one that does not fit is the end, and those before it are good.
        for one in next {
            let expected = ChainLink.hash(
                device: configuration.deviceID, epoch: one.place.epoch, seq: one.place.seq, prev: memory.newest.hash,
                body: one.body)
            guard one.place == Place(epoch: memory.newest.epoch, seq: memory.newest.seq + 1), one.hash == expected,
                let entry = try? JournalEntry(decoding: one.body)
            else { break }
            do throws(BookError) {
                try connection.transaction { () throws(BookError) in
                    try connection.run(
                        "INSERT INTO event VALUES(?,?,?)",
                        [.integer(one.place.rawValue), .blob(one.body), .blob(one.hash)])
                    try Projector(tables: connection, journal: connection).apply(entry, at: one.place)
                    try takeSealed(of: entry, at: one.place, from: other)
                }
            } catch {
                guard case .damaged = error else { throw error }
                break
            }
            memory.newest = ChainHead(epoch: one.place.epoch, seq: one.place.seq, hash: one.hash)
            report.salvaged += 1
        }
        try load()
        let newest = try? other.integer("SELECT max(place) FROM event")
        return newest == Place(epoch: memory.newest.epoch, seq: memory.newest.seq).rawValue
    }

    /// The sealed part and the key, where the damaged copy still has them; an erasure is done again.
    private func takeSealed(of entry: JournalEntry, at place: Place, from other: Connection) throws(BookError) {
        if entry.type == Command.Code.eraseCustomer, let id = entry.arguments[0].integer {
            var family: [CustomerID] = []
            try connection.run("SELECT id FROM customer WHERE erased = 1") {
                family.append(CustomerID(rawValue: $0.integer(0)))
            }
            for customer in family + [CustomerID(rawValue: id)] { try Self.destroyKey(of: customer, in: connection) }
        }
        var memo: [Connection.Value]?
        try? other.run(
            "SELECT place, customer, is_person, sealed FROM memo WHERE place = ?", [.integer(place.rawValue)]
        ) {
            memo = $0.values
        }
        guard let memo, case .integer(let customer) = memo[1] else { return }
        var key: [UInt8]?
        try? other.run("SELECT key FROM person WHERE customer = ?", [.integer(customer)]) { key = $0.blob(0) }
        guard let key else { return }
        try connection.run("INSERT OR IGNORE INTO person VALUES(?,?)", [.integer(customer), .blob(key)])
        try connection.run("INSERT INTO memo VALUES(?,?,?,?)", memo)
    }

    /// A new epoch behind a loss; its first event names what it follows and retires the series.
    fileprivate func beginEpoch(at now: WallTime, id: ULID) throws(BookError) {
        let before = memory
        do throws(BookError) {
            try connection.transaction { () throws(BookError) in try writeEpoch(at: now, id: id, by: "technician") }
        } catch {
            memory = before
            throw error
        }
    }
}
