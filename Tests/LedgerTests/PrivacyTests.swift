import Ledger
import Testing

@Suite struct PrivacyTests {
    static let secrets = ["Vaishnavi", "9876501234", "Kothrud", "vaishu@example.in", "udhaar for wedding"]

    private func details() -> CustomerDetails {
        var details = CustomerDetails(name: "Vaishnavi Kulkarni")
        details.phone = "+919876501234"
        details.landmark = "Kothrud depot"
        details.email = "vaishu@example.in"
        return details
    }

    private func fill(_ counter: Counter) throws -> CustomerID {
        guard case .customer(let id) = try counter.does(.createCustomer(details(), opening: Paise(700))).outcome else {
            throw Surprise()
        }
        try counter.does(.addAlias(id, "Vaishnavi ji"))
        try counter.does(.giveCredit(id, Paise(300), note: "udhaar for wedding"))
        try counter.does(.send(OutgoingMessage(id: counter.id(), kind: "email", customer: id, to: "vaishu@example.in")))
        return id
    }

    /// Never in clear, not even while the customer is there.
    @Test func `no file of the book holds a name, a phone or a note in clear`() throws {
        let folder = Folder()
        let counter = try Counter(path: folder.book)
        _ = try fill(counter)
        _ = try counter.book.backup()
        for file in folder.files {
            let bytes = folder.bytes(file)
            for secret in Self.secrets { #expect(!bytes.holds(secret), "\(secret) in \(file)") }
        }
        let events = try counter.book.events(after: 0, epoch: 1, limit: 100)
        for event in events { for secret in Self.secrets { #expect(!event.body.holds(secret)) } }
    }

    /// The key is what makes the sealed bytes readable, so the test looks for the key's bytes as well.
    @Test func `after erasure neither data nor key is in any file, the amounts stand and the chain holds`() throws {
        let folder = Folder()
        var keys: [[UInt8]] = []
        var configuration = LedgerConfiguration.test()
        var random = SeededRandom(seed: 77)
        configuration.randomBytes = { count in
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
            if count == 32 { keys.append(bytes) }
            return bytes
        }
        var counter: Counter! = try Counter(path: folder.book, configuration: configuration)
        let id = try fill(counter)
        let other = try counter.customer("Amit", opening: 1)
        _ = try counter.book.backup()
        let key = try #require(keys.first)
        #expect(folder.files.contains { Self.holds(folder.bytes($0), key) }, "the test must be able to find a key")
        let head = try counter.book.head()
        try counter.book.remember("gate", Array("Vaishnavi ka khata".utf8))
        try counter.does(.eraseCustomer(id))
        #expect(try counter.book.recall("gate") == nil)
        for file in folder.files {
            let holdsKey = Self.holds(folder.bytes(file), key)
            #expect(!holdsKey, "key in \(file)")
            for secret in Self.secrets { #expect(!folder.bytes(file).holds(secret), "\(secret) in \(file)") }
        }
        #expect(try counter.book.customers().map(\.id) == [other])
        #expect(try counter.book.balance(of: id) == Paise(1000))
        #expect(try counter.book.outgoing().isEmpty)
        #expect(throws: BookError.refused(.erasedCustomer)) { try counter.does(.giveCredit(id, Paise(1), note: nil)) }
        #expect(throws: BookError.refused(.erasedCustomer)) { try counter.does(.updateCustomer(id, details())) }
        #expect(try counter.book.head().seq == head.seq + 1)
        let report = try counter.book.verify()
        #expect(report.valid, "\(report)")
        counter = nil
        counter = try Counter(path: folder.book, configuration: configuration)
        #expect(try counter.book.customers().map(\.details.name) == ["Amit"])
        #expect(folder.files.filter { Self.holds(folder.bytes($0), key) } == [])
    }

    @Test func `a command repeated after its customer's erasure is answered from the journal`() throws {
        let counter = try Counter()
        let id = counter.id()
        let first = try counter.does(.createCustomer(details(), opening: .zero), id: id)
        guard case .customer(let customer) = first.outcome else { throw Surprise() }
        try counter.does(.eraseCustomer(customer))
        let again = try counter.does(.createCustomer(details(), opening: .zero), id: id)
        #expect(again.isReplay && again.outcome == first.outcome)
        #expect(try counter.book.customers().isEmpty)
    }

    /// Two numbers merged are one person, whichever of them is named.
    @Test(arguments: [0, 1, 2]) func `erasure takes all that were merged together`(named: Int) throws {
        let folder = Folder()
        var counter: Counter! = try Counter(path: folder.book)
        let people = try ["Rahul", "Rahul S", "Rahul Sharma"].map { try counter.customer($0, opening: 1) }
        let other = try counter.customer("Amit")
        try counter.does(.mergeCustomer(people[0], into: people[1]))
        try counter.does(.mergeCustomer(people[1], into: people[2]))
        try counter.does(.eraseCustomer(people[named]))
        #expect(try counter.book.customers().map(\.id) == [other])
        #expect(try counter.book.balance(of: people[0]) == Paise(3))
        #expect(try counter.book.verify().valid)
        counter = nil
        counter = try Counter(path: folder.book, seed: 2)
        #expect(try counter.book.customers().map(\.id) == [other])
        #expect(throws: BookError.refused(.erasedCustomer)) { try counter.does(.addAlias(people[0], "R")) }
    }

    @Test func `under a device key the flash alone does not give the names`() throws {
        let folder = Folder()
        let key = [UInt8](repeating: 0x5A, count: 32)
        var counter: Counter! = try Counter(path: folder.book, configuration: .test(key: key))
        _ = try fill(counter)
        counter = nil
        #expect(try LedgerStore.inspect(path: folder.book).customers().map(\.details.name) == ["customer 1"])
        #expect(try LedgerStore.inspect(path: folder.book).verify().valid)
        counter = try Counter(path: folder.book, configuration: .test(key: key))
        #expect(try counter.book.customers().map(\.details) == [details()])
    }

    private static func holds(_ bytes: [UInt8], _ needle: [UInt8]) -> Bool {
        guard bytes.count >= needle.count else { return false }
        return bytes.withUnsafeBufferPointer { all in
            (0...all.count - needle.count).contains { start in
                all[start] == needle[0] && all[start..<start + needle.count].elementsEqual(needle)
            }
        }
    }
}
