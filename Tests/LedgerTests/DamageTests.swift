import Testing

@testable import Ledger

/// What was written is not what is read: always noticed, never a crash.
@Suite struct DamageTests {
    private func smallBook(_ path: String? = nil) throws -> Counter {
        let counter = try Counter(path: path)
        let rahul = try counter.customer("Rahul", opening: 500)
        let milk = try counter.product("Milk", price: 6000, stock: 4000)
        try counter.does(.commitBill(counter.bill(rahul, (milk, 1500, 6000)), draft: nil))
        try counter.does(.receivePayment(rahul, [PaymentSplit(amount: Paise(100), mode: .upi)]))
        try counter.does(.cancelInvoice(number: "A01/25-0000001"))
        return counter
    }

    @Test func `every byte of every event that changes is noticed`() throws {
        let counter = try smallBook()
        #expect(try counter.book.verify().valid)
        let events = try counter.book.events(after: 0, epoch: 1, limit: 100)
        let connection = counter.book.connection
        func put(_ event: StoredEvent, _ body: [UInt8], _ hash: [UInt8]) throws {
            try connection.run(
                "UPDATE event SET body = ?, hash = ? WHERE place = ?", [.blob(body), .blob(hash), .integer(event.seq)])
        }
        var flips = 0
        for event in events {
            for index in 0..<event.body.count + event.hash.count {
                var (body, hash) = (event.body, event.hash)
                let bit = UInt8(1) << UInt8((index + Int(event.seq)) % 8)
                if index < body.count { body[index] ^= bit } else { hash[index - body.count] ^= bit }
                try put(event, body, hash)
                let report = try counter.book.verify()
                #expect(!report.valid && report.firstBad == event.seq, "byte \(index) of entry \(event.seq)")
                flips += 1
            }
            try put(event, event.body, event.hash)
        }
        #expect(flips > 700)
        #expect(try counter.book.verify().valid)
    }

    @Test func `an event that is gone, from the middle or from the end, is noticed`() throws {
        for seq in 1...5 as ClosedRange<Int64> {
            let counter = try smallBook()
            try counter.book.connection.run("DELETE FROM event WHERE place = ?", [.integer(seq)])
            let report = try counter.book.verify()
            #expect(!report.valid, "entry \(seq)")
        }
    }

    @Test(arguments: [
        "UPDATE balance SET amount = amount + 1 WHERE account = 11100", "UPDATE product SET stock = stock + 1",
        "UPDATE posting SET amount = amount + 1", "DELETE FROM request", "DELETE FROM movement",
        "UPDATE invoice SET total = 1", "UPDATE series SET next = 7", "UPDATE day_figure SET amount = 0 WHERE kind = 3",
        "INSERT INTO customer(id, place) VALUES(9, 9)", "UPDATE product SET details = x'00'", "DELETE FROM invoice",
        "UPDATE movement SET reversed_by = NULL",
    ])
    func `a projection that is not what the journal says is noticed and rebuilt`(change: String) throws {
        let counter = try smallBook()
        let before = try counter.book.customers()
        try counter.book.connection.script(change)
        let report = try counter.book.verify()
        #expect(!report.valid && report.reason != nil)
        #expect(try counter.book.rebuild() == 5)
        #expect(try counter.book.verify().valid)
        #expect(try counter.book.customers() == before)
    }

    @Test func `a sealed note that is swapped or changed is noticed`() throws {
        let counter = try smallBook()
        let amit = try counter.customer("Amit")
        #expect(amit == CustomerID(rawValue: 2))
        try counter.book.connection.script(
            "UPDATE memo SET sealed = (SELECT sealed FROM memo WHERE place = 1) WHERE place = 6")
        #expect(try !counter.book.verify().valid)
    }

    /// What an attacker or a fault could put where a body was: read whole or refused, and what is read is what was there.
    @Test func `bodies changed at random are read exactly or refused`() throws {
        let counter = try smallBook()
        let bodies = try counter.book.events(after: 0, epoch: 1, limit: 100).map(\.body)
        var random = SeededRandom(seed: 11)
        var read = 0
        for round in 0..<20_000 {
            var body = bodies[round % bodies.count]
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let index = Int.random(in: 0..<body.count, using: &random)
                switch Int.random(in: 0...3, using: &random) {
                case 0: body.remove(at: index)
                case 1: body.insert(UInt8.random(in: 0...255, using: &random), at: index)
                default: body[index] = UInt8.random(in: 0...255, using: &random)
                }
            }
            guard let entry = try? JournalEntry(decoding: body) else { continue }
            read += 1
            #expect(entry.isBalanced)
            #expect(entry.encoded == body)
        }
        #expect(read > 1000)
    }

    /// The file as flash could give it back: any bit of any byte.
    @Test func `a bit that flips anywhere in the file is noticed or changes nothing`() throws {
        let folder = Folder()
        var counter: Counter! = try smallBook(folder.book)
        let events = try counter.book.events(after: 0, epoch: 1, limit: 100)
        counter = nil
        let clean = folder.bytes("book.sqlite")
        var random = SeededRandom(seed: 5)
        var noticed = 0
        for _ in 0..<400 {
            var bytes = clean
            let index = Int.random(in: 0..<bytes.count, using: &random)
            bytes[index] ^= 1 << UInt8.random(in: 0...7, using: &random)
            folder.write("flipped.sqlite", bytes)
            do {
                let book = try LedgerStore.inspect(path: folder.path + "/flipped.sqlite")
                guard try book.verify().valid else {
                    noticed += 1
                    continue
                }
                #expect(try book.events(after: 0, epoch: 1, limit: 100) == events, "byte \(index)")
            } catch {
                switch error {
                case .damaged, .unavailable, .storage: noticed += 1
                case .full, .refused: Issue.record("byte \(index) gave \(error)")
                }
            }
        }
        #expect(noticed > 10)
    }

    @Test func `an event of a newer form is refused, not guessed`() throws {
        let counter = try smallBook()
        let body = try #require(try counter.book.events(after: 0, epoch: 1, limit: 1).first).body
        guard case .map(var map) = try CBORValue(decoding: body) else { throw Surprise() }
        map[1] = .integer(2)
        #expect(throws: JournalError.version(2)) { try JournalEntry(decoding: CBORValue.map(map).encoded) }
        map[1] = .integer(1)
        map[10] = .array([.integer(1000), .integer(5), .integer(4000), .integer(-4)])
        #expect(throws: JournalError.unbalanced) { try JournalEntry(decoding: CBORValue.map(map).encoded) }
        map[10] = .array([.integer(1000), .integer(Int64.max), .integer(4000), .integer(1)])
        #expect(throws: JournalError.unbalanced) { try JournalEntry(decoding: CBORValue.map(map).encoded) }
    }
}
