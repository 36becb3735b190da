import Glibc
import Testing

@testable import Ledger

/// The log's descriptor is swapped under SQLite, so that the kernel itself refuses the write. Serialized: descriptors
/// belong to the whole process.
@Suite(.serialized) struct FailingDiskTests {
    /// The process's descriptor of a file.
    private func descriptor(of path: String) throws -> Int32 {
        for number in 3..<Int32(1024) {
            var link = [CChar](repeating: 0, count: 4096)
            let count = readlink("/proc/self/fd/\(number)", &link, 4095)
            guard count > 0 else { continue }
            if String(decoding: link[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self) == path { return number }
        }
        throw Surprise()
    }

    /// Runs with the file's descriptor leading elsewhere, then puts it back.
    private func with(_ other: String, _ flags: Int32, inPlaceOf path: String, _ body: () throws -> Void) throws {
        let number = try descriptor(of: path)
        let saved = dup(number)
        let replacement = open(other, flags)
        try #require(saved >= 0 && replacement >= 0)
        dup2(replacement, number)
        defer {
            dup2(saved, number)
            close(saved)
            close(replacement)
        }
        try body()
    }

    @Test func `after a write that failed no money is taken until the book is opened anew`() throws {
        let folder = Folder()
        var counter: Counter! = try Counter(path: folder.book)
        let rahul = try counter.customer("Rahul", opening: 500)
        let id = counter.id()
        let command = Command.giveCredit(rahul, Paise(7), note: nil)
        var failure: BookError?
        try with(folder.book + "-wal", O_RDONLY, inPlaceOf: folder.book + "-wal") {
            do { try counter.does(command, id: id) } catch let error as BookError { failure = error }
        }
        guard case .storage = failure else {
            Issue.record("\(String(describing: failure))")
            return
        }
        // The disk writes again, the book does not trust it yet.
        #expect(throws: try #require(failure)) { try counter.does(command, id: id) }
        #expect(throws: try #require(failure)) { try counter.book.remember("gate", [1]) }
        #expect(try counter.book.balance(of: rahul) == Paise(500))
        let now = counter.now
        counter = nil
        counter = try Counter(path: folder.book, seed: 2)
        counter.now = now
        #expect(try counter.does(command, id: id).outcome == .balance(Paise(507)))
        #expect(try counter.does(command, id: id).isReplay)
        #expect(try counter.book.verify().valid)
    }

    /// The other half of a refusal: an entry whose sync failed can lie in the log, whole, for whoever reads it anew.
    @Test func `what was refused and reached the log all the same is taken out when the book is opened anew`() throws {
        let folder = Folder()
        let counter = try Counter(path: folder.book)
        let rahul = try counter.customer("Rahul", opening: 500)
        let milk = try counter.product("Milk", price: 6000, stock: 9000)
        let acknowledged = counter.book.memory.newest
        try counter.does(.commitBill(counter.bill(rahul, (milk, 1000, 6000)), draft: nil))
        _ = try counter.customer("Refused Rita", opening: 5)
        counter.book.memory.newest = acknowledged
        counter.book.connection.fail(.storage(code: 1034, operation: "step"))
        try counter.book.reopen()
        #expect(try counter.book.head() == acknowledged && counter.book.customers().map(\.details.name) == ["Rahul"])
        #expect(try counter.book.balance(of: rahul) == Paise(500) && counter.book.verify().valid)
        // Number and place are given to the next.
        _ = try counter.customer("Lata", opening: 5)
        let sold = try counter.does(.commitBill(counter.bill(rahul, (milk, 1000, 6000)), draft: nil))
        guard case .invoice("A01/25-0000001", _, _) = sold.outcome else {
            Issue.record("\(sold.outcome)")
            return
        }
        #expect(try counter.book.customers().count == 2 && counter.book.verify().valid)
    }

    @Test func `a book that misses what it acknowledged is not opened anew`() throws {
        let folder = Folder()
        let counter = try Counter(path: folder.book)
        let rahul = try counter.customer("Rahul", opening: 500)
        try counter.does(.giveCredit(rahul, Paise(7), note: nil))
        try counter.book.connection.script("DELETE FROM event WHERE place = (SELECT max(place) FROM event)")
        for _ in 0..<2 {
            #expect(throws: BookError.damaged("the newest entry that was acknowledged is not there; restore")) {
                try counter.book.reopen()
            }
            #expect(counter.book.mustReopen)
        }
    }

    /// ENOSPC from the kernel, not from a setting.
    @Test func `a disk that is full refuses, and sells again the moment it is not`() throws {
        let folder = Folder()
        let counter = try Counter(path: folder.book)
        let rahul = try counter.customer("Rahul", opening: 500)
        #expect(try counter.book.connection.checkpoint())
        let id = counter.id()
        try with("/dev/full", O_RDWR, inPlaceOf: folder.book + "-wal") {
            #expect(throws: BookError.full) { try counter.does(.giveCredit(rahul, Paise(7), note: nil), id: id) }
        }
        #expect(try counter.book.balance(of: rahul) == Paise(500))
        #expect(try counter.does(.giveCredit(rahul, Paise(7), note: nil), id: id).outcome == .balance(Paise(507)))
        #expect(try counter.book.verify().valid)
    }
}
