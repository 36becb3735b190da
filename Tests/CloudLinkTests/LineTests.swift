import Glibc
import JSONText
import Testing

@testable import CloudLink

/// Everything that needs a server runs one after the other: the machine of a test run is small.
@Suite(.serialized) struct OverTheLine {}

extension OverTheLine {
    @Test(arguments: [
        ("server-expired", "1.3", LinkError.certificate(.gatewayExpired)),
        ("server-early", "1.3", .certificate(.gatewayNotYetValid)),
        ("server-elsewhere", "1.3", .certificate(.gatewayOtherName)),
        ("server", "1.2", .handshake("tlsv1 alert protocol version")),
    ])
    func `a gateway that is not ours is refused, with the reason`(
        certificate: String, tlsMax: String, error: LinkError
    ) throws {
        let gateway = try TestGateway([("certificate", .string(certificate)), ("tls_max", .string(tlsMax))])
        let line = try TestLink(port: gateway.port)
        #expect(try line.events.first() == .down(error))
        #expect(try line.say() == .failure(error))
        // Told once, though it is tried again and again.
        usleep(150_000)
        #expect(line.events.all.count == 1)
        #expect(gateway.count("request") == 0)
    }

    @Test func `a gateway of another root is refused`() throws {
        let gateway = try TestGateway()
        let line = try TestLink(port: gateway.port, trust: "other-ca.pem")
        #expect(try line.events.first() == .down(.certificate(.gatewayUntrusted)))
    }

    @Test(arguments: [("client-expired", "certificate expired"), ("client-stranger", "unknown ca")])
    func `a device the gateway refuses is told so`(client: String, alert: String) throws {
        let gateway = try TestGateway()
        let line = try TestLink(port: gateway.port, client: client)
        #expect(try line.events.first() == .down(.certificate(.deviceRefused(alert))))
    }

    @Test func `a device without a certificate is refused`() throws {
        let gateway = try TestGateway()
        let exchange = try Exchange.open(
            url: "https://localhost:\(gateway.port)/v1/time",
            credentials: .init(trustPath: Certificates.path("ca.pem"), own: nil), limits: .enrolment)
        #expect(exchange.perform() == .failure(.certificate(.deviceRefused("certificate required"))))
    }

    @Test func `files that cannot be read are told apart`() throws {
        let gateway = try TestGateway()
        let noRoot = try TestLink(port: gateway.port, trust: "no-such.pem")
        #expect(try noRoot.events.first() == .down(.certificate(.trustUnreadable)))
        let noChain = try TestLink(port: gateway.port, client: "no-such")
        #expect(try noChain.events.first() == .down(.certificate(.deviceUnreadable)))
    }

    /// Also by number: the certificate names the address.
    @Test func `the gateway may be named by its address`() throws {
        let gateway = try TestGateway()
        let line = try TestLink(port: gateway.port, host: "127.0.0.1")
        try line.up()
    }

    @Test func `a line that comes back is found again`() throws {
        let first = try TestGateway()
        let line = try TestLink(port: first.port, ping: .milliseconds(40), backoffMax: .milliseconds(80))
        try line.up()
        first.stop()
        _ = try line.events.first { $0 == .down(.unreachable(.refused)) }
        #expect(try line.say() == .failure(.unreachable(.refused)))
        let second = try TestGateway([("port", .integer(first.port))])
        _ = try second.event("request")
        _ = try line.say(2).get()
        #expect(line.events.all.last == .up)
    }

    /// The call is taken by the kernel and never answered: no gateway lives there, only a port.
    @Test func `a call without an answer is given up in time`() throws {
        let hole = try DeafPort()
        let line = try TestLink(port: hole.port, host: "127.0.0.1", connect: .milliseconds(100))
        #expect(try line.events.first() == .down(.timedOut(.connecting)))
    }

    @Test func `a call cut in the handshake is a broken line`() throws {
        let relay = try TestGateway([("cut", true)])
        let line = try TestLink(port: relay.port)
        #expect(try line.events.first() == .down(.unreachable(.closed)))
        #expect(try line.say() == .failure(.unreachable(.closed)))
    }

    @Test func `any status of a request is an answer`() throws {
        let gateway = try TestGateway()
        let line = try TestLink(port: gateway.port)
        let body = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let echo = try line.ask(
            LinkRequest(
                kind: .sync, path: "/echo", body: body,
                traceparent: "00-00000000000000000000000000000001-0000000000000001-01"))
        #expect(try echo.get().accepted() == body)
        let request = try gateway.event("request") { $0["path"]?.string == "/echo" }
        #expect(request["headers"]?["traceparent"]?.string?.hasSuffix("-01") == true)
        let gap = try line.ask(LinkRequest(kind: .sync, path: "/gap", body: [0])).get()
        #expect(gap.status == 409)
        #expect(try JSONValue(parsing: gap.body)["error"]?["next_seq"]?.integer == 7)
        let load = try line.ask(LinkRequest(kind: .sync, path: "/load", body: [0])).get()
        #expect(load.status == 503 && load.retryAfterSeconds == 17)
        #expect(
            throws: LinkError.rejected(.init(status: 503, code: "load", message: "later", retryAfterSeconds: 17))
        ) { try load.accepted() }
        #expect(try line.ask(LinkRequest(kind: .time, path: "/v1/time")).get().status == 200)
    }

    @Test func `a request is bounded both ways and in time`() throws {
        let gateway = try TestGateway()
        let line = try TestLink(port: gateway.port)
        let over = [UInt8](repeating: 0, count: LinkRequest.bodyBytesMax + 1)
        #expect(try line.ask(LinkRequest(kind: .sync, path: "/echo", body: over)) == .failure(.tooLarge("request")))
        #expect(try line.ask(LinkRequest(kind: .sync, path: "/large", body: [0])) == .failure(.tooLarge("reply")))
        let hang = LinkRequest(kind: .sync, path: "/hang", body: [0], timeout: .milliseconds(100))
        #expect(try line.ask(hang) == .failure(.timedOut(.reply)))
    }

    @Test func `a second request of a kind is busy`() throws {
        let gateway = try TestGateway()
        let line = try TestLink(port: gateway.port)
        let first = Mailbox<Result<LinkResponse, LinkError>>()
        line.link.request(LinkRequest(kind: .sync, path: "/hang", body: [0], timeout: .milliseconds(600))) {
            first.put($0)
        }
        #expect(try line.ask(LinkRequest(kind: .sync, path: "/echo", body: [0])) == .failure(.busy))
        #expect(try line.ask(LinkRequest(kind: .renew, path: "/echo", body: [0])).get().status == 200)
        #expect(try first.first() == .failure(.timedOut(.reply)))
    }

    @Test func `speech goes first`() throws {
        let gateway = try TestGateway()
        let line = try TestLink(port: gateway.port)
        try line.up()
        let answers = Answers()
        let upload = line.open(Spoken.hello(), answers)
        upload.send(Spoken.record(0))
        _ = try gateway.event("chunk")
        let batch = Mailbox<Result<LinkResponse, LinkError>>()
        line.link.request(LinkRequest(kind: .sync, path: "/echo", body: [9])) { batch.put($0) }
        for seq in 1..<12 { upload.send(Spoken.record(seq)) }
        _ = try gateway.event("chunk") { ($0["total"]?.integer ?? 0) > 12 * 60 }
        #expect(!gateway.events.all.contains { $0["path"]?.string == "/echo" })
        upload.end()
        #expect(try batch.first().get().status == 200)
        _ = try answers.first().get()
    }

    @Test func `a renewed certificate is shown on new connections`() throws {
        let gateway = try TestGateway()
        let line = try TestLink(port: gateway.port)
        try line.up()
        line.link.renewConnections()
        _ = try line.say().get()
        let turn = try gateway.event("request") { $0["path"]?.string == "/v1/turns" }
        #expect(turn["connection"]?.integer != 1)
    }
}

@Test(arguments: [
    "http://localhost:1", "https://", "https://host/path", "https://ho st", "localhost:1", "https://h\r\nx",
])
func `an address that cannot be is refused at start`(url: String) {
    #expect(throws: LinkError.self) { try GatewayLink.checkAddress(url) }
}

/// Times of a line, without one.
@Test func `waits double up to their maximum, and jitter keeps above a half`() {
    let configuration = LineState.Configuration(
        pingMilliseconds: 25_000, backoffFirstMilliseconds: 500, backoffMaxMilliseconds: 30_000)
    for (jitter, share) in [(0.0, 0.5), (0.5, 0.75), (0.999_999, 1.0)] {
        var line = LineState(configuration: configuration, now: 0)
        let waits = (0..<40).map { _ in
            _ = line.failed(.unreachable(.refused), at: 1_000, jitter: jitter)
            return line.nextPingAt - 1_000
        }
        let whole: [Double] = [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]
        for (wait, wanted) in zip(waits, whole) { #expect(abs(Double(wait) - wanted * share) <= 1) }
        #expect(waits.max()! <= 30_000)
    }
}

@Test func `a change of the line is told once`() {
    var line = LineState(configuration: .init(), now: 0)
    #expect(line.nextPingAt == 0)
    #expect(line.answered(at: 10) == .up)
    #expect(line.answered(at: 20) == nil && line.isUp)
    #expect(line.nextPingAt == 25_020)
    #expect(line.failed(.timedOut(.connecting), at: 30, jitter: 0) == .down(.timedOut(.connecting)))
    #expect(line.failed(.timedOut(.connecting), at: 40, jitter: 0) == nil && !line.isUp)
    #expect(line.failed(.unreachable(.name), at: 50, jitter: 0) == .down(.unreachable(.name)))
    #expect(line.answered(at: 60) == .up)
    line.doubted(at: 70)
    #expect(line.nextPingAt == 70)
}

/// A listening socket nobody accepts from.
final class DeafPort: Sendable {
    let port: Int64
    private let socket: Int32

    init() throws {
        socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let file = socket
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(file, $0, length) == 0 && listen(file, 8) == 0 && getsockname(file, $0, &length) == 0
            }
        }
        try #require(isBound)
        port = Int64(UInt16(bigEndian: address.sin_port))
    }

    deinit { close(socket) }
}

/// Whoever stands before the counter gets a sentence, whatever went wrong.
@Test func `every failure has a hint, and only some are worth another try`() {
    let faults: [LinkError.CertificateFault] = [
        .gatewayUntrusted, .gatewayExpired, .gatewayNotYetValid, .gatewayOtherName, .gatewayOther(code: 23),
        .deviceRefused("unknown ca"), .deviceUnreadable, .trustUnreadable,
    ]
    func rejected(_ status: Int) -> LinkError { .rejected(.init(status: status, code: "", message: "")) }
    let errors: [LinkError] =
        faults.map { .certificate($0) } + [
            .unreachable(.name), .unreachable(.refused), .unreachable(.closed), .timedOut(.connecting),
            .timedOut(.sending), .timedOut(.reply), .handshake("x"), rejected(403), rejected(503), rejected(400),
            .malformedReply("x"), .tooLarge("x"), .busy, .cancelled, .configuration("x"),
            .library(code: 1, operation: "x"),
        ]
    #expect(Set(errors.map(\.hint)).count == errors.count)
    #expect(errors.allSatisfy { $0.hint.hasSuffix(".") && $0.hint.utf8.count > 10 })
    let again = errors.filter(\.isWorthRetrying)
    #expect(again.contains(.unreachable(.refused)) && again.contains(rejected(503)))
    #expect(!again.contains(rejected(403)) && !again.contains(.certificate(.gatewayUntrusted)))
}
