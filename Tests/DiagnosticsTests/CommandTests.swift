import Diagnostics
import Glibc
import JSONText
import Testing

/// `execoractl` itself, as a process, against a server in this one.
@Suite struct CommandTests {
    private static let status: JSONValue = [
        "version": "0.1", "uptime_s": 9000, "mic": "open", "mute": [], "flat": false,
        "level": ["rms": 512, "peak": 3000, "floor": 30], "capture": ["overruns": 0],
        "wake": ["model": "okay_nabu", "phrase": "okay nabu", "cutoff": 850, "score": 21], "in_turn": false,
        "speaking": false, "question_open": false, "link": "up", "spool": 0,
        "book": ["epoch": 1, "seq": 42, "hash": "00112233445566778899aabbccddeeff"],
        "sync": [
            "phase": "resting", "reason": nil, "failure": nil, "head_seq": 42, "receipted_seq": 41, "pending": 1,
            "parked_seq": nil, "next_try_ms": 2100, "receipt_no": 7,
        ],
    ]

    private static let methods = [
        Method("status", .view, ""), Method("say", .tech, ""), Method("mute.set", .tech, ""),
        Method("turn.watch", .view, form: .stream, ""), Method("turn.last", .view, ""),
        Method("sync.show", .view, ""), Method("queue.show", .view, ""), Method("ledger.verify", .view, ""),
    ]

    private final class Daemon {
        let bench: Bench
        let path: String
        let server: DiagnosticsServer

        init(role: Role = .tech, status: JSONValue = CommandTests.status) throws {
            bench = try Bench()
            path = bench.folder + "/other"
            server = DiagnosticsServer(
                sockets: [SocketPlace(path: path, role: role, mode: 0o600)], methods: CommandTests.methods,
                version: "test"
            ) { call in
                switch call.method {
                case "status": call.reply.succeed(status)
                case "say":
                    call.reply.succeed([
                        "speech": .string("heard " + (call.parameters["text"]?.string ?? "")),
                        "intent": "RECORD_PAYMENT", "code": "OK", "gate": "none",
                        "journal": [["seq": 43, "hash": "ffeeddccbbaa99887766554433221100"]],
                    ])
                case "mute.set": call.reply.fail(.refused("the switch on the box is off"))
                case "turn.watch":
                    guard let stream = call.reply.watch() else { return }
                    stream.push(["turn": "01", "opening": "wake", "intent": "CHECK_BALANCE", "code": "OK"])
                    stream.push(["through_seq": 43, "receipt_no": 8, "head": "ab"])
                case "turn.last": call.reply.succeed(.null)
                case "sync.show": call.reply.succeed(status["sync"] ?? .null)
                case "queue.show": call.reply.succeed(["waiting": 2])
                default: call.reply.succeed(["valid": false, "reason": "entry 3"])
                }
            }
            try server.start()
        }

        deinit { server.close() }
    }

    /// Runs the program that was built beside this test; with `linesOnly`, ends it after so many lines. By SIGKILL,
    /// since the threads of a test block every other signal and a child inherits that.
    private func run(_ words: [String], linesOnly: Int? = nil) throws -> (code: Int32, out: String, err: String) {
        let bundle = try #require(CommandLine.arguments.first { $0.contains(".xctest") })
        let folder = bundle.split(separator: "/").prefix { !$0.hasSuffix(".xctest") }.reduce("") { $0 + "/" + $1 }
        let program = folder + "/execoractl"
        try #require(access(program, X_OK) == 0, "execoractl is built with the tests: \(program)")
        var pipes = [[Int32]](repeating: [0, 0], count: 2)
        for index in 0..<2 {
            try #require(pipe(&pipes[index]) == 0)
            // Another test's child must not hold the writing end open.
            for end in pipes[index] { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, pipes[0][1], 1)
        posix_spawn_file_actions_adddup2(&actions, pipes[1][1], 2)
        var arguments: [UnsafeMutablePointer<CChar>?] = ([program] + words).map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        var child: pid_t = 0
        try #require(posix_spawn(&child, program, &actions, nil, &arguments, environ) == 0)
        close(pipes[0][1])
        close(pipes[1][1])
        var text: [[UInt8]] = [[], []]
        for index in 0..<2 {
            var chunk = [UInt8](repeating: 0, count: 4096)
            while case let count = read(pipes[index][0], &chunk, chunk.count), count > 0 {
                text[index] += chunk[..<count]
                if let linesOnly, text[0].count(where: { $0 == 0x0A }) >= linesOnly { kill(child, SIGKILL) }
            }
            close(pipes[index][0])
        }
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0, errno == EINTR {}
        return (
            (status >> 8) & 0xFF, String(decoding: text[0], as: UTF8.self), String(decoding: text[1], as: UTF8.self)
        )
    }

    @Test func `status is one screen for people and one line for scripts`() throws {
        let daemon = try Daemon()
        let people = try run(["status", "--socket", daemon.path])
        #expect(people.code == 0)
        let lines = people.out.split(separator: "\n")
        #expect(lines.count <= 24 && lines.allSatisfy { $0.count <= 80 }, "\(people.out)")
        for part in [
            "up 2 h", "open, level 512", "\"okay nabu\" (okay_nabu), cutoff 0.850, now 0.021", "problem       none",
        ] {
            #expect(people.out.contains(part), "\(part) in \(people.out)")
        }
        let script = try run(["status", "--json", "--socket", daemon.path])
        #expect(script.code == 0 && script.out == Self.status.text + "\n")
    }

    @Test(
        arguments: [
            (["mic": "lost"], "the microphone is gone"), (["mic": "muted"], "execoractl unmute"),
            (["mic": "open", "flat": true], "no sound at all"),
            (["mic": "open", "book": nil], "the book cannot be read"),
            (["mic": "open", "sync": ["reason": "fork"], "link": "down"], "sync has stopped (fork)"),
            (["mic": "open", "sync": ["parked_seq": 9], "link": "up"], "refuses entry 9"),
            (["mic": "open", "link": "down"], "the gateway is not reached (down)"),
        ] as [(JSONValue, String)])
    func `the top problem is said in plain words`(status: JSONValue, words: String) throws {
        let daemon = try Daemon(status: status)
        #expect(try run(["status", "--socket", daemon.path]).out.contains(words))
    }

    @Test func `say gives the answer and what was written`() throws {
        let daemon = try Daemon()
        let said = try run(["say", "Rahul ne do sau cash diye", "--socket", daemon.path])
        #expect(said.code == 0)
        #expect(said.out.hasPrefix("heard Rahul ne do sau cash diye\n"))
        #expect(said.out.contains("entry 43, hash ffeeddccbbaa9988"))
    }

    /// A terminal obeys control characters; names in the book come from anywhere.
    @Test func `control characters do not reach the terminal`() throws {
        let daemon = try Daemon()
        let said = try run(["say", "a\u{1B}[2Jb", "--socket", daemon.path])
        #expect(said.out.hasPrefix("heard a?[2Jb\n"))
    }

    @Test func `watch gives a line an event as it comes`() throws {
        let daemon = try Daemon()
        let script = try run(["watch", "turn.watch", "--json", "--socket", daemon.path], linesOnly: 2)
        #expect(
            script.out == #"{"turn":"01","opening":"wake","intent":"CHECK_BALANCE","code":"OK"}"# + "\n"
                + #"{"through_seq":43,"receipt_no":8,"head":"ab"}"# + "\n")
        let people = try run(["watch", "turn.watch", "--socket", daemon.path], linesOnly: 2)
        #expect(people.out.contains("wake: CHECK_BALANCE OK") && people.out.contains("no 8 through entry 43"))
    }

    @Test func `each way to fail has its exit code and its words`() throws {
        let daemon = try Daemon()
        let view = try Daemon(role: .view)
        let table: [(words: [String], code: Int32, text: String)] = [
            (["mute", "--socket", daemon.path], 1, "the switch on the box is off"),
            (["mute", "--socket", view.path], 3, "needs the role tech"),
            (["status", "--socket", daemon.bench.folder + "/nobody"], 2, "is execorad running?"),
            (["watch", "no.such", "--socket", daemon.path], 2, "no such method"),
            (["say", "--socket", daemon.path], 2, "usage: execoractl say"),
            (["status", "--sockt", daemon.path], 2, "usage: execoractl status"),
            (["turn", "first", "--socket", daemon.path], 2, "usage: execoractl turn last"),
            (["status", "--help"], 0, "usage: execoractl status"),
            (["turn", "last", "--socket", daemon.path], 0, "no turn since the daemon started"),
            (["sync", "show", "--socket", daemon.path], 0, "next round    in 3 s"),
            (["queue", "show", "--socket", daemon.path], 0, "waiting       2"),
        ]
        for (words, code, text) in table {
            let ended = try run(words)
            // What goes wrong is said in lines of 80 columns.
            let said = ended.out + ended.err.split(whereSeparator: \.isWhitespace).joined(separator: " ")
            #expect(ended.code == code && said.contains(text), "\(words): \(ended)")
        }
    }
}
