import Glibc
import Testing

@testable import Ledger

/// A damaged book becomes good again from a backup and its own tail; what cannot be proven whole is not called whole.
@Suite struct RestoreTests {
    private static let key = [UInt8](repeating: 0x5A, count: 32)

    private func filled(_ folder: Folder) throws -> (counter: Counter, rahul: CustomerID) {
        let counter = try Counter(path: folder.book, configuration: .test(key: Self.key))
        let rahul = try counter.customer("Rahul", opening: 1000)
        let milk = try counter.product("Milk", price: 6000, stock: 9000)
        try counter.does(.commitBill(counter.bill(rahul, (milk, 1000, 6000)), draft: nil))
        _ = try counter.book.backup()
        let late = try counter.customer("Late Lata", opening: 70)
        for index in 1...40 { try counter.does(.giveCredit(rahul, Paise(Int64(index)), note: "note \(index)")) }
        try counter.does(.commitBill(counter.bill(late, (milk, 1000, 6000)), draft: nil))
        return (counter, rahul)
    }

    private func restored(_ folder: Folder, acceptsLoss: Bool = false) throws(BookError) -> RestoreReport {
        try Restore(book: folder.book, wrappingKeys: [Self.key]).run(
            from: nil, acceptsLoss: acceptsLoss, at: WallTime(milliseconds: 1_768_500_000_000),
            id: ULID(high: 1, low: 9))
    }

    private func figures(_ counter: Counter) throws -> [String] {
        try counter.book.customers().map { "\($0.details.name) \($0.balance.rawValue)" }
            + counter.book.products().map { "\($0.stock.rawValue)" }
            + counter.book.invoices(of: nil, limit: 99).map(\.number)
    }

    /// Damage in the projections and in old events: the journal's tail is read from the damaged file.
    @Test func `a damaged book is restored with every entry since the backup`() throws {
        let folder = Folder()
        var (counter, _): (Counter?, CustomerID) = try filled(folder)
        let before = try figures(counter!)
        let head = try counter!.book.head()
        try counter!.book.connection.script(
            "DELETE FROM balance; UPDATE event SET body = x'00' WHERE place = (SELECT min(place) FROM event);")
        counter = nil
        #expect(throws: BookError.self) {
            try Counter(path: folder.book, configuration: .test(key: Self.key)).book.rebuild()
        }
        let report = try restored(folder)
        #expect(report.entries == 3 && report.salvaged == 42 && !report.isLossy)
        counter = try Counter(path: folder.book, seed: 2, configuration: .test(key: Self.key))
        #expect(try figures(counter!) == before)
        #expect(try counter!.book.head() == head)
        #expect(try counter!.book.verify().valid)
        let quarantined = try #require(report.quarantine.split(separator: "/").last.map(String.init))
        #expect(folder.files.contains(quarantined) && !folder.files.contains { $0.hasPrefix("book.sqlite.rest") })
    }

    @Test func `a lost tail is refused, or accepted in a new epoch that gives no more numbers of the series`() throws {
        let folder = Folder()
        var (counter, rahul): (Counter?, CustomerID) = try filled(folder)
        // The chain breaks ten entries before the newest.
        try counter!.book.connection.script(
            "UPDATE event SET hash = x'00' WHERE place = (SELECT max(place) - 10 FROM event);")
        counter = nil
        let damaged = folder.bytes("book.sqlite")
        #expect(throws: BookError.self) { try restored(folder) }
        #expect(folder.bytes("book.sqlite") == damaged)
        let report = try restored(folder, acceptsLoss: true)
        #expect(report.isLossy && report.salvaged == 31)
        counter = try Counter(path: folder.book, seed: 2, configuration: .test(key: Self.key))
        #expect(try counter!.book.head().epoch == 2 && counter!.book.head().seq == 1)
        #expect(try counter!.does(.giveCredit(rahul, Paise(5), note: nil)).epoch == 2)
        let milk = try #require(try counter!.book.products().first).id
        #expect(throws: BookError.unavailable("the series A01 is retired after a loss; the counter needs another")) {
            try counter!.does(.commitBill(counter!.bill(rahul, (milk, 1000, 6000)), draft: nil))
        }
        let verified = try counter!.book.verify()
        #expect(verified.valid, "\(verified)")
        #expect(try counter!.book.rebuild() == 36)
        counter = nil
        counter = try Counter(path: folder.book, seed: 3, configuration: .test(key: Self.key))
        #expect(try counter!.book.head().seq == 2)
    }

    @Test func `a book that is junk or gone is restored from the backup alone`() throws {
        let folder = Folder()
        var (counter, _): (Counter?, CustomerID) = try filled(folder)
        counter = nil
        folder.write("book.sqlite", [UInt8](repeating: 0xAB, count: 50_000))
        #expect(throws: BookError.self) { try restored(folder) }
        #expect(try restored(folder, acceptsLoss: true).salvaged == 0)
        counter = try Counter(path: folder.book, seed: 2, configuration: .test(key: Self.key))
        #expect(try figures(counter!) == ["Rahul 7000", "8000", "A01/25-0000001"])
    }

    /// A damaged book that was set aside is a copy like any other.
    @Test func `an erasure reaches the damaged books that were set aside`() throws {
        let folder = Folder()
        var (counter, rahul): (Counter?, CustomerID) = try filled(folder)
        try counter!.book.connection.script("DELETE FROM balance")
        counter = nil
        let report = try restored(folder)
        func keys() throws -> [Int64] {
            var found: [Int64] = []
            try Connection(path: report.quarantine).run("SELECT customer FROM person") { found.append($0.integer(0)) }
            return found
        }
        #expect(try keys().contains(rahul.rawValue))
        counter = try Counter(path: folder.book, seed: 2, configuration: .test(key: Self.key))
        try counter!.does(.eraseCustomer(rahul))
        #expect(try !keys().contains(rahul.rawValue) && !keys().isEmpty)
    }

    @Test func `an erasure after the backup is done again`() throws {
        let folder = Folder()
        var (counter, rahul): (Counter?, CustomerID) = try filled(folder)
        try counter!.does(.eraseCustomer(rahul))
        // A backup from before, as if it had lain elsewhere.
        try counter!.book.connection.script("DELETE FROM balance")
        counter = nil
        #expect(try !restored(folder).isLossy)
        counter = try Counter(path: folder.book, seed: 2, configuration: .test(key: Self.key))
        #expect(try counter!.book.customers().map(\.details.name) == ["Late Lata"])
        #expect(throws: BookError.refused(.erasedCustomer)) { try counter!.does(.addAlias(rahul, "R")) }
    }

    @Test func `a restore that was cut behind its mark is ended by whoever opens the book`() throws {
        let folder = Folder()
        var (counter, _): (Counter?, CustomerID) = try filled(folder)
        let before = try figures(counter!)
        try counter!.book.connection.script("PRAGMA wal_checkpoint(TRUNCATE)")
        counter = nil
        // The cut fell between the mark and the swap: the copy is whole, the book without its log.
        folder.write("book.sqlite.restored", folder.bytes("book.sqlite"))
        folder.write("book.sqlite.restoring", [])
        folder.write("book.sqlite", [1, 2, 3])
        counter = try Counter(path: folder.book, seed: 2, configuration: .test(key: Self.key))
        #expect(try figures(counter!) == before)
        #expect(folder.bytes("book.sqlite.restoring").isEmpty && access(folder.book + ".restoring", F_OK) != 0)
        #expect(access(folder.book + ".restored", F_OK) != 0)
    }

    @Test func `where a cut restore left nothing no empty book takes its place`() throws {
        let folder = Folder()
        var (counter, _): (Counter?, CustomerID) = try filled(folder)
        let before = try figures(counter!)
        counter = nil
        let copy = folder.bytes("book.sqlite")
        folder.write("book.sqlite.restoring", [])
        unlink(folder.book)
        #expect(throws: BookError.self) { try Counter(path: folder.book, configuration: .test(key: Self.key)) }
        #expect(access(folder.book, F_OK) != 0)
        folder.write("book.sqlite", copy)
        #expect(try restored(folder).salvaged == 42)
        counter = try Counter(path: folder.book, seed: 2, configuration: .test(key: Self.key))
        #expect(try figures(counter!) == before)
    }

    /// A name newer than the backup has one copy; where that one rots, the book must not stay bad for it.
    @Test func `a sealed note that rots behind the backup costs the note and not the book`() throws {
        let folder = Folder()
        var (counter, _): (Counter?, CustomerID) = try filled(folder)
        try counter!.book.connection.script(
            "UPDATE memo SET sealed = zeroblob(length(sealed)) WHERE place = (SELECT max(place) FROM memo)")
        counter = nil
        let report = try restored(folder)
        #expect(!report.isLossy && report.salvaged == 42 && report.notesLost == 1)
        counter = try Counter(path: folder.book, seed: 2, configuration: .test(key: Self.key))
        #expect(try counter!.book.verify().valid)
    }

    /// What neither backup nor damaged book has comes from whoever else holds it, and then nothing is lost.
    @Test func `entries the damaged book lost are fetched from the other copy`() throws {
        let folder = Folder()
        var (counter, _): (Counter?, CustomerID) = try filled(folder)
        let before = try figures(counter!)
        let all = try counter!.book.events(after: 0, epoch: 1, limit: 1000)
        try counter!.book.connection.script(
            "UPDATE event SET hash = x'00' WHERE place = (SELECT max(place) - 10 FROM event);")
        counter = nil
        let report = try Restore(book: folder.book, wrappingKeys: [Self.key]).run(
            from: nil, acceptsLoss: false, at: WallTime(milliseconds: 1_770_000_000_000), id: ULID(high: 4, low: 4)
        ) { (store) throws(BookError) in
            let head = try store.head()
            try store.takeBack(
                all.filter { $0.seq > head.seq }.map(\.body),
                to: ChainHead(epoch: 1, seq: all.last!.seq, hash: all.last!.hash))
        }
        #expect(!report.isLossy && report.salvaged == 31 && report.fetched == 11 && report.notesLost == 0)
        counter = try Counter(path: folder.book, seed: 2, configuration: .test(key: Self.key))
        #expect(try figures(counter!) == before)
        #expect(try counter!.book.verify().valid)
    }

    @Test func `an open book mends itself in place, and refuses where entries would be lost`() throws {
        let folder = Folder()
        let (counter, rahul) = try filled(folder)
        let before = try figures(counter)
        try counter.book.connection.script("UPDATE posting SET amount = amount + 1")
        #expect(try !counter.book.verify().valid)
        func mend(_ low: UInt64) throws -> RestoreReport {
            try counter.book.restore(
                from: nil, at: WallTime(milliseconds: 1_770_000_000_000), id: ULID(high: 4, low: low))
        }
        #expect(try mend(1).salvaged == 42)
        #expect(try figures(counter) == before && counter.book.verify().valid)
        try counter.does(.giveCredit(rahul, Paise(5), note: nil))
        try counter.book.connection.script("DELETE FROM event WHERE place = (SELECT max(place) FROM event)")
        #expect(throws: BookError.self) { try mend(2) }
    }
}
