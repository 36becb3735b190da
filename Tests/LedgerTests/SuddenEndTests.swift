import Glibc
import Ledger
import Testing

/// The process ends in the middle of writing; what it had acknowledged is there.
@Suite struct SuddenEndTests {
    /// An acknowledged entry: its number, hash and id, as the child printed them after COMMIT.
    struct Acknowledged: Equatable {
        var seq: Int64
        var hash: String
        var id: String

        init?(_ line: String) {
            let words = line.split(separator: " ")
            guard words.count == 3, let seq = Int64(words[0]) else { return nil }
            (self.seq, hash, id) = (seq, String(words[1]), String(words[2]))
        }
    }

    @Test func `killed at any moment the book has all that was acknowledged, and goes on`() throws {
        let folder = Folder()
        var random = SeededRandom(seed: UInt64(getpid()))
        var all: [Acknowledged] = []
        for _ in 0..<12 {
            let child = try Child(["ledger", "bench", "--entries", "100000", "--acknowledge", "--book", folder.book])
            let lines = Int.random(in: 1...40, using: &random)
            while true {
                guard let line = child.line() else { break }
                all.append(try #require(Acknowledged(line)))
                if all.count % 41 == lines { break }
            }
            // Not at a commit's edge but somewhere in the next one.
            for _ in 0..<Int.random(in: 0...2000, using: &random) { sched_yield() }
            child.kill()
            while let line = child.line() { if let one = Acknowledged(line) { all.append(one) } }
            #expect(child.end() == nil)

            let book = try LedgerStore.take(path: folder.book)
            let report = try book.verify()
            #expect(report.valid, "\(report)")
            let stored = try book.events(after: 0, epoch: 1, limit: 100_000)
            #expect(stored.count == Int(report.head.seq))
            for one in all {
                let event = stored[Int(one.seq) - 1]
                #expect(event.hash.hex == one.hash && event.id.description == one.id)
            }
            // At most the one entry that was being written when the end came was not told.
            #expect(report.head.seq - (all.last?.seq ?? 0) <= 1)
        }
        #expect(all.count >= 12)
        #expect(Set(all.map(\.id)).count == all.count)
    }

    /// The system refuses a write (a file size limit stands for a failing disk): an honest end, nothing lost.
    @Test func `a write that fails ends the taking of money, and what was acknowledged stands`() throws {
        let folder = Folder()
        let child = try Child(
            ["ledger", "bench", "--entries", "100000", "--acknowledge", "--book", folder.book],
            shell: "trap '' XFSZ; ulimit -f 1800; exec \"$0\" \"$@\"")
        var acknowledged: [Acknowledged] = []
        while let line = child.line() { acknowledged.append(try #require(Acknowledged(line))) }
        #expect(child.end() == 1)
        #expect(acknowledged.count > 10)
        let book = try LedgerStore.take(path: folder.book)
        #expect(try book.verify().valid)
        let stored = try book.events(after: 0, epoch: 1, limit: 100_000)
        for one in acknowledged { #expect(stored[Int(one.seq) - 1].hash.hex == one.hash) }
    }

    @Test(
        arguments: [
            (["ledger", "verify", "--book", "BOOK", "--json"], 0), (["ledger", "head", "--book", "BOOK"], 0),
            (["ledger", "doctor", "--book", "BOOK"], 0), (["ledger", "balances", "--book", "BOOK", "--json"], 0),
            (["ledger", "rebuild", "--book", "BOOK"], 0), (["ledger", "backup", "--book", "BOOK"], 0),
            (["ledger", "verify"], 2), (["ledger", "verify", "--book", "/no/such/book"], 2), (["ledger", "sing"], 2),
            (["ledger", "bench", "--entries", "0"], 2), (["ledger", "verify", "--book", "BAD", "--json"], 1),
        ] as [([String], Int32)])
    func `the tool's exit code says ok, wrong, or a bad call`(arguments: [String], code: Int32) throws {
        let folder = Folder()
        do {
            let counter = try Counter(path: folder.book)
            _ = try counter.customer("Rahul", opening: 5)
            folder.write("bad.sqlite", Array(folder.bytes("book.sqlite").dropLast(4096)))
        }
        let child = try Child(
            arguments.map { $0 == "BOOK" ? folder.book : $0 == "BAD" ? folder.path + "/bad.sqlite" : $0 })
        while child.line() != nil {}
        #expect(child.end() == code)
    }

    @Test func `repair is refused while another process writes the book`() throws {
        let folder = Folder()
        let counter = try Counter(path: folder.book)
        _ = try counter.customer("Rahul")
        let child = try Child(["ledger", "rebuild", "--book", folder.book, "--json"])
        #expect(child.line() == #"{"error":{"code":"unavailable","message":"another process holds the book"}}"#)
        #expect(child.end() == 2)
    }
}
