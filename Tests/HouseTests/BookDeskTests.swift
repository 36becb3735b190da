import Glibc
import JSONText
import Testing

/// The book through the daemon: reports, orders, erasure, and a disk that fills.
@Suite(.serialized)
struct BookDeskTests {
    private func counter(_ settings: String = "") throws -> BareCounter {
        let rig = try BareCounter()
        try rig.configure("[audio]\nbackend = \"null\"\n" + settings)
        return rig
    }

    private func control(_ words: String) throws -> Programs.Ended {
        try Programs.shell("'\(try Programs.path("execoractl"))' ledger \(words)")
    }

    @Test func `a report is the same from the daemon and from the file beside it`() throws {
        let rig = try counter()
        defer { rig.close() }
        try rig.seed()
        try rig.start()
        #expect(try rig.ask("say 'Rahul ne 200 diye'")["code"]?.string == "OK")
        for words in [
            "ageing", "statement --customer 'Rahul Sharma'", "summary", "gstr1 --month 2026-03", "held",
        ] {
            let asked = try control("\(words) --socket '\(rig.folder)/run/control.sock' --json")
            let read = try control("\(words) --book '\(rig.book)' --json")
            #expect(asked.status == 0 && asked.output == read.output, "\(words): \(asked.output)\(read.output)")
        }
        for what in ["customers", "products", "invoices", "payments", "entries", "ageing", "events"] {
            let asked = try control("export --what \(what) --socket '\(rig.folder)/run/control.sock'")
            let read = try control("export --what \(what) --book '\(rig.book)'")
            #expect(asked.status == 0 && asked.output == read.output && !asked.output.isEmpty, "\(what)")
        }
        let table = try control("statement --customer 'Rahul Sharma' --socket '\(rig.folder)/run/control.sock'").output
        #expect(table.contains("payment") && table.contains("₹200.00"), "\(table)")
        // What changes the book is the daemon's while it runs, and is refused on the file.
        #expect(try control("rules --round yes --book '\(rig.book)'").status == 2)
        #expect(try rig.ask("ledger backup")["entries"]?.integer ?? 0 > 0)
        #expect(try rig.ask("ledger rebuild")["entries"]?.integer ?? 0 > 0)
        #expect(try rig.ask("ledger verify")["valid"]?.bool == true)
        let bad = try control("statement --customer Nobody --socket '\(rig.folder)/run/control.sock'")
        #expect(bad.status != 0 && bad.output.contains("no customer has that name"), "\(bad.output)")
        #expect(rig.stop() == 0)
    }

    @Test func `a held entry is seen, settled and counted once`() throws {
        let rig = try counter()
        defer { rig.close() }
        try rig.seed()
        try rig.start()
        let socket = "--socket '\(rig.folder)/run/control.sock' --json"
        #expect(try control("rules --hold-above 1000 \(socket)").status == 0)
        let answer = try rig.ask("say 'Rahul ne 1200 diye'")
        #expect(answer["code"]?.string == "HELD", "\(answer.text)")
        #expect(try rig.ask("status")["held"]?.integer == 1)
        let held = try JSONValue(parsing: control("held \(socket)").output)["held"]?[0]
        #expect(held?["amount_paise"]?.integer == 120_000)
        let id = try #require(held?["hold"]?.string)
        let settled = try JSONValue(parsing: control("settle --hold \(id) \(socket)").output)
        #expect(settled["balance_paise"]?.integer == -70_000, "\(settled.text)")
        #expect(try control("settle --hold \(id) \(socket)").status != 0)
        #expect(try rig.ask("status")["held"]?.integer == 0)
        #expect(rig.stop() == 0)
    }

    /// Database, log of the database, backups, spool, exports of the daemon and its log: nothing of an erased customer.
    @Test func `an erased customer is in no file of the device, in no script`() throws {
        let rig = try counter("[diagnostics]\nlog_level = \"debug\"\n")
        defer { rig.close() }
        let names = ["Vaishnavi Kulkarni", "वैष्णवी", "9876501234", "Kothrud depot", "vaishu@example.in"]
        try rig.seed()
        try rig.start()
        let socket = "--socket '\(rig.folder)/run/control.sock'"
        _ = try Programs.shell(
            "printf 'name,nickname,phone,landmark,email,opening_balance\\n\(names[0]),\(names[1]),\(names[2]),\(names[3]),\(names[4]),70\\nAmit Rao,,,,,5\\n' > '\(rig.folder)/people.csv'"
        )
        let imported = try control("import --what customers --file '\(rig.folder)/people.csv' \(socket)")
        #expect(imported.status == 0 && imported.output.contains("2 of 2"), "\(imported.output)")
        unlink(rig.folder + "/people.csv")
        let answer = try rig.ask("say 'Vaishnavi ne 20 diye'")
        #expect(answer["code"]?.string == "OK", "\(answer.text)")
        #expect(try rig.ask("say 'वैष्णवी का बैलेंस बताओ'")["speech"]?.string?.isEmpty == false)
        #expect(try rig.ask("ledger backup")["backup"]?.string != nil)
        _ = try Programs.shell("mkdir '\(rig.folder)/usb' && cp '\(rig.book)'.backup-* '\(rig.folder)/usb/copy'")
        let elsewhere = try control(
            "balances --book '\(rig.folder)/usb/copy' --identity '\(rig.folder)/device/identity'")
        #expect(elsewhere.output.contains(names[0]), "the copy must hold the name before: \(elsewhere.output)")
        // Nothing readable even before: names are sealed, and their keys are.
        func found() throws -> String {
            try Programs.shell(
                "grep -rlaF \(names.map { "-e '\($0)'" }.joined(separator: " ")) '\(rig.folder)'"
            ).output
        }
        #expect(try found() == "")

        let erased = try control("erase --customer '\(names[0])' \(socket)")
        #expect(erased.status == 0, "\(erased.output)")
        #expect(try found() == "")
        let balances = try rig.ask("ledger balances")["customers"]?.array ?? []
        #expect(!balances.contains { $0["name"]?.string == names[0] })
        #expect(balances.contains { $0["name"]?.string == "Amit Rao" })
        #expect(try rig.ask("ledger verify")["valid"]?.bool == true)
        #expect(rig.stop() == 0)
        let backup = try control("balances --book '\(rig.book)'.backup-* --identity '\(rig.folder)/device/identity'")
        #expect(backup.status == 0 && !backup.output.contains(names[0]) && backup.output.contains("Amit Rao"))

        // The copy that lay elsewhere is put back: the counter forgets again before it says a word.
        _ = try Programs.shell("cp '\(rig.folder)/usb/copy' '\(rig.book)' && rm -f '\(rig.book)'-wal '\(rig.book)'-shm")
        try rig.start()
        let restored = try rig.ask("ledger balances")["customers"]?.array ?? []
        #expect(
            !restored.contains { $0["name"]?.string == names[0] }
                && restored.contains { $0["name"]?.string == "Amit Rao" })
        #expect(rig.stop() == 0)
        #expect(try found() == "")
        #expect(try Programs.shell("stat -c %a '\(rig.folder)/device/identity/book.key'").output.hasPrefix("600"))
    }

    /// The key given by systemd seals from then on, and the file's key opens what it had sealed.
    @Test func `a credential takes over the names, without it they are numbers`() throws {
        let rig = try counter()
        defer { rig.close() }
        try rig.seed()
        _ = try Programs.shell(
            "mkdir '\(rig.folder)/credentials' && head -c 32 /dev/urandom > '\(rig.folder)/credentials/execora.book-key'"
        )
        rig.wrapper = "CREDENTIALS_DIRECTORY='\(rig.folder)/credentials'"
        try rig.start()
        #expect(try rig.ask("ledger balances").text.contains("Rahul Sharma"))
        #expect(rig.stop() == 0)
        #expect(try !control("balances --book '\(rig.book)'").output.contains("Rahul"))
        try rig.start()
        #expect(try rig.ask("say 'Rahul ne 200 diye'")["code"]?.string == "OK")
        #expect(rig.stop() == 0)
    }

    /// A mount namespace of our own: only there is the state folder a file system of 40 MB.
    private static let canMount =
        (try? Programs.shell("unshare -rm sh -c 'mount -t tmpfs -o size=1m none /mnt'").status) == 0

    @Test(.enabled(if: canMount, "needs unprivileged mount namespaces"))
    func `a full disk refuses aloud, answers questions, and sells again by itself`() throws {
        let rig = try counter()
        defer { rig.close() }
        let state = rig.folder + "/device"
        let inside = try Programs.shell("mkdir -p '\(state)' && cat '\(rig.file)'").output
        #expect(inside.contains("state_dir"))
        rig.wrapper =
            "exec unshare -rm sh -c 'mount -t tmpfs -o size=40m,mode=700 none \"$1\" && \"$2\" seed --config \"$3\" --world \"$4\" >/dev/null && exec \"$2\" run --config \"$3\"' sh '\(state)' '\(try Programs.path("execorad"))' '\(rig.file)' '\(Programs.root)/board/virtual-counter/world.json'"
        try rig.start()
        let hidden = "/proc/\(rig.process)/root\(state)"
        func fill(_ name: String) throws {
            _ = try Programs.shell("dd if=/dev/zero of='\(hidden)/\(name)' bs=4096 2>/dev/null")
        }
        func status() throws -> JSONValue { try rig.ask("status") }
        func waits(_ what: (JSONValue) -> Bool) throws -> Bool {
            for _ in 0..<100 {
                if what(try status()) { return true }
                usleep(100_000)
            }
            return false
        }
        #expect(try waits { $0["disk"]?["ballast"]?.bool == true && $0["disk"]?["level"]?.string == "ample" })

        // Full: the ballast gives way, and selling goes on.
        try fill("filler")
        #expect(try waits { $0["disk"]?["ballast"]?.bool == false })
        #expect(try rig.ask("say 'Rahul ne 100 diye'")["code"]?.string == "OK")

        // Full again, nothing is left: refused aloud, nothing written, questions are answered.
        try fill("more")
        var refused: JSONValue = .null
        var sold: Int64 = 1
        for _ in 0..<400 {
            refused = try rig.ask("say 'Rahul ne 100 diye'")
            guard refused["code"]?.string == "OK" else { break }
            sold += 1
        }
        #expect(refused["code"]?.string == "UPDATE_FAILED", "\(refused.text)")
        #expect(refused["speech"]?.string?.contains("Jagah khatam hai") == true, "\(refused.text)")
        let balance = try rig.ask("say 'Rahul ka balance batao'")
        #expect(balance["code"]?.string == "OK", "\(balance.text)")

        // Space comes back: within 2 s, by itself.
        _ = try Programs.shell("rm '\(hidden)/more' '\(hidden)/filler'")
        let freed = Self.milliseconds()
        var again = try rig.ask("say 'Rahul ne 100 diye'")
        while again["code"]?.string != "OK", Self.milliseconds() - freed < 20_000 {
            again = try rig.ask("say 'Rahul ne 100 diye'")
        }
        let took = Self.milliseconds() - freed
        #expect(again["code"]?.string == "OK" && took < 2000, "\(took) ms: \(again.text)")
        #expect(try rig.ask("ledger verify")["valid"]?.bool == true)
        let rahul = try rig.ask("ledger balances")["customers"]?.array?.first { $0["name"]?.string == "Rahul Sharma" }
        #expect(rahul?["balance_paise"]?.integer == 50_000 - (sold + 1) * 10_000)
        #expect(try waits { $0["disk"]?["ballast"]?.bool == true })
        #expect(rig.stop() == 0)
    }

    private static func milliseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}
