// A book that was lost is made again from the copy the gateway holds of its own journal.

extension LedgerStore {
    /// Mends the book while it is open, as `Restore` does, never with a loss: closes the file and opens what has become
    /// of it. A refused restore leaves the book as it was.
    ///
    /// - Throws: `.unavailable` when it cannot be proven that nothing is lost; the book then still sells if it can.
    public func restore(
        from backup: String?, at now: WallTime, id: ULID, fetch: Restore.Fetch? = nil
    ) throws(BookError) -> RestoreReport {
        guard let path, mode == .own else { throw .unavailable("a book in memory cannot be restored") }
        let newest = memory.newest
        let keys = [configuration.wrappingKey].compactMap { $0 } + configuration.formerWrappingKeys
        connection.close()
        let result: Result<RestoreReport, BookError>
        do throws(BookError) {
            result = .success(
                try Restore(book: path, wrappingKeys: keys).runLocked(
                    from: backup, acceptsLoss: false, knownNewest: newest.seq > 0 ? newest : nil, at: now, id: id,
                    fetch: fetch))
        } catch { result = .failure(error) }
        do throws(BookError) { try reopen() } catch {
            // Nothing is taken; the next command tries to open it anew.
            connection.fail(error)
            if case .success = result { throw error }
        }
        return try result.get()
    }

    /// Takes entries of this device's own chain back, in order, behind the newest one. All of them or none.
    ///
    /// What the journal never held does not come back: names and numbers of customers are sealed on the device alone
    /// and return with a backup of the book.
    ///
    /// - Parameters:
    ///   - bodies: as they were signed; the caller has checked the signature.
    ///   - head: what the chain must come to behind the last of them.
    /// - Throws: `.damaged` when they do not come to `head`, or are no entries that follow the book's.
    public func takeBack(_ bodies: [[UInt8]], to head: ChainHead) throws(BookError) {
        try checkWritable()
        guard head.epoch == epoch, !bodies.isEmpty else { throw .damaged("entries of another epoch") }
        var newest = memory.newest.seq == 0 ? ChainHead(epoch: epoch, seq: 0, hash: ChainLink.start) : memory.newest
        do throws(BookError) {
            try connection.transaction { () throws(BookError) in
                for body in bodies {
                    let entry: JournalEntry
                    do { entry = try JournalEntry(decoding: body) } catch {
                        throw .damaged("entry \(newest.seq + 1) cannot be read")
                    }
                    let place = Place(epoch: epoch, seq: newest.seq + 1)
                    let hash = ChainLink.hash(
                        device: configuration.deviceID, epoch: epoch, seq: place.seq, prev: newest.hash, body: body)
                    try connection.run(
                        "INSERT INTO event VALUES(?,?,?)", [.integer(place.rawValue), .blob(body), .blob(hash)])
                    try Projector(tables: connection, journal: connection).apply(entry, at: place)
                    newest = ChainHead(epoch: epoch, seq: place.seq, hash: hash)
                }
                guard newest == head else { throw .damaged("the entries do not come to the head they are signed with") }
            }
        } catch {
            try load()
            throw error
        }
        memory.newest = newest
        try load()
    }
}
