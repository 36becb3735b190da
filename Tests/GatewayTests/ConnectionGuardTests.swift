import NIOCore
import NIOEmbedded
import NIOHTTPTypes
import Testing

@testable import execora_gateway

/// Time and size of one connection, on a clock that the test moves.
@Suite struct ConnectionGuardTests {
    private final class Line {
        let channel = EmbeddedChannel()
        let metrics = GatewayMetrics()
        let log = LogLines()

        init() throws {
            let log = log
            try channel.pipeline.syncOperations.addHandler(
                ConnectionGuard(port: "device", metrics: metrics, logger: GatewayLog.logger { log.add($0) }))
            try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        }

        func wait(_ time: TimeAmount) { channel.embeddedEventLoop.advanceTime(by: time) }
        func take(_ part: HTTPRequestPart) throws { try channel.writeInbound(part) }

        func refused(_ reason: String) -> Int64 {
            metrics.value("execora_connections_refused_total", labels: [("port", "device"), ("reason", reason)])
        }
    }

    private static let head = HTTPRequestPart.head(
        .init(method: .post, scheme: "https", authority: "localhost", path: "/v1/turns"))

    @Test func `a connection that sends no head is closed after ten seconds`() throws {
        let line = try Line()
        line.wait(.seconds(9))
        #expect(line.channel.isActive)
        line.wait(.seconds(2))
        #expect(!line.channel.isActive && line.refused("slow_head") == 1)
    }

    @Test func `a body that trickles for ever is closed`() throws {
        let line = try Line()
        try line.take(Self.head)
        for _ in 0..<17 {
            line.wait(.seconds(5))
            try line.take(.body(ByteBuffer(bytes: [0])))
        }
        #expect(line.channel.isActive)
        line.wait(.seconds(6))
        #expect(!line.channel.isActive && line.refused("slow_body") == 1)
    }

    @Test func `a body over the maximum closes the line and goes no further`() throws {
        let line = try Line()
        try line.take(Self.head)
        let part = ByteBuffer(repeating: 0, count: ConnectionGuard.bodyBytesMax / 2)
        for _ in 0..<3 { try? line.take(.body(part)) }
        #expect(!line.channel.isActive && line.refused("oversized_body") == 1)
        var bytes = 0
        while case .body(let given)? = try line.channel.readInbound(as: HTTPRequestPart.self).map({ part in
            if case .head = part { return HTTPRequestPart.body(ByteBuffer()) }
            return part
        }) { bytes += given.readableBytes }
        #expect(bytes <= ConnectionGuard.bodyBytesMax)
    }

    /// Each request of a kept connection has its own time and size.
    @Test func `a whole request frees the line for the next`() throws {
        let line = try Line()
        for _ in 0..<5 {
            try line.take(Self.head)
            try line.take(.body(ByteBuffer(repeating: 0, count: ConnectionGuard.bodyBytesMax - 1)))
            try line.take(.end(nil))
            line.wait(.seconds(60))
        }
        line.wait(.hours(1))
        #expect(line.channel.isActive && line.log.all.isEmpty)
    }

    @Test(arguments: [
        (
            "sslError([Error: 268435648 error:100000c0:SSL routines:OPENSSL_internal:PEER_DID_NOT_RETURN_A_CERTIFICATE at /x])",
            "no_certificate"
        ),
        ("error:100000f0:SSL routines:OPENSSL_internal:UNSUPPORTED_PROTOCOL at", "tls_version"),
        ("OPENSSL_internal:SOMETHING_ELSE", "tls"),
    ])
    func `reasons of TLS become words to count by`(text: String, word: String) {
        #expect(HandshakeRefusal.reason(text) == word)
        #expect(HandshakeRefusal.name(text)?.contains("_") == true)
    }
}
