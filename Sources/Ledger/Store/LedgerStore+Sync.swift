// The face for sync: the journal is its own outbox, read from a cursor.

extension LedgerStore {
    public func head() throws(BookError) -> ChainHead { memory.newest }

    /// Events of one epoch after `seq`, in order, as stored.
    ///
    /// - Parameter limit: at most so many; 1,000 is a full batch.
    public func events(after seq: Int64, epoch: Int64, limit: Int) throws(BookError) -> [StoredEvent] {
        let start = Place(epoch: epoch, seq: seq)
        // Each epoch is a chain of its own; its first event names in its body what it follows.
        var prev = seq <= 0 ? ChainLink.start : try hash(at: start)
        var rows: [(place: Place, body: [UInt8], hash: [UInt8])] = []
        try connection.run(
            "SELECT place, body, hash FROM event WHERE place > ? AND place < ? ORDER BY place LIMIT ?",
            [
                .integer(start.rawValue), .integer(Place(epoch: epoch + 1, seq: 0).rawValue),
                .integer(Int64(max(0, limit))),
            ]
        ) { rows.append((Place(rawValue: $0.integer(0)), $0.blob(1), $0.blob(2))) }
        var events: [StoredEvent] = []
        for row in rows {
            let entry: JournalEntry
            do { entry = try JournalEntry(decoding: row.body) } catch { throw .damaged("an event cannot be read") }
            events.append(
                StoredEvent(
                    epoch: epoch, seq: row.place.seq, id: entry.id, type: entry.type, body: row.body, prev: prev,
                    hash: row.hash))
            prev = row.hash
        }
        return events
    }

    /// How far the gateway has receipted; seq 0 before the first receipt.
    public func cursor() throws(BookError) -> SyncCursor {
        var cursor = SyncCursor(epoch: 1, seq: 0, hash: ChainLink.start, receipt: [])
        try connection.run("SELECT epoch, seq, hash, receipt FROM cursor") {
            cursor = SyncCursor(
                epoch: $0.integer(0), seq: $0.integer(1), hash: $0.blob(2), receipt: $0.blob(3))
        }
        return cursor
    }

    /// Keeps a receipt. The caller has checked its signature; here it must name an event of this book with the hash
    /// it has here (else `.refused(.unknownEvent)`), and not step back (then nothing happens).
    public func advance(to cursor: SyncCursor) throws(BookError) {
        try checkWritable()
        let place = Place(epoch: cursor.epoch, seq: cursor.seq)
        guard try hash(at: place) == cursor.hash else { throw .refused(.unknownEvent) }
        let current = try self.cursor()
        guard place >= Place(epoch: current.epoch, seq: current.seq) else { return }
        try connection.run(
            "INSERT OR REPLACE INTO cursor VALUES(1,?,?,?,?)",
            [.integer(cursor.epoch), .integer(cursor.seq), .blob(cursor.hash), .blob(cursor.receipt)])
    }
}
