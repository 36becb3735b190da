import Flash
import Glibc

/// Copies of the book beside it: `<book>.backup-<number of the newest event>`. A book keeps the newest three.
struct Backups {
    var book: String

    static let kept = 3
    private static let digits = 12

    /// Oldest first: the number is padded, so the order of names is the order of events.
    var paths: [String] { beside(".backup-").filter { $0.utf8.count == path(seq: 0).utf8.count } }

    /// Damaged files that a restore set aside; without their logs.
    var quarantines: [String] { beside(".quarantine-").filter { !$0.hasSuffix("-wal") && !$0.hasSuffix("-shm") } }

    /// Copies that a cut left half-made, under names that no backup has.
    var drafts: [String] { beside(".backup-").filter { $0.hasSuffix(".part") || $0.hasSuffix(".part-journal") } }

    private func beside(_ middle: String) -> [String] {
        let (folder, name) = Self.split(book)
        let names = (try? Flash.names(in: folder)) ?? []
        return names.filter { $0.hasPrefix(name + middle) }.map { folder + "/" + $0 }
    }

    func path(seq: Int64) -> String {
        let number = String(seq)
        return "\(book).backup-" + String(repeating: "0", count: max(0, Self.digits - number.count)) + number
    }

    func removeOld() {
        // One that cannot be removed, or comes back after a cut, goes with the next.
        for path in paths.dropLast(Self.kept) { try? Flash.remove(path, isLasting: false) }
    }

    private static func split(_ path: String) -> (folder: String, name: String) {
        guard let slash = path.lastIndex(of: "/") else { return (".", path) }
        let folder = slash == path.startIndex ? "/" : String(path[..<slash])
        return (folder, String(path[path.index(after: slash)...]))
    }
}

extension LedgerStore {
    /// Copies the book into a new file, puts it on flash and verifies the copy from its first entry. Only a copy that
    /// verifies gets its name.
    ///
    /// - Parameter target: nil is beside the book, where the newest three are kept.
    /// - Returns: where it is, and the verified report of the copy.
    public func backup(to target: String? = nil) throws(BookError) -> (path: String, report: VerifyReport) {
        guard let path else { throw .unavailable("a book in memory has no backup") }
        if let failure = connection.failure { throw failure }
        let backups = Backups(book: path)
        let final = target ?? backups.path(seq: memory.newest.seq)
        let draft = final + ".part"
        func dropDraft() { for end in ["", "-journal"] { try? Flash.remove(draft + end, isLasting: false) } }
        dropDraft()
        var isDone = false
        defer { if !isDone { dropDraft() } }
        // VACUUM is refused inside a transaction, and to a reader though it is the copy that is written.
        if mode == .inspect { try connection.script("COMMIT; PRAGMA query_only = OFF") }
        try connection.run("VACUUM INTO ?", [.text(draft)])
        if mode == .inspect { try connection.script("PRAGMA query_only = ON; BEGIN") }
        chmod(draft, 0o600)
        try onFlash { () throws(FlashError) in try Flash.sync(draft) }
        let report = try LedgerStore.inspect(path: draft).verify()
        guard report.valid else { throw .damaged("the copy does not verify: \(report.reason ?? "")") }
        try onFlash { () throws(FlashError) in try Flash.move(draft, to: final) }
        isDone = true
        if target == nil { backups.removeOld() }
        return (final, report)
    }

    /// Destroys customers' keys and sealed details in the backups and set-aside files beside the book, as in the book
    /// itself. One that cannot be opened is removed: a copy is worth less than a promise to forget.
    func forgetInBackups(_ customers: [CustomerID]) {
        guard let path, !customers.isEmpty else { return }
        let backups = Backups(book: path)
        for backup in backups.paths + backups.quarantines {
            do throws(BookError) {
                let copy = try Connection(path: backup)
                try copy.script("PRAGMA secure_delete = ON; PRAGMA synchronous = FULL;")
                var known: Set<CustomerID> = []
                try copy.run("SELECT customer FROM person") { known.insert(CustomerID(rawValue: $0.integer(0))) }
                for customer in customers where known.contains(customer) {
                    try copy.transaction { () throws(BookError) in try Self.destroyKey(of: customer, in: copy) }
                }
            } catch {
                for end in ["", "-wal", "-shm", "-journal"] { try? Flash.remove(backup + end, isLasting: true) }
            }
        }
    }

    static func destroyKey(of customer: CustomerID, in connection: Connection) throws(BookError) {
        let id = [Connection.Value.integer(customer.rawValue)]
        // Zeros over the key first: a page that keeps a deleted row keeps nothing of use.
        try connection.run("UPDATE person SET key = zeroblob(length(key)) WHERE customer = ?", id)
        try connection.run("DELETE FROM person WHERE customer = ?", id)
        try connection.run("DELETE FROM memo WHERE customer = ?", id)
    }
}

/// Work on files of the book that are not SQLite's.
func onFlash(_ body: () throws(FlashError) -> Void) throws(BookError) {
    do throws(FlashError) { try body() } catch {
        throw error.isFull ? .full : .storage(code: error.code, operation: error.operation)
    }
}
