import CSQLite

/// Facts of the file for the technician; nothing of the shop.
public struct BookFacts: Hashable, Sendable {
    public var sqliteVersion: String
    public var schemaVersion: Int64
    /// This and `synchronous` (2 is FULL) are the writer's: nil when the book is only looked at.
    public var journalMode: String?
    public var synchronous: Int64?
    public var pageBytes: Int64
    public var pages: Int64
    public var freePages: Int64
    public var fileBytes: Int64
    public var logBytes: Int64
    /// "ok", or SQLite's first finding.
    public var integrity: String
    public var events: Int64
    public var receiptedSeq: Int64
    /// Events the gateway has not receipted.
    public var waiting: Int64
    /// Backups beside the book, newest last.
    public var backups: [String]

    /// What of it is wrong, in words; empty when nothing is.
    public var findings: [String] {
        var findings: [String] = []
        if integrity != "ok" { findings.append("integrity: \(integrity)") }
        if let synchronous, synchronous != 2 { findings.append("synchronous is \(synchronous), not FULL") }
        if let journalMode, journalMode != "wal", journalMode != "memory" {
            findings.append("journal mode is \(journalMode), not wal")
        }
        if logBytes > Self.logBytesMax { findings.append("the log has \(logBytes) bytes; a reader holds it back") }
        return findings
    }

    /// A log larger than this is not emptied as it should be (journal_size_limit is 4 MiB).
    public static let logBytesMax: Int64 = 8 << 20
}

extension LedgerStore {
    /// Facts of the file, with SQLite's own integrity check: reads all of it.
    public func facts() throws(BookError) -> BookFacts {
        let cursor = try cursor()
        let events = try connection.integer("SELECT count(*) FROM event") ?? 0
        let acked = Place(epoch: cursor.epoch, seq: cursor.seq).rawValue
        let waiting = try connection.integer("SELECT count(*) FROM event WHERE place > ?", [.integer(acked)]) ?? 0
        return BookFacts(
            sqliteVersion: String(cString: sqlite3_libversion()),
            schemaVersion: try connection.integer("PRAGMA user_version") ?? 0,
            journalMode: mode == .own ? try connection.text("PRAGMA journal_mode") : nil,
            synchronous: mode == .own ? try connection.integer("PRAGMA synchronous") : nil,
            pageBytes: try connection.integer("PRAGMA page_size") ?? 0,
            pages: try connection.integer("PRAGMA page_count") ?? 0,
            freePages: try connection.integer("PRAGMA freelist_count") ?? 0,
            fileBytes: path.map { Self.size(of: $0) } ?? 0, logBytes: path.map { Self.size(of: $0 + "-wal") } ?? 0,
            integrity: try connection.text("PRAGMA integrity_check(1)") ?? "no answer", events: events,
            receiptedSeq: cursor.seq, waiting: waiting, backups: path.map { Backups(book: $0).paths } ?? [])
    }
}
