import Glibc
import Seals

extension LedgerStore {
    /// Takes over the events of another copy of this book that follow its own in the chain, with what is sealed beside
    /// them; where that copy ends too early, what `fetch` brings.
    ///
    /// - Returns: true when the last of them is the newest event of the other copy.
    func salvage(from path: String, fetch: Restore.Fetch?, into report: inout RestoreReport) throws(BookError) -> Bool {
        let start = Place(epoch: memory.newest.epoch, seq: memory.newest.seq)
        let other = damaged(path)
        if let other {
            try take(from: other, behind: start, into: &report)
            try load()
        }
        var newest = (try? other?.integer("SELECT max(place) FROM event")) ?? nil
        var isWhole = newest == place.rawValue
        if !isWhole, let fetch {
            let before = place
            try fetch(self)
            report.fetched = memory.newest.seq - before.seq
            if let other {
                try takeSealed(behind: before, from: other)
                // What was said last may never have reached the gateway: behind the hole it filled the damaged copy goes on.
                try take(from: other, behind: place, into: &report)
                try load()
            }
            newest = newest ?? 0
            isWhole = newest == place.rawValue
        }
        if let other { try takeCursor(from: other) }
        // What was being talked about was of another moment; the conversation begins anew.
        try connection.run("DELETE FROM state")
        report.notesLost = try other == nil ? 0 : notesLost(behind: start)
        return isWhole
    }

    private var place: Place { Place(epoch: memory.newest.epoch, seq: memory.newest.seq) }

    /// The damaged copy, unless it can be seen to be of another device: the chain proves each entry anyway.
    private func damaged(_ path: String) -> Connection? {
        guard access(path, F_OK) == 0, let other = try? Connection(path: path) else { return nil }
        // One bit in the text of the schema hides every table from SQLite; told so, it goes on with those it could read,
        // and `event` is the first.
        try? other.script("PRAGMA writable_schema = ON")
        if let device = try? other.blob("SELECT value FROM meta WHERE key = 'device_id'"),
            device != configuration.deviceID
        {
            return nil
        }
        return other
    }

    /// How far the gateway had receipted, where the damaged copy still says so of this chain. Where it does not, entries
    /// are sent again and answered again.
    private func takeCursor(from other: Connection) throws(BookError) {
        var held: [Connection.Value]?
        try? other.run("SELECT one, epoch, seq, hash, receipt FROM cursor") { held = $0.values }
        guard let held, case .integer(let epoch) = held[1], case .integer(let seq) = held[2],
            case .blob(let hash) = held[3], case .blob(let receipt) = held[4], epoch >= 1, seq >= 1
        else { return }
        do throws(BookError) {
            try advance(to: SyncCursor(epoch: epoch, seq: seq, hash: hash, receipt: receipt))
        } catch .refused {}
    }

    private func take(from other: Connection, behind start: Place, into report: inout RestoreReport) throws(BookError) {
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
    }

    private func takeSealed(behind start: Place, from other: Connection) throws(BookError) {
        for event in try events(after: start.seq, epoch: start.epoch, limit: .max) {
            guard let entry = try? JournalEntry(decoding: event.body) else { continue }
            try connection.transaction { () throws(BookError) in
                try takeSealed(of: entry, at: Place(epoch: event.epoch, seq: event.seq), from: other)
            }
        }
    }

    /// The sealed part and the key, where the damaged copy still has them whole; an erasure is done again.
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
        guard let memo, case .integer(let customer) = memo[1], case .integer = memo[2], case .blob(let box) = memo[3]
        else { return }
        let ours = try connection.blob("SELECT key FROM person WHERE customer = ?", [.integer(customer)])
        let theirs = try? other.blob("SELECT key FROM person WHERE customer = ?", [.integer(customer)])
        guard let key = ours ?? theirs ?? nil else { return }
        // Where the keys are not at hand nothing can be tried, and it is taken as it lies. Where they are, a box that does
        // not open, or holds another text than its entry was made with, would keep the whole book from being good.
        if let opened = KeyWrap(configuration).unwrap(key) {
            guard let inside = Memo(opening: box, key: opened, event: entry.id),
                entry.arguments.contains(.bytes(inside.commitment))
            else { return }
        } else if configuration.wrappingKey != nil || key.first != 1 {
            return
        }
        try connection.run("INSERT OR IGNORE INTO person VALUES(?,?)", [.integer(customer), .blob(key)])
        try connection.run("INSERT OR IGNORE INTO memo VALUES(?,?,?,?)", memo)
    }

    /// Entries behind a place that were sealed and have nothing sealed beside them any more, erased people apart.
    private func notesLost(behind start: Place) throws(BookError) -> Int64 {
        var lost: Int64 = 0
        for event in try events(after: start.seq, epoch: start.epoch, limit: .max) {
            let place = Place(epoch: event.epoch, seq: event.seq)
            let entry = try entry(at: place)
            guard entry.type != Command.Code.resume,
                entry.arguments.contains(where: { $0.bytes?.count == SHA256.byteCount })
            else { continue }
            var owner = entry.arguments.first?.integer.map { CustomerID(rawValue: $0) }
            if case .customer(let id) = entry.outcome { owner = id }
            if let owner, memory.people[owner]?.isErased == true { continue }
            if try connection.integer("SELECT place FROM memo WHERE place = ?", [.integer(place.rawValue)]) == nil {
                lost += 1
            }
        }
        return lost
    }

    /// A new epoch behind a loss; its first event names what it follows and retires the series.
    func beginEpoch(at now: WallTime, id: ULID) throws(BookError) {
        let before = memory
        do throws(BookError) {
            try connection.transaction { () throws(BookError) in try writeEpoch(at: now, id: id, by: "technician") }
        } catch {
            memory = before
            throw error
        }
    }
}
