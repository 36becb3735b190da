import AsyncHTTPClient
import Conversation
import Glibc
import JSONText
import Ledger
import LedgerSync
import NIOCore
import NIOSSL
import OpusCoding
import Seals

@testable import execora_gateway

/// A counter as the gateway sees it: two keys, a certificate, requests over TLS 1.3.
struct CounterDouble: Sendable {
    var ledgerKey: SigningKey
    var tlsKey: TLSKey
    var shop: [UInt8] = []
    var series = ""
    var chainPEM = ""
    var receiptKey: VerifyingKey?

    var device: [UInt8] { DeviceIdentity.deviceID(of: ledgerKey.verifyingKey) }

    init() throws {
        ledgerKey = try .generate()
        tlsKey = try .generate()
    }

    struct Answer: Sendable {
        var status: Int
        var headers: [String: String]
        var bytes: [UInt8]

        var json: JSONValue { (try? JSONValue(parsing: bytes)) ?? .null }
        var errorCode: String? { json["error"]?["code"]?.string }
    }

    // Enrolling -----------------------------------------------------------------------------------------------------

    func enrolment(code: String) throws -> JSONValue {
        let csr = try tlsKey.certificateRequest(commonName: Hex.text(device))
        let proof = try EnrolmentProof.make(code: code, request: csr, key: ledgerKey)
        return [
            "code": .string(code), "csr": .string(String(decoding: csr, as: UTF8.self)),
            "ledger_key": .string(Hex.text(ledgerKey.verifyingKey.bytes)), "proof": .string(Hex.text(proof)),
        ]
    }

    static func enrolled(at rig: GatewayRig, shop: String = "sharma-kirana") async throws -> CounterDouble {
        var counter = try CounterDouble()
        let answer = try await rig.enrol(counter.enrolment(code: rig.code(shop: shop)))
        guard answer.status == 200 else { throw Failure(answer: answer) }
        counter.shop = answer.json["shop"]?.string.flatMap(Hex.bytes) ?? []
        counter.series = answer.json["series"]?.string ?? ""
        counter.chainPEM = answer.json["certificate"]?.string ?? ""
        counter.receiptKey = try VerifyingKey(bytes: answer.json["receipt_key"]?.string.flatMap(Hex.bytes) ?? [])
        return counter
    }

    struct Failure: Error { var answer: Answer }

    static func trusting(_ folder: StateFolder) throws -> TLSConfiguration {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.trustRoots = .certificates(
            try NIOSSLCertificate.fromPEMBytes(Array(folder.text(folder.rootCertificate, secret: false).utf8)))
        return tls
    }

    // Requests ------------------------------------------------------------------------------------------------------

    func tls(of rig: GatewayRig, chainPEM: String? = nil) throws -> TLSConfiguration {
        var tls = try rig.tls()
        tls.certificateChain = try NIOSSLCertificate.fromPEMBytes(Array((chainPEM ?? self.chainPEM).utf8)).map {
            .certificate($0)
        }
        tls.privateKey = .privateKey(try NIOSSLPrivateKey(bytes: tlsKey.pem(), format: .pem))
        return tls
    }

    func send(
        _ method: String = "POST", _ path: String, to rig: GatewayRig, headers: [(String, String)] = [],
        body: HTTPClientRequest.Body? = nil, tls: TLSConfiguration? = nil
    ) async throws -> Answer {
        try await GatewayRig.exchange(
            method, "https://localhost:\(rig.ports.device)\(path)", headers: headers, body: body,
            tls: try tls ?? self.tls(of: rig))
    }

    func sync(_ batch: [UInt8], to rig: GatewayRig) async throws -> Answer {
        try await send(
            "POST", "/v1/sync", to: rig,
            headers: [("traceparent", "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01")],
            body: .bytes(ByteBuffer(bytes: batch)))
    }

    func turn(
        _ pieces: [[UInt8]], to rig: GatewayRig, headers: [(String, String)] = []
    ) async throws -> Answer {
        let stream = AsyncStream<ByteBuffer> { continuation in
            for piece in pieces { continuation.yield(ByteBuffer(bytes: piece)) }
            continuation.finish()
        }
        return try await send(
            "POST", "/v1/turns", to: rig, headers: [("content-type", TurnRoute.contentType)] + headers,
            body: .stream(stream, length: .unknown))
    }

    // Entries -------------------------------------------------------------------------------------------------------

    /// A chain of `count` entries, the same for the same `flavour`.
    func chain(
        _ count: Int, flavour: String = "", after prefix: [StoredEvent] = [], epoch: Int64 = 1
    ) -> [StoredEvent] {
        var events = prefix
        for index in prefix.count..<prefix.count + count {
            let prev = events.last?.hash ?? ChainLink.start
            let seq = Int64(index + 1)
            let body = CBORValue.map([1: .integer(seq), 2: .text("entry \(flavour)")]).encoded
            events.append(
                StoredEvent(
                    epoch: epoch, seq: seq, id: ULID(high: 1, low: UInt64(seq)), type: 1, body: body, prev: prev,
                    hash: ChainLink.hash(device: device, epoch: epoch, seq: seq, prev: prev, body: body)))
        }
        return events
    }

    func batch(
        _ events: some Collection<StoredEvent>, key: SigningKey? = nil, shop: [UInt8]? = nil
    ) throws -> [UInt8] {
        try SyncBatch.sign(
            Array(events), shop: shop ?? self.shop, device: device,
            circumstances: SyncCircumstances(
                bootID: .init(repeating: 7, count: 16), monotonicMilliseconds: 1,
                wall: WallTime(milliseconds: SystemClock.milliseconds()), wallQuality: 3),
            key: key ?? ledgerKey
        ).bytes
    }

    // Speech --------------------------------------------------------------------------------------------------------

    static func hello(
        turn: ULID = ULID(high: 0x0193_0000_0000_0001, low: 42), isLate: Bool = false, vocabulary: [String] = []
    ) -> TurnHello {
        TurnHello(
            turn: turn, wake: nil, firstSampleIndex: 0, isLate: isLate,
            spokenAt: WallTime(milliseconds: SystemClock.milliseconds()), vocabulary: vocabulary, language: "hi-en")
    }

    /// A rising tone as Opus packets of 20 ms, and the samples that went in.
    static func tone(frames: Int) throws -> (packets: [[UInt8]], samples: [Int16]) {
        var encoder = try OpusSpeechEncoder.open()
        var (packets, all): ([[UInt8]], [Int16]) = ([], [])
        for frame in 0..<frames {
            let samples = (0..<320).map { index in
                let time = Double(frame * 320 + index) / 16_000
                return Int16(8000 * sin(2 * Double.pi * (300 + 200 * time) * time))
            }
            all += samples
            packets.append(try encoder.encode(samples))
        }
        return (packets, all)
    }

    static func records(_ packets: [[UInt8]], last: TurnFraming.Flags = .end) -> [[UInt8]] {
        var pieces = packets.enumerated().map { index, packet in
            TurnFraming.bytes(
                of: .init(seq: UInt32(index), sampleOffset: UInt32(index * 320), packet: packet))
        }
        pieces.append(
            TurnFraming.bytes(
                of: .init(
                    seq: UInt32(packets.count), sampleOffset: UInt32(packets.count * 320), flags: last, packet: [])))
        return pieces
    }
}

extension GatewayRig {
    /// Trusts the gateway's own root, shows no certificate.
    func tls() throws -> TLSConfiguration { try CounterDouble.trusting(folder) }

    func enrol(_ body: JSONValue) async throws -> CounterDouble.Answer {
        try await Self.exchange(
            "POST", "https://localhost:\(ports.enrol)/v1/enrol", body: .bytes(ByteBuffer(bytes: body.bytes)),
            tls: try tls())
    }

    func operations(_ path: String) async throws -> CounterDouble.Answer {
        try await Self.exchange("GET", "http://127.0.0.1:\(ports.operations)\(path)", tls: nil)
    }

    /// One request over a connection of its own.
    static func exchange(
        _ method: String, _ url: String, headers: [(String, String)] = [], body: HTTPClientRequest.Body? = nil,
        tls: TLSConfiguration?
    ) async throws -> CounterDouble.Answer {
        var configuration = HTTPClient.Configuration(tlsConfiguration: tls)
        configuration.httpVersion = .http1Only
        configuration.timeout = .init(connect: .seconds(10), read: .seconds(30))
        // A refused handshake is an answer here, not a reason to try again.
        configuration.connectionPool.retryConnectionEstablishment = false
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        do {
            var request = HTTPClientRequest(url: url)
            request.method = .init(rawValue: method)
            for (name, value) in headers { request.headers.add(name: name, value: value) }
            request.body = body
            let response = try await client.execute(request, timeout: .seconds(60))
            let bytes = try await response.body.collect(upTo: 1 << 20)
            let answer = CounterDouble.Answer(
                status: Int(response.status.code),
                headers: .init(
                    response.headers.map { ($0.name.lowercased(), $0.value) }, uniquingKeysWith: { first, _ in first }),
                bytes: Array(bytes.readableBytesView))
            try await client.shutdown()
            return answer
        } catch {
            try await client.shutdown()
            throw error
        }
    }
}
