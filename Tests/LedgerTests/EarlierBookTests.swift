import Glibc
import Ledger
import Testing

/// Books written by earlier versions of the product open for ever, with the same answers and the same hashes. The file
/// of each schema version stays here as that version wrote it.
@Suite struct EarlierBookTests {
    private static let fixtures =
        "/" + #filePath.split(separator: "/").dropLast().joined(separator: "/") + "/Fixtures/"

    @Test func `a book of schema version 1 opens, verifies, answers and goes on`() throws {
        let folder = Folder()
        let bytes = try #require(Self.bytes("book-v1.sqlite"))
        folder.write("book.sqlite", bytes)
        #expect(try LedgerStore.inspect(path: folder.book).verify().valid)
        let counter = try Counter(path: folder.book, seed: 3)
        // It was brought to this version, and a verified copy of the old one stands beside it.
        #expect(try counter.book.facts().schemaVersion == 2)
        let copy = try #require(try counter.book.facts().backups.first)
        let old = try LedgerStore.inspect(path: copy)
        #expect(try old.facts().schemaVersion == 1 && old.verify().valid && old.holds().isEmpty)
        let head = try counter.book.head()
        #expect(head.seq == 20)
        #expect(head.hash.hex == "3ad26fadd2980b00d3b714f903f68266977c39cbb29688db3f064855a55bb7d6")
        let customers = try counter.book.customers()
        #expect(customers.map(\.details.name) == ["Rahul", "Amit"])
        #expect(customers.map(\.aliases) == [["Raahul"], ["Amit Kumar"]])
        #expect(customers.map(\.balance) == [Paise(45_000), Paise(-700)])
        #expect(try counter.book.products().map(\.stock) == [MilliQuantity(18_250)])
        let invoices = try counter.book.invoices(of: nil, limit: 9)
        #expect(invoices.map(\.number) == ["A01/25-0000002", "A01/25-0000001"])
        #expect(invoices.map(\.status) == [.cancelled, .confirmed])
        #expect(invoices.map(\.total) == [Paise(2250), Paise(7000)])
        #expect(
            try counter.book.payments(of: nil, limit: 9).filter { !$0.isReversed }.map(\.split.amount.rawValue) == [
                10_000, 2000,
            ])
        let day = CivilTime(counter.now).day
        #expect(
            try counter.book.summary(of: day)
                == DailySummary(
                    day: day, invoiceCount: 1, sales: Paise(7000), payments: [.upi: Paise(2000), .cash: Paise(10_000)],
                    udhaarGiven: Paise(5000), udhaarRecovered: Paise(10_000)))
        #expect(try counter.book.amount(of: .cashDifference) == Paise(100))
        #expect(try counter.book.reminders().map(\.recurrence) == ["P1D"])
        #expect(try counter.book.outgoing().map(\.to) == ["r@b.in"])
        #expect(try counter.book.cursor().seq == 2)
        let next = try counter.does(
            .commitBill(counter.bill(nil, (ProductID(rawValue: 1), 1000, 4500)), draft: nil))
        #expect(next.outcome == .invoice(number: "A01/25-0000003", total: Paise(4500), balance: nil))
        try counter.does(
            .creditNote(
                CreditNote(
                    invoice: "A01/25-0000003", returns: [.init(line: 0, quantity: MilliQuantity(500))], reason: "stale")
            ))
        #expect(try counter.book.rebuild() == 22)
        #expect(try counter.book.verify().valid)
    }

    private static func bytes(_ name: String) -> [UInt8]? {
        guard let file = fopen(fixtures + name, "rb") else { return nil }
        defer { fclose(file) }
        var all = [UInt8](repeating: 0, count: 1 << 20)
        let count = fread(&all, 1, all.count, file)
        return Array(all[..<count])
    }
}
