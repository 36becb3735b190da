/// Stands for the tables that grow with every event while a replay checks them: each row counts by a hash, in any
/// order, so that a check of a million events needs no second copy of a million rows. The hash is the standard library's
/// keyed one; its key is the process's own, unknown to whoever wrote the file.
final class RowTally {
    enum Table: String, CaseIterable {
        case request, posting, movement, invoice
        case stockMove = "stock_move"
    }

    struct Sum: Equatable {
        var rows: Int64 = 0
        var hashes: Int = 0
    }

    private(set) var sums: [Table: Sum] = [:]
    /// What was taken back, and by what; as many as there are reversals.
    private(set) var reversed: Set<Int64> = []

    /// What the accounts hold, and the figures of days: a row each that changes with nearly every event, so that they are
    /// kept here until all events are through.
    var balances: [Int64: (amount: Int64, place: Int64)] = [:]
    var dayFigures: [DayKey: Int64] = [:]

    struct DayKey: Hashable {
        var day: Int64
        var kind: Int64
    }

    func add(_ table: Table, _ values: [Connection.Value]) { count(table, 1, Self.hash(values)) }

    /// Puts what was kept into the tables of the replay.
    func finish(in tables: Connection) throws(BookError) {
        for (account, held) in balances {
            try tables.run(
                "INSERT INTO balance VALUES(?,?,?)", [.integer(account), .integer(held.amount), .integer(held.place)])
        }
        for (key, amount) in dayFigures {
            try tables.run(
                "INSERT INTO day_figure VALUES(?,?,?)", [.integer(key.day), .integer(key.kind), .integer(amount)])
        }
    }

    /// A reversal changes one row of `movement`. False when it was reversed before.
    func reverse(_ place: Int64, type: Int64, by: Int64) -> Bool {
        guard reversed.insert(place).inserted else { return false }
        count(.movement, 0, 0 &- Self.hash([.integer(place), .integer(type), .null]))
        count(.movement, 0, Self.hash([.integer(place), .integer(type), .integer(by)]))
        return true
    }

    private func count(_ table: Table, _ rows: Int64, _ hash: Int) {
        sums[table, default: Sum()].rows += rows
        sums[table, default: Sum()].hashes &+= hash
    }

    /// The same sum over a table as it stands.
    static func sum(of table: Table, in connection: Connection) throws(BookError) -> Sum {
        var sum = Sum()
        try connection.run("SELECT * FROM \(table.rawValue)") {
            sum.rows += 1
            sum.hashes &+= $0.hash
        }
        return sum
    }

    private static func hash(_ values: [Connection.Value]) -> Int {
        var hasher = Hasher()
        for value in values { value.feed(&hasher) }
        return hasher.finalize()
    }
}
