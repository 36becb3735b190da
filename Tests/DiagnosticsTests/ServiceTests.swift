import Glibc
import JSONText
import Synchronization
import Testing

@testable import Diagnostics

/// The third level, files, jobs and parts that are not there.
@Suite struct ServiceTests {
    private final class Rig: Sendable {
        let folder: String
        let server: DiagnosticsServer
        let present = Atomic<Bool>(false)
        let events = Mutex<[DiagnosticsEvent]>([])
        var path: String { folder + "/control.sock" }

        static let methods = [
            Method("echo", .view, "gives the parameters back", [.init("name", "text")]),
            Method("audio.record", .service, form: .file, "a sound"),
            Method("selftest.run", .tech, form: .job, "looks at all"),
            Method("update.check", .tech, "asks for an update", lacks: "no update system is installed"),
            Method("identity.reset", .service, "dangerous"),
        ]

        init(sockets: (String) -> [SocketPlace]) throws {
            var random = SystemRandomNumberGenerator()
            let folder = "/tmp/execora-service-" + String(random.next(), radix: 16)
            self.folder = folder
            precondition(mkdir(folder, 0o700) == 0, "no scratch folder: \(errno)")
            let present = UnownedPresent()
            let box = EventBox()
            server = DiagnosticsServer(
                sockets: sockets(folder), methods: Self.methods, version: "test",
                service: ServiceDoor(
                    isPresent: { present.rig?.present.load(ordering: .relaxed) ?? false },
                    token: { text in
                        text == "good"
                            ? .success(ServiceGrant(holder: "meena", mark: "00ff", milliseconds: 60_000))
                            : .failure(.notAllowed("not signed by us"))
                    }), tell: { box.add($0) },
                handler: { call in
                    switch call.method {
                    case "audio.record":
                        guard let file = call.file, file.isPlainAndWritable else {
                            return call.reply.fail(.badParameters("the file must be a plain one"))
                        }
                        _ = file.write(Array("RIFF".utf8))
                        call.reply.succeed(["bytes": 4])
                    case "selftest.run":
                        guard let job = call.reply.watch() else { return }
                        job.push(["step": "first"])
                        job.push(["step": "second"])
                        job.finish(["passed": true])
                    default: call.reply.succeed(call.parameters)
                    }
                })
            box.rig = self
            present.rig = self
            try server.start()
        }

        deinit {
            server.close()
            for name in ["/control.sock", "/view.sock", "/out.wav", "/pipe"] { unlink(folder + name) }
            rmdir(folder)
        }

        final class EventBox: @unchecked Sendable {
            weak var rig: Rig?  // set before the server starts
            func add(_ event: DiagnosticsEvent) { rig?.events.withLock { $0.append(event) } }
        }
        final class UnownedPresent: @unchecked Sendable {
            weak var rig: Rig?  // set before the server starts
        }
    }

    private func rig() throws -> Rig {
        try Rig {
            [SocketPlace(path: $0 + "/control.sock", role: .tech), SocketPlace(path: $0 + "/view.sock", role: .view)]
        }
    }

    private func isRefused(_ code: Int64, _ body: () throws -> JSONValue) -> Bool {
        do { _ = try body() } catch let DiagnosticsClientError.fault(fault) { return fault.code == code } catch {}
        return false
    }

    /// Presence is asked at each call: when the fifteen minutes are over, so is the level.
    @Test func `who stands at the box may do what service may, and no longer than that`() throws {
        let rig = try rig()
        let client = try DiagnosticsClient.connect(path: rig.path)
        #expect(isRefused(CallFault.notAllowedCode) { try client.call("identity.reset") })
        rig.present.store(true, ordering: .relaxed)
        #expect(try client.call("identity.reset") == .object([]))
        rig.present.store(false, ordering: .relaxed)
        #expect(isRefused(CallFault.notAllowedCode) { try client.call("identity.reset") })
    }

    @Test func `presence lifts nobody on the view socket`() throws {
        let rig = try rig()
        rig.present.store(true, ordering: .relaxed)
        let view = try DiagnosticsClient.connect(path: rig.folder + "/view.sock")
        #expect(isRefused(CallFault.notAllowedCode) { try view.call("identity.reset") })
        #expect(isRefused(CallFault.notAllowedCode) { try view.call("service.begin", ["token": "good"]) })
    }

    @Test func `a token lifts its own connection, and a false one nobody`() throws {
        let rig = try rig()
        let client = try DiagnosticsClient.connect(path: rig.path)
        #expect(isRefused(CallFault.notAllowedCode) { try client.call("service.begin", ["token": "forged"]) })
        #expect(isRefused(CallFault.notAllowedCode) { try client.call("identity.reset") })
        #expect(try client.call("service.begin", ["token": "good"])["holder"] == "meena")
        #expect(try client.call("identity.reset") == .object([]))
        let other = try DiagnosticsClient.connect(path: rig.path)
        #expect(isRefused(CallFault.notAllowedCode) { try other.call("identity.reset") })
        // What the journal gets names the holder.
        var isTold = false
        for _ in 0..<2000 where !isTold {
            isTold = rig.events.withLock { events in
                events.contains {
                    guard case .answered("identity.reset", let peer, true) = $0 else { return false }
                    return peer.grant?.holder == "meena" && peer.role == .service
                }
            }
            if !isTold { usleep(2000) }
        }
        #expect(isTold)
    }

    @Test func `a part that is not there is listed and named, and its call refused`() throws {
        let rig = try rig()
        let client = try DiagnosticsClient.connect(path: rig.path)
        let listed = try client.call("methods")["methods"]?.array?.first { $0["name"] == "update.check" }
        #expect(listed?["lacks"] == "no update system is installed")
        #expect(isRefused(CallFault.refusedCode) { try client.call("update.check") })
        let echo = try client.call("methods")["methods"]?.array?.first { $0["name"] == "echo" }
        #expect(echo?["parameters"]?.array?.first?["name"] == "name")
    }

    /// The daemon opens no path for anybody: the client's own rights decide what is written to.
    @Test func `bulk goes to the file the client opened`() throws {
        let rig = try rig()
        rig.present.store(true, ordering: .relaxed)
        let client = try DiagnosticsClient.connect(path: rig.path)
        #expect(isRefused(-32_602) { try client.call("audio.record") })
        let out = open(rig.folder + "/out.wav", O_RDWR | O_CREAT | O_TRUNC, 0o600)
        #expect(try client.call("audio.record", file: out)["bytes"] == 4)
        var bytes = [UInt8](repeating: 0, count: 16)
        #expect(pread(out, &bytes, 16, 0) == 4 && bytes.starts(with: Array("RIFF".utf8)))
        close(out)
        // One file, one call.
        #expect(isRefused(-32_602) { try client.call("audio.record") })
    }

    @Test func `a pipe is no place for bulk`() throws {
        let rig = try rig()
        rig.present.store(true, ordering: .relaxed)
        let client = try DiagnosticsClient.connect(path: rig.path)
        #expect(mkfifo(rig.folder + "/pipe", 0o600) == 0)
        let pipe = open(rig.folder + "/pipe", O_RDWR)
        defer { close(pipe) }
        #expect(isRefused(-32_602) { try client.call("audio.record", file: pipe) })
    }

    /// Descriptors that nobody asked for must not pile up in the daemon.
    @Test func `files that no call takes are closed`() throws {
        let rig = try rig()
        let client = try DiagnosticsClient.connect(path: rig.path)
        let before = openDescriptors()
        for _ in 0..<50 {
            let null = open("/dev/null", O_WRONLY)
            _ = try client.call("echo", file: null)
            close(null)
        }
        #expect(openDescriptors() <= before + 1)
    }

    private func openDescriptors() -> Int {
        (0..<1024).count { fcntl(Int32($0), F_GETFD) >= 0 }
    }

    @Test func `a job tells its progress, ends, and leaves room for the next`() throws {
        let rig = try rig()
        let client = try DiagnosticsClient.connect(path: rig.path)
        for _ in 0..<2 {
            var steps: [String] = []
            let result = try client.job("selftest.run") { steps.append($0["step"]?.string ?? "?") }
            #expect(steps == ["first", "second"] && result["passed"] == true)
        }
    }

    /// systemd's socket is used as it is and its name is left when the daemon ends: a waiting client finds the next one.
    @Test func `a socket that was passed is served and its name survives`() throws {
        let rig = try Rig { folder in
            let path = folder + "/control.sock"
            let listening = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
            precondition(UnixAddress.with(path) { bind(listening, $0, $1) } == 0 && listen(listening, 4) == 0)
            return [SocketPlace(path: path, role: .tech, descriptor: listening)]
        }
        #expect(try DiagnosticsClient.connect(path: rig.path).call("echo", ["a": 1]) == ["a": 1])
        rig.server.close()
        #expect(access(rig.path, F_OK) == 0)
    }

    @Test func `a passed descriptor that does not listen is refused`() throws {
        #expect(throws: DiagnosticsError.self) {
            _ = try Rig {
                [
                    SocketPlace(
                        path: $0 + "/control.sock", role: .tech,
                        descriptor: socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0))
                ]
            }
        }
    }
}
