import Glibc
import Seals
import Testing

@Suite struct IdentityFolderTests {
    /// Stands in for a gateway: signs the device's request with a root of its own.
    private func issue(_ folder: IdentityFolder, commonName: String, scratch: Scratch) throws -> (
        chain: [UInt8], trust: [UInt8]
    ) {
        let (_, tls) = try folder.keysMadeIfMissing()
        let request = try scratch.file("request.pem", tls.certificateRequest(commonName: commonName))
        let (rootKey, root, leaf) = (scratch.path + "/root.key", scratch.path + "/root.pem", scratch.path + "/leaf.pem")
        for words in [
            [
                "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                rootKey, "-subj", "/CN=root", "-days", "1", "-out", root,
            ],
            ["openssl", "x509", "-req", "-in", request, "-CA", root, "-CAkey", rootKey, "-days", "1", "-out", leaf],
        ] {
            let done = try Tool.run(words)
            try #require(done.code == 0, "\(done)")
        }
        return (try PrivateFile.read(leaf, secret: false), try PrivateFile.read(root, secret: false))
    }

    private func identity(of folder: IdentityFolder) throws -> DeviceIdentity {
        DeviceIdentity(
            device: DeviceIdentity.deviceID(of: try folder.ledgerKey().verifyingKey),
            shop: Array(repeating: 7, count: 16), series: "A01", receiptKey: try SigningKey.generate().verifyingKey,
            keys: [try folder.ledgerKey().verifyingKey])
    }

    @Test func `enrolment is stored and read back, private to its owner`() throws {
        let scratch = Scratch()
        let folder = IdentityFolder(path: scratch.path + "/identity")
        _ = try folder.keysMadeIfMissing()
        let identity = try identity(of: folder)
        #expect(throws: SealError.missing(path: folder.identityPath)) { try folder.identity() }
        let (chain, trust) = try issue(folder, commonName: identity.deviceHex, scratch: scratch)
        try folder.complete(identity, chain: chain, trust: trust)
        #expect(try folder.identity() == identity)
        let named = try folder.certificate().commonName
        #expect(named == identity.deviceHex)
        #expect(try folder.spoolKey().count == 32)
        var facts = stat()
        #expect(stat(folder.path, &facts) == 0 && facts.st_mode & 0o777 == 0o700)
        for path in [
            folder.ledgerKeyPath, folder.tlsKeyPath, folder.chainPath, folder.trustPath, folder.spoolKeyPath,
            folder.identityPath,
        ] {
            #expect(stat(path, &facts) == 0 && facts.st_mode & 0o777 == 0o600, "\(path)")
        }
    }

    @Test func `a second try at enrolling is the same device`() throws {
        let scratch = Scratch()
        let folder = IdentityFolder(path: scratch.path + "/identity")
        let first = try folder.keysMadeIfMissing()
        let spool = try folder.spoolKey()
        let second = try folder.keysMadeIfMissing()
        #expect(first.ledger.verifyingKey == second.ledger.verifyingKey)
        #expect(try first.tls.pem() == second.tls.pem())
        #expect(try folder.spoolKey() == spool)
    }

    @Test func `a certificate for another name or key is not taken`() throws {
        let scratch = Scratch()
        let folder = IdentityFolder(path: scratch.path + "/identity")
        _ = try folder.keysMadeIfMissing()
        let identity = try identity(of: folder)
        let other = try issue(folder, commonName: "someone-else", scratch: scratch)
        #expect(throws: SealError.malformed("a certificate for another device")) {
            try folder.complete(identity, chain: other.chain, trust: other.trust)
        }
        #expect(throws: SealError.malformed("a certificate for another key")) {
            try folder.complete(identity, chain: other.trust, trust: other.trust)
        }
        var stranger = identity
        stranger.device[0] ^= 1
        #expect(throws: SealError.malformed("the gateway named another device")) {
            try folder.complete(stranger, chain: other.chain, trust: other.trust)
        }
        #expect(throws: SealError.missing(path: folder.identityPath)) { try folder.identity() }
    }

    @Test func `a key others may read is refused`() throws {
        let scratch = Scratch()
        let folder = IdentityFolder(path: scratch.path + "/identity")
        _ = try folder.keysMadeIfMissing()
        #expect(chmod(folder.ledgerKeyPath, 0o640) == 0)
        #expect(throws: SealError.exposed(path: folder.ledgerKeyPath, mode: 0o640)) { try folder.ledgerKey() }
    }

    @Test(arguments: [
        "", "{", "{}", #"{"device":"00","shop":"00","series":"A01","receipt_key":"00"}"#,
        #"{"device":"00112233445566778899aabbccddeeff","shop":"00112233445566778899aabbccddeeff","series":"A01","#
            + #""receipt_key":"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"}"#,
    ])
    func `an identity that is damaged or of another device is refused`(text: String) throws {
        let scratch = Scratch()
        let folder = IdentityFolder(path: scratch.path + "/identity")
        _ = try folder.keysMadeIfMissing()
        try PrivateFile.write(Array(text.utf8), to: folder.identityPath)
        #expect(throws: SealError.self) { try folder.identity() }
    }

    /// The id is what another implementation of the same words gives:
    /// `(printf execora/device-id/v1; printf d75a… | xxd -r -p) | sha256sum`.
    @Test func `the device id comes from the ledger key`() throws {
        let key = try VerifyingKey(
            bytes: #require(Hex.bytes("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")))
        #expect(Hex.text(DeviceIdentity.deviceID(of: key)) == "13eb1400f1ba299bd530178da10c214c")
    }

    @Test func `a leftover of a cut write is replaced`() throws {
        let scratch = Scratch()
        let path = try scratch.file("chain", [1])
        _ = try scratch.file("chain.new", [9, 9])
        try PrivateFile.write([2], to: path)
        #expect(try PrivateFile.read(path, secret: true) == [2])
        #expect(access(path + ".new", F_OK) != 0)
    }

    @Test func `a folder that is not there is an error with its code`() {
        #expect(throws: SealError.file(code: ENOENT, operation: "open", path: "/tmp/execora-no-such/x.new")) {
            try PrivateFile.write([1], to: "/tmp/execora-no-such/x")
        }
    }
}
