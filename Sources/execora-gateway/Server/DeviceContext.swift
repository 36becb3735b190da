import Hummingbird
import JSONText
import NIOCore
import NIOSSL
import Seals
import Synchronization

/// One request on the device port: its channel, and who sent it once `DeviceIdentityMiddleware` has looked.
struct DeviceContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    let channel: any Channel
    /// Set by the middleware before any route runs.
    var device: DeviceRecord?
    let note = RequestNote()

    init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        channel = source.channel
    }

    /// The sender. A route is never reached without one.
    var sender: DeviceRecord {
        guard let device else { preconditionFailure("a route ran before the identity was checked") }
        return device
    }
}

/// One request on a port without client certificates.
struct OpenContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    let channel: any Channel
    let note = RequestNote()

    init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        channel = source.channel
    }
}

/// What a route adds to its request's one log line: identifiers and counts only.
final class RequestNote: Sendable {
    private let fields = Mutex<[JSONValue.Member]>([])

    func add(_ name: String, _ value: JSONValue) { fields.withLock { $0.append(.init(name, value)) } }
    var all: [JSONValue.Member] { fields.withLock { $0 } }
}

/// Asks, for every request and not once a connection, whose certificate this is and whether it still stands.
struct DeviceIdentityMiddleware: RouterMiddleware {
    let fleet: Fleet
    /// Devices that the stores do not know are taken at their certificate's word: after a store was lost.
    let isReadmitting: Bool
    let receiptKey: SigningKey
    let now: @Sendable () -> Int64
    private let memory = ShopMemory()

    init(fleet: Fleet, isReadmitting: Bool, receiptKey: SigningKey, now: @escaping @Sendable () -> Int64) {
        self.fleet = fleet
        self.receiptKey = receiptKey
        self.isReadmitting = isReadmitting
        self.now = now
    }

    func handle(
        _ request: Request, context: DeviceContext, next: (Request, DeviceContext) async throws -> Response
    ) async throws -> Response {
        // The handshake has already proved that the certificate is ours and that the sender holds its key.
        guard let certificate = try await context.channel.nioSSL_peerCertificate().get() else {
            throw Refusal(status: .unauthorized, code: "no_certificate", message: "a client certificate is needed")
        }
        let der = try certificate.toDERBytes()
        let fingerprint = Fingerprint.of(der: der)
        let shop = memory.shop(of: der, fingerprint: fingerprint)
        var known = try await fleet.device(shop: shop, fingerprint: fingerprint)
        if known == nil, isReadmitting, let shown = ShownCertificate(der: der),
            try await fleet.store(of: shown.subject.shop).readmit(shown, nowMilliseconds: now())
        {
            context.note.add("readmitted", .bool(true))
            known = try await fleet.device(shop: shop, fingerprint: fingerprint)
        }
        guard let device = known else {
            throw Refusal(
                status: .unauthorized, code: "unknown_certificate",
                message: "this gateway did not give out this certificate; enrol again")
        }
        context.note.add("device", .string(String(Hex.text(device.device).prefix(8))))
        guard !device.isRevoked else {
            // Signed, so that nobody in between can stop a counter's sync for good.
            let now = now()
            let signature = try RevocationNotice.make(device: device.device, serverMilliseconds: now, key: receiptKey)
            throw Refusal(
                status: .forbidden, code: "revoked", message: "this device was revoked",
                members: [.init("ms", .integer(now)), .init("signature", .string(Hex.text(signature)))])
        }
        var context = context
        context.device = device
        return try await next(request, context)
    }
}

/// Which shop a certificate names: it never changes, and reading it takes longer than asking the store.
private final class ShopMemory: Sendable {
    /// When full: all are forgotten and read again as they come.
    static let certificatesMax = 100_000

    private let shops = Mutex<[[UInt8]: [UInt8]?]>([:])

    func shop(of der: [UInt8], fingerprint: [UInt8]) -> [UInt8]? {
        if let known = shops.withLock({ $0[fingerprint] }) { return known }
        let shop = CertificateSubject.shop(der: der)
        shops.withLock { shops in
            if shops.count >= Self.certificatesMax { shops = [:] }
            shops[fingerprint] = .some(shop)
        }
        return shop
    }
}
