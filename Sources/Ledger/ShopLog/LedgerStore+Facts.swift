// Entries of other counters: of each only what somebody owes, and who was found to be whom. Goods and bills stay where
// they were made; a customer's sum is one, wherever it came about.

extension LedgerStore {
    /// Takes a run of another counter's entries, behind what is here of it.
    ///
    /// - Returns: why they cannot be taken now; nil when they were.
    func take(_ facts: CounterFacts, told: WallTime) throws(BookError) -> String? {
        var known: (id: Int64, epoch: Int64, seq: Int64, head: [UInt8])?
        try connection.run("SELECT id, epoch, seq, head FROM counter WHERE device = ?", [.blob(facts.device)]) {
            known = ($0.integer(0), $0.integer(1), $0.integer(2), $0.blob(3))
        }
        guard let known else { return "entries of a counter the log has not named" }
        // All of it may be here already: the log was read again from an earlier place.
        var skipped = 0
        if facts.epoch < known.epoch {
            skipped = facts.bodies.count
        } else if facts.epoch == known.epoch {
            skipped = Int(max(0, min(known.seq - facts.firstSeq + 1, Int64(facts.bodies.count))))
        }
        guard skipped < facts.bodies.count else { return nil }
        let follows =
            facts.epoch == known.epoch
            ? facts.firstSeq <= known.seq + 1 : facts.firstSeq == 1 && facts.prev == ChainLink.start
        guard follows else { return "entries of a counter are missing before \(facts.firstSeq)" }

        var hash = facts.prev
        var news: [(place: Place, entry: JournalEntry)] = []
        for (index, body) in facts.bodies.enumerated() {
            let seq = facts.firstSeq + Int64(index)
            // The run joins the chain held here at its last entry.
            guard facts.epoch != known.epoch || seq != known.seq + 1 || hash == known.head else {
                return "entries of a counter are of another history than those here"
            }
            hash = ChainLink.hash(device: facts.device, epoch: facts.epoch, seq: seq, prev: hash, body: body)
            guard index >= skipped else { continue }
            // Without it its counter's sums would be wrong: better old than wrong.
            guard let entry = try? JournalEntry(decoding: body) else {
                return "entry \(seq) of another counter cannot be read; its programs are newer, or it is damaged"
            }
            guard entry.postings.allSatisfy({ $0.amount.isWithinRange }) else {
                return "entry \(seq) of another counter moves more money than there is"
            }
            news.append((Place(epoch: facts.epoch, seq: seq), entry))
        }
        for (place, entry) in news { try note(entry, of: facts.device, known.id, at: place) }
        try connection.run(
            "UPDATE counter SET epoch = ?, seq = ?, head = ?, as_of = ? WHERE id = ?",
            [
                .integer(facts.epoch), .integer(facts.firstSeq + Int64(facts.bodies.count) - 1), .blob(hash),
                .integer(told.rawValue), .integer(known.id),
            ])
        return nil
    }

    private func note(
        _ entry: JournalEntry, of device: [UInt8], _ counter: Int64, at place: Place
    ) throws(BookError) {
        for (leg, posting) in entry.postings.enumerated() {
            guard let customer = posting.account.customer else { continue }
            try connection.run(
                "INSERT INTO shared_posting VALUES(?,?,?,?,?)",
                [
                    .integer(counter), .integer(customer.rawValue), .integer(place.rawValue), .integer(Int64(leg)),
                    .integer(posting.amount.rawValue),
                ])
        }
        switch entry.type {
        case Command.Code.mergeCustomer:
            guard entry.arguments.count == 2, let one = entry.arguments[0].integer,
                let other = entry.arguments[1].integer
            else { return }
            try connection.run(
                "INSERT OR REPLACE INTO shared_merge VALUES(?1,?2,0,?1,?3,?4)",
                [.blob(device), .integer(one), .integer(other), .integer(place.rawValue)])
        case Command.Code.unmergeCustomer:
            guard let one = entry.arguments.first?.integer else { return }
            try connection.run(
                "DELETE FROM shared_merge WHERE device = ? AND customer = ? AND by_owner = 0",
                [.blob(device), .integer(one)])
        case Command.Code.resume:
            // The counter lost what came after: its book does not hold it, and the book is right.
            guard entry.arguments.count == 4, let epoch = entry.arguments[0].integer,
                let seq = entry.arguments[1].integer, epoch >= 1, epoch < place.epoch, seq >= 0
            else { return }
            let lost: [Connection.Value] = [
                .integer(Place(epoch: epoch, seq: seq).rawValue), .integer(Place(epoch: place.epoch, seq: 0).rawValue),
            ]
            try connection.run(
                "DELETE FROM shared_posting WHERE counter = ? AND place > ? AND place < ?", [.integer(counter)] + lost)
            try connection.run(
                "DELETE FROM shared_merge WHERE device = ? AND by_owner = 0 AND place > ? AND place < ?",
                [.blob(device)] + lost)
        default: break
        }
    }
}
