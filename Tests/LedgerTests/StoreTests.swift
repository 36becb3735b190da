import Glibc
import Testing

@testable import Ledger

@Suite struct StoreTests {
    @Test func `the book is kept with every commit synced, and says so`() throws {
        let folder = Folder()
        let counter = try Counter(path: folder.book)
        let facts = try counter.book.facts()
        #expect(facts.synchronous == 2 && facts.journalMode == "wal" && facts.integrity == "ok")
        #expect(facts.findings.isEmpty)
        try counter.book.connection.script("PRAGMA synchronous = NORMAL")
        #expect(try counter.book.facts().findings == ["synchronous is 1, not FULL"])
    }

    @Test func `a second writer is turned away, a reader is not`() throws {
        let folder = Folder()
        var counter: Counter! = try Counter(path: folder.book)
        let rahul = try counter.customer("Rahul", opening: 5)
        #expect(throws: BookError.unavailable("another process holds the book")) { try Counter(path: folder.book) }
        #expect(throws: BookError.unavailable("another process holds the book")) {
            try LedgerStore.take(path: folder.book)
        }
        let reader = try LedgerStore.inspect(path: folder.book)
        #expect(try reader.balance(of: rahul) == Paise(5))
        #expect(throws: BookError.unavailable("the book is open for reading only")) {
            try reader.perform(
                .giveCredit(rahul, Paise(1), note: nil), id: counter.id(), evidence: Evidence(confirmedBy: "voice"),
                at: counter.now)
        }
        try counter.does(.giveCredit(rahul, Paise(1), note: nil))
        // A reader sees the moment it was opened at, whole, however long its check takes.
        #expect(try reader.balance(of: rahul) == Paise(5))
        #expect(try reader.verify().valid)
        #expect(try LedgerStore.inspect(path: folder.book).balance(of: rahul) == Paise(6))
        let copy = try reader.backup(to: folder.path + "/copy.sqlite")
        #expect(copy.report.valid)
        counter = nil
        #expect(try Counter(path: folder.book).book.balance(of: rahul) == Paise(6))
    }

    @Test func `looking at a book at rest touches not a byte and makes no file`() throws {
        let folder = Folder()
        var counter: Counter! = try Counter(path: folder.book)
        _ = try counter.customer("Rahul", opening: 5)
        counter = nil
        let (files, bytes) = (folder.files, folder.bytes("book.sqlite"))
        let reader = try LedgerStore.inspect(path: folder.book)
        #expect(try reader.verify().valid)
        #expect(try reader.facts().integrity == "ok")
        #expect(folder.files == files && folder.bytes("book.sqlite") == bytes)
    }

    @Test func `a book of another device, shop or series is refused with the reason`() throws {
        let folder = Folder()
        _ = try Counter(path: folder.book)
        #expect(throws: BookError.unavailable("the book belongs to another device; restore it under its own identity"))
        {
            try Counter(path: folder.book, configuration: .test(device: [UInt8](repeating: 1, count: 16)))
        }
        #expect(throws: BookError.unavailable("the book's invoice series is another than the device's")) {
            try Counter(path: folder.book, configuration: .test(series: "A02"))
        }
        #expect(throws: BookError.unavailable("an invoice series is three of A-Z and 0-9")) {
            try Counter(configuration: .test(series: "a1"))
        }
        _ = try Counter(path: folder.book)
    }

    @Test func `a book of a newer version is left alone`() throws {
        let folder = Folder()
        var counter: Counter! = try Counter(path: folder.book)
        try counter.book.connection.script("PRAGMA user_version = 3")
        counter = nil
        let bytes = folder.bytes("book.sqlite")
        let refusal = BookError.unavailable("the book was written by a newer version (3); update the device first")
        #expect(throws: refusal) { try Counter(path: folder.book) }
        #expect(
            throws: BookError.unavailable("the book was written by a newer version (3); use the tools of that version")
        ) {
            try LedgerStore.inspect(path: folder.book)
        }
        #expect(folder.bytes("book.sqlite") == bytes)
    }

    @Test func `what is no book is not opened, and not touched`() throws {
        let folder = Folder()
        let junk = Array("this is not a database, it only has the name of one".utf8)
        folder.write("book.sqlite", junk)
        #expect(throws: BookError.self) { try Counter(path: folder.book) }
        #expect(throws: BookError.self) { try LedgerStore.inspect(path: folder.book) }
        #expect(folder.bytes("book.sqlite") == junk)
        #expect(throws: BookError.unavailable("no book can be read there")) {
            try LedgerStore.inspect(path: folder.path + "/none.sqlite")
        }
        #expect(throws: BookError.self) { try Counter(path: folder.path + "/no/such/folder/book.sqlite") }
    }

    /// SQLite's own limit of pages stands for the disk: the same error, at the same place.
    @Test func `a full disk refuses the sale, loses nothing, and sells again when there is space`() throws {
        let folder = Folder()
        let counter = try Counter(path: folder.book)
        let rahul = try counter.customer("Rahul")
        let connection = counter.book.connection
        let pages = try #require(try connection.integer("PRAGMA page_count"))
        try connection.script("PRAGMA max_page_count = \(pages + 3)")
        var sold: Int64 = 0
        var id = counter.id()
        var error: BookError?
        while error == nil, sold < 1000 {
            id = counter.id()
            do { try counter.does(.giveCredit(rahul, Paise(1), note: "chai"), id: id) } catch {
                #expect(error == .full)
                break
            }
            sold += 1
        }
        #expect(sold > 0 && sold < 1000)
        #expect(try counter.book.balance(of: rahul) == Paise(sold))
        #expect(throws: BookError.full) { try counter.does(.giveCredit(rahul, Paise(1), note: "chai"), id: id) }
        error = nil
        try connection.script("PRAGMA max_page_count = 100000")
        let done = try counter.does(.giveCredit(rahul, Paise(1), note: "chai"), id: id)
        #expect(!done.isReplay && done.outcome == .balance(Paise(sold + 1)))
        #expect(try counter.book.verify().valid)
    }

    @Test func `several commands commit together or not at all`() throws {
        let counter = try Counter()
        let rahul = try counter.customer("Rahul")
        let evidence = Evidence(confirmedBy: "import")
        func request(_ paise: Int64) -> LedgerStore.Request {
            LedgerStore.Request(
                .giveCredit(rahul, Paise(paise), note: nil), id: counter.id(), evidence: evidence, at: counter.now)
        }
        let head = try counter.book.head()
        let stranger = LedgerStore.Request(
            .createCustomer(CustomerDetails(name: "Amit"), opening: .zero), id: counter.id(), evidence: evidence,
            at: counter.now)
        #expect(throws: BookError.refused(.amountOutOfRange)) {
            try counter.book.performAll([request(1), stranger, request(0)])
        }
        #expect(try counter.book.head() == head)
        #expect(try counter.book.customers().map(\.details.name) == ["Rahul"])
        #expect(try counter.book.performAll([request(1), stranger, request(2)]).map(\.seq) == [2, 3, 4])
        #expect(try counter.book.balance(of: rahul) == Paise(3))
        #expect(try counter.book.verify().valid)
    }

    @Test func `a command longer than an event may be is refused`() throws {
        let counter = try Counter()
        let milk = try counter.product("Milk", price: 1)
        let reason = String(repeating: "a", count: JournalEntry.bodyBytesMax)
        #expect(throws: BookError.refused(.tooLarge)) {
            try counter.does(.moveStock(milk, MilliQuantity(1), reason: reason))
        }
        let lines = [BillLine](
            repeating: BillLine(product: milk, quantity: MilliQuantity(1000), unitPrice: Paise(1)),
            count: LedgerStore.billLinesMax + 1)
        #expect(throws: BookError.refused(.tooLarge)) {
            try counter.does(.commitBill(Bill(customer: nil, lines: lines), draft: nil))
        }
    }

    @Test func `a backup verifies before it has its name, and three are kept`() throws {
        let folder = Folder()
        let counter = try Counter(path: folder.book)
        for round in 1...5 {
            _ = try counter.customer("Customer \(round)", opening: Int64(round))
            let made = try counter.book.backup()
            #expect(made.report.valid && made.report.entries == Int64(round))
        }
        let names = folder.files.filter { $0.contains("backup") }
        #expect(names == (3...5).map { "book.sqlite.backup-00000000000\($0)" })
        let copy = try LedgerStore.inspect(path: folder.path + "/" + names[2])
        #expect(try copy.customers() == counter.book.customers())
        #expect(try copy.head() == counter.book.head())
    }
}
