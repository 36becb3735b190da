import JSONText
import Testing

@testable import Ledger

/// A short run of the fault programme (`make faults` is the long one), each part in a process of its own, as its disk
/// becomes that process's.
@Suite struct FaultProgrammeTests {
    struct Told {
        var code: Int32?
        var faults: Int64
        var text: String
    }

    static func run(_ arguments: [String]) throws -> Told {
        let child = try Child(["faults"] + arguments + ["--json"])
        var text = ""
        while let line = child.line() { text = line }
        return Told(
            code: child.end(), faults: (try? JSONValue(parsing: Array(text.utf8)))?["faults"]?.integer ?? 0, text: text)
    }

    @Test func `a power cut at any moment takes nothing that was acknowledged`() throws {
        let told = try Self.run(["cuts", "--count", "150", "--seed", "11"])
        #expect(told.code == 0 && told.faults == 150, "\(told.text)")
    }

    /// The check of the check: where a commit is not synced, entries are lost and it is seen.
    @Test func `at synchronous NORMAL the same cuts are caught losing entries`() throws {
        let told = try Self.run(["control", "--count", "60", "--seed", "11"])
        #expect(told.code == 0, "\(told.text)")
    }

    @Test func `a process that ends before or after any call to the disk has lost nothing`() throws {
        let told = try Self.run(["kills", "--every", "70", "--seed", "11"])
        #expect(told.code == 0 && told.faults > 50, "\(told.text)")
    }

    @Test func `power cut before or after any call to the disk takes nothing`() throws {
        let told = try Self.run(["cutsat", "--every", "80", "--seed", "12"])
        #expect(told.code == 0 && told.faults > 50, "\(told.text)")
    }

    @Test func `a disk that refuses one call loses nothing, and selling goes on`() throws {
        let told = try Self.run(["errors", "--every", "150", "--seed", "11"])
        #expect(told.code == 0 && told.faults > 30, "\(told.text)")
    }

    @Test func `keys, kept turns, backups and a restore survive a fault at any call`() throws {
        let told = try Self.run(["files", "--every", "9", "--seed", "11"])
        #expect(told.code == 0 && told.faults > 300, "\(told.text)")
    }

    @Test func `a full disk is said to be full, and sells the moment it is not`() throws {
        let told = try Self.run(["full", "--count", "10", "--seed", "11"])
        #expect(told.code == 0 && told.faults == 10, "\(told.text)")
    }

    @Test func `a change of version that ends anywhere leaves the old book or the new one`() throws {
        let fixture =
            "/" + #filePath.split(separator: "/").dropLast().joined(separator: "/") + "/Fixtures/book-v1.sqlite"
        let told = try Self.run(["migrate", "--book", fixture, "--every", "8", "--seed", "11"])
        #expect(told.code == 0 && told.faults > 40, "\(told.text)")
    }

    @Test func `the disk loses what was not synced, and only that`() throws {
        let told = try Self.run(["disk", "--count", "100", "--seed", "11"])
        #expect(told.code == 0 && told.faults == 100, "\(told.text)")
    }

    @Test func `a bit that flips in any byte is noticed, or changes nothing, and is mended`() throws {
        let told = try Self.run(["rot", "--every", "251", "--seed", "11"])
        #expect(told.code == 0 && told.faults > 300, "\(told.text)")
    }

    @Test func `a clock that is wrong gives no number twice and none of another year`() throws {
        let told = try Self.run(["clock", "--count", "500", "--seed", "11"])
        #expect(told.code == 0 && told.faults > 20, "\(told.text)")
    }

    /// The arithmetic done again by a program that shares no code with the book, on a book that was cut.
    @Test func `the independent model comes to the same sums`() throws {
        let folder = Folder()
        #expect(try Self.run(["cuts", "--count", "40", "--seed", "12", "--keep", folder.book]).code == 0)
        let child = try Child(["ledger", "export", "--events", "--book", folder.book, "--to", folder.path + "/events"])
        while child.line() != nil {}
        #expect(child.end() == 0)
        let script = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/") + "/board/faults/model.py"
        let model = try Child([script, folder.book, folder.path + "/events"], shell: "exec python3 \"$@\"")
        let line = model.line() ?? ""
        #expect(model.end() == 0 && line.hasSuffix("the same"), "\(line)")
        // And it is a check: one paisa more, and it says so.
        do {
            let book = try LedgerStore.take(path: folder.book)
            try book.connection.script("UPDATE balance SET amount = amount + 1 WHERE account = 11100")
        }
        let second = try Child([script, folder.book], shell: "exec python3 \"$@\"")
        while second.line() != nil {}
        #expect(second.end() == 1)
    }

    @Test func `a simulated shop is exactly its seed's`() throws {
        func run(_ seed: String) throws -> JSONValue {
            let child = try Child(["sim", "--shops", "1", "--days", "1", "--entries", "120", "--seed", seed, "--json"])
            let text = child.line() ?? ""
            #expect(child.end() == 0, "\(text)")
            return try JSONValue(parsing: Array(text.utf8))
        }
        let (first, second, third) = (try run("5"), try run("5"), try run("6"))
        #expect(first["digest"]?.string != nil && first["digest"] == second["digest"])
        #expect(first["digest"] != third["digest"])
    }
}
