import Glibc
import JSONText
import Testing

/// What goes wrong at a counter: each is told with what to do, nothing is lost, nothing crashes.
@Suite(.serialized)
struct BadInputTests {
    @Test func `a damaged model is refused by name before anything starts`() throws {
        let rig = try BareCounter()
        defer { rig.close() }
        try rig.configure("[audio]\nbackend = \"null\"\n")
        let models = rig.folder + "/models"
        _ = try Programs.shell(
            "mkdir -p '\(models)' && cp '\(rig.models)'/* '\(models)/' 2>/dev/null; truncate -s 5000 '\(models)/okay_nabu.tflite'"
        )
        try rig.configure("[audio]\nbackend = \"null\"\n", models: models)
        let told = try Programs.shell("timeout 10 '\(try Programs.path("execorad"))' run --config '\(rig.file)'")
        #expect(told.status == 2)
        #expect(told.output.contains("okay_nabu.tflite is damaged or foreign"), "\(told.output)")
        #expect(told.output.contains("fetch the models again"))
    }

    @Test func `without a microphone the daemon runs on, says so and keeps the book`() throws {
        let rig = try BareCounter()
        defer { rig.close() }
        try rig.configure("[audio]\ncapture_device = \"hw:CARD=nobody\"\nplayback_device = \"hw:CARD=nobody\"\n")
        try rig.seed()
        try rig.start()
        let status = try rig.ask("status")
        #expect(["lost", "opening"].contains(status["mic"]?.string ?? ""), "\(status.text)")
        let answer = try rig.ask("say 'Rahul ne 200 diye'")
        #expect(answer["code"]?.string == "OK", "\(answer.text)")
        #expect(try rig.ask("ledger verify")["valid"]?.bool == true)
        #expect(rig.stop() == 0)
        #expect(rig.log.contains("no microphone; it is tried again"))
        #expect(rig.log.contains("check the plug"))
    }

    @Test func `a gateway that is not there leaves the counter working`() throws {
        let rig = try BareCounter()
        defer { rig.close() }
        try rig.configure("[audio]\nbackend = \"null\"\n[cloud]\nurl = \"https://localhost:9\"\n")
        try rig.seed()
        try rig.start()
        #expect(try rig.ask("say 'Rahul ne 200 diye'")["code"]?.string == "OK")
        #expect(rig.stop() == 0)
        #expect(rig.log.contains("not enrolled: run 'execorad enrol'"))
    }

    @Test func `a killed daemon has every entry it answered for`() throws {
        let rig = try BareCounter()
        defer { rig.close() }
        try rig.configure("[audio]\nbackend = \"null\"\n")
        try rig.seed()
        for round in 1...3 {
            try rig.start()
            let answer = try rig.ask("say 'Rahul ne 100 diye'")
            #expect(answer["code"]?.string == "OK")
            let hash = try #require(answer["journal"]?[0]?["hash"]?.string)
            rig.kill()
            // What the technician did may stand behind it; the entry itself is there.
            let held = try Programs.shell(
                "python3 -c 'import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute(\"SELECT count(*) FROM event WHERE hash = ?\", (bytes.fromhex(sys.argv[2]),)).fetchone()[0])' '\(rig.book)' '\(hash)'"
            )
            #expect(held.output.hasPrefix("1"), "round \(round)")
            #expect(try rig.onFile("verify")["valid"]?.bool == true)
        }
        let rahul = try rig.onFile("balances")["customers"]?.array?.first { $0["name"]?.string == "Rahul Sharma" }
        #expect(rahul?["balance_paise"]?.integer == 20_000)
    }

    @Test func `a second daemon on the same book is refused`() throws {
        let rig = try BareCounter()
        defer { rig.close() }
        try rig.configure("[audio]\nbackend = \"null\"\n")
        try rig.seed()
        try rig.start()
        let told = try Programs.shell("timeout 10 '\(try Programs.path("execorad"))' run --config '\(rig.file)'")
        #expect(told.status == 1)
        #expect(told.output.contains("another process"), "\(told.output)")
        #expect(rig.stop() == 0)
    }

    @Test func `a book that is no book is kept and told`() throws {
        let rig = try BareCounter()
        defer { rig.close() }
        try rig.configure("[audio]\nbackend = \"null\"\n")
        try rig.seed()
        _ = try Programs.shell(
            "rm -f '\(rig.book)'-*; head -c 40000 /dev/urandom > '\(rig.book)'; sha256sum '\(rig.book)' > '\(rig.folder)/sum'"
        )
        let told = try Programs.shell("timeout 10 '\(try Programs.path("execorad"))' run --config '\(rig.file)'")
        #expect(told.status == 1)
        #expect(told.output.contains("execoractl ledger doctor"), "\(told.output)")
        #expect(try Programs.shell("sha256sum -c '\(rig.folder)/sum'").status == 0)
    }

    @Test func `a socket that does not answer ends execoractl with 2 and a hint`() throws {
        let told = try Programs.shell("'\(try Programs.path("execoractl"))' status --socket /tmp/execora-nobody.sock")
        #expect(told.status == 2)
        #expect(!told.output.isEmpty)
    }
}

/// A daemon without a gateway, in a folder of its own.
final class BareCounter {
    let folder: String
    let models: String
    var file: String { folder + "/execora.toml" }
    var book: String { folder + "/device/book.sqlite" }
    private(set) var process: Int32 = 0
    /// What the daemon is started under, for instance in a namespace of its own.
    var wrapper = ""

    init() throws {
        folder = String(try Programs.shell("mktemp -d /tmp/execora-bare.XXXXXX").output.split(separator: "\n")[0])
        let cache =
            getenv("EXECORA_CACHE").map { String(cString: $0) } ?? String(cString: getenv("HOME")) + "/.cache/execora"
        models = getenv("EXECORA_MODELS").map { String(cString: $0) } ?? cache + "/models"
    }

    func configure(_ rest: String, models told: String? = nil) throws {
        let text = """
            [device]
            state_dir = "\(folder)/device"
            runtime_dir = "\(folder)/run"
            [wake]
            models_dir = "\(told ?? models)"
            \(rest)
            """
        let handle = try #require(fopen(file, "w"))
        defer { fclose(handle) }
        #expect(fputs(text, handle) >= 0)
    }

    func seed() throws {
        let told = try Programs.shell(
            "'\(try Programs.path("execorad"))' seed --config '\(file)' --world '\(Programs.root)/board/virtual-counter/world.json'"
        )
        try #require(told.status == 0, "\(told.output)")
    }

    func start() throws {
        let started = try Programs.shell(
            "\(wrapper) '\(try Programs.path("execorad"))' run --config '\(file)' >/dev/null 2>>'\(folder)/log' & echo $!"
        )
        process = try #require(Int32(started.output.split(separator: "\n")[0]))
        for _ in 0..<200 {
            if access(folder + "/run/control.sock", F_OK) == 0, try Programs.shell(call("status")).status == 0 {
                return
            }
            usleep(50_000)
        }
        Issue.record("the daemon did not start: \(log)")
    }

    private func call(_ words: String) throws -> String {
        "'\(try Programs.path("execoractl"))' \(words) --socket '\(folder)/run/control.sock' --json"
    }

    func ask(_ words: String) throws -> JSONValue {
        let told = try Programs.shell(call(words))
        return try JSONValue(parsing: String(told.output.split(separator: "\n").first ?? "null"))
    }

    func onFile(_ verb: String) throws -> JSONValue {
        try JSONValue(
            parsing: Programs.shell("'\(try Programs.path("execoractl"))' ledger \(verb) --book '\(book)' --json")
                .output)
    }

    var log: String { (try? Programs.shell("cat '\(folder)/log'").output) ?? "" }

    /// - Returns: 0 when it ended within 10 s of being asked.
    func stop() -> Int32 {
        Glibc.kill(process, SIGTERM)
        return gone(200) ? 0 : 1
    }

    func kill() {
        Glibc.kill(process, SIGKILL)
        _ = gone(200)
        unlink(folder + "/run/control.sock")
    }

    private func gone(_ tries: Int) -> Bool {
        for _ in 0..<tries {
            if Glibc.kill(process, 0) != 0 {
                process = 0
                return true
            }
            usleep(50_000)
        }
        return false
    }

    func close() {
        if process != 0 { Glibc.kill(process, SIGKILL) }
        _ = try? Programs.shell("rm -rf '\(folder)'")
    }
}
