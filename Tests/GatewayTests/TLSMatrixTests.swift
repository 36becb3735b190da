import Foundation
import JSONText
import Seals
import Testing

@testable import execora_gateway

/// Who is refused, and why, as another TLS library sees it: OpenSSL's own client against the whole gateway. Each case
/// is counted once under its reason and logged once.
@Suite struct TLSMatrixTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var name: String
        var arguments: @Sendable (Files) -> [String]
        /// In what `openssl s_client` prints: the alert, or its own complaint.
        var says: String
        /// In the gateway's count of refusals; nil where the gateway only sees the device go.
        var counted: String?

        var testDescription: String { name }
    }

    /// What the cases show and trust.
    struct Files: Sendable {
        var good: [String], stranger: [String], selfSigned: [String], expired: [String], early: [String]
        var trust: [String], strangeTrust: [String]
    }

    static let cases = [
        Case(name: "no certificate", arguments: { $0.trust }, says: "certificate required", counted: "no_certificate"),
        Case(
            name: "wrong CA", arguments: { $0.trust + $0.stranger }, says: "unknown ca", counted: "certificate"),
        Case(
            name: "self-signed", arguments: { $0.trust + $0.selfSigned }, says: "unknown ca", counted: "certificate"),
        Case(
            name: "expired", arguments: { $0.trust + $0.expired }, says: "certificate expired", counted: "certificate"),
        Case(
            // The gateway's library has one alert for a time that is not the certificate's.
            name: "not yet valid", arguments: { $0.trust + $0.early }, says: "certificate expired",
            counted: "certificate"),
        Case(
            name: "TLS 1.2", arguments: { $0.trust + $0.good + ["-no_tls1_3"] }, says: "protocol version",
            counted: "tls_version"),
        Case(
            name: "wrong name", arguments: { $0.trust + $0.good + ["-verify_hostname", "gateway.example"] },
            says: "hostname mismatch", counted: nil),
        Case(
            name: "device trusts another CA", arguments: { $0.strangeTrust + $0.good }, says: "verify error",
            counted: nil),
    ]

    @Test(arguments: cases)
    func `each is refused for its own reason`(one: Case) async throws {
        try await GatewayRig.run { rig in
            let files = try await Self.files(at: rig)
            let said = try await Self.client(one.arguments(files), port: rig.ports.device)
            #expect(said.lowercased().contains(one.says), "\(said)")
            #expect(!said.contains("HTTP/1.1 200"))
            if let counted = one.counted {
                #expect(try await eventually { rig.refusals(counted) == 1 })
                #expect(rig.log.all.filter { $0.contains("connection refused") }.count == 1)
            }
            // The same files without the fault are let in.
            let good = try await Self.client(files.trust + files.good, port: rig.ports.device)
            #expect(good.contains("HTTP/1.1 200"), "\(good)")
        }
    }

    /// Heads and bodies over their size, whole or in a stream that never ends: refused, and the line is closed.
    @Test func `an oversized head or body is refused`() async throws {
        try await GatewayRig.run { rig in
            let files = try await Self.files(at: rig)
            let head =
                "GET /v1/time HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-long: \(String(repeating: "a", count: 20_000))\r\n\r\n"
            let said = try await Self.client(files.trust + files.good, port: rig.ports.device, request: head)
            #expect(!said.contains("HTTP/1.1 200"))
            let body =
                "POST /v1/sync HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 200000\r\n\r\n"
                + String(repeating: "b", count: 200_000)
            let answer = try await Self.client(files.trust + files.good, port: rig.ports.device, request: body)
            #expect(answer.contains("HTTP/1.1 413"), "\(answer.suffix(300))")
        }
    }

    /// Over real TLS with a good certificate: a head that never ends is closed after ten seconds, a body that never ends
    /// at 4 MB. Each under its own reason, once, and the next device is served.
    @Test func `a head that trickles and a body without end are closed, counted and logged once`() async throws {
        try await GatewayRig.run { rig in
            let files = try await Self.files(at: rig)
            async let slow = Self.client(files.trust + files.good, port: rig.ports.device, request: "GET /v1/time HT")
            let piece = "10000\r\n\(String(repeating: "c", count: 65_536))\r\n"
            let endless =
                "POST /v1/turns HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-execora-turn\r\n"
                + "transfer-encoding: chunked\r\n\r\n" + String(repeating: piece, count: 80)
            let said = try await Self.client(files.trust + files.good, port: rig.ports.device, request: endless)
            #expect(!said.contains("HTTP/1.1 200"))
            #expect(!(try await slow).contains("HTTP/1.1 200"))
            #expect(try await eventually { rig.refusals("slow_head") == 1 })
            #expect(rig.log.all.filter { $0.contains("slow_head") }.count == 1)
            #expect(rig.refusals("oversized_body") <= 1)
            let good = try await Self.client(files.trust + files.good, port: rig.ports.device)
            #expect(good.contains("HTTP/1.1 200"), "\(good)")
        }
    }

    static let request = "GET /v1/time HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"

    /// What `openssl s_client` prints, the answer included.
    static func client(_ arguments: [String], port: Int, request: String = request) async throws -> String {
        try await onOwnThread {
            let (process, input, output) = (Process(), Pipe(), Pipe())
            process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
            process.arguments =
                ["s_client", "-connect", "localhost:\(port)", "-verify_return_error", "-ign_eof"] + arguments
            process.standardInput = input
            process.standardOutput = output
            process.standardError = output
            try process.run()
            // Should the gateway keep the line open, the client is ended and the expectations fail.
            DispatchQueue.global().asyncAfter(deadline: .now() + 20) { [process] in
                if process.isRunning { process.terminate() }
            }
            // A client that was refused reads no more: that is no fault of the test's.
            signal(SIGPIPE, SIG_IGN)
            try? input.fileHandleForWriting.write(contentsOf: Array(request.utf8))
            try? input.fileHandleForWriting.close()
            let said = output.fileHandleForReading.readDataToEndOfFile()
            process.waitUntilExit()
            return String(decoding: said, as: UTF8.self)
        }
    }

    static func files(at rig: GatewayRig) async throws -> Files {
        let counter = try await CounterDouble.enrolled(at: rig)
        let now = SystemClock.milliseconds()
        let path = rig.folder.path
        let key = path + "/client.key"
        try PrivateFile.write(try counter.tlsKey.pem(), to: key)
        let csr = String(decoding: try counter.tlsKey.certificateRequest(commonName: "x"), as: UTF8.self)
        let subject = CertificateSubject(
            device: counter.device, shop: counter.shop, series: "A01", ledgerKey: counter.ledgerKey.verifyingKey.bytes)
        func shown(_ name: String, by authority: CertificateAuthority, days: Int64 = 0) throws -> [String] {
            let chain = try authority.device(
                key: CertificateAuthority.deviceKey(request: csr), subject: subject,
                nowMilliseconds: now + days * 86_400_000
            ).chainPEM
            try PrivateFile.write(Array(chain.utf8), to: path + "/\(name).pem")
            return ["-cert", path + "/\(name).pem", "-cert_chain", path + "/\(name).pem", "-key", key]
        }
        let strangeKey = CertificateAuthority.newKeyPEM()
        let strangeRoot = try CertificateAuthority.root(keyPEM: strangeKey, nowMilliseconds: now)
        try PrivateFile.write(Array(strangeRoot.utf8), to: path + "/strange.pem")
        let stranger = try CertificateAuthority(certificatePEM: strangeRoot, keyPEM: strangeKey)
        try PrivateFile.write(Array(counter.chainPEM.utf8), to: path + "/good.pem")
        let own = CertificateAuthority.newKeyPEM()
        try PrivateFile.write(Array(own.utf8), to: path + "/own.key")
        let made = try Program.start(
            "/usr/bin/openssl",
            [
                "req", "-x509", "-new", "-key", path + "/own.key", "-subj", "/CN=x", "-days", "1", "-out",
                path + "/own.pem",
            ])
        guard made.code == 0 else { throw Program.Failed(output: made.output) }
        let authority = try rig.folder.authority()
        return Files(
            good: ["-cert", path + "/good.pem", "-cert_chain", path + "/good.pem", "-key", key],
            stranger: try shown("stranger", by: stranger),
            selfSigned: ["-cert", path + "/own.pem", "-key", path + "/own.key"],
            expired: try shown("expired", by: authority, days: -40), early: try shown("early", by: authority, days: 3),
            trust: ["-CAfile", rig.folder.rootCertificate], strangeTrust: ["-CAfile", path + "/strange.pem"])
    }
}
