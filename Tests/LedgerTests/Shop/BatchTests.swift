import Ledger
import Testing

/// What expires first is sold first.
@Suite struct BatchTests {
    @Test func `what is left of each batch follows the stock, through sales, returns and corrections`() throws {
        let counter = try Counter()
        let milk = try counter.product("Milk", price: 6000)
        let other = try counter.product("Bread", price: 4000)
        let day = CivilTime(counter.now).day
        let (early, late) = (
            Batch(number: "B7", expires: day.adding(days: 3)), Batch(number: "A1", expires: day.adding(days: 9))
        )
        try counter.does(.receiveBatch(milk, MilliQuantity(2000), late))
        try counter.does(.receiveBatch(milk, MilliQuantity(3000), early))
        let more = try counter.does(.receiveBatch(milk, MilliQuantity(1000), early))
        try counter.does(.moveStock(milk, MilliQuantity(500), reason: "no batch"))
        try counter.does(.receiveBatch(other, MilliQuantity(1000), Batch(number: "X")))
        func left() throws -> [String] {
            try counter.book.batches(of: milk).map { "\($0.batch.number) \($0.left.rawValue)" }
        }
        #expect(try left() == ["B7 4000", "A1 2000"])
        let bill = counter.bill(nil, (milk, 4500, 6000))
        guard case .invoice(let number, _, _) = try counter.does(.commitBill(bill, draft: nil)).outcome else {
            throw Surprise()
        }
        #expect(try left() == ["A1 2000"])
        try counter.does(
            .creditNote(
                CreditNote(invoice: number, returns: [.init(line: 0, quantity: MilliQuantity(1500))], reason: "sour")))
        #expect(try left() == ["B7 1500", "A1 2000"])
        try counter.does(.reverse(event: more.event, reason: "miscounted"))
        #expect(try left() == ["B7 500", "A1 2000"])
        #expect(try counter.book.batches(expiringThrough: day.adding(days: 3)).map(\.batch) == [early])
        #expect(try counter.book.batches().map(\.batch.number) == ["B7", "A1", "X"])
        try counter.does(.moveStock(milk, MilliQuantity(-9000), reason: "flood"))
        #expect(try left() == [])
        #expect(throws: BookError.refused(.amountOutOfRange)) {
            try counter.does(.receiveBatch(milk, MilliQuantity(-1), early))
        }
        #expect(try counter.book.verify().valid)
        #expect(try counter.book.rebuild() == (try counter.book.head().seq))
        #expect(try counter.book.verify().valid)
    }
}
