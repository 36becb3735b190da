import Flash
import Glibc

/// What a restore did.
public struct RestoreReport: Hashable, Sendable {
    /// The backup the book was made from.
    public var backup: String
    /// Entries the backup had, entries behind them that were read from the damaged book, and those that had to be fetched.
    public var entries: Int64
    public var salvaged: Int64
    public var fetched: Int64
    /// Names and notes of entries behind the backup that the damaged book no longer held readable: known by number now.
    public var notesLost: Int64
    /// Where the damaged files lie now; nothing of them was deleted.
    public var quarantine: String
    /// True when entries behind the salvaged ones may be lost: the book goes on in a new epoch.
    public var isLossy: Bool
}

/// Makes a damaged book good: from the newest backup that verifies, from what of the damaged journal still follows it
/// in the chain, and from whoever else holds the rest. Nobody else may write the book meanwhile.
///
/// All is prepared and verified beside the book; then a file marks that the swap has begun. A cut before the mark leaves
/// the damaged book, a cut behind it is made good by whoever opens the book next: there is no moment with less.
public struct Restore {
    /// Brings entries behind a book's newest from another copy, proven; leaves the book as it is where it has none.
    public typealias Fetch = (LedgerStore) throws(BookError) -> Void

    private let book: String
    private let keys: [[UInt8]]
    private var prepared: String { Self.prepared(of: book) }

    static func marker(of book: String) -> String { book + ".restoring" }
    private static func prepared(of book: String) -> String { book + ".restored" }

    public init(book: String, wrappingKeys: [[UInt8]] = []) {
        self.book = book
        keys = wrappingKeys
    }

    /// - Parameters:
    ///   - backup: nil takes the newest beside the book that verifies.
    ///   - acceptsLoss: without it a restore that cannot prove to have the newest entry is refused and changes nothing.
    ///     With it a new epoch begins and the counter gives no more bill numbers of its series: one that was given and
    ///     lost would be given twice (design B.4).
    ///   - fetch: asked where backup and damaged journal have not all of it.
    /// - Throws: `.unavailable` when there is no good backup, or entries would be lost.
    public func run(
        from backup: String?, acceptsLoss: Bool, at now: WallTime, id: ULID, fetch: Fetch? = nil
    ) throws(BookError) -> RestoreReport {
        let lock = try BookLock(book: book)
        defer { withExtendedLifetime(lock) {} }
        return try runLocked(from: backup, acceptsLoss: acceptsLoss, knownNewest: nil, at: now, id: id, fetch: fetch)
    }

    /// - Parameter knownNewest: the newest entry as somebody remembers it who had the book open.
    func runLocked(
        from backup: String?, acceptsLoss: Bool, knownNewest: ChainHead?, at now: WallTime, id: ULID, fetch: Fetch?
    ) throws(BookError) -> RestoreReport {
        try Self.finish(book: book)
        let source = if let backup { backup } else { try newestGoodBackup() }
        guard try LedgerStore.inspect(path: source, wrappingKeys: keys).verify().valid else {
            throw .unavailable("the backup does not verify")
        }
        let quarantine = try setAside()
        dropPrepared()
        try Self.copy(source, to: prepared)
        var report = RestoreReport(
            backup: source, entries: 0, salvaged: 0, fetched: 0, notesLost: 0, quarantine: quarantine, isLossy: false)
        do throws(BookError) {
            let store = try LedgerStore.take(path: prepared, wrappingKeys: keys)
            try store.migrate()
            try store.load()
            report.entries = store.memory.newest.seq
            var isWhole = try store.salvage(from: quarantine, fetch: fetch, into: &report)
            if let knownNewest, store.memory.newest != knownNewest { isWhole = false }
            if !isWhole {
                guard acceptsLoss else {
                    throw .unavailable(
                        "it cannot be proven that entry \(store.memory.newest.seq) is the newest; the gateway may have "
                            + "more: 'execorad restore', or accept the loss")
                }
                report.isLossy = true
                try store.beginEpoch(at: now, id: id)
            }
            let verified = try store.verify()
            guard verified.valid else { throw .damaged(verified.reason ?? "the restored book does not verify") }
            guard try store.connection.checkpoint() else { throw .unavailable("the restored book is being read") }
            store.connection.close()
            try onFlash { () throws(FlashError) in try Flash.sync(prepared) }
        } catch {
            dropPrepared()
            throw error
        }
        try onFlash { () throws(FlashError) in
            try Flash.put([], at: Self.marker(of: book), beside: Self.marker(of: book) + ".part")
        }
        try Self.finish(book: book)
        return report
    }

    /// Ends a swap that has begun: from the mark on the prepared copy is the book. Where no mark is nothing is done.
    /// Call with the book's lock held.
    static func finish(book: String) throws(BookError) {
        let (mark, copy) = (marker(of: book), prepared(of: book))
        guard access(mark, F_OK) == 0 else { return }
        if access(copy, F_OK) == 0 {
            try onFlash { () throws(FlashError) in
                // The old log must not be read into the new book: it goes for certain before the name changes.
                for suffix in ["-wal", "-shm"] { try Flash.remove(book + suffix, isLasting: false) }
                try Flash.syncFolder(of: book)
                try Flash.move(copy, to: book)
            }
        }
        guard access(book, F_OK) == 0 else {
            throw .unavailable("a restore was interrupted and its copy is gone; run 'execoractl ledger restore' again")
        }
        try onFlash { () throws(FlashError) in
            for suffix in ["-wal", "-shm", ".lock"] { try Flash.remove(copy + suffix, isLasting: false) }
            try Flash.remove(mark, isLasting: true)
        }
    }

    private func dropPrepared() {
        for suffix in ["", "-wal", "-shm", ".lock"] { try? Flash.remove(prepared + suffix, isLasting: false) }
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

    static func copy(_ from: String, to path: String) throws(BookError) {
        let source = open(from, O_RDONLY | O_CLOEXEC)
        guard source >= 0 else { throw .storage(code: errno, operation: "open") }
        defer { close(source) }
        try onFlash { () throws(FlashError) in
            try Flash.remove(path, isLasting: false)
            try Flash.fill(path) { (target) throws(FlashError) in
                var chunk = [UInt8](repeating: 0, count: 1 << 20)
                while true {
                    let count = read(source, &chunk, chunk.count)
                    if count < 0, errno == EINTR { continue }
                    guard count >= 0 else { throw FlashError(code: errno, operation: "read", path: from) }
                    if count == 0 { break }
                    try Flash.write(Array(chunk[..<count]), to: target, path)
                }
            }
            try Flash.syncFolder(of: path)
        }
    }
}
