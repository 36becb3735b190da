import Glibc
import Ledger

/// Backups beside the book, three kept, and a customer who is erased from all of them.
final class BackupWork: SideWork {
    private let counter: FaultCounter
    private let path: String
    /// Names of backups that were acknowledged.
    private var backups: [String] = []
    private static let name = "Vimala Deshpande"
    private static let eraseAt = 8

    init(folder: String, seed: UInt64) {
        path = folder + "/book.sqlite"
        counter = FaultCounter(path: path, seed: seed)
    }

    func prepare() throws {
        try counter.open()
        try counter.perform(.createCustomer(CustomerDetails(name: Self.name), opening: Paise(500)))
        for _ in 0..<8 { try counter.step() }
    }

    let steps = 10
    func forget() { counter.close() }

    func step(_ number: Int) throws {
        if counter.book == nil { try counter.open() }
        if counter.book?.mustReopen == true { try counter.book?.reopen() }
        if counter.isInFlight { try counter.performInFlight() }
        switch number {
        case Self.eraseAt where !isErased: try counter.perform(.eraseCustomer(CustomerID(rawValue: 1)))
        case Self.eraseAt: break
        case _ where number % 2 == 0: try counter.step()
        default: if let made = try counter.book?.backup().path { backups.append(made) }
        }
    }

    private var isErased: Bool {
        (try? counter.book?.customers())?.contains { $0.id == CustomerID(rawValue: 1) } == false
    }

    func check(done: Int, isCut: Bool) throws {
        counter.close()
        try counter.open()
        try counter.check(isWhole: false)
        try counter.performInFlight()
        try counter.check()
        let beside = FaultFolder.names(of: String(path.dropLast("/book.sqlite".count))).filter {
            $0.hasPrefix("book.sqlite.backup-")
        }
        for name in beside {
            guard !name.hasSuffix(".part") else { throw Violation("I8", "half a backup stays") }
            guard !name.hasSuffix("-journal"), !name.hasSuffix("-wal"), !name.hasSuffix("-shm") else { continue }
            let copy = try LedgerStore.inspect(path: path.replacingLast("book.sqlite", by: name))
            let report = try copy.verify()
            guard report.valid else { throw Violation("I4", "a backup is not good: \(report.reason ?? "")") }
            if done > Self.eraseAt, try copy.customers().contains(where: { $0.details.name == Self.name }) {
                throw Violation("I8", "an erased customer is in a backup")
            }
        }
        if let last = backups.last, done <= Self.eraseAt, !isCut || done < Self.eraseAt {
            guard beside.contains(where: { last.hasSuffix("/" + $0) }) else {
                throw Violation("I1", "a backup that was made is gone")
            }
        }
        if backups.count > 1, beside.isEmpty { throw Violation("I1", "no backup is left") }
    }
}

/// A damaged book, mended from its backup and its own log.
final class RestoreWork: SideWork {
    private let disk: FaultDisk
    private let counter: FaultCounter
    private let path: String

    init(disk: FaultDisk, folder: String, seed: UInt64) {
        self.disk = disk
        path = folder + "/book.sqlite"
        counter = FaultCounter(path: path, seed: seed)
    }

    /// The process ends with entries in the log alone; then a byte of an entry that the backup has rots.
    func prepare() throws {
        try counter.open()
        // So many that the first ones lie in a page that the log does not have anew.
        for _ in 0..<50 { try counter.step() }
        let rotten = try counter.book?.events(after: 2, epoch: 1, limit: 1).first?.body ?? []
        _ = try counter.book?.backup()
        counter.close()
        try counter.open()
        for _ in 0..<6 { try counter.step() }
        disk.end()
        counter.close()
        disk.restartAfterKill()
        guard let place = BitRot.find(rotten, in: FaultDisk.read(path)) else {
            throw Violation("I1", "the harness finds no entry to damage")
        }
        disk.rot(path, at: place + 20, bit: 4)
        guard !isGood else { throw Violation("I1", "the harness damages nothing") }
        counter.close()
    }

    let steps = 1
    func forget() { counter.close() }

    func step(_ number: Int) throws {
        counter.close()
        try restore()
    }

    private func restore() throws(BookError) {
        let report = try Restore(book: path).run(
            from: nil, acceptsLoss: false, at: WallTime(milliseconds: 1_768_444_200_000), id: ULID(high: 5, low: 5))
        counter.wasRestored()
        precondition(!report.isLossy, "a loss nobody accepted")
    }

    func check(done: Int, isCut: Bool) throws {
        counter.close()
        // Whole already, or as damaged as before; in between there is nothing. (A fault behind the mark is ended by the
        // opening itself: then it was restored, though nobody was told.)
        if isCut { counter.wasRestored() }
        if !isGood {
            counter.close()
            guard done == 0 else { throw Violation("I4", "restored, it is not good") }
            try restore()
            try counter.open()
        }
        try counter.check()
    }

    private var isGood: Bool {
        do { try counter.open() } catch { return false }
        return (try? counter.book?.verify())?.valid == true
    }
}

extension String {
    fileprivate func replacingLast(_ end: String, by other: String) -> String { dropLast(end.count) + other }
}
