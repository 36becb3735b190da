import Glibc
import Testing

/// Facts about the house itself, so that a wall is not taken down by accident.
struct HouseTests {
    /// The device programs stay small: Foundation alone would add 50 MB and 12 MB of memory.
    @Test(arguments: ["execorad", "execoractl"])
    func `device programs link neither Foundation nor GRDB`(program: String) throws {
        let told = try Programs.shell("readelf -d '\(try Programs.path(program))'")
        #expect(told.status == 0)
        let needed = told.output.split(separator: "\n").filter { $0.contains("(NEEDED)") }
        #expect(!needed.isEmpty)
        for line in needed {
            #expect(
                !line.contains("Foundation") && !line.contains("GRDB") && !line.contains("swiftDispatch"), "\(line)")
        }
    }

    @Test func `the daemon links the six libraries the design pays for`() throws {
        let told = try Programs.shell("readelf -d '\(try Programs.path("execorad"))'")
        for library in ["libasound", "libspeexdsp", "libsqlite3", "libopus", "libcrypto", "libcurl"] {
            #expect(told.output.contains(library), "\(library) is not linked")
        }
    }

    /// Each C library has one room that knows it.
    @Test(arguments: [
        ("CALSA", ["AudioIO"]), ("CSpeexDSP", ["AudioIO"]), ("CLinux", ["AudioIO", "execorad", "execora-gateway"]),
        ("COpus", ["OpusCoding"]), ("CSQLite", ["Ledger", "LedgerFaults", "execora-gateway"]),
        ("COpenSSL", ["Seals"]), ("CCurl", ["CloudLink"]),
    ])
    func `a C library is imported by its own room alone`(library: String, rooms: [String]) throws {
        let told = try Programs.shell("grep -rlw --include='*.swift' 'import \(library)' '\(Programs.root)/Sources'")
        for line in told.output.split(separator: "\n") {
            let room = String(line.dropFirst(Programs.root.count + "/Sources/".count).prefix { $0 != "/" })
            #expect(rooms.contains(room), "\(room) imports \(library)")
        }
        #expect(told.status == 0, "nobody imports \(library)")
    }

    @Test func `no device room imports Foundation`() throws {
        let told = try Programs.shell(
            "grep -rn --include='*.swift' 'import Foundation' '\(Programs.root)/Sources' | grep -v /execora-gateway/")
        #expect(told.output.isEmpty, "\(told.output)")
    }

    /// Rooms form a path, not a web.
    @Test(arguments: [
        ("AudioIO", [String]()), ("WakeWord", ["JSONText"]), ("OpusCoding", []),
        ("Seals", ["JSONText", "Flash"]), ("JSONText", []), ("Flash", []),
        ("Ledger", ["Seals", "JSONText", "Flash"]), ("Conversation", ["Ledger", "JSONText"]),
        ("LedgerSync", ["Ledger", "Seals", "JSONText"]),
        ("CloudLink", ["Conversation", "Seals", "JSONText", "OpusCoding", "Ledger", "Flash"]),
        ("Diagnostics", ["JSONText"]),
    ])
    func `a room imports only its neighbours`(room: String, neighbours: [String]) throws {
        let rooms = [
            "AudioIO", "WakeWord", "OpusCoding", "Seals", "JSONText", "Ledger", "Conversation", "LedgerSync",
            "CloudLink",
            "Diagnostics", "Flash",
        ]
        let told = try Programs.shell("grep -rhE '^(@testable )?import ' '\(Programs.root)/Sources/\(room)'")
        for line in Set(told.output.split(separator: "\n")) {
            let name = String(line.split(separator: " ").last ?? "")
            #expect(!rooms.contains(name) || neighbours.contains(name), "\(room) imports \(name)")
        }
    }

    @Test func `a wrong configuration ends with 2 and every mistake`() throws {
        let file = "/tmp/execora-house-\(getpid()).toml"
        defer { unlink(file) }
        let told = try Programs.shell(
            "printf '[audio]\\nbackend = \"jack\"\\n[mill]\\nwheel = 1\\n' > \(file); '\(try Programs.path("execorad"))' run --config \(file)"
        )
        #expect(told.status == 2)
        #expect(told.output.contains("audio.backend") && told.output.contains("mill.wheel"))
    }

    @Test(arguments: ["execorad", "execoractl"])
    func `--help helps and ends with 0`(program: String) throws {
        let told = try Programs.shell("'\(try Programs.path(program))' --help")
        #expect(told.status == 0)
        #expect(told.output.contains("usage: \(program)"))
    }
}
