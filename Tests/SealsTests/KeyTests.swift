import Seals
import Testing

/// Our keys, requests and readings against the `openssl` tool: another reader of the same standards.
@Suite struct KeyTests {
    @Test func `a ledger key survives its file`() throws {
        let key = try SigningKey.generate()
        let again = try SigningKey(pem: key.pem())
        #expect(again.verifyingKey == key.verifyingKey)
        #expect(try again.sign([1, 2, 3]) == key.sign([1, 2, 3]))
        #expect(try SigningKey.generate().verifyingKey != key.verifyingKey)
        #expect(key.verifyingKey.keyID.count == 8)
    }

    @Test func `the openssl tool verifies what the ledger key signs`() throws {
        let scratch = Scratch()
        let key = try SigningKey.generate()
        let keyFile = try scratch.file("key.pem", key.pem())
        let message = try scratch.file("message", Array("udhaar".utf8))
        let signature = try scratch.file("signature", key.sign(Array("udhaar".utf8)))
        let answer = try Tool.run([
            "openssl", "pkeyutl", "-verify", "-rawin", "-inkey", keyFile, "-in", message, "-sigfile", signature,
        ])
        #expect(answer.code == 0 && answer.text.contains("Verified Successfully"), "\(answer)")
    }

    @Test func `the openssl tool verifies a certificate request`() throws {
        let scratch = Scratch()
        let key = try TLSKey.generate()
        let name = "00112233445566778899aabbccddeeff"
        let request = try scratch.file("request.pem", key.certificateRequest(commonName: name))
        let answer = try Tool.run(["openssl", "req", "-verify", "-noout", "-text", "-subject", "-in", request])
        #expect(answer.code == 0, "\(answer)")
        #expect(answer.text.contains("verify OK"))
        #expect(answer.text.contains("prime256v1"))
        #expect(answer.text.contains("ecdsa-with-SHA256"))
        #expect(answer.text.contains(name))
    }

    @Test func `a certificate tells its subject, its days and its key`() throws {
        let scratch = Scratch()
        let key = try TLSKey.generate()
        let keyPath = try scratch.file("tls.key", key.pem())
        let path = scratch.path + "/tls.pem"
        let made = try Tool.run([
            "openssl", "req", "-x509", "-key", keyPath, "-subj", "/O=Sharma Kirana/CN=dukaan", "-days", "30", "-out",
            path,
        ])
        #expect(made.code == 0, "\(made)")
        let pem = try PrivateFile.read(path, secret: false)
        let certificate = try Certificate.read(pem: pem)
        let name = certificate.commonName
        #expect(name == "dukaan")
        let (first, last) = (try certificate.notBeforeSeconds, try certificate.notAfterSeconds)
        #expect(last - first == 30 * 86_400)
        let renewal = try certificate.renewAfterSeconds
        #expect(renewal == first + 20 * 86_400)
        let shown = try Tool.run(["openssl", "x509", "-in", path, "-noout", "-fingerprint", "-sha256"])
        let fingerprint = try certificate.fingerprint
        let printed = shown.text.split(separator: "=").last?.filter(\.isHexDigit).lowercased()
        #expect(printed == Hex.text(fingerprint))
        // The tool's own reading of the same moment.
        let ends = try Tool.run(["openssl", "x509", "-in", path, "-noout", "-enddate", "-dateopt", "iso_8601"])
        let seconds = try Tool.run([
            "date", "-u", "-d", String(ends.text.dropFirst("notAfter=".count).dropLast()), "+%s",
        ])
        #expect(Int64(seconds.text.dropLast()) == last, "\(ends.text) \(seconds.text)")
        let (own, other) = (key.matches(certificate), try TLSKey.generate().matches(certificate))
        #expect(own && !other)
    }

    @Test func `a key of another kind, curve or form is refused`() throws {
        let scratch = Scratch()
        let path = scratch.path + "/other.pem"
        let made = try Tool.run([
            "openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384", "-out", path,
        ])
        #expect(made.code == 0, "\(made)")
        let other = try PrivateFile.read(path, secret: true)
        #expect(throws: SealError.malformed("a key on another curve")) { try TLSKey(pem: other) }
        #expect(throws: SealError.malformed("a private key of another type")) { try SigningKey(pem: other) }
        let locked = scratch.path + "/locked.pem"
        let lock = try Tool.run([
            "openssl", "pkcs8", "-topk8", "-in", path, "-passout", "pass:secret", "-out", locked,
        ])
        #expect(lock.code == 0, "\(lock)")
        let lockedPEM = try PrivateFile.read(locked, secret: true)
        #expect(throws: SealError.malformed("not a private key in PEM")) { try TLSKey(pem: lockedPEM) }
        for bytes in [[], Array("hello".utf8), [UInt8](repeating: 0x2D, count: 70_000)] {
            #expect(throws: SealError.self) { try SigningKey(pem: bytes) }
            #expect(throws: SealError.self) { try TLSKey(pem: bytes) }
            #expect(throws: SealError.self) {
                _ = try Certificate.read(pem: bytes)
            }
        }
    }

    /// Every cut of a real PEM is refused or read, never a crash.
    @Test func `a torn key file is refused`() throws {
        let pem = try SigningKey.generate().pem()
        // The last line may lack its newline; anything shorter is torn.
        for count in 0..<pem.count - 2 {
            #expect(throws: SealError.self) { try SigningKey(pem: Array(pem.prefix(count))) }
        }
    }

    @Test func `an enrolment proof binds code, request and key`() throws {
        let key = try SigningKey.generate()
        let request = try TLSKey.generate().certificateRequest(commonName: "x")
        let proof = try EnrolmentProof.make(code: "481516", request: request, key: key)
        #expect(EnrolmentProof.holds(proof, code: "481516", request: request, key: key.verifyingKey))
        #expect(!EnrolmentProof.holds(proof, code: "481517", request: request, key: key.verifyingKey))
        #expect(!EnrolmentProof.holds(proof, code: "481516", request: request + [0x0A], key: key.verifyingKey))
        let other = try SigningKey.generate().verifyingKey
        #expect(!EnrolmentProof.holds(proof, code: "481516", request: request, key: other))
    }
}
