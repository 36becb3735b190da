import Glibc

// A damaged book is made anew from whatever is left of it and of its copies: each event is taken from where its bytes
// still prove themselves by the chain. The damaged file is set aside, never deleted.

/// What became of a book that was mended.
public struct MendReport: Hashable, Sendable {
    public var entries: Int64
    /// Of them, those the damaged file did not hold any more.
    public var fromCopies: Int64
    /// Where the damaged file is now.
    public var setAside: String
}

extension LedgerStore {
    /// Mends a book that no process holds.
    ///
    /// - Parameters:
    ///   - copies: backups of it, best first. Those beside the book are looked at too.
    ///   - received: own events as the gateway gave them back, where it was asked.
    /// - Throws: `.damaged` when an event is whole nowhere; nothing is changed then, and more copies may help.
    @discardableResult
    public static func mend(
        path: String, copies: [String], received: [StoredEvent] = []
    ) throws(BookError) -> MendReport {
        let lock = try BookLock(book: path)
        defer { withExtendedLifetime(lock) {} }
        let sources = ([path] + copies + Backups(book: path).paths.reversed()).enumerated().compactMap { index, file in
            MendSource(path: file, isDamaged: index == 0)
        }
        let configuration = try owner(sources)
        let journal = try MendedJournal(sources, received: received, device: configuration.deviceID)

        let draft = path + ".mending"
        for end in ["", "-wal", "-shm", "-journal"] { unlink(draft + end) }
        var isDone = false
        defer { if !isDone { unlink(draft) } }
        do {
            let connection = try Connection(path: draft)
            // One file without a log: it gets its name only when it is whole.
            try connection.script("PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;")
            chmod(draft, 0o600)
            try create(connection, configuration)
            try connection.script(Schema.moneySum)
            try connection.transaction { () throws(BookError) in
                for event in journal.events {
                    let place = Place(epoch: event.epoch, seq: event.seq)
                    try connection.run(
                        "INSERT INTO event VALUES(?,?,?)",
                        [.integer(place.rawValue), .blob(event.body), .blob(event.hash)])
                }
                try connection.run("UPDATE meta SET value = ? WHERE key = 'epoch'", [.integer(journal.epoch)])
            }
            let store = try LedgerStore(
                connection: connection, configuration: configuration, mode: .own, path: draft, lock: nil)
            try store.rebuild()
            try store.adoptPersonal(of: sources)
            let report = try store.verify()
            guard report.valid else { throw BookError.damaged("mended, it does not verify: \(report.reason ?? "")") }
        } catch let error as BookError { throw error } catch { throw .damaged("\(error)") }
        try Backups.sync(draft)
        let aside = try setAside(path)
        // The damaged file keeps its other name; this one is the new book from one moment to the next.
        guard rename(draft, path) == 0 else { throw .storage(code: errno, operation: "rename") }
        isDone = true
        unlink(path + "-shm")
        try Backups.sync(path)
        return MendReport(
            entries: Int64(journal.events.count), fromCopies: journal.fromCopies, setAside: aside)
    }

    /// Whose book it is, as the first source says under whose name the first event proves itself.
    private static func owner(_ sources: [MendSource]) throws(BookError) -> LedgerConfiguration {
        let firsts = sources.compactMap { $0.event(at: Place(epoch: 1, seq: 1)) }
        var fallback: LedgerConfiguration?
        for source in sources {
            guard let found = try? storedConfiguration(source.connection, []),
                InvoiceNumber.isSeries(found.series)
            else { continue }
            let proves = firsts.contains { first in
                let hash = ChainLink.hash(
                    device: found.deviceID, epoch: 1, seq: 1, prev: ChainLink.start, body: first.body)
                return firsts.contains { $0.hash == hash }
            }
            if proves { return found }
            if firsts.isEmpty { fallback = fallback ?? found }
        }
        guard let fallback else { throw .damaged("no copy says whose book it is") }
        return fallback
    }

    /// The damaged file and its log get names of their own. The log first: it must never meet the new file.
    private static func setAside(_ path: String) throws(BookError) -> String {
        var number = 1
        while access("\(path).damaged-\(number)", F_OK) == 0 { number += 1 }
        let aside = "\(path).damaged-\(number)"
        guard link(path, aside) == 0 else { throw .storage(code: errno, operation: "link") }
        if rename(path + "-wal", aside + "-wal") != 0, errno != ENOENT {
            throw .storage(code: errno, operation: "rename")
        }
        try Backups.sync(aside)
        return aside
    }

    /// Keys and sealed details, where a source still has them; never of a customer who was erased.
    private func adoptPersonal(of sources: [MendSource]) throws(BookError) {
        var erased: Set<Int64> = []
        try connection.run("SELECT id FROM customer WHERE erased = 1") { erased.insert($0.integer(0)) }
        // Written once and never changed: a good copy's is as good, and less likely to be the flipped one.
        let order = sources.filter { !$0.isDamaged } + sources.filter(\.isDamaged)
        try connection.transaction { () throws(BookError) in
            for source in order {
                for (customer, key) in source.keys where !erased.contains(customer) {
                    try connection.run(
                        "INSERT OR IGNORE INTO person VALUES(?,?)", [.integer(customer), .blob(key)])
                }
            }
            for source in order {
                for row in source.memos where !erased.contains(row.customer) {
                    try connection.run(
                        "INSERT OR IGNORE INTO memo VALUES(?,?,?,?)",
                        [.integer(row.place), .integer(row.customer), .integer(row.isPerson), .blob(row.sealed)])
                }
            }
            for source in sources {
                for (key, value) in source.state {
                    try connection.run("INSERT OR IGNORE INTO state VALUES(?,?)", [.text(key), .blob(value)])
                }
                // A receipt for what this journal holds; without one all of it is sent again, and known there.
                if let cursor = source.cursor, try self.cursor().seq == 0,
                    try hash(at: Place(epoch: cursor.epoch, seq: cursor.seq)) == cursor.hash
                {
                    try connection.run(
                        "INSERT OR REPLACE INTO cursor VALUES(1,?,?,?,?)",
                        [
                            .integer(cursor.epoch), .integer(cursor.seq), .blob(cursor.hash), .blob(cursor.receipt),
                        ])
                }
            }
        }
        try load()
    }
}

/// One file events may come from. What cannot be read of it is passed over.
private struct MendSource {
    let connection: Connection
    let isDamaged: Bool

    init?(path: String, isDamaged: Bool) {
        guard access(path, R_OK) == 0, let connection = try? Connection(path: path, access: .read) else { return nil }
        self.connection = connection
        self.isDamaged = isDamaged
    }

    var newest: Int64 {
        var newest: Int64 = 0
        try? connection.run("SELECT place FROM event ORDER BY place DESC LIMIT 1") { newest = $0.integer(0) }
        return newest
    }

    func event(at place: Place) -> (body: [UInt8], hash: [UInt8])? {
        var found: ([UInt8], [UInt8])?
        try? connection.run("SELECT body, hash FROM event WHERE place = ?", [.integer(place.rawValue)]) {
            found = ($0.blob(0), $0.blob(1))
        }
        return found
    }

    var keys: [(customer: Int64, key: [UInt8])] {
        var rows: [(Int64, [UInt8])] = []
        try? connection.run("SELECT customer, key FROM person") { rows.append(($0.integer(0), $0.blob(1))) }
        return rows
    }

    var memos: [(place: Int64, customer: Int64, isPerson: Int64, sealed: [UInt8])] {
        var rows: [(Int64, Int64, Int64, [UInt8])] = []
        try? connection.run("SELECT place, customer, is_person, sealed FROM memo") {
            rows.append(($0.integer(0), $0.integer(1), $0.integer(2), $0.blob(3)))
        }
        return rows
    }

    var state: [(key: String, value: [UInt8])] {
        var rows: [(String, [UInt8])] = []
        try? connection.run("SELECT key, value FROM state") { rows.append(($0.text(0), $0.blob(1))) }
        return rows
    }

    var cursor: SyncCursor? {
        var found: SyncCursor?
        try? connection.run("SELECT epoch, seq, hash, receipt FROM cursor") {
            found = SyncCursor(epoch: $0.integer(0), seq: $0.integer(1), hash: $0.blob(2), receipt: $0.blob(3))
        }
        return found
    }
}

/// The journal put together again, each event proven.
private struct MendedJournal {
    struct Event {
        var epoch: Int64
        var seq: Int64
        var body: [UInt8]
        var hash: [UInt8]
    }

    private(set) var events: [Event] = []
    private(set) var fromCopies: Int64 = 0
    private(set) var epoch: Int64 = 1

    init(_ sources: [MendSource], received: [StoredEvent], device: [UInt8]) throws(BookError) {
        var given: [Int64: (body: [UInt8], hash: [UInt8])] = [:]
        for event in received { given[Place(epoch: event.epoch, seq: event.seq).rawValue] = (event.body, event.hash) }
        /// Every version of an event that is left, the damaged file's own first.
        func versions(_ place: Place) -> [(body: [UInt8], hash: [UInt8])] {
            sources.compactMap { $0.event(at: place) } + [given[place.rawValue]].compactMap { $0 }
        }
        let newest = max(sources.map(\.newest).max() ?? 0, given.keys.max() ?? 0)
        var place = Place(epoch: 1, seq: 1)
        var prev = ChainLink.start
        while place.rawValue <= newest {
            let here = versions(place)
            if here.isEmpty {
                // An epoch ends where the next begins; anything else is a hole.
                let next = Place(epoch: place.epoch + 1, seq: 1)
                guard place.seq > 1, !versions(next).isEmpty else {
                    throw .damaged("entry \(place.seq) is in no copy")
                }
                (place, prev) = (next, ChainLink.start)
                epoch = next.epoch
                continue
            }
            let following = versions(Place(epoch: place.epoch, seq: place.seq + 1))
            func hash(_ body: [UInt8]) -> [UInt8] {
                ChainLink.hash(device: device, epoch: place.epoch, seq: place.seq, prev: prev, body: body)
            }
            // A body is proven by its own hash in any copy or, where that too is lost, by the event behind it.
            let proven = here.first { version in
                let own = hash(version.body)
                if here.contains(where: { $0.hash == own }) { return true }
                return following.contains { next in
                    let behind = ChainLink.hash(
                        device: device, epoch: place.epoch, seq: place.seq + 1, prev: own, body: next.body)
                    return following.contains { $0.hash == behind }
                }
            }
            guard let proven else { throw .damaged("entry \(place.seq) is whole in no copy") }
            if sources.first(where: \.isDamaged)?.event(at: place)?.body != proven.body { fromCopies += 1 }
            prev = hash(proven.body)
            events.append(Event(epoch: place.epoch, seq: place.seq, body: proven.body, hash: prev))
            place = Place(epoch: place.epoch, seq: place.seq + 1)
        }
    }
}
