import Glibc

// A book of an earlier schema version becomes one of this version when it is opened. Bodies of events are never
// touched: they are read for ever as they were written, and the projections are made anew from them.

extension LedgerStore {
    /// Checks the space, keeps a verified copy, then changes all tables and the version in one transaction: a cut at any
    /// moment leaves the old book or the new one. Does nothing for a book of this version.
    ///
    /// - Throws: `.full` when there is no room for the copy and the new tables; the old book is as it was.
    func migrate() throws(BookError) {
        let version = try connection.integer("PRAGMA user_version") ?? 0
        guard version < Schema.version else { return }
        if let path {
            // The copy, and the log of a transaction that writes every projection.
            guard Self.freeBytes(beside: path) >= 2 * Self.size(of: path) else { throw .full }
            _ = try connection.checkpoint()
            _ = try backup()
        }
        let before = try Projector(tables: connection, journal: connection).totals()
        try connection.transaction { () throws(BookError) in
            _ = try replayAll()
            guard try Projector(tables: connection, journal: connection).totals() == before else {
                throw .damaged("the accounts are not what they were before the change of version")
            }
        }
    }

    /// What an unprivileged process may still write on the file system of a file.
    static func freeBytes(beside path: String) -> Int64 {
        var facts = statvfs()
        guard statvfs(path, &facts) == 0 else { return 0 }
        return Int64(
            clamping: UInt64(facts.f_bavail).multipliedReportingOverflow(by: UInt64(facts.f_frsize)).partialValue)
    }
}
