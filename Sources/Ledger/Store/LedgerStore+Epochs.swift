// A chain that cannot go on (its gateway holds another history, or entries were lost) is followed by another: the next
// epoch, at the owner's word, under an invoice series of its own.

extension LedgerStore {
    /// The series this book numbers its bills in.
    public var series: String { configuration.series }

    /// True when the series gives no more numbers: a restore lost entries, and another series has to be adopted.
    public func isSeriesRetired() throws(BookError) -> Bool {
        try connection.text("SELECT value FROM setting WHERE name = 'retired_series'") == configuration.series
    }

    /// Begins the next epoch behind the newest entry and takes another series; all of it or nothing. The book is closed
    /// for writing afterwards and is to be opened anew under that series.
    ///
    /// - Parameter id: of the entry that names what the epoch follows.
    public func beginEpoch(series: String, at now: WallTime, id: ULID) throws(BookError) {
        try checkWritable()
        let before = memory
        do throws(BookError) {
            try connection.transaction { () throws(BookError) in
                try writeEpoch(at: now, id: id, by: "owner")
                try adopt(series)
            }
        } catch {
            memory = before
            throw error
        }
        connection.fail(.unavailable("the book has another series now; open it anew"))
    }

    /// Takes another series in the place of a retired one. As `beginEpoch`.
    public func adoptSeries(_ series: String) throws(BookError) {
        try checkWritable()
        guard try isSeriesRetired() else { throw .unavailable("the series \(configuration.series) is in use") }
        try connection.transaction { () throws(BookError) in try adopt(series) }
        connection.fail(.unavailable("the book has another series now; open it anew"))
    }

    private func adopt(_ series: String) throws(BookError) {
        // One that gave numbers before could give one twice.
        let used = try connection.integer("SELECT 1 FROM series WHERE substr(code, 1, 3) = ?", [.text(series)]) != nil
        guard InvoiceNumber.isSeries(series), series != configuration.series, !used else {
            throw .unavailable("the series \(series) cannot follow \(configuration.series)")
        }
        try connection.run("UPDATE meta SET value = ? WHERE key = 'series'", [.text(series)])
    }

    /// Inside a transaction; the caller puts the memory back when it fails.
    func writeEpoch(at now: WallTime, id: ULID, by: String) throws(BookError) {
        let last = memory.newest
        try connection.run("UPDATE meta SET value = ? WHERE key = 'epoch'", [.integer(last.epoch + 1)])
        memory.newest = ChainHead(epoch: last.epoch + 1, seq: 0, hash: ChainLink.start)
        _ = try write(
            Request(
                .resume(after: last, retired: configuration.series), id: id, evidence: Evidence(confirmedBy: by),
                at: now))
    }

    /// Which series a book on disk numbers its bills in, whatever its device's identity says.
    public static func series(of path: String) throws(BookError) -> String {
        try inspect(path: path).configuration.series
    }
}
