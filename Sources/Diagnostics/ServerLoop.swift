import Glibc
import JSONText

/// The server's thread: polls sockets and clients, reads calls, sends what the mailbox holds.
final class ServerLoop {
    typealias Count = @Sendable ((inout DiagnosticsServer.Counts) -> Void) -> Void

    private let methods: [String: Method]
    private let table: JSONValue
    private let greeting: (Role) -> [UInt8]
    private let limits: DiagnosticsLimits
    private let bell: Bell
    private let mailbox: Mailbox
    private let handler: @Sendable (Call) -> Void
    private let tell: @Sendable (DiagnosticsEvent) -> Void
    private let count: Count
    private let service: ServiceDoor
    private var listeners: [Listener] = []
    private var sessions: [Int: Session] = [:]
    private var lastNumber = 0
    /// While the process has no descriptor left nobody is let in: a poll would otherwise return at once, for ever.
    private var closedUntil: Int64 = 0
    static let closedMilliseconds: Int64 = 1000

    /// Holds a noncopyable socket in an array.
    private final class Listener {
        let socket: ListeningSocket

        init(_ socket: consuming ListeningSocket) { self.socket = socket }
    }

    init(
        methods: [Method], greeting: @escaping (Role) -> [UInt8], limits: DiagnosticsLimits, bell: Bell,
        handler: @escaping @Sendable (Call) -> Void, tell: @escaping @Sendable (DiagnosticsEvent) -> Void,
        service: ServiceDoor, count: @escaping Count
    ) {
        self.service = service
        self.methods = Dictionary(uniqueKeysWithValues: methods.map { ($0.name, $0) })
        table = .object([.init("methods", .array(methods.map(Self.row)))])
        self.greeting = greeting
        self.limits = limits
        self.bell = bell
        mailbox = Mailbox(wake: { bell.ring() })
        self.handler = handler
        self.tell = tell
        self.count = count
    }

    private static func row(_ method: Method) -> JSONValue {
        var members: [JSONValue.Member] = [
            .init("name", .string(method.name)), .init("role", .string(method.role.name)),
            .init("form", .string(method.form.rawValue)), .init("summary", .string(method.summary)),
            .init(
                "parameters",
                .array(
                    method.parameters.map {
                        [
                            "name": .string($0.name), "kind": .string($0.kind), "required": .bool($0.isRequired),
                        ]
                    })),
        ]
        if let lacks = method.lacks { members.append(.init("lacks", .string(lacks))) }
        return .object(members)
    }

    func add(_ socket: consuming ListeningSocket) { listeners.append(Listener(socket)) }

    func run() {
        while !bell.isStopping {
            // Room is kept for one line at most: a client with a call too many open is read no further.
            let clients = sessions.values.sorted { $0.number < $1.number }
            var polled = [pollfd(fd: bell.readEnd, events: Int16(POLLIN), revents: 0)]
            let isOpen = Self.now() >= closedUntil
            polled += listeners.map {
                pollfd(fd: $0.socket.descriptor, events: isOpen ? Int16(POLLIN) : 0, revents: 0)
            }
            polled += clients.map { client in
                let reads = client.leaving == nil ? Int16(POLLIN) : 0
                return pollfd(
                    fd: client.descriptor, events: reads | (client.unsentBytes > 0 ? Int16(POLLOUT) : 0), revents: 0)
            }
            let ready = poll(&polled, nfds_t(polled.count), pollMilliseconds(Self.now()))
            let now = Self.now()
            if ready > 0 {
                if polled[0].revents != 0 { bell.silence() }
                for (listener, entry) in zip(listeners, polled[1...]) where entry.revents != 0 { accept(listener, now) }
                for (client, entry) in zip(clients, polled[(1 + listeners.count)...]) where entry.revents != 0 {
                    if entry.revents & Int16(POLLIN | POLLHUP | POLLERR) != 0, client.leaving == nil {
                        serve(client, now)
                    } else if entry.revents & Int16(POLLHUP | POLLERR) != 0 {
                        drop(client, .closed)
                    }
                }
            }
            deliver()
            for client in sessions.values { finish(client, now) }
        }
        for client in sessions.values {
            _ = client.write()
            drop(client, .stopping)
        }
    }

    // MARK: Clients come and go

    private func accept(_ listener: Listener, _ now: Int64) {
        let descriptor = Glibc.accept(listener.socket.descriptor, nil, nil)
        guard descriptor >= 0 else {
            if [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(errno) { closedUntil = now + Self.closedMilliseconds }
            return
        }
        // accept4 is not in Glibc's module. A child made between these lines would hold the connection while it lives.
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        let role = listener.socket.place.role
        guard let peer = Self.peer(of: descriptor, role: role) else {
            Glibc.close(descriptor)
            return
        }
        guard sessions.values.filter({ $0.socketRole == role }).count < limits.clientsMax else {
            let line = RPCLine.fault(.busy("\(limits.clientsMax) clients are connected already"), id: .null)
            _ = line.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            Glibc.close(descriptor)
            count { $0.turnedAway += 1 }
            tell(.left(peer, .full))
            return
        }
        lastNumber += 1
        admit(Session(number: lastNumber, descriptor: descriptor, peer: peer, limits: limits, now: now))
    }

    /// From here on the client is one of the served; it is greeted first.
    func admit(_ client: Session) {
        client.queue(greeting(client.socketRole))
        sessions[client.number] = client
        count { $0.connected += 1 }
        tell(.connected(client.peer))
    }

    /// `struct ucred` is not in Glibc's module: three 32-bit numbers, pid, uid, gid (unix(7)).
    private static func peer(of descriptor: Int32, role: Role) -> Peer? {
        var facts: [UInt32] = [0, 0, 0]
        var length = socklen_t(MemoryLayout<UInt32>.size * facts.count)
        guard getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &facts, &length) == 0 else { return nil }
        return Peer(pid: Int32(bitPattern: facts[0]), uid: facts[1], gid: facts[2], role: role)
    }

    func drop(_ client: Session, _ reason: DiagnosticsEvent.LeaveReason) {
        client.gate.isOpen.store(false, ordering: .releasing)
        guard sessions.removeValue(forKey: client.number) != nil else { return }
        if reason == .slow { count { $0.droppedSlow += 1 } }
        tell(.left(client.peer, reason))
    }

    /// Sends what waits, then lets go whoever is done, slow, or past its time.
    private func finish(_ client: Session, _ now: Int64) {
        guard client.write() else { return drop(client, .closed) }
        if client.unsentBytes > limits.unsentBytesMax { return drop(client, .slow) }
        if client.isDone { return drop(client, client.leaving ?? .closed) }
        if let (at, reason) = client.deadline(limits), now >= at { drop(client, client.leaving ?? reason) }
    }

    private func pollMilliseconds(_ now: Int64) -> Int32 {
        var moments = sessions.values.compactMap { $0.deadline(limits)?.at }
        if closedUntil > now { moments.append(closedUntil) }
        guard let nearest = moments.min() else { return -1 }
        return Int32(clamping: max(0, nearest - now))
    }

    // MARK: Calls

    private func serve(_ client: Session, _ now: Int64) {
        guard client.read(now: now) else { return drop(client, .closed) }
        hear(client, now)
    }

    /// Takes every whole line the client has sent. No descriptor is touched: a fuzzer comes in here.
    func hear(_ client: Session, _ now: Int64) {
        do throws(LineTooLong) {
            while let line = try client.nextLine(now: now) {
                guard !line.isEmpty else { continue }
                take(line, from: client)
                // Calls answered at once leave room for the next, however many came in one piece.
                deliver()
                guard sessions[client.number] != nil else { return }
            }
        } catch {
            count { $0.malformed += 1 }
            client.queue(RPCLine.fault(.notARequest("a line is at most \(limits.lineBytesMax) bytes"), id: .null))
            client.leave(.longLine)
        }
    }

    private func take(_ line: [UInt8], from client: Session) {
        let request: RPCRequest
        do { request = try RPCRequest(line) } catch {
            count { $0.malformed += 1 }
            return client.queue(RPCLine.fault(error.fault, id: error.id))
        }
        func refuse(_ fault: CallFault) {
            count { $0.refused += 1 }
            if let id = request.id { client.queue(RPCLine.fault(fault, id: id)) }
        }
        guard let method = methods[request.method] else {
            return refuse(CallFault(code: CallFault.unknownMethodCode, message: "no such method"))
        }
        let file = client.takeFile()
        client.weigh(isPresent: client.socketRole >= .tech && service.isPresent(), now: Self.now())
        guard client.peer.role >= method.role else {
            tell(.refused(method: method.name, client.peer))
            let how = method.role == .service ? ": \(service.advice)" : ""
            return refuse(.notAllowed("'\(method.name)' needs the role \(method.role.name)\(how)"))
        }
        if let lacks = method.lacks { return refuse(.refused("'\(method.name)' cannot be done: \(lacks)")) }
        if method.form == .file, file == nil {
            return refuse(.badParameters("'\(method.name)' writes to a file that is sent along with the call"))
        }
        guard client.openCalls < limits.callsMax else {
            return refuse(.busy("\(limits.callsMax) calls are open already"))
        }
        if method.isStream {
            guard request.id != nil else { return refuse(.notARequest("a stream is asked for with an id")) }
            guard !client.hasStream else { return refuse(.busy("one stream a client")) }
        }
        count { $0.calls += 1 }
        tell(.called(method: method.name, client.peer))
        if method.name == "methods" {
            if let id = request.id { client.queue(RPCLine.result(table, id: id)) }
            return
        }
        if method.name == "service.begin" { return beginService(client, request) }
        client.callOpened(isStream: method.isStream)
        handler(
            Call(
                method: method.name, parameters: request.parameters, peer: client.peer,
                file: method.form == .file ? file : nil,
                reply: Reply(
                    id: request.id, session: client.number, method: method, mailbox: mailbox, gate: client.gate,
                    answerBytesMax: limits.answerBytesMax,
                    peer: client.peer)))
    }

    /// Shows a token on this connection. It counts for this connection alone and until its time is over.
    private func beginService(_ client: Session, _ request: RPCRequest) {
        let answer: [UInt8]
        let id = request.id ?? .null
        switch request.parameters["token"]?.string.map(service.token) {
        case nil: answer = RPCLine.fault(.badParameters("token is missing"), id: id)
        case .failure(let fault):
            count { $0.refused += 1 }
            answer = RPCLine.fault(fault, id: id)
        case .success(let grant):
            client.rise(grant, until: Self.now() + grant.milliseconds)
            answer = RPCLine.result(
                [
                    "role": "service", "holder": .string(grant.holder),
                    "seconds": .integer(grant.milliseconds / 1000),
                ], id: id)
        }
        client.weigh(isPresent: service.isPresent(), now: Self.now())
        tell(.answered(method: request.method, client.peer, isOK: client.peer.role == .service))
        if request.id != nil { client.queue(answer) }
    }

    func deliver() {
        for letter in mailbox.take() {
            switch letter {
            case .answer(let number, let line, let endsStream):
                guard let client = sessions[number] else { continue }
                client.callAnswered(endsStream: endsStream)
                client.queue(line)
            case .push(let number, let line, let isLast):
                guard let client = sessions[number] else { continue }
                if isLast { client.streamEnded() }
                client.queue(line)
                // Looked at here too: many letters may have come in one turn.
                if client.unsentBytes > limits.unsentBytesMax {
                    if !client.write() {
                        drop(client, .closed)
                    } else if client.unsentBytes > limits.unsentBytesMax {
                        drop(client, .slow)
                    }
                }
            case .event(let event): tell(event)
            case .slow(let number):
                if let client = sessions[number] { drop(client, .slow) }
            }
        }
    }

    static func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}
