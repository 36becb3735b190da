import Hummingbird
import HummingbirdCore
import HummingbirdTLS
import Logging
import NIOCore
import NIOSSL
import Seals
import ServiceLifecycle
import Synchronization

/// The whole gateway, assembled in one place: three listeners over one store and one speech provider.
///
/// - device port: TLS 1.3, client certificate of our authority required;
/// - enrol port: TLS 1.3, no client certificate;
/// - operations port: plain HTTP, loopback by default.
struct GatewayServer: Service {
    struct Parts: Sendable {
        var folder: StateFolder
        var fleet: Fleet
        var speech: any SpeechToText
        var opinion: ChatOpinion?
        var quotas = TurnQuota.Limits()
        var verifier: WakeVerifier?
        var voices: VoiceDesk?
        var archive: Archive?
        var logger: Logger
        var metrics = GatewayMetrics()
        /// See `DeviceIdentityMiddleware.isReadmitting`.
        var isReadmitting = false
        var now: @Sendable () -> Int64 = SystemClock.milliseconds
    }

    struct Ports: Hashable, Sendable {
        var device: Int
        var enrol: Int
        var operations: Int
    }

    /// Connections open at once on one port. When full: further ones wait in the kernel's queue.
    static let connectionsMax = 4096
    /// A device asks for the time every 25 s to keep its line warm.
    static let idleTimeMax = TimeAmount.seconds(75)
    /// Time that requests in flight get to end after SIGTERM.
    static let drainTimeMax = Duration.seconds(8)

    private let services: [any Service]
    private let logger: Logger

    /// - Parameter listening: called once, when all three ports take connections.
    init(
        _ configuration: GatewayConfiguration.Listeners, pace: SyncPace, parts: Parts,
        listening: @escaping @Sendable (Ports) -> Void
    ) throws {
        let folder = parts.folder
        let authority = try folder.authority()
        let receiptKey = try folder.receiptKey()
        let trustPEM = try folder.text(folder.rootCertificate, secret: false)
        let chain = try NIOSSLCertificate.fromPEMBytes(Array(folder.text(folder.serverCertificate, secret: false).utf8))
        let key = try NIOSSLPrivateKey(bytes: Array(folder.text(folder.serverKey).utf8), format: .pem)

        var open = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        open.minimumTLSVersion = .tlsv13
        var mutual = open
        // Without a host name to check this still demands a client certificate of our own authority.
        mutual.certificateVerification = .noHostnameVerification
        mutual.trustRoots = .certificates(
            try NIOSSLCertificate.fromPEMBytes(Array(trustPEM.utf8))
                + NIOSSLCertificate.fromPEMBytes(Array(folder.text(folder.issuingCertificate, secret: false).utf8)))

        let meeting = ListenerMeeting(listening)
        let metrics = parts.metrics
        // What Hummingbird itself says is of interest only when it goes wrong.
        var quiet = parts.logger
        quiet.logLevel = max(parts.logger.logLevel, .warning)
        @Sendable func http(_ port: String) -> HTTPServerBuilder {
            .http1(
                configuration: .init(
                    additionalChannelHandlers: [
                        ConnectionGuard(port: port, metrics: metrics, logger: parts.logger)
                    ],
                    idleTimeout: Self.idleTimeMax,
                    httpDecoderConfiguration: .init(
                        maxHeaderFieldSize: 4096, maxHeaderListSize: 16_384, maxHeaderFieldCount: 64)))
        }
        func application<Context: NotedContext>(
            _ name: String, _ router: Router<Context>, _ server: HTTPServerBuilder,
            _ address: GatewayConfiguration.Address, _ place: WritableKeyPath<Ports, Int> & Sendable
        ) -> any Service where Context.Source == ApplicationRequestContextSource {
            Application(
                responder: RequestTask(router.buildResponder()), server: server,
                configuration: .init(
                    address: .hostname(address.host, port: address.port),
                    availableConnectionsDelegate: MaximumAvailableConnections(Self.connectionsMax, logger: quiet)),
                onServerRunning: { meeting.arrived(place, $0.localAddress?.port ?? 0) }, logger: quiet)
        }

        let time = TimeRoute(receiptKey: receiptKey, now: parts.now)
        let turns = TurnRoute(
            speech: parts.speech, opinion: parts.opinion, desk: TurnDesk(), verifier: parts.verifier,
            archive: parts.archive,
            quota: TurnQuota(parts.quotas),
            metrics: metrics, logger: parts.logger)
        let sync = SyncRoute(
            fleet: parts.fleet, queues: parts.fleet.queues(sign: SyncRoute.sign(receiptKey), now: parts.now),
            pace: pace,
            metrics: metrics, now: parts.now)
        let entries = EntriesRoute(fleet: parts.fleet)
        let shopLog = ShopLogRoute(
            fleet: parts.fleet, receiptKey: receiptKey, metrics: metrics, now: parts.now)
        let renew = RenewRoute(fleet: parts.fleet, authority: authority, now: parts.now)
        let devices = Router(context: DeviceContext.self)
        devices.add(middleware: RequestLog(port: "device", metrics: metrics, logger: parts.logger))
        devices.add(
            middleware: DeviceIdentityMiddleware(
                fleet: parts.fleet, isReadmitting: parts.isReadmitting, receiptKey: receiptKey, now: parts.now))
        devices.get("/v1/time") { request, _ in try time.answer(request) }
        devices.post("/v1/turns") { request, context in try await turns.answer(request, context: context) }
        let voice = SpeechRoute(desk: parts.voices)
        devices.post("/v1/speech") { request, context in try await voice.answer(request, context: context) }
        devices.post("/v1/sync") { request, context in try await sync.answer(request, context: context) }
        devices.get("/v1/entries") { request, context in try await entries.answer(request, from: context.sender) }
        let epoch = EpochRoute(fleet: parts.fleet)
        devices.get("/v1/epoch") { _, context in try await epoch.answer(from: context.sender) }
        devices.get("/v1/shop-log") { request, context in try await shopLog.answer(request, context: context) }
        let ledgerKey = LedgerKeyRoute(fleet: parts.fleet, now: parts.now)
        devices.post("/v1/ledger-key") { request, context in
            try await ledgerKey.answer(request, from: context.sender)
        }
        let checkpoint = CheckpointRoute(folder: CheckpointFolder(folder))
        devices.get("/v1/checkpoint") { _, context in try checkpoint.answer(from: context.sender) }
        devices.post("/v1/renew") { request, context in try await renew.answer(request, from: context.sender) }

        let enrol = EnrolRoute(
            fleet: parts.fleet, authority: authority, trustPEM: trustPEM, receiptKey: receiptKey, now: parts.now)
        let enrolment = Router(context: OpenContext.self)
        enrolment.add(middleware: RequestLog(port: "enrol", metrics: metrics, logger: parts.logger))
        enrolment.get("/v1/time") { request, _ in try time.answer(request) }
        enrolment.post("/v1/enrol") { request, context in try await enrol.answer(request, note: context.note) }

        let operations = Router(context: OpenContext.self)
        OperationsRoutes(fleet: parts.fleet, speech: parts.speech, metrics: metrics).add(to: operations)

        let archive: [any Service] = parts.archive.map { [$0] } ?? []
        services =
            archive + [
                parts.speech,
                CheckpointService(
                    fleet: parts.fleet, folder: CheckpointFolder(folder), key: receiptKey, logger: parts.logger,
                    now: parts.now),
                application(
                    "device", devices, try .tls(http("device"), tlsConfiguration: mutual), configuration.device,
                    \.device),
                application(
                    "enrol", enrolment, try .tls(http("enrol"), tlsConfiguration: open), configuration.enrol, \.enrol),
                application("operations", operations, http("operations"), configuration.operations, \.operations),
            ]
        logger = quiet
    }

    /// Serves until graceful shutdown; ends when the last request is answered or `drainTimeMax` has passed.
    func run() async throws {
        var configuration = ServiceGroupConfiguration(services: services, logger: logger)
        configuration.maximumGracefulShutdownDuration = Self.drainTimeMax
        try await ServiceGroup(configuration: configuration).run()
    }
}

/// Waits for three listeners, then tells their ports.
private final class ListenerMeeting: Sendable {
    private let state = Mutex((ports: GatewayServer.Ports(device: 0, enrol: 0, operations: 0), missing: 3))
    private let tell: @Sendable (GatewayServer.Ports) -> Void

    init(_ tell: @escaping @Sendable (GatewayServer.Ports) -> Void) { self.tell = tell }

    func arrived(_ place: WritableKeyPath<GatewayServer.Ports, Int> & Sendable, _ port: Int) {
        let whole = state.withLock { state -> GatewayServer.Ports? in
            state.ports[keyPath: place] = port
            state.missing -= 1
            return state.missing == 0 ? state.ports : nil
        }
        if let whole { tell(whole) }
    }
}
