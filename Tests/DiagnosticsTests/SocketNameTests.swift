import Diagnostics
import Glibc
import Testing

@Suite struct SocketNameTests {
    private func server(_ path: String, mode: UInt32 = 0o660) -> DiagnosticsServer {
        DiagnosticsServer(
            sockets: [SocketPlace(path: path, role: .view, mode: mode)], methods: [], version: "test",
            handler: { $0.reply.succeed(.null) })
    }

    @Test(arguments: [0o660, 0o600, 0o666] as [UInt32])
    func `a socket has its mode, whatever the mask`(mode: UInt32) throws {
        let bench = try Bench()
        let path = bench.folder + "/other"
        let server = server(path, mode: mode)
        try server.start()
        defer { server.close() }
        var facts = stat()
        #expect(lstat(path, &facts) == 0 && facts.st_mode & 0o777 == mode)
    }

    @Test func `a name left over from a killed daemon is replaced`() throws {
        let bench = try Bench()
        let path = bench.folder + "/other"
        // Bound and closed without unlinking: what SIGKILL leaves.
        let left = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(left, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        #expect(bound == 0)
        close(left)
        let server = server(path)
        try server.start()
        defer { server.close() }
        #expect(try DiagnosticsClient.connect(path: path).hello["role"] == "view")
    }

    @Test func `a second daemon leaves the first one's socket alone`() throws {
        let bench = try Bench()
        #expect(throws: DiagnosticsError.inUse(path: bench.viewPath)) { try server(bench.viewPath).start() }
        #expect(try DiagnosticsClient.connect(path: bench.viewPath).call("echo") == .object([]))
    }

    @Test func `a file of that name is left alone`() throws {
        let bench = try Bench()
        let path = bench.folder + "/other"
        let file = open(path, O_CREAT | O_WRONLY, 0o600)
        close(file)
        #expect(throws: DiagnosticsError.notASocket(path: path)) { try server(path).start() }
        #expect(access(path, F_OK) == 0)
    }

    @Test func `a path too long and a folder that is not there are told`() {
        let long = "/tmp/" + String(repeating: "x", count: 110)
        #expect(throws: DiagnosticsError.pathTooLong(path: long)) { try server(long).start() }
        #expect(
            throws: DiagnosticsError.system(code: ENOENT, operation: "bind", path: "/tmp/execora-no-such/s.new")
        ) { try server("/tmp/execora-no-such/s").start() }
    }
}
