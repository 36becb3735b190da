// libFuzzer's way into the technician's socket: any bytes are what a client sent, in pieces whose size the first byte
// says; the second says which socket it came through, whether somebody stands at the box and whether a file came along.
// Lines are put together, read, judged and answered by the server's own loop, without a descriptor: only `recvmsg` and
// `send` are not here. What must hold: nobody's call reaches the handler without the right to it, and all that is sent
// are lines of JSON.
import JSONText

@testable import Diagnostics

/// One loop for the whole run, as in the daemon; each input is a client of its own.
private final class Rig {
    /// Small, so that the limits are met; the daemon's are larger.
    static let limits: DiagnosticsLimits = {
        var limits = DiagnosticsLimits()
        limits.lineBytesMax = 512
        limits.answerBytesMax = 2048
        limits.unsentBytesMax = 16 * 1024
        limits.callsMax = 3
        return limits
    }()

    static let methods = [
        Method("status", .view, "answers at once"),
        Method("echo", .view, "answers with what it was given", [.init("any", "text", isRequired: false)]),
        Method("later", .tech, "keeps the call and answers the one before"),
        Method("forget", .tech, "is never answered by its handler"),
        Method("lost", .view, "cannot be done", lacks: "no lamp"),
        Method("watch", .view, form: .stream, "tells three things and goes on"),
        Method("job", .tech, form: .job, "tells one thing and ends"),
        Method("record", .service, form: .file, "takes a file"),
        Method("reset", .service, "what nobody may by accident"),
    ]
    static let needs = Dictionary(uniqueKeysWithValues: methods.map { ($0.name, $0.role) })

    nonisolated(unsafe) static var isPresent = false
    nonisolated(unsafe) static var kept: [Call] = []

    let loop: ServerLoop
    var number = 0

    init() {
        guard let bell = try? Bell() else { preconditionFailure("no pipe") }
        loop = ServerLoop(
            methods: Rig.methods + [
                Method("methods", .view, "all"),
                Method("service.begin", .tech, "rise", [.init("token", "text")]),
            ], greeting: { RPCLine.line([.init("hello", .string($0.name))]) }, limits: Rig.limits, bell: bell,
            handler: Rig.answer, tell: { _ in },
            service: ServiceDoor(
                isPresent: { Rig.isPresent },
                token: {
                    $0 == "good"
                        ? .success(ServiceGrant(holder: "meena", mark: "ab", milliseconds: 60_000))
                        : .failure(.notAllowed("no"))
                }), count: { _ in })
    }

    static func answer(_ call: Call) {
        guard let need = needs[call.method] else { preconditionFailure("an unknown method reached the handler") }
        precondition(call.peer.role >= need, "a call without the right to it reached the handler")
        guard case .object = call.parameters else { preconditionFailure("parameters that are no object") }
        switch call.method {
        case "later":
            for earlier in kept { earlier.reply.succeed(["late": true]) }
            kept = [call]
        case "forget": break
        case "watch":
            guard let stream = call.reply.watch() else { preconditionFailure("a stream that was answered before") }
            for step in Int64(0)..<3 { stream.push(["step": .integer(step)]) }
        case "job":
            guard let job = call.reply.watch() else { preconditionFailure("a job that was answered before") }
            job.push(["step": 1])
            job.finish(call.parameters)
        case "record":
            precondition(call.file != nil, "a file's call without a file")
            call.reply.succeed(["bytes": 0])
        default: call.reply.succeed(call.parameters)
        }
    }
}

nonisolated(unsafe) private let rig = Rig()

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzRPC(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard count > 2, let start else { return 0 }
    let bytes = UnsafeBufferPointer(start: start, count: count)
    let piece = 1 + Int(bytes[0])
    let flags = bytes[1]
    Rig.isPresent = flags & 1 != 0
    rig.number += 1
    let role: Role = flags & 2 != 0 ? .tech : .view
    let client = Session(
        number: rig.number, descriptor: -1, peer: Peer(pid: 1, uid: 1, gid: 1, role: role), limits: Rig.limits, now: 0)
    rig.loop.admit(client)
    var at = 2
    while at < count, client.leaving == nil, client.gate.isOpen.load(ordering: .relaxed) {
        let end = min(count, at + piece)
        client.took(bytes[at..<end], flags & 4 != 0 ? [ClientFile(owning: -1)] : [], now: 0)
        at = end
        rig.loop.hear(client, 0)
    }
    Rig.kept = []
    rig.loop.deliver()
    let sent = client.unsent
    precondition(sent.last == 0x0A, "half a line is sent")
    for line in sent.split(separator: 0x0A) {
        precondition((try? JSONValue(parsing: line)) != nil, "what is sent is no JSON")
    }
    precondition(role == .tech || client.peer.role == .view, "somebody rose on the socket for looking")
    rig.loop.drop(client, .closed)
    return 0
}
