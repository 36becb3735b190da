import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTPTypes
import NIOSSL

/// Last but one in each connection's pipeline: ends requests that are over their size or their time, and tells once
/// why a handshake failed. Lives on its channel's event loop.
///
/// A route answers 413 by itself; this is for a sender that goes on sending, or trickles its head or body for ever.
final class ConnectionGuard: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart

    /// No route takes more than 0.3 MB.
    static let bodyBytesMax = 4 << 20
    /// A turn may last 28 s plus pre-roll and then wait for its transcript.
    static let requestTimeMax = TimeAmount.seconds(90)
    /// From the start of the connection to the first head; TLS included.
    static let firstHeadTimeMax = TimeAmount.seconds(10)

    private let port: String
    private let metrics: GatewayMetrics
    private let logger: Logger
    private var bodyBytes = 0
    private var deadline: Scheduled<Void>?
    private var isTold = false

    init(port: String, metrics: GatewayMetrics, logger: Logger) {
        self.port = port
        self.metrics = metrics
        self.logger = logger
    }

    func handlerAdded(context: ChannelHandlerContext) { close(context, in: Self.firstHeadTimeMax, reason: "slow_head") }

    func handlerRemoved(context: ChannelHandlerContext) { deadline?.cancel() }

    func channelInactive(context: ChannelHandlerContext) {
        deadline?.cancel()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head:
            bodyBytes = 0
            close(context, in: Self.requestTimeMax, reason: "slow_body")
        case .body(let part):
            bodyBytes += part.readableBytes
            if bodyBytes > Self.bodyBytesMax {
                tell("oversized_body")
                context.close(promise: nil)
                return
            }
        case .end:
            deadline?.cancel()
        }
        context.fireChannelRead(data)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch error {
        case NIOSSLError.handshakeFailed(let reason):
            tell(HandshakeRefusal.reason("\(reason)"), detail: HandshakeRefusal.name("\(reason)"))
        case let error as BoringSSLError:
            tell(HandshakeRefusal.reason("\(error)"), detail: HandshakeRefusal.name("\(error)"))
        default: break
        }
        context.fireErrorCaught(error)
    }

    private func close(_ context: ChannelHandlerContext, in time: TimeAmount, reason: String) {
        deadline?.cancel()
        deadline = context.eventLoop.assumeIsolated().scheduleTask(in: time) {
            self.tell(reason)
            context.close(promise: nil)
        }
    }

    private func tell(_ reason: String, detail: String? = nil) {
        guard !isTold else { return }
        isTold = true
        metrics.count("execora_connections_refused_total", labels: [("port", port), ("reason", reason)])
        var line: Logger.Metadata = ["port": "\(port)", "reason": "\(reason)"]
        if let detail { line["detail"] = "\(detail)" }
        logger.notice("connection refused", metadata: line)
    }
}

/// A short word for each reason that TLS names, for counting.
enum HandshakeRefusal {
    /// BoringSSL's own name of the reason, out of its long text; nil when there is none in it.
    static func name(_ text: String) -> String? {
        let name = text.split(separator: "OPENSSL_internal:", omittingEmptySubsequences: false).dropFirst().first?
            .prefix { $0.isLetter || $0 == "_" }
        return name.map(String.init)
    }

    static func reason(_ text: String) -> String {
        let known = [
            ("UNSUPPORTED_PROTOCOL", "tls_version"), ("NO_SUPPORTED_VERSIONS", "tls_version"),
            ("WRONG_VERSION_NUMBER", "not_tls"), ("HTTP_REQUEST", "not_tls"),
            ("PEER_DID_NOT_RETURN_A_CERTIFICATE", "no_certificate"),
            ("CERTIFICATE_VERIFY_FAILED", "certificate"), ("UNKNOWN_CA", "server_distrusted"),
        ]
        return known.first { text.uppercased().contains($0.0) }?.1 ?? "tls"
    }
}
