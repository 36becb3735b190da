import NIOCore
import NIOPosix
import Synchronization

/// A bad line between devices and a gateway, in userspace: TCP in, TCP out, the bytes in between late, slow, or cut
/// off anywhere: in the handshake, in a batch, or in the receipt that was on its way back. The same seed gives the same
/// line.
final class FaultProxy: Sendable {
    struct Line: Hashable, Sendable {
        /// Of 1,000 connections so many are closed as soon as they are open.
        var refusedPerMille: UInt64 = 0
        /// Of 1,000 connections so many are cut somewhere in their next `cutBytesMax` bytes, in either direction.
        var cutPerMille: UInt64 = 0
        var cutBytesMax: UInt64 = 100_000
        /// Of 1,000 pieces so many come up to `delayMilliseconds` late.
        var latePerMille: UInt64 = 0
        var delayMilliseconds: UInt64 = 0
        /// Each way; nil is as fast as the machine.
        var bitsPerSecond: Int64?
    }

    let port: Int
    private let server: any Channel
    private let figures: Figures

    final class Figures: Sendable {
        let refused = Atomic<Int>(0)
        let cut = Atomic<Int>(0)
        let late = Atomic<Int>(0)
        let bytes = Atomic<Int>(0)
    }

    var refused: Int { figures.refused.load(ordering: .relaxed) }
    var cut: Int { figures.cut.load(ordering: .relaxed) }
    var late: Int { figures.late.load(ordering: .relaxed) }
    var bytes: Int { figures.bytes.load(ordering: .relaxed) }

    private init(server: any Channel, port: Int, figures: Figures) {
        self.server = server
        self.port = port
        self.figures = figures
    }

    /// Listens on loopback, at any free port.
    static func start(to target: Int, line: Line, seed: UInt64) async throws -> FaultProxy {
        let figures = Figures()
        let random = Mutex(SplitMix(state: seed))
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.autoRead, value: false)
            .childChannelInitializer { device in
                // One generator a connection, so that what happens on it does not hang on the others' timing.
                let own = random.withLock { SplitMix(state: $0.next()) }
                let plan = NIOLoopBound(
                    ConnectionPlan(line, random: own, figures: figures), eventLoop: device.eventLoop)
                if plan.value.isRefused { return device.close() }
                return ClientBootstrap(group: device.eventLoop).channelOption(.autoRead, value: false)
                    .connect(host: "127.0.0.1", port: target).flatMap { gateway in
                        device.eventLoop.makeCompletedFuture {
                            let up = ProxyHalf(to: gateway, plan: plan.value)
                            let down = ProxyHalf(to: device, plan: plan.value)
                            try device.pipeline.syncOperations.addHandler(up)
                            try gateway.pipeline.syncOperations.addHandler(down)
                        }.flatMap {
                            device.setOption(.autoRead, value: true).and(gateway.setOption(.autoRead, value: true))
                                .map { _ in }
                        }
                    }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return FaultProxy(server: server, port: server.localAddress?.port ?? 0, figures: figures)
    }

    func end() async throws { try await server.close() }
}

/// What will happen to one connection. Lives on its event loop.
private final class ConnectionPlan {
    private let line: FaultProxy.Line
    private var random: SplitMix
    let figures: FaultProxy.Figures
    /// Bytes, both ways together, that still pass; nil passes all.
    private var left: UInt64?
    let isRefused: Bool

    init(_ line: FaultProxy.Line, random: SplitMix, figures: FaultProxy.Figures) {
        self.line = line
        self.random = random
        self.figures = figures
        isRefused = self.random.next() % 1000 < line.refusedPerMille
        if isRefused { figures.refused.add(1, ordering: .relaxed) }
        if self.random.next() % 1000 < line.cutPerMille { left = self.random.next() % max(1, line.cutBytesMax) }
    }

    /// How many of so many bytes pass before the cut.
    func passing(_ count: Int) -> (passes: Int, isCut: Bool) {
        figures.bytes.add(count, ordering: .relaxed)
        guard let budget = left else { return (count, false) }
        guard UInt64(count) >= budget else {
            left = budget - UInt64(count)
            return (count, false)
        }
        figures.cut.add(1, ordering: .relaxed)
        left = nil
        return (Int(budget), true)
    }

    func delay() -> TimeAmount {
        guard line.delayMilliseconds > 0, random.next() % 1000 < line.latePerMille else { return .zero }
        figures.late.add(1, ordering: .relaxed)
        return .milliseconds(Int64(random.next() % line.delayMilliseconds))
    }

    func wireTime(_ count: Int) -> TimeAmount {
        line.bitsPerSecond.map { .nanoseconds(Int64(count) * 8_000_000_000 / $0) } ?? .zero
    }
}

/// One direction of one connection: what it reads it writes to the other side, when the line would have carried it.
private final class ProxyHalf: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    /// Bytes on the way. When full: nothing more is read, and the sender's own buffers fill.
    private static let carriedBytesMax = 64 * 1024

    private let other: any Channel
    private let plan: ConnectionPlan
    private var free = NIODeadline.now()
    private var carried = 0

    init(to other: any Channel, plan: ConnectionPlan) {
        self.other = other
        self.plan = plan
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let piece = unwrapInboundIn(data)
        let (passes, isCut) = plan.passing(piece.readableBytes)
        let start = max(free, NIODeadline.now() + plan.delay())
        free = start + plan.wireTime(passes)
        carried += passes
        if carried > Self.carriedBytesMax { _ = context.channel.setOption(.autoRead, value: false) }
        let slice = piece.getSlice(at: piece.readerIndex, length: passes) ?? ByteBuffer()
        let (source, other) = (context.channel, other)
        context.eventLoop.assumeIsolated().scheduleTask(deadline: free) {
            self.carried -= passes
            if source.isActive, self.carried <= Self.carriedBytesMax {
                _ = source.setOption(.autoRead, value: true)
            }
            other.writeAndFlush(slice, promise: nil)
            if isCut {
                other.close(promise: nil)
                source.close(promise: nil)
            }
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        let other = other
        // Behind what is still on the way.
        context.eventLoop.assumeIsolated().scheduleTask(deadline: free) { other.close(promise: nil) }
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

/// SplitMix64 (Steele, Lea and Flood 2014): the same seed, the same run.
struct SplitMix: RandomNumberGenerator, Sendable {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
