import Flash
import Glibc

extension LedgerStore {
    /// Opens the device's book, or makes it.
    ///
    /// - Parameter path: nil is a book in memory, gone with the value.
    /// - Throws: `.unavailable` when another process writes it, when it belongs to another device or was written by a
    ///   newer product; `.damaged` when it cannot be what was written.
    public static func open(path: String?, configuration: LedgerConfiguration) throws(BookError) -> LedgerStore {
        precondition(configuration.deviceID.count == 16 && configuration.shopID.count == 16, "ids have 16 bytes")
        guard InvoiceNumber.isSeries(configuration.series) else {
            throw .unavailable("an invoice series is three of A-Z and 0-9")
        }
        let lock: BookLock? = try path.map { (path) throws(BookError) in try BookLock(book: path) }
        if let path { try Restore.finish(book: path) }
        let connection = try Connection(path: path ?? ":memory:")
        try prepare(connection, inMemory: path == nil)
        let version = try connection.integer("PRAGMA user_version") ?? 0
        let application = try connection.integer("PRAGMA application_id") ?? 0
        let isEmpty = try connection.integer("SELECT count(*) FROM sqlite_schema") == 0
        switch version {
        case 0 where isEmpty:
            // Before there is anything in it; the log takes its mode from the file.
            if let path { chmod(path, 0o600) }
            try create(connection, configuration)
        case Schema.version:
            guard application == Schema.applicationID else { throw .damaged("the file is not a book") }
        case 1..<Schema.version:
            guard application == Schema.applicationID else { throw .damaged("the file is not a book") }
        case (Schema.version + 1)...:
            throw .unavailable("the book was written by a newer version (\(version)); update the device first")
        default: throw .damaged("the file is not a book")
        }
        try checkOwner(connection, configuration)
        try connection.script(Schema.moneySum)
        let store = try LedgerStore(
            connection: connection, configuration: configuration, mode: .own, path: path, lock: lock)
        try store.migrate()
        try store.load()
        try store.checkStart()
        try store.tidyUp()
        return store
    }

    /// What every start puts in order behind a power cut, a restore, or a new key. On a full disk it waits for the next
    /// start: balances can be asked meanwhile.
    private func tidyUp() throws(BookError) {
        guard let path else { return }
        // They hold keys like any copy, and no erasure would find them.
        for draft in Backups(book: path).drafts { try? Flash.remove(draft, isLasting: false) }
        do throws(BookError) {
            try wrapKeys()
            try recallForgotten()
            // A cut can fall between an erasure and the cleaning behind it.
            forgetInBackups(memory.people.values.filter(\.isErased).map(\.id))
            _ = try connection.checkpoint()
        } catch .full {}
    }

    /// True after a failed write or sync: nothing is taken until `reopen` has found the book in order.
    public var mustReopen: Bool { connection.failure != nil }

    /// After a failed write or sync: closes the file, opens it anew and checks it as a start does. What was acknowledged
    /// is there or this throws; what was not is told so by its command's id.
    public func reopen() throws(BookError) {
        guard let path, mode == .own else { throw .unavailable("a book in memory cannot be opened anew") }
        connection.close()
        let fresh = try Connection(path: path)
        try Self.prepare(fresh, inMemory: false)
        try Self.checkOwner(fresh, configuration)
        try fresh.script(Schema.moneySum)
        connection = fresh
        let before = memory
        memory = Memory(newest: try Self.newestEvent(fresh))
        do throws(BookError) {
            if before.newest.seq > 0 {
                let place = Place(epoch: before.newest.epoch, seq: before.newest.seq)
                guard try hash(at: place) == before.newest.hash else {
                    throw .damaged("the newest entry that was acknowledged is not there; restore")
                }
            }
            if memory.newest != before.newest { try takeOutRefused(behind: before.newest) }
            try load()
            try checkStart()
            // The log may hold pages that never reached the flash though a sync was asked for, and what is written behind
            // them would go with them: all of it moves into the file, synced, and the log begins anew.
            guard try connection.checkpoint() else { throw .unavailable("a reader holds the book's log back") }
        } catch {
            // What is known to have been there is asked for again the next time.
            memory = before
            connection.fail(error)
            throw error
        }
    }

    /// Entries that were refused, aloud, and reached the log all the same, before anybody but this process saw them: the
    /// shopkeeper has said them again or will.
    private func takeOutRefused(behind newest: ChainHead) throws(BookError) {
        let last = Connection.Value.integer(newest.seq == 0 ? 0 : Place(epoch: newest.epoch, seq: newest.seq).rawValue)
        memory.newest = newest
        try connection.transaction { () throws(BookError) in
            try connection.run("DELETE FROM event WHERE place > ?", [last])
            try connection.run("DELETE FROM memo WHERE place > ?", [last])
            _ = try replayAll()
            // A key that nobody has any more would be in the way of the next customer of that number.
            try connection.run("DELETE FROM person WHERE customer <> 0 AND customer NOT IN (SELECT id FROM customer)")
        }
    }

    /// Opens somebody's book to look at it as it stands now; not a byte of it changes. Beside a running daemon it reads
    /// as one more reader, and what is committed later is not seen; a book at rest is read as immutable.
    ///
    /// - Parameter wrappingKeys: the device's keys; without them customers are known by number.
    public static func inspect(path: String, wrappingKeys: [[UInt8]] = []) throws(BookError) -> LedgerStore {
        guard access(path, R_OK) == 0 else { throw .unavailable("no book can be read there") }
        // A writer's checkpoint changes the file under one who takes it for immutable.
        let isAtRest = size(of: path + "-wal") == 0 && !BookLock.isHeld(book: path)
        let connection = try Connection(path: path, access: isAtRest ? .immutable : .read)
        try connection.script("PRAGMA query_only = ON; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;")
        // One read transaction for as long as the value lives: names, sums and chain are of one moment.
        try connection.script("BEGIN")
        try checkVersion(connection)
        let store = try LedgerStore(
            connection: connection, configuration: try storedConfiguration(connection, wrappingKeys), mode: .inspect,
            path: path,
            lock: nil)
        try store.load()
        return store
    }

    /// Takes somebody's book to repair it: the lock is held, the device's own identity is read from the book. Names and
    /// goods that cannot be read are left out until `rebuild`.
    public static func take(path: String, wrappingKeys: [[UInt8]] = []) throws(BookError) -> LedgerStore {
        guard access(path, R_OK | W_OK) == 0 else { throw .unavailable("no book can be written there") }
        let lock = try BookLock(book: path)
        try Restore.finish(book: path)
        let connection = try Connection(path: path)
        try checkVersion(connection)
        try prepare(connection, inMemory: false)
        try connection.script(Schema.moneySum)
        let store = try LedgerStore(
            connection: connection, configuration: try storedConfiguration(connection, wrappingKeys), mode: .own,
            path: path,
            lock: lock)
        do throws(BookError) { try store.load() } catch {
            guard case .damaged = error else { throw error }
        }
        return store
    }

    /// Sets what every connection of the writer needs and reads back the two that money depends on.
    private static func prepare(_ connection: Connection, inMemory: Bool) throws(BookError) {
        let journal = try connection.text("PRAGMA journal_mode = WAL")
        try connection.script(Schema.settings)
        guard try connection.integer("PRAGMA synchronous") == 2 else {
            throw .unavailable("SQLite does not keep synchronous=FULL")
        }
        guard inMemory || journal == "wal" else { throw .unavailable("SQLite does not keep a write-ahead log here") }
    }

    private static func create(_ connection: Connection, _ configuration: LedgerConfiguration) throws(BookError) {
        try connection.transaction { () throws(BookError) in
            try connection.script(Schema.truth)
            try connection.script(Schema.projections)
            let facts: [(String, Connection.Value)] = [
                ("device_id", .blob(configuration.deviceID)), ("shop_id", .blob(configuration.shopID)),
                ("series", .text(configuration.series)), ("epoch", .integer(1)),
            ]
            for (name, value) in facts { try connection.run("INSERT INTO meta VALUES(?,?)", [.text(name), value]) }
            try connection.script(
                "PRAGMA application_id = \(Schema.applicationID); PRAGMA user_version = \(Schema.version);")
        }
    }

    private static func checkVersion(_ connection: Connection) throws(BookError) {
        guard try connection.integer("PRAGMA application_id") == Schema.applicationID else {
            throw .damaged("the file is not a book")
        }
        let version = try connection.integer("PRAGMA user_version") ?? 0
        guard version <= Schema.version else {
            throw .unavailable("the book was written by a newer version (\(version)); use the tools of that version")
        }
    }

    private static func checkOwner(_ connection: Connection, _ configuration: LedgerConfiguration) throws(BookError) {
        guard try connection.blob("SELECT value FROM meta WHERE key = 'device_id'") == configuration.deviceID else {
            throw .unavailable("the book belongs to another device; restore it under its own identity")
        }
        guard try connection.blob("SELECT value FROM meta WHERE key = 'shop_id'") == configuration.shopID else {
            throw .unavailable("the book belongs to another shop")
        }
        // A series that changes hands could give one number twice.
        guard try connection.text("SELECT value FROM meta WHERE key = 'series'") == configuration.series else {
            throw .unavailable("the book's invoice series is another than the device's")
        }
    }

    private static func storedConfiguration(_ connection: Connection, _ keys: [[UInt8]]) throws(BookError)
        -> LedgerConfiguration
    {
        guard let device = try connection.blob("SELECT value FROM meta WHERE key = 'device_id'"), device.count == 16,
            let shop = try connection.blob("SELECT value FROM meta WHERE key = 'shop_id'"), shop.count == 16,
            let series = try connection.text("SELECT value FROM meta WHERE key = 'series'")
        else { throw .damaged("the book does not say whose it is") }
        return LedgerConfiguration(
            deviceID: device, shopID: shop, series: series, bootID: [UInt8](repeating: 0, count: 16),
            monotonicMilliseconds: { 0 }, wallQuality: { 0 }, wrappingKey: keys.first,
            formerWrappingKeys: Array(keys.dropFirst()))
    }

    static func size(of path: String) -> Int64 {
        var status = stat()
        return stat(path, &status) == 0 ? Int64(status.st_size) : 0
    }
}
