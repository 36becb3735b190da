import Glibc
import JSONText
import Testing

/// A book that is not what was written any more, and how the shop gets it back without losing an entry.
@Suite(.serialized)
struct DamagedBookTests {
    @Test func `the daemon mends its book at the socket, while the shop stands open`() throws {
        let rig = try BareCounter()
        defer { rig.close() }
        try rig.configure("[audio]\nbackend = \"null\"\n")
        try rig.seed()
        try rig.start()
        #expect(try rig.ask("say 'Rahul ne 100 diye'")["code"]?.string == "OK")
        func refuses() -> Bool { (try? rig.ask("ledger restore"))?["lossy"] == nil }
        #expect(refuses(), "without a backup")
        #expect(try rig.ask("ledger backup")["backup"]?.string != nil)
        #expect(try rig.ask("say 'Rahul ne 100 diye'")["code"]?.string == "OK")
        let head = try #require(try rig.ask("ledger head")["seq"]?.integer)
        try sqlite(rig.book, "UPDATE posting SET amount = amount + 1")
        #expect(try rig.ask("ledger verify")["valid"]?.bool == false)
        let report = try rig.ask("ledger restore")
        #expect(report["lossy"]?.bool == false && report["salvaged"]?.integer ?? 0 >= 1, "\(report.text)")
        #expect(try rig.ask("ledger verify")["valid"]?.bool == true)
        #expect(try rig.ask("ledger head")["seq"]?.integer ?? 0 >= head)
        #expect(try rig.ask("say 'Rahul ne 100 diye'")["code"]?.string == "OK")
        let rahul = try rig.ask("ledger balances")["customers"]?.array?.first { $0["name"]?.string == "Rahul Sharma" }
        #expect(rahul?["balance_paise"]?.integer == 20_000)

        // An entry that was said to be written goes: nothing of that is passed over, and nothing more is taken.
        try sqlite(rig.book, "DELETE FROM event WHERE place = (SELECT max(place) FROM event)")
        #expect(refuses(), "an acknowledged entry is not there")
        #expect(try rig.ask("say 'Rahul ne 100 diye'")["code"]?.string == "UPDATE_FAILED")
        #expect(rig.stop() == 0)
    }
}

/// The same with the gateway's copy at hand. A suite of its own: it needs the gateway's program.
@Suite(.serialized)
struct BookFromGatewayTests {
    /// Backup, damaged journal and gateway together have every entry; the names come from the backup.
    @Test func `what a damaged book has lost is fetched from the gateway`() throws {
        let counter = try Counter(hears: false)
        defer { counter.close() }
        let (book, file) = (counter.folder + "/device/book.sqlite", counter.folder + "/execora.toml")
        let (daemon, control) = (try Programs.path("execorad"), try Programs.path("execoractl"))
        let started = try Programs.shell(
            "'\(daemon)' run --config '\(file)' >/dev/null 2>'\(counter.folder)/daemon.log' & echo $!")
        let process = try #require(Int32(started.output.split(separator: "\n")[0]))
        defer { kill(process, SIGKILL) }
        func ask(_ words: String) throws -> JSONValue {
            let told = try Programs.shell("'\(control)' \(words) --socket '\(counter.folder)/run/control.sock' --json")
            return (try? JSONValue(parsing: String(told.output.split(separator: "\n").first ?? "null"))) ?? .null
        }
        func waits(_ what: () throws -> Bool) throws -> Bool {
            for _ in 0..<300 {
                if try what() { return true }
                usleep(100_000)
            }
            return false
        }
        #expect(try waits { try ask("status")["book"] != nil }, "\(counter.log("daemon"))")
        #expect(try ask("ledger backup")["backup"]?.string != nil)
        for _ in 0..<3 { #expect(try ask("say 'Rahul ne 100 diye'")["code"]?.string == "OK") }
        // What the technician did stands in the book too, and may come a moment later.
        #expect(
            try waits {
                try JSONValue(parsing: counter.gateway("heads", "--json"))["heads"]?[0]?["hash"]
                    == ask("ledger head")["hash"]
            }, "the gateway never had it all: \(counter.log("daemon"))")
        kill(process, SIGTERM)
        #expect(try waits { kill(process, 0) != 0 })

        let head = try JSONValue(parsing: Programs.shell("'\(control)' ledger head --book '\(book)' --json").output)
        try sqlite(book, "UPDATE event SET hash = zeroblob(32) WHERE place = (SELECT max(place) - 1 FROM event)")
        #expect(try Programs.shell("'\(control)' ledger restore --book '\(book)'").status == 2)
        let restored = try Programs.shell("'\(daemon)' restore --config '\(file)'")
        #expect(
            restored.status == 0 && restored.output.contains(" from the gateway")
                && !restored.output.contains(" 0 from the gateway"),
            "\(restored.output)")
        let after = try JSONValue(parsing: Programs.shell("'\(control)' ledger head --book '\(book)' --json").output)
        #expect(after == head)
        #expect(try Programs.shell("'\(control)' ledger verify --book '\(book)'").status == 0)
        #expect(
            try Programs.shell("'\(control)' ledger balances --book '\(book)'").output.contains("Rahul Sharma: 20000"))
    }
}

/// Does to a book what only a fault would.
private func sqlite(_ book: String, _ sql: String) throws {
    let told = try Programs.shell(
        "python3 -c 'import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute(sys.argv[2]); c.commit()' '\(book)' '\(sql)'"
    )
    try #require(told.status == 0, "\(told.output)")
}
