import AsyncHTTPClient
import JSONText
import Ledger
import LedgerSync
import NIOCore
import NIOSSL
import Seals

/// A counter that `load` makes up: real keys, real enrolment, real TLS, real signatures; only its entries are invented.
struct VirtualCounter: Sendable {
    let ledgerKey: SigningKey
    let identity: DeviceIdentity
    private let client: HTTPClient
    private let url: String
    private var head = ChainHead(epoch: 1, seq: 0, hash: ChainLink.start)
    private var lastReceipt = ChainLink.start

    /// Enrols with a one-time code and opens its own line.
    static func enrolled(code: String, trustPEM: String, host: String, enrolPort: Int, devicePort: Int) async throws
        -> VirtualCounter
    {
        let (ledgerKey, tlsKey) = (try SigningKey.generate(), try TLSKey.generate())
        let device = DeviceIdentity.deviceID(of: ledgerKey.verifyingKey)
        let csr = try tlsKey.certificateRequest(commonName: Hex.text(device))
        let body: JSONValue = [
            "code": .string(code), "csr": .string(String(decoding: csr, as: UTF8.self)),
            "ledger_key": .string(Hex.text(ledgerKey.verifyingKey.bytes)),
            "proof": .string(Hex.text(try EnrolmentProof.make(code: code, request: csr, key: ledgerKey))),
        ]
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.minimumTLSVersion = .tlsv13
        tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(Array(trustPEM.utf8)))
        let enrolling = client(tls)
        let answer: (status: Int, bytes: [UInt8])
        do {
            answer = try await post("https://\(host):\(enrolPort)/v1/enrol", body.bytes, over: enrolling)
            try await enrolling.shutdown()
        } catch {
            try await enrolling.shutdown()
            throw error
        }
        guard answer.status == 200, let json = try? JSONValue(parsing: answer.bytes),
            let shop = json["shop"]?.string.flatMap(Hex.bytes), let series = json["series"]?.string,
            let chain = json["certificate"]?.string,
            let receiptKey = json["receipt_key"]?.string.flatMap(Hex.bytes)
        else { throw GatewayError.state(problem: "enrolment was answered \(answer.status)", hint: "see serve's log") }
        tls.certificateChain = try NIOSSLCertificate.fromPEMBytes(Array(chain.utf8)).map { .certificate($0) }
        tls.privateKey = .privateKey(try NIOSSLPrivateKey(bytes: tlsKey.pem(), format: .pem))
        return VirtualCounter(
            ledgerKey: ledgerKey,
            identity: DeviceIdentity(
                device: device, shop: shop, series: series, receiptKey: try VerifyingKey(bytes: receiptKey)),
            client: client(tls), url: "https://\(host):\(devicePort)/v1/sync")
    }

    /// Sends the next entries of its chain and checks the receipt as a device would.
    ///
    /// - Throws: when the receipt is not there or not right.
    mutating func sendBatch(entries: Int, bodyBytes: Int) async throws {
        var events: [StoredEvent] = []
        var head = head
        var random = SplitMix(state: UInt64(head.seq) &* 0x9E37 &+ UInt64(identity.device[0]))
        for _ in 0..<entries {
            let seq = head.seq + 1
            let body = InventedJournal.body(seq, bytes: bodyBytes, using: &random)
            let hash = ChainLink.hash(device: identity.device, epoch: 1, seq: seq, prev: head.hash, body: body)
            events.append(
                StoredEvent(
                    epoch: 1, seq: seq, id: ULID(high: 0, low: UInt64(seq)), type: 1, body: body, prev: head.hash,
                    hash: hash))
            head = ChainHead(epoch: 1, seq: seq, hash: hash)
        }
        let batch = try SyncBatch.sign(
            events, shop: identity.shop, device: identity.device,
            circumstances: SyncCircumstances(
                bootID: .init(repeating: 0, count: 16), monotonicMilliseconds: 0,
                wall: WallTime(milliseconds: SystemClock.milliseconds()), wallQuality: 3, lastReceiptHash: lastReceipt),
            key: ledgerKey)
        let answer = try await Self.post(url, batch.bytes, over: client)
        guard answer.status == 200, let receipt = try? Receipt.read(answer.bytes, key: identity.receiptKey),
            receipt.throughSeq == head.seq, receipt.headHash == head.hash, receipt.previousReceiptHash == lastReceipt
        else { throw GatewayError.state(problem: "a batch was answered \(answer.status)", hint: "see serve's log") }
        self.head = head
        lastReceipt = Receipt.hash(of: answer.bytes)
    }

    /// One try; whatever happens to it on the way is `lost`.
    func send(_ batch: [UInt8], timeout: TimeAmount) async -> SyncAnswer {
        var request = HTTPClientRequest(url: url)
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

    func end() async throws { try await client.shutdown() }

    private static func client(_ tls: TLSConfiguration) -> HTTPClient {
        var configuration = HTTPClient.Configuration(tlsConfiguration: tls)
        configuration.httpVersion = .http1Only
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    private static func post(
        _ url: String, _ body: [UInt8], over client: HTTPClient
    ) async throws -> (status: Int, bytes: [UInt8]) {
        var request = HTTPClientRequest(url: url)
        request.method = .POST
        request.body = .bytes(ByteBuffer(bytes: body))
        let response = try await client.execute(request, timeout: .seconds(60))
        let bytes = try await response.body.collect(upTo: 65_536)
        return (Int(response.status.code), Array(bytes.readableBytesView))
    }
}
