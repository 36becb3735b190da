import NIOCore
import NIOPosix
import NIOSSL

/// A made-up counter's line to the device port: TLS, HTTP/1.1, one question at a time. As little of a client as can
/// be, since it runs on the cores of the gateway that it measures. Any thread.
final class DeviceLine: Sendable {
    /// Longer answers are no receipts.
    static let answerBytesMax = 65_536
    static let answerTimeMax = TimeAmount.seconds(60)

    struct Answer: Hashable, Sendable {
        var status: Int
        var body: [UInt8]
    }

    private let channel: any Channel
    private let host: String

    private init(channel: any Channel, host: String) {
        self.channel = channel
        self.host = host
    }

    /// - Parameter address: of `host`, looked up once for many lines.
    static func open(host: String, address: SocketAddress, tls: NIOSSLContext) async throws -> DeviceLine {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connectTimeout(.seconds(30))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers([
                        NIOSSLClientHandler(context: tls, serverHostname: host), AnswerReader(),
                    ])
                }
            }
            .connect(to: address).get()
        return DeviceLine(channel: channel, host: host)
    }

    /// - Parameters:
    ///   - contentType: told where a route asks for it.
    ///   - bytesToCome: of the body, behind what is sent now, and that never come: for answers given before the end.
    /// - Throws: `GatewayError.state` when the line ends or falls silent before the answer is whole.
    func post(
        _ path: String, _ body: [UInt8], contentType: String? = nil, bytesToCome: Int = 0
    ) async throws -> Answer {
        let type = contentType.map { "content-type: \($0)\r\n" } ?? ""
        let head =
            "POST \(path) HTTP/1.1\r\nhost: \(host)\r\n\(type)content-length: \(body.count + bytesToCome)\r\n\r\n"
        var bytes = channel.allocator.buffer(capacity: head.utf8.count + body.count)
        bytes.writeString(head)
        bytes.writeBytes(body)
        let promise = channel.eventLoop.makePromise(of: Answer.self)
        let deadline = channel.eventLoop.scheduleTask(in: Self.answerTimeMax) {
            promise.fail(AnswerReader.broken("no answer in time"))
        }
        channel.writeAndFlush(Question(bytes: bytes, promise: promise), promise: nil)
        defer { deadline.cancel() }
        return try await promise.futureResult.get()
    }

    func end() async { try? await channel.close() }
}

private struct Question: Sendable {
    var bytes: ByteBuffer
    var promise: EventLoopPromise<DeviceLine.Answer>
}

/// Gathers the answer to the one question that is out. Lives on its channel's event loop.
private final class AnswerReader: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = Question
    typealias OutboundOut = ByteBuffer

    private var promise: EventLoopPromise<DeviceLine.Answer>?
    private var gathered = ByteBuffer()

    static func broken(_ problem: String) -> GatewayError { .state(problem: problem, hint: "see serve's log") }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let question = unwrapOutboundIn(data)
        self.promise = question.promise
        guard context.channel.isActive else { return fail("the line is closed") }
        context.write(wrapOutboundOut(question.bytes), promise: promise)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var piece = unwrapInboundIn(data)
        gathered.writeBuffer(&piece)
        guard gathered.readableBytes <= DeviceLine.answerBytesMax else { return fail("an answer without end") }
        guard let answer = whole() else { return }
        gathered.clear()
        promise?.succeed(answer)
        promise = nil
    }

    func channelInactive(context: ChannelHandlerContext) {
        fail("the line broke off")
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        fail("the line failed: \(error)")
        context.close(promise: nil)
    }

    private func fail(_ problem: String) {
        promise?.fail(Self.broken(problem))
        promise = nil
    }

    /// Status, `content-length` and so many bytes behind the empty line; nil until all are there.
    private func whole() -> DeviceLine.Answer? {
        let bytes = gathered.readableBytesView
        let end = Array("\r\n\r\n".utf8)
        guard let headEnd = bytes.indices.first(where: { bytes[$0...].starts(with: end) }) else { return nil }
        let lines = String(decoding: bytes[..<headEnd], as: UTF8.self).lowercased().split(separator: "\r\n")
        guard let status = lines.first?.split(separator: " ").dropFirst().first.flatMap({ Int($0) }),
            let length = lines.first(where: { $0.hasPrefix("content-length:") })?.split(separator: " ").last.flatMap({
                Int($0)
            })
        else { return DeviceLine.Answer(status: 0, body: []) }
        let body = bytes[(headEnd + end.count)...]
        return body.count < length ? nil : DeviceLine.Answer(status: status, body: Array(body.prefix(length)))
    }
}
