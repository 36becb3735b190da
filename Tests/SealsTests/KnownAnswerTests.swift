import Seals
import Testing

private func bytes(_ hex: String) -> [UInt8] {
    guard let bytes = Hex.bytes(hex) else { preconditionFailure("test data is not hexadecimal: \(hex)") }
    return bytes
}

/// Vectors from the standards: a wrong binding of OpenSSL cannot agree with them by chance.
@Suite struct KnownAnswerTests {
    /// RFC 8032, 7.1: TEST 1, 2, 3 and SHA(abc).
    struct Ed25519Vector: Sendable {
        var seed, key, message, signature: String

        static let all = [
            Ed25519Vector(
                seed: "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
                key: "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", message: "",
                signature:
                    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9"
                    + "b46bd25bf5f0595bbe24655141438e7a100b"),
            Ed25519Vector(
                seed: "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
                key: "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", message: "72",
                signature:
                    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f1"
                    + "1d8c387b2eaeb4302aeeb00d291612bb0c00"),
            Ed25519Vector(
                seed: "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
                key: "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", message: "af82",
                signature:
                    "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984d"
                    + "c6594a7c15e9716ed28dc027beceea1ec40a"),
            Ed25519Vector(
                seed: "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
                key: "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
                message:
                    "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feeb"
                    + "bd454d4423643ce80e2a9ac94fa54ca49f",
                signature:
                    "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431"
                    + "e0303dca179c138ac17ad9bef1177331a704"),
        ]
    }

    @Test(arguments: Ed25519Vector.all)
    func `Ed25519 signs and verifies as RFC 8032 says`(vector: Ed25519Vector) throws {
        let key = try SigningKey(seed: bytes(vector.seed))
        #expect(Hex.text(key.verifyingKey.bytes) == vector.key)
        let signature = try key.sign(bytes(vector.message))
        #expect(Hex.text(signature) == vector.signature)
        #expect(key.verifyingKey.verifies(signature, of: bytes(vector.message)))
        #expect(!key.verifyingKey.verifies(signature, of: bytes(vector.message) + [0]))
        for place in stride(from: 0, to: signature.count, by: 7) {
            var bent = signature
            bent[place] ^= 1
            #expect(!key.verifyingKey.verifies(bent, of: bytes(vector.message)))
        }
    }

    /// FIPS 180-4 examples.
    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
    ])
    func `SHA-256 as FIPS 180-4 says`(message: String, digest: String) {
        #expect(Hex.text(SHA256.digest(Array(message.utf8))) == digest)
    }

    @Test func `SHA-256 of a million letters in pieces`() {
        var hash = SHA256()
        let piece = [UInt8](repeating: UInt8(ascii: "a"), count: 1000)
        for _ in 0..<1000 { hash.update(piece) }
        let digest = hash.finish()
        #expect(Hex.text(digest) == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
        #expect(hash.finish() == SHA256.digest([]), "the value starts anew after finish")
    }

    /// McGrew and Viega, "The Galois/Counter Mode of Operation", test cases 13, 14 and 16 (in NIST's GCM set).
    struct GCMVector: Sendable {
        var key, nonce, plain, binding, sealed, tag: String

        static let all = [
            GCMVector(
                key: String(repeating: "00", count: 32), nonce: String(repeating: "00", count: 12), plain: "",
                binding: "",
                sealed: "", tag: "530f8afbc74536b9a963b4f1c4cb738b"),
            GCMVector(
                key: String(repeating: "00", count: 32), nonce: String(repeating: "00", count: 12),
                plain: String(repeating: "00", count: 16), binding: "", sealed: "cea7403d4d606b6e074ec5d3baf39d18",
                tag: "d0d1c8a799996bf0265b98b5d48ab919"),
            GCMVector(
                key: "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
                nonce: "cafebabefacedbaddecaf888",
                plain:
                    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525"
                    + "b16aedf5aa0de657ba637b39",
                binding: "feedfacedeadbeeffeedfacedeadbeefabaddad2",
                sealed:
                    "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838"
                    + "c5f61e6393ba7a0abcc9f662",
                tag: "76fc6ece0f4e1768cddf8853bb2d551b"),
        ]
    }

    @Test(arguments: GCMVector.all)
    func `a box sealed elsewhere opens`(vector: GCMVector) throws {
        let box = bytes(vector.nonce) + bytes(vector.sealed) + bytes(vector.tag)
        let opened = try SealedBox.open(box, key: bytes(vector.key), binding: bytes(vector.binding))
        #expect(Hex.text(opened) == vector.plain)
    }

    @Test(arguments: [0, 1, 16, 17, 5000])
    func `what is sealed opens, and no changed byte does`(count: Int) throws {
        let key = Randomness.bytes(32)
        let plain = Randomness.bytes(count)
        let box = try SealedBox.seal(plain, key: key, binding: [7])
        #expect(try SealedBox.open(box, key: key, binding: [7]) == plain)
        #expect(try SealedBox.seal(plain, key: key, binding: [7]) != box, "a nonce came twice")
        for place in stride(from: 0, to: box.count, by: max(1, box.count / 40)) {
            var bent = box
            bent[place] ^= 0x80
            #expect(throws: SealError.notAuthentic) { try SealedBox.open(bent, key: key, binding: [7]) }
        }
        #expect(throws: SealError.notAuthentic) { try SealedBox.open(box, key: key, binding: [8]) }
        #expect(throws: SealError.notAuthentic) { try SealedBox.open(box, key: Randomness.bytes(32), binding: [7]) }
        #expect(throws: SealError.malformed("sealed box is too short")) {
            try SealedBox.open(Array(box.prefix(27)), key: key)
        }
    }

    /// RFC 4231, cases 1, 2 and 6.
    @Test(arguments: [
        (
            String(repeating: "0b", count: 20), "Hi There",
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        ),
        (
            "4a656665", "what do ya want for nothing?",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        ),
        (
            String(repeating: "aa", count: 131), "Test Using Larger Than Block-Size Key - Hash Key First",
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        ),
    ])
    func `HMAC-SHA256 as RFC 4231 says`(key: String, message: String, code: String) {
        #expect(Hex.text(MessageSeal.code(for: Array(message.utf8), key: bytes(key))) == code)
    }

    @Test func `secrets are compared whole`() {
        #expect(SecretBytes.equal([1, 2, 3], [1, 2, 3]))
        #expect(!SecretBytes.equal([1, 2, 3], [1, 2, 4]))
        #expect(!SecretBytes.equal([1, 2, 3], [1, 2]))
        #expect(SecretBytes.equal([], []))
    }

    @Test(arguments: ["0", "0g", "0x", "é0"])
    func `text that is not hexadecimal is refused`(text: String) { #expect(Hex.bytes(text) == nil) }

    @Test func `hexadecimal goes there and back`() {
        let all = Array(UInt8.min...UInt8.max)
        #expect(Hex.bytes(Hex.text(all)) == all)
        #expect(Hex.bytes("AbCd") == [0xAB, 0xCD])
    }
}
