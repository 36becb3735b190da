import Glibc
import Ledger
import Testing

/// The device's key over the customers' keys, and what a restored copy may bring back.
@Suite struct DeviceKeyTests {
    static let key = [UInt8](repeating: 0x5A, count: 32)

    /// Keys made by a configuration, to look for their bytes in files.
    private final class Keys {
        var made: [[UInt8]] = []
    }

    private func configuration(_ keys: Keys, key: [UInt8]? = nil, former: [[UInt8]] = [], seed: UInt64 = 77)
        -> LedgerConfiguration
    {
        var configuration = LedgerConfiguration.test(key: key)
        configuration.formerWrappingKeys = former
        var random = SeededRandom(seed: seed)
        configuration.randomBytes = { count in
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
            if count == 32 { keys.made.append(bytes) }
            return bytes
        }
        return configuration
    }

    private func filesHolding(_ bytes: [UInt8], in folder: Folder) -> [String] {
        folder.files.filter { file in
            let all = folder.bytes(file)
            return all.indices.contains { all[$0] == bytes[0] && all[$0...].starts(with: bytes) }
        }
    }

    @Test func `keys that lie bare are sealed when the book is opened, in its backups too`() throws {
        let folder = Folder()
        let keys = Keys()
        var counter: Counter! = try Counter(path: folder.book, configuration: configuration(keys))
        _ = try counter.customer("Rahul", opening: 5)
        _ = try counter.book.backup()
        let bare = try #require(keys.made.first)
        #expect(filesHolding(bare, in: folder).count >= 2, "the test must be able to find a bare key")
        counter = nil
        counter = try Counter(path: folder.book, seed: 2, configuration: configuration(keys, key: Self.key))
        #expect(filesHolding(bare, in: folder) == [])
        #expect(try counter.book.customers().map(\.details.name) == ["Rahul"])
        let backup = try #require(try counter.book.facts().backups.first)
        #expect(try LedgerStore.inspect(path: backup).customers().map(\.details.name) == ["customer 1"])
        #expect(
            try LedgerStore.inspect(path: backup, wrappingKeys: [Self.key]).customers().map(\.details.name) == ["Rahul"]
        )
        #expect(try counter.book.verify().valid)
    }

    @Test func `a new device key takes over from the former one`() throws {
        let folder = Folder()
        let keys = Keys()
        let second = [UInt8](repeating: 0x77, count: 32)
        var counter: Counter! = try Counter(path: folder.book, configuration: configuration(keys, key: Self.key))
        _ = try counter.customer("Rahul")
        counter = nil
        counter = try Counter(
            path: folder.book, seed: 2, configuration: configuration(keys, key: second, former: [Self.key]))
        counter = nil
        counter = try Counter(path: folder.book, seed: 3, configuration: configuration(keys, key: second))
        #expect(try counter.book.customers().map(\.details.name) == ["Rahul"])
        counter = nil
        #expect(
            try LedgerStore.inspect(path: folder.book, wrappingKeys: [Self.key]).customers().map(\.details.name)
                == ["customer 1"])
    }

    /// The copy lay elsewhere when the customer was erased: neither the erasure nor the cleaning of backups knew it.
    @Test(arguments: ["Vaishnavi Kulkarni", "वैष्णवी कुलकर्णी"])
    func `a copy made before an erasure, put back later, forgets the customer again`(name: String) throws {
        let folder = Folder()
        var counter: Counter! = try Counter(path: folder.book, configuration: .test(key: Self.key))
        let gone = try counter.customer(name, opening: 700)
        let other = try counter.customer("Amit", opening: 1)
        let elsewhere = folder.path + "/usb.sqlite"
        _ = try counter.book.backup(to: elsewhere)
        try counter.does(.eraseCustomer(gone))
        let later = try counter.customer("Later", opening: 3)
        #expect(try LedgerStore.inspect(path: elsewhere, wrappingKeys: [Self.key]).customers().count == 2)
        counter = nil
        folder.write("book.sqlite", folder.bytes("usb.sqlite"))
        for file in ["book.sqlite-wal", "book.sqlite-shm"] { unlink(folder.path + "/" + file) }

        counter = try Counter(path: folder.book, seed: 2, configuration: .test(key: Self.key))
        #expect(try counter.book.customers().map(\.id) == [other])
        #expect(try counter.book.balance(of: gone) == Paise(700))
        #expect(throws: BookError.refused(.erasedCustomer)) { try counter.does(.addAlias(gone, "V")) }
        // The number of the one created after the copy is free again, and is not erased by the list.
        let again = try counter.customer("Somebody", opening: 9)
        #expect(again == later)
        counter = nil
        counter = try Counter(path: folder.book, seed: 3, configuration: .test(key: Self.key))
        #expect(try counter.book.customers().map(\.details.name) == ["Amit", "Somebody"])
        #expect(try counter.book.verify().valid)
        unlink(elsewhere)
        for file in folder.files { #expect(!folder.bytes(file).holds(name), "\(file)") }
    }

    @Test func `a lost list of the erased is made anew from the book`() throws {
        let folder = Folder()
        var counter: Counter! = try Counter(path: folder.book)
        let gone = try counter.customer("Rahul")
        try counter.does(.eraseCustomer(gone))
        let list = folder.bytes("book.sqlite.forgotten")
        #expect(list.count == 16)
        unlink(folder.path + "/book.sqlite.forgotten")
        counter = nil
        counter = try Counter(path: folder.book, seed: 2)
        #expect(folder.bytes("book.sqlite.forgotten") == list)
        // Damaged, it stops nothing.
        folder.write("book.sqlite.forgotten", [1, 2, 3])
        counter = nil
        counter = try Counter(path: folder.book, seed: 3)
        #expect(folder.bytes("book.sqlite.forgotten") == list)
        #expect(try counter.book.customers().isEmpty)
    }
}
