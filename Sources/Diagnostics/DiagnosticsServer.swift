import Glibc
import JSONText
import Synchronization

/// Answers technicians on unix sockets.
///
/// One thread polls everything and calls the handler; the handler must be quick, and gives `Call.reply` to another
/// thread where the answer takes time. Slow clients never hold anyone up: they are dropped and counted.
public final class DiagnosticsServer: Sendable {
    /// Since the start.
    public struct Counts: Hashable, Sendable {
        public var connected: Int64 = 0
        public var calls: Int64 = 0
        public var refused: Int64 = 0
        public var malformed: Int64 = 0
        public var droppedSlow: Int64 = 0
        public var turnedAway: Int64 = 0
    }

    public static let api: Int64 = 1

    private let places: [SocketPlace]
    private let methods: [Method]
    private let version: String
    private let limits: DiagnosticsLimits
    private let handler: @Sendable (Call) -> Void
    private let tell: @Sendable (DiagnosticsEvent) -> Void
    private let service: ServiceDoor
    private let counted = Mutex(Counts())
    private let running = Mutex<(thread: pthread_t, bell: Bell)?>(nil)

    /// - Parameters:
    ///   - methods: all that can be asked, with the role each needs. `methods` itself is answered by the server.
    ///   - version: of the program, told in the greeting.
    ///   - service: how callers rise to the level of service; `service.begin` is answered by the server too.
    ///   - handler: called on the server's thread, for known methods and callers with the right alone.
    ///   - tell: called on the server's thread.
    public init(
        sockets: [SocketPlace], methods: [Method], version: String, limits: DiagnosticsLimits = .init(),
        service: ServiceDoor = .shut,
        tell: @escaping @Sendable (DiagnosticsEvent) -> Void = { _ in }, handler: @escaping @Sendable (Call) -> Void
    ) {
        precondition(Set(methods.map(\.name)).count == methods.count, "a method stands twice in the table")
        places = sockets
        self.methods =
            methods + [
                Method("methods", .view, "what can be asked, and by whom"),
                Method(
                    "service.begin", .tech, "rise to service on this connection with a technician's token",
                    [.init("token", "text")]),
            ]
        self.service = service
        self.version = version
        self.limits = limits
        self.handler = handler
        self.tell = tell
    }

    public var counts: Counts { counted.withLock { $0 } }

    /// Opens all sockets, or none, and starts the thread.
    public func start() throws(DiagnosticsError) {
        let bell: Bell
        do { bell = try Bell() } catch { throw .system(code: error.code, operation: "pipe", path: "") }
        let loop = ServerLoop(
            methods: methods, greeting: greeting, limits: limits, bell: bell, handler: handler, tell: tell,
            service: service,
            count: { [self] change in counted.withLock { change(&$0) } })
        for place in places { loop.add(try ListeningSocket.open(place)) }
        let thread = Self.startThread(loop)
        running.withLock { running in
            precondition(running == nil, "the server was started twice")
            running = (thread, bell)
        }
    }

    /// Lets all clients go, removes the sockets, ends the thread and waits for it.
    public func close() {
        guard
            let (thread, bell) = running.withLock({ running in
                defer { running = nil }
                return running
            })
        else { return }
        bell.stop()
        pthread_join(thread, nil)
    }

    private func greeting(_ role: Role) -> [UInt8] {
        RPCLine.line([
            .init(
                "hello",
                .object([
                    .init("api", .integer(Self.api)), .init("version", .string(version)),
                    .init("role", .string(role.name)),
                    .init(
                        "limits",
                        .object([
                            .init("line_bytes", .integer(Int64(limits.lineBytesMax))),
                            .init("clients", .integer(Int64(limits.clientsMax))),
                            .init("calls", .integer(Int64(limits.callsMax))), .init("streams", 1),
                        ])),
                ]))
        ])
    }

    private static func startThread(_ loop: sending ServerLoop) -> pthread_t {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        // JSON is read by recursion, at most 64 deep; a quarter of this was never seen used.
        pthread_attr_setstacksize(&attributes, 512 * 1024)
        defer { pthread_attr_destroy(&attributes) }
        var thread: pthread_t = 0
        let context = Unmanaged.passRetained(loop).toOpaque()
        let code = pthread_create(
            &thread, &attributes,
            { context in
                let file = open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
                if file >= 0 {
                    _ = "diagnostics".withCString { write(file, $0, 11) }
                    Glibc.close(file)
                }
                Unmanaged<ServerLoop>.fromOpaque(context!).takeRetainedValue().run()
                return nil
            }, context)
        precondition(code == 0, "no thread for diagnostics: error \(code)")
        return thread
    }
}

/// Wakes a thread that polls: a pipe, since Glibc's module has no eventfd.
final class Bell: Sendable {
    struct Failure: Error { var code: Int32 }

    let readEnd: Int32
    private let writeEnd: Int32
    private let stopping = Atomic<Bool>(false)

    init() throws(Failure) {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw Failure(code: errno) }
        for end in ends {
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
        }
        (readEnd, writeEnd) = (ends[0], ends[1])
    }

    deinit {
        close(readEnd)
        close(writeEnd)
    }

    var isStopping: Bool { stopping.load(ordering: .acquiring) }

    /// A full pipe rings already.
    func ring() {
        var byte: UInt8 = 1
        _ = write(writeEnd, &byte, 1)
    }

    func stop() {
        stopping.store(true, ordering: .releasing)
        ring()
    }

    func silence() {
        var bytes = [UInt8](repeating: 0, count: 64)
        while read(readEnd, &bytes, bytes.count) > 0 {}
    }
}
