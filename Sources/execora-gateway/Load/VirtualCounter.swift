import AsyncHTTPClient
import JSONText
import Ledger
import LedgerSync
import NIOCore
import NIOSSL
import Seals

/// A counter that `load` makes up: real keys, real enrolment, real TLS, real signatures; only its entries are invented.
struct VirtualCounter: Sendable {
    /// Where the gateway is, and what a device trusts.
    struct Place: Sendable {
        var host: String
        var devicePort: Int
        var trust: [NIOSSLCertificate]

        init(host: String, devicePort: Int, trustPEM: String) throws {
            self.host = host
            self.devicePort = devicePort
            trust = try NIOSSLCertificate.fromPEMBytes(Array(trustPEM.utf8))
        }

        func address() throws -> SocketAddress { try .makeAddressResolvingHost(host, port: devicePort) }

        var tls: TLSConfiguration {
            var tls = TLSConfiguration.makeClientConfiguration()
            tls.minimumTLSVersion = .tlsv13
            tls.trustRoots = .certificates(trust)
            return tls
        }

        /// As a device that shows this certificate.
        func tls(chainPEM: String, key: NIOSSLPrivateKey) throws -> TLSConfiguration {
            var tls = tls
            tls.certificateChain = try NIOSSLCertificate.fromPEMBytes(Array(chainPEM.utf8)).map { .certificate($0) }
            tls.privateKey = .privateKey(key)
            return tls
        }
    }

    let ledgerKey: SigningKey
    let identity: DeviceIdentity
    private let tls: TLSConfiguration
    private let place: Place
    private var client: HTTPClient?
    private var head = ChainHead(epoch: 1, seq: 0, hash: ChainLink.start)
    private var lastReceipt = ChainLink.start

    private static let path = "/v1/sync"

    init(ledgerKey: SigningKey, identity: DeviceIdentity, tls: TLSConfiguration, place: Place) {
        self.ledgerKey = ledgerKey
        self.identity = identity
        self.tls = tls
        self.place = place
    }

    /// Enrols with a one-time code.
    static func enrolled(code: String, trustPEM: String, host: String, enrolPort: Int, devicePort: Int) async throws
        -> VirtualCounter
    {
        let place = try Place(host: host, devicePort: devicePort, trustPEM: trustPEM)
        let (ledgerKey, tlsKey) = (try SigningKey.generate(), try TLSKey.generate())
        let device = DeviceIdentity.deviceID(of: ledgerKey.verifyingKey)
        let csr = try tlsKey.certificateRequest(commonName: Hex.text(device))
        let body: JSONValue = [
            "code": .string(code), "csr": .string(String(decoding: csr, as: UTF8.self)),
            "ledger_key": .string(Hex.text(ledgerKey.verifyingKey.bytes)),
            "proof": .string(Hex.text(try EnrolmentProof.make(code: code, request: csr, key: ledgerKey))),
        ]
        let enrolling = try await DeviceLine.open(
            host: host, address: .makeAddressResolvingHost(host, port: enrolPort),
            tls: NIOSSLContext(configuration: place.tls))
        let answer = try await enrolling.post("/v1/enrol", body.bytes)
        await enrolling.end()
        guard answer.status == 200, let json = try? JSONValue(parsing: answer.body),
            let shop = json["shop"]?.string.flatMap(Hex.bytes), let series = json["series"]?.string,
            let chain = json["certificate"]?.string,
            let receiptKey = json["receipt_key"]?.string.flatMap(Hex.bytes)
        else { throw GatewayError.state(problem: "enrolment was answered \(answer.status)", hint: "see serve's log") }
        let tls = try place.tls(chainPEM: chain, key: NIOSSLPrivateKey(bytes: tlsKey.pem(), format: .pem))
        var counter = VirtualCounter(
            ledgerKey: ledgerKey,
            identity: DeviceIdentity(
                device: device, shop: shop, series: series, receiptKey: try VerifyingKey(bytes: receiptKey)), tls: tls,
            place: place)
        var configuration = HTTPClient.Configuration(tlsConfiguration: tls)
        configuration.httpVersion = .http1Only
        counter.client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        return counter
    }

    /// A line of its own, which the caller ends.
    func open(at address: SocketAddress? = nil) async throws -> DeviceLine {
        try await .open(
            host: place.host, address: address ?? place.address(), tls: NIOSSLContext(configuration: tls))
    }

    /// The next entries of its chain: on a counter they stand in the book long before they are sent.
    mutating func invented(_ count: Int, bodyBytes: Int) -> [StoredEvent] {
        var events: [StoredEvent] = []
        var random = SplitMix(state: UInt64(head.seq) &* 0x9E37 &+ UInt64(identity.device[0]))
        for _ in 0..<count {
            let seq = head.seq + 1
            let body = InventedJournal.body(seq, bytes: bodyBytes, using: &random)
            let hash = ChainLink.hash(device: identity.device, epoch: 1, seq: seq, prev: head.hash, body: body)
            events.append(
                StoredEvent(
                    epoch: 1, seq: seq, id: ULID(high: 0, low: UInt64(seq)), type: 1, body: body, prev: head.hash,
                    hash: hash))
            head = ChainHead(epoch: 1, seq: seq, hash: hash)
        }
        return events
    }

    /// Entries, signed and sent; the answer as it comes.
    func post(_ events: [StoredEvent], over line: DeviceLine) async throws -> DeviceLine.Answer {
        let batch = try SyncBatch.sign(
            events, shop: identity.shop, device: identity.device,
            circumstances: SyncCircumstances(
                bootID: .init(repeating: 0, count: 16), monotonicMilliseconds: 0,
                wall: WallTime(milliseconds: SystemClock.milliseconds()), wallQuality: 3, lastReceiptHash: lastReceipt),
            key: ledgerKey)
        return try await line.post(Self.path, batch.bytes)
    }

    /// Signs and sends entries, and checks the receipt as a device would.
    ///
    /// - Throws: when the receipt is not there or not right.
    mutating func sendBatch(_ events: [StoredEvent], over line: DeviceLine) async throws {
        let answer = try await post(events, over: line)
        guard answer.status == 200, let receipt = try? Receipt.read(answer.body, key: identity.receiptKey),
            receipt.throughSeq == events.last?.seq, receipt.headHash == events.last?.hash,
            receipt.previousReceiptHash == lastReceipt
        else { throw GatewayError.state(problem: "a batch was answered \(answer.status)", hint: "see serve's log") }
        lastReceipt = Receipt.hash(of: answer.body)
    }

    /// One try, over whatever line is open or a new one; whatever happens to it on the way is `lost`.
    func send(_ batch: [UInt8], timeout: TimeAmount) async -> SyncAnswer {
        guard let client else { return .lost }
        var request = HTTPClientRequest(url: "https://\(place.host):\(place.devicePort)\(Self.path)")
        request.method = .POST
        request.body = .bytes(ByteBuffer(bytes: batch))
        do {
            let response = try await client.execute(request, timeout: timeout)
            let bytes = try await response.body.collect(upTo: 65_536)
            return .answered(
                status: Int(response.status.code), body: Array(bytes.readableBytesView),
                retryAfterSeconds: response.headers.first(name: "retry-after").flatMap { Int64($0) })
        } catch { return .lost }
    }

    func end() async throws { try await client?.shutdown() }
}
