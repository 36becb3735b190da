import AsyncHTTPClient
import NIOCore
import NIOSSL
import Seals
import Testing

@testable import execora_gateway

/// Who is let in on the device port. Every refusal is made by a real handshake.
@Suite struct IdentityTests {
    @Test func `no client certificate is refused`() async throws {
        try await GatewayRig.run { rig in
            let counter = try await CounterDouble.enrolled(at: rig)
            let tls = try rig.tls()
            await #expect(throws: (any Error).self) { try await counter.send("GET", "/v1/time", to: rig, tls: tls) }
            #expect(try await eventually { rig.refusals("no_certificate") == 1 })
        }
    }

    @Test func `a certificate of another authority is refused`() async throws {
        try await GatewayRig.run { rig in
            let counter = try CounterDouble()
            let key = CertificateAuthority.newKeyPEM()
            let stranger = try CertificateAuthority(
                certificatePEM: CertificateAuthority.root(keyPEM: key, nowMilliseconds: SystemClock.milliseconds()),
                keyPEM: key)
            let tls = try counter.tls(of: rig, chainPEM: Self.chain(by: stranger, for: counter))
            await #expect(throws: (any Error).self) { try await counter.send("GET", "/v1/time", to: rig, tls: tls) }
            #expect(try await eventually { rig.refusals("certificate") == 1 })
        }
    }

    @Test(arguments: [-40, 3])
    func `a certificate that has run out or not begun is refused`(daysFromNow: Int) async throws {
        try await GatewayRig.run { rig in
            let counter = try CounterDouble()
            let chain = try Self.chain(by: rig.folder.authority(), for: counter, daysFromNow: daysFromNow)
            let tls = try counter.tls(of: rig, chainPEM: chain)
            await #expect(throws: (any Error).self) { try await counter.send("GET", "/v1/time", to: rig, tls: tls) }
            #expect(try await eventually { rig.refusals("certificate") == 1 })
        }
    }

    /// The server's own certificate is of our authority, yet not for clients.
    @Test func `a server certificate is not taken for a client's`() async throws {
        try await GatewayRig.run { rig in
            let counter = try CounterDouble()
            var tls = try rig.tls()
            tls.certificateChain = try NIOSSLCertificate.fromPEMBytes(
                Array(rig.folder.text(rig.folder.serverCertificate, secret: false).utf8)
            ).map { .certificate($0) }
            tls.privateKey = .privateKey(
                try NIOSSLPrivateKey(bytes: Array(rig.folder.text(rig.folder.serverKey).utf8), format: .pem))
            let shown = tls
            await #expect(throws: (any Error).self) { try await counter.send("GET", "/v1/time", to: rig, tls: shown) }
        }
    }

    /// A certificate that our key signed but our store did not give out: a restored backup, or a stolen issuing key.
    @Test func `a certificate unknown to the store is refused`() async throws {
        try await GatewayRig.run { rig in
            var counter = try CounterDouble()
            counter.chainPEM = try Self.chain(by: rig.folder.authority(), for: counter)
            let answer = try await counter.send("GET", "/v1/time", to: rig)
            #expect(answer.status == 401 && answer.errorCode == "unknown_certificate")
        }
    }

    @Test(arguments: ["device", "enrol"])
    func `TLS 1.2 is refused`(port: String) async throws {
        try await GatewayRig.run { rig in
            let counter = try await CounterDouble.enrolled(at: rig)
            var tls = try counter.tls(of: rig)
            tls.minimumTLSVersion = .tlsv12
            tls.maximumTLSVersion = .tlsv12
            let old = tls
            let number = port == "device" ? rig.ports.device : rig.ports.enrol
            await #expect(throws: (any Error).self) {
                try await GatewayRig.exchange("GET", "https://localhost:\(number)/v1/time", tls: old)
            }
            #expect(try await eventually { rig.refusals(port: port, "tls_version") == 1 })
        }
    }

    @Test func `plain HTTP on the device port is refused`() async throws {
        try await GatewayRig.run { rig in
            _ = try await CounterDouble.enrolled(at: rig)
            await #expect(throws: (any Error).self) {
                try await GatewayRig.exchange("GET", "http://localhost:\(rig.ports.device)/v1/time", tls: nil)
            }
            #expect(try await eventually { rig.refusals("not_tls") == 1 })
        }
    }

    /// The other way round: a device does not talk to a gateway it does not know.
    @Test func `a device that trusts another authority ends the handshake`() async throws {
        try await GatewayRig.run { rig in
            let counter = try await CounterDouble.enrolled(at: rig)
            var tls = try counter.tls(of: rig)
            let root = try CertificateAuthority.root(
                keyPEM: CertificateAuthority.newKeyPEM(), nowMilliseconds: SystemClock.milliseconds())
            tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(Array(root.utf8)))
            let strange = tls
            await #expect(throws: (any Error).self) { try await counter.send("GET", "/v1/time", to: rig, tls: strange) }
        }
    }

    /// Revoking is another process at work; the connection stays open meanwhile.
    @Test func `a revoked device is refused at once, on the open connection too`() async throws {
        try await GatewayRig.run { rig in
            let counter = try await CounterDouble.enrolled(at: rig)
            var configuration = HTTPClient.Configuration(tlsConfiguration: try counter.tls(of: rig))
            configuration.httpVersion = .http1Only
            let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
            let request = HTTPClientRequest(url: "https://localhost:\(rig.ports.device)/v1/time")
            var statuses: [UInt] = []
            do {
                for isRevoked in [false, true] {
                    if isRevoked {
                        let beside = try await FleetStore.open(path: rig.folder.database)
                        #expect(try await beside.revoke(device: counter.device, nowMilliseconds: 1))
                    }
                    let response = try await client.execute(request, timeout: .seconds(30))
                    _ = try await response.body.collect(upTo: 4096)
                    statuses.append(response.status.code)
                }
            } catch { Issue.record(error) }
            try await client.shutdown()
            #expect(statuses == [200, 403])
            #expect(try await counter.send("GET", "/v1/time", to: rig).errorCode == "revoked")
        }
    }

    @Test func `the signed time proves itself with the asker's nonce`() async throws {
        try await GatewayRig.run { rig in
            let counter = try await CounterDouble.enrolled(at: rig)
            let answer = try await counter.send("GET", "/v1/time?nonce=00ff10", to: rig)
            let milliseconds = try #require(answer.json["ms"]?.integer)
            let signature = try #require(answer.json["signature"]?.string.flatMap(Hex.bytes))
            #expect(answer.json["nonce"]?.string == "00ff10")
            let key = try #require(counter.receiptKey)
            // "execora/time/v1\0" | 00 FF 10 | milliseconds, 8 bytes big-endian
            let message =
                Array("execora/time/v1".utf8) + [0, 0x00, 0xFF, 0x10]
                + (0..<8).map { UInt8(truncatingIfNeeded: milliseconds >> (56 - 8 * Int64($0))) }
            #expect(key.verifies(signature, of: message))
            #expect(!key.verifies(signature, of: message + [0]))
            #expect(try await counter.send("GET", "/v1/time?nonce=xyz", to: rig).status == 400)
        }
    }

    private static func chain(
        by authority: CertificateAuthority, for counter: CounterDouble, daysFromNow: Int = 0
    ) throws -> String {
        let csr = try counter.tlsKey.certificateRequest(commonName: "any")
        return try authority.device(
            key: CertificateAuthority.deviceKey(request: String(decoding: csr, as: UTF8.self)),
            subject: .init(
                device: counter.device, shop: .init(repeating: 1, count: 16), series: "A01",
                ledgerKey: counter.ledgerKey.verifyingKey.bytes),
            nowMilliseconds: SystemClock.milliseconds() + Int64(daysFromNow) * 86_400_000
        ).chainPEM
    }
}
