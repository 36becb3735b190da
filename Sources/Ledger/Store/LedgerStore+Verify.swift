import Seals

/// What a check of the whole book found.
public struct VerifyReport: Hashable, Sendable {
    public var valid: Bool
    /// Events read and found good.
    public var entries: Int64
    public var head: ChainHead
    /// Number of the first event that is not what was written.
    public var firstBad: Int64?
    /// Why the book is not valid; nothing personal.
    public var reason: String?
}

extension LedgerStore {
    /// Reads every event from the first, checks chain, sums and sealed parts, replays all of them into an empty
    /// database in memory and compares every projection with it. Writes nothing; memory does not grow with the events.
    ///
    /// - Returns: also for a damaged file, with the reason; throws only when the file cannot be read at all.
    public func verify() throws(BookError) -> VerifyReport {
        var report = VerifyReport(valid: false, entries: 0, head: memory.newest, firstBad: nil, reason: nil)
        do throws(BookError) {
            let replayed = try Connection(path: ":memory:")
            try replayed.script("PRAGMA synchronous = OFF; PRAGMA journal_mode = OFF;")
            try replayed.script(Schema.projections + Schema.moneySum)
            let tally = RowTally()
            var sealed = SealedPlaces(connection)
            try replayed.transaction { () throws(BookError) in
                try check(from: Place(epoch: 1, seq: 0), prev: ChainLink.start, report: &report) {
                    (entry, place) throws(BookError) in
                    try Projector(tables: replayed, journal: connection, tally: tally).apply(entry, at: place)
                    if try sealed.has(place) { try checkMemo(of: entry, at: place) }
                }
                try tally.finish(in: replayed)
            }
            guard report.reason == nil else { return report }
            report.reason = try firstDifference(from: replayed, tally)
            if report.reason == nil { report.reason = try brokenNumbers() }
            if report.reason == nil { report.reason = try brokenCursor() }
        } catch {
            guard case .damaged(let reason) = error else { throw error }
            report.reason = reason
        }
        report.valid = report.reason == nil
        return report
    }

    /// Walks the chain from an event that is known; the first that does not follow ends the walk and is reported.
    private func check(
        from start: Place, prev: [UInt8], report: inout VerifyReport,
        each: (JournalEntry, Place) throws(BookError) -> Void
    ) throws(BookError) {
        var prev = prev
        var last = start
        let chain = ChainHasher(device: configuration.deviceID)
        var found = (entries: report.entries, firstBad: Int64?.none, reason: String?.none)
        try connection.scan(
            "SELECT place, body, hash FROM event WHERE place > ? ORDER BY place", [.integer(start.rawValue)]
        ) { (row) throws(BookError) in
            let place = Place(rawValue: row.integer(0))
            let (body, hash) = (row.blob(1), row.blob(2))
            func bad(_ reason: String) -> Bool {
                (found.firstBad, found.reason) = (place.seq, reason)
                return false
            }
            guard
                place.epoch == last.epoch && place.seq == last.seq + 1
                    || place.epoch == last.epoch + 1 && place.seq == 1
            else { return bad("an event is missing") }
            if place.epoch != last.epoch { prev = ChainLink.start }
            let expected = chain.hash(epoch: place.epoch, seq: place.seq, prev: prev, body: body)
            guard hash == expected else { return bad("the hash is not that of the event") }
            let entry: JournalEntry
            do { entry = try JournalEntry(decoding: body) } catch { return bad("the event cannot be read: \(error)") }
            do throws(BookError) { try each(entry, place) } catch {
                switch error {
                case .damaged(let reason): return bad(reason)
                case .refused: return bad("the event does not fit the ones before")
                case .full, .storage, .unavailable: throw error
                }
            }
            (prev, last) = (hash, place)
            found.entries += 1
            return true
        }
        (report.entries, report.firstBad, report.reason) = found
        if found.reason == nil, memory.newest.seq != 0,
            last != Place(epoch: memory.newest.epoch, seq: memory.newest.seq)
        {
            report.reason = "the newest event is gone"
        }
        if found.reason == nil, last.seq != 0 { report.head = ChainHead(epoch: last.epoch, seq: last.seq, hash: prev) }
    }

    /// The sealed part, where the key still exists, must be what the event committed to.
    private func checkMemo(of entry: JournalEntry, at place: Place) throws(BookError) {
        guard let memo = try memo(at: place, event: entry.id) else { return }
        guard entry.arguments.contains(.bytes(memo.commitment)) else {
            throw .damaged("a sealed note is not the one of its event")
        }
    }

    private func firstDifference(from replayed: Connection, _ tally: RowTally) throws(BookError) -> String? {
        func reason(_ table: String) -> String { "the table \(table) is not what the journal says; rebuild" }
        for table in RowTally.Table.allCases {
            let expected = tally.sums[table] ?? RowTally.Sum()
            guard try RowTally.sum(of: table, in: connection) == expected else { return reason(table.rawValue) }
        }
        let version = try connection.integer("PRAGMA user_version") ?? 0
        for (table, order) in Schema.steadyTables(version: version) {
            let sql = "SELECT * FROM \(table) ORDER BY \(order)"
            guard try Self.digest(sql, connection) == Self.digest(sql, replayed) else { return reason(table) }
        }
        return nil
    }

    private static func digest(_ sql: String, _ connection: Connection) throws(BookError) -> [UInt8] {
        var hash = [UInt8](repeating: 0, count: SHA256.byteCount)
        var pending: [UInt8] = []
        try connection.run(sql) {
            pending.append(UInt8(ascii: "\n"))
            $0.appendValues(to: &pending)
            if pending.count > 65_536 {
                hash = SHA256.digest(hash, pending)
                pending.removeAll(keepingCapacity: true)
            }
        }
        return SHA256.digest(hash, pending)
    }

    /// Rule 46(b): consecutive in a series and year, from 1.
    private func brokenNumbers() throws(BookError) -> String? {
        var next: [String: Int64] = [:]
        var broken: String?
        let notes =
            try connection.integer("PRAGMA user_version") ?? 0 < 2 ? "" : "UNION ALL SELECT number FROM credit_note "
        try connection.run("SELECT number FROM invoice \(notes)ORDER BY number") {
            guard let number = InvoiceNumber($0.text(0)) else {
                broken = "an invoice number has another form"
                return
            }
            let key = "\(number.code)/\(number.year)"
            if number.number != next[key, default: 1] { broken = "invoice numbers have a gap" }
            next[key] = number.number + 1
        }
        return broken
    }

    private func brokenCursor() throws(BookError) -> String? {
        let cursor = try cursor()
        guard cursor.seq > 0, try hash(at: Place(epoch: cursor.epoch, seq: cursor.seq)) != cursor.hash else {
            return nil
        }
        return "the gateway's receipt names another event than the book"
    }

    /// Largest number of events read at start; older ones were read at earlier starts or by `verify`.
    static let startEventsMax: Int64 = 1000

    /// The bounded check of every start: the newest events follow each other, all balances sum to zero.
    func checkStart() throws(BookError) {
        var report = VerifyReport(valid: false, entries: 0, head: memory.newest, firstBad: nil, reason: nil)
        var start = Place(epoch: 1, seq: 0)
        var prev = ChainLink.start
        try connection.run(
            "SELECT place, hash FROM event ORDER BY place DESC LIMIT 1 OFFSET ?", [.integer(Self.startEventsMax)]
        ) { (start, prev) = (Place(rawValue: $0.integer(0)), $0.blob(1)) }
        try check(from: start, prev: prev, report: &report) { (entry, place) throws(BookError) in
            guard
                try connection.integer("SELECT place FROM request WHERE id = ?", [.blob(entry.id.bytes)])
                    == place.rawValue
            else { throw .damaged("the tables do not follow the journal") }
        }
        if let reason = report.reason { throw .damaged("event \(report.firstBad ?? 0): \(reason)") }
        let sum = try connection.integer("SELECT coalesce(sum(amount), 0) FROM balance") ?? 0
        guard sum == 0 else { throw .damaged("the balances do not sum to zero; rebuild") }
    }

    /// Makes all projections anew from the journal, in one transaction; the journal must verify first. The book is of
    /// this product's version afterwards.
    ///
    /// - Returns: how many events were replayed.
    @discardableResult
    public func rebuild() throws(BookError) -> Int64 {
        try checkWritable()
        let entries = try connection.transaction { () throws(BookError) in try replayAll() }
        try load()
        return entries
    }

    /// The body of `rebuild`, for whoever has begun the transaction.
    func replayAll() throws(BookError) -> Int64 {
        var report = VerifyReport(valid: false, entries: 0, head: memory.newest, firstBad: nil, reason: nil)
        try connection.script("DROP TABLE temp.money_sum; DROP TRIGGER posting_sum;")
        try connection.script(Schema.dropProjections + Schema.projections + Schema.moneySum)
        try check(from: Place(epoch: 1, seq: 0), prev: ChainLink.start, report: &report) {
            (entry, place) throws(BookError) in
            try Projector(tables: connection, journal: connection).apply(entry, at: place)
        }
        if let reason = report.reason { throw .damaged("event \(report.firstBad ?? 0): \(reason)") }
        try connection.script("PRAGMA user_version = \(Schema.version)")
        return report.entries
    }
}

/// Which events have something sealed beside them, asked for in the order of events: most have nothing, and one question
/// for many costs less than one for each.
private struct SealedPlaces {
    private let connection: Connection
    private var next: [Int64] = []
    private var isEnd = false
    private static let atOnce: Int64 = 512

    init(_ connection: Connection) { self.connection = connection }

    mutating func has(_ place: Place) throws(BookError) -> Bool {
        while let first = next.last, first < place.rawValue { next.removeLast() }
        if next.isEmpty, !isEnd {
            var found: [Int64] = []
            try connection.run(
                "SELECT place FROM memo WHERE place >= ? ORDER BY place LIMIT ?",
                [.integer(place.rawValue), .integer(Self.atOnce)]
            ) { found.append($0.integer(0)) }
            isEnd = found.count < Self.atOnce
            next = found.reversed()
        }
        guard next.last == place.rawValue else { return false }
        next.removeLast()
        return true
    }
}
