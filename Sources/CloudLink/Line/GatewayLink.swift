import CCurl
import Conversation
import Glibc
import Synchronization

// CloudLink: turns and small requests in, replies out, over one mutually authenticated line to the gateway; a sealed
// spool for turns while the line is down; enrolment. The only importer of libcurl.
//
// Threads: `GatewayLink` owns one, "uplink", which runs libcurl and every callback; its doors may be used from any.
// libcurl resolves names on a short-lived thread of its own. AudioSpool and Enrolment block their caller.
//
// Largest it holds: four turns of 512 kB (`TurnUpload.bytesMax`), one request of 260 kB and one reply of 1 MiB for
// each kind, 64 orders; on disk 64 MB of spool (`AudioSpool.Configuration`).

/// The line to the gateway: kept warm, TLS 1.3, our own root, the device's certificate.
///
/// A turn or request gets its answer exactly once, on the uplink thread (on the caller's when it was refused before it
/// began); a callback must not block. Nothing is logged here; `LinkEvent` says when the line goes up or down.
public final class GatewayLink: Sendable {
    public struct Configuration: Sendable {
        /// "https://host:port", the device port.
        public var url: String
        /// `ca.pem`, `tls.pem`, `tls.key` of the identity folder. Read anew for each connection.
        public var trustPath: String
        public var chainPath: String
        public var keyPath: String
        /// Name, TCP and TLS together. A counter that waits longer should spool and say so.
        public var connectTimeout: Duration
        /// From the last byte of a turn to its reply. A small gateway with its own speech model is slow.
        public var replyTimeout: Duration
        /// From opening a turn to its end, above the longest turn of 28 s and its pre-roll.
        public var turnTimeout: Duration
        /// How long sent bytes may stay unacknowledged before the line counts as broken.
        public var unacknowledgedTimeout: Duration
        /// How long the line may idle before it is used, to stay known to routers on the way.
        public var ping: Duration
        /// Calls after a failure: the first wait, doubling to the longest, jittered down to a half.
        public var backoffFirst: Duration
        public var backoffMax: Duration

        public init(
            url: String, trustPath: String, chainPath: String, keyPath: String,
            connectTimeout: Duration = .milliseconds(1_500), replyTimeout: Duration = .seconds(20),
            turnTimeout: Duration = .seconds(45), unacknowledgedTimeout: Duration = .seconds(5),
            ping: Duration = .seconds(25), backoffFirst: Duration = .milliseconds(500),
            backoffMax: Duration = .seconds(30)
        ) {
            self.url = url
            self.trustPath = trustPath
            self.chainPath = chainPath
            self.keyPath = keyPath
            self.connectTimeout = connectTimeout
            self.replyTimeout = replyTimeout
            self.turnTimeout = turnTimeout
            self.unacknowledgedTimeout = unacknowledgedTimeout
            self.ping = ping
            self.backoffFirst = backoffFirst
            self.backoffMax = backoffMax
        }

        var credentials: Exchange.Credentials {
            .init(trustPath: trustPath, own: .init(chainPath: chainPath, keyPath: keyPath))
        }

        var line: LineState.Configuration {
            .init(
                pingMilliseconds: ping.milliseconds, backoffFirstMilliseconds: backoffFirst.milliseconds,
                backoffMaxMilliseconds: backoffMax.milliseconds)
        }
    }

    /// A live turn, a late one and what they leave behind; a fifth is `busy`.
    static let turnsMax = 4
    /// A request waits this long at most for speech to be sent.
    static let requestHold = Duration.seconds(5)
    static let pingTimeout = Duration.seconds(5)
    static let cancelTimeout = Duration.seconds(2)
    /// A live turn, a late turn, sync and one spare; older ones are closed.
    static let connectionsMax = 4

    private let inbox: Inbox
    private let clock: LinkClock
    private let thread: Mutex<pthread_t?>

    /// Starts the uplink thread, which calls the gateway at once. A gateway that cannot be reached is no error here:
    /// `event` says `down`.
    ///
    /// - Parameter event: on the uplink thread; must not block.
    public static func start(
        _ configuration: Configuration, clock: LinkClock = .system,
        random: any RandomNumberGenerator & Sendable = SystemRandomNumberGenerator(),
        event: @escaping @Sendable (LinkEvent) -> Void
    ) throws(LinkError) -> GatewayLink {
        try checkAddress(configuration.url)
        guard Exchange.isLibraryReady else { throw .library(code: 0, operation: "curl_global_init") }
        guard let multi = makeMulti() else { throw .library(code: 0, operation: "curl_multi_init") }
        let address = UInt(bitPattern: multi)
        let inbox = Inbox(multi: address)
        let seed = UplinkSeed(
            configuration: configuration, clock: clock, random: random, inbox: inbox, multi: address, tell: event)
        var thread = pthread_t()
        let code = pthread_create(&thread, nil, { UplinkSeed.run($0) }, Unmanaged.passRetained(seed).toOpaque())
        guard code == 0 else {
            Unmanaged.passUnretained(seed).release()
            inbox.replace(multi: 0)
            curl_multi_cleanup(multi)
            throw .library(code: code, operation: "pthread_create")
        }
        return GatewayLink(inbox: inbox, clock: clock, thread: thread)
    }

    private init(inbox: Inbox, clock: LinkClock, thread: pthread_t) {
        self.inbox = inbox
        self.clock = clock
        self.thread = Mutex(thread)
    }

    deinit { stop() }

    /// Opens `POST /v1/turns` and sends what is put into the upload as it comes.
    ///
    /// - Parameter reply: exactly once. After `end`, at the latest `replyTimeout` later.
    public func openTurn(
        _ hello: TurnHello, reply: @escaping @Sendable (Result<TurnDelivery, LinkError>) -> Void
    ) -> TurnUpload {
        let inbox = inbox
        let upload = TurnUpload(hello, clock: clock) { inbox.wake() }
        do throws(LinkError) {
            try inbox.put(.turn(upload, traceparent: hello.traceparent, reply: reply))
        } catch {
            upload.close()
            reply(.failure(error))
        }
        return upload
    }

    /// Sends a small request. It gives way to speech being sent, for `requestHold` at most.
    ///
    /// - Parameter done: exactly once; any HTTP status is a success here, see `LinkResponse.accepted`.
    public func request(
        _ request: LinkRequest, done: @escaping @Sendable (Result<LinkResponse, LinkError>) -> Void
    ) {
        guard request.body.map({ $0.count <= LinkRequest.bodyBytesMax }) ?? true else {
            return done(.failure(.tooLarge("request")))
        }
        do throws(LinkError) { try inbox.put(.request(request, done: done)) } catch { done(.failure(error)) }
    }

    /// Leaves the connections made with the certificate of before; the next ones read the files anew.
    public func renewConnections() { try? inbox.put(.renewConnections) }

    /// Ends the thread; what is under way is `cancelled`. Blocks until then, except on the uplink thread itself.
    public func stop() {
        inbox.stop()
        guard
            let thread = thread.withLock({ thread in
                defer { thread = nil }
                return thread
            })
        else { return }
        if pthread_equal(thread, pthread_self()) != 0 { pthread_detach(thread) } else { pthread_join(thread, nil) }
    }

    /// `https://` and a host; no path, which would come before ours.
    static func checkAddress(_ url: String) throws(LinkError) {
        let start = "https://"
        guard url.hasPrefix(start), url.utf8.count > start.utf8.count, url.utf8.count <= 300,
            url.utf8.dropFirst(start.utf8.count).allSatisfy({ (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "/") })
        else { throw .configuration("[cloud] url must be https://HOST:PORT without a path") }
    }

    static func makeMulti() -> UnsafeMutableRawPointer? {
        guard let multi = curl_multi_init() else { return nil }
        _ = ccurl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, connectionsMax)
        // HTTP/1.1 has no streams to share a connection by.
        _ = ccurl_multi_set_long(multi, CURLMOPT_PIPELINING, 0)
        return multi
    }
}

/// What the uplink thread begins with.
final class UplinkSeed: Sendable {
    let configuration: GatewayLink.Configuration
    let clock: LinkClock
    let random: any RandomNumberGenerator & Sendable
    let inbox: Inbox
    /// The multi handle's address; the thread owns the handle from its start.
    let multi: UInt
    let tell: @Sendable (LinkEvent) -> Void

    init(
        configuration: GatewayLink.Configuration, clock: LinkClock, random: any RandomNumberGenerator & Sendable,
        inbox: Inbox, multi: UInt, tell: @escaping @Sendable (LinkEvent) -> Void
    ) {
        self.configuration = configuration
        self.clock = clock
        self.random = random
        self.inbox = inbox
        self.multi = multi
        self.tell = tell
    }

    static func run(_ raw: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
        let seed = Unmanaged<UplinkSeed>.fromOpaque(raw!).takeRetainedValue()
        nameThread()
        // OpenSSL writes to broken sockets too; signals are the daemon's main thread's business.
        var all = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_BLOCK, &all, nil)
        Uplink(seed, multi: UnsafeMutableRawPointer(bitPattern: seed.multi)!).run()
        return nil
    }

    /// For `top -H` and core files; a kernel without it costs only the name.
    private static func nameThread() {
        let file = open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { return }
        _ = write(file, "uplink", 6)
        close(file)
    }
}
