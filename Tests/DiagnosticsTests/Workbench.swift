import Diagnostics
import Glibc
import JSONText
import Synchronization

/// A folder of a test's own with a server in it.
final class Bench: Sendable {
    let folder: String
    let server: DiagnosticsServer
    let desk: Desk

    var viewPath: String { folder + "/view.sock" }
    var controlPath: String { folder + "/control.sock" }

    /// What the handler keeps for a test: calls to be answered later and open streams.
    final class Desk: Sendable {
        struct State {
            var held: [Call] = []
            var streams: [Subscription] = []
            var events: [DiagnosticsEvent] = []
        }

        let state = Mutex(State())

        func handle(_ call: Call) {
            switch call.method {
            case "echo": call.reply.succeed(call.parameters)
            case "peer":
                call.reply.succeed([
                    "pid": .integer(Int64(call.peer.pid)), "uid": .integer(Int64(call.peer.uid)),
                    "role": .string(call.peer.role.name),
                ])
            case "big":
                let count = Int(call.parameters["bytes"]?.integer ?? 0)
                call.reply.succeed(.string(String(repeating: "x", count: count)))
            case "refuse": call.reply.fail(.refused("not now"))
            case "hold": state.withLock { $0.held.append(call) }
            case "forget", "mute.set": break
            case "turn.watch":
                if let stream = call.reply.watch() { state.withLock { $0.streams.append(stream) } }
            default: call.reply.fail(.failed("no such thing here"))
            }
        }
    }

    static let methods = [
        Method("echo", .view, "gives the parameters back"), Method("peer", .view, "who asks"),
        Method("big", .view, "a long answer"), Method("refuse", .view, "says no"),
        Method("hold", .view, "answers later"), Method("forget", .view, "never answers"),
        Method("turn.watch", .view, form: .stream, "a stream"), Method("mute.set", .tech, "changes something"),
        Method("identity.reset", .service, "dangerous"),
    ]

    init(_ change: (inout DiagnosticsLimits) -> Void = { _ in }) throws {
        var random = SystemRandomNumberGenerator()
        folder = "/tmp/execora-diagnostics-" + String(random.next(), radix: 16)
        precondition(mkdir(folder, 0o700) == 0, "no scratch folder: \(errno)")
        var limits = DiagnosticsLimits()
        change(&limits)
        let desk = Desk()
        self.desk = desk
        server = DiagnosticsServer(
            sockets: [
                SocketPlace(path: folder + "/view.sock", role: .view, mode: 0o666),
                SocketPlace(path: folder + "/control.sock", role: .tech, mode: 0o600),
            ],
            methods: Self.methods, version: "test", limits: limits,
            tell: { event in desk.state.withLock { $0.events.append(event) } }, handler: { desk.handle($0) })
        try server.start()
    }

    deinit {
        desk.state.withLock {
            $0.held = []
            $0.streams = []
        }
        server.close()
        for name in ["/view.sock", "/control.sock", "/other"] { unlink(folder + name) }
        rmdir(folder)
    }

    func client() throws -> DiagnosticsClient { try DiagnosticsClient.connect(path: controlPath) }
    func raw() throws -> RawClient { try RawClient(path: viewPath) }

    /// Waits for what another thread is about to do; fails the test by the caller's expectation when it does not.
    func eventually(_ condition: () -> Bool) -> Bool {
        for _ in 0..<2000 {
            if condition() { return true }
            usleep(2000)
        }
        return false
    }
}

/// A client that may say anything.
final class RawClient {
    struct Failure: Error { var code: Int32 }

    let descriptor: Int32
    private var held: [UInt8] = []

    init(path: String) throws {
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard code == 0 else { throw Failure(code: errno) }
    }

    deinit { close(descriptor) }

    /// False once the server has closed.
    @discardableResult
    func say(_ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count <= 0 { return false }
            sent += count
        }
        return true
    }

    @discardableResult
    func say(_ text: String) -> Bool { say(Array(text.utf8)) }

    /// The next line, nil when the server closed or nothing came in 5 s.
    func line() -> JSONValue? {
        while true {
            if let end = held.firstIndex(of: 0x0A) {
                let line = Array(held[..<end])
                held.removeFirst(end + 1)
                return try? JSONValue(parsing: line)
            }
            var polled = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&polled, 1, 5000) > 0 else { return nil }
            var chunk = [UInt8](repeating: 0, count: 65_536)
            let count = recv(descriptor, &chunk, chunk.count, 0)
            guard count > 0 else { return nil }
            held += chunk[..<count]
        }
    }

    /// True when the server ends the connection within 5 s; lines before it are read away.
    var isClosed: Bool {
        while true {
            var polled = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&polled, 1, 5000) > 0 else { return false }
            var chunk = [UInt8](repeating: 0, count: 65_536)
            if recv(descriptor, &chunk, chunk.count, 0) <= 0 { return true }
        }
    }
}
