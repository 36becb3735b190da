import COpenSSL

/// The device's ledger key, or the gateway's receipt key: Ed25519 (RFC 8032), private half.
///
/// A class, not a noncopyable struct, because the daemon's sync and enrolment and the gateway's request handlers
/// share one key. Any thread.
public final class SigningKey: Sendable {
    public static let signatureBytes = 64
    public static let seedBytes = 32

    private let handle: KeyHandle
    /// The public half.
    public let verifyingKey: VerifyingKey

    private init(_ handle: consuming KeyHandle) throws(SealError) {
        var bytes = [UInt8](repeating: 0, count: VerifyingKey.byteCount)
        var length = bytes.count
        guard EVP_PKEY_get_raw_public_key(handle.pointer, &bytes, &length) == 1, length == bytes.count else {
            throw .last("EVP_PKEY_get_raw_public_key")
        }
        verifyingKey = try VerifyingKey(bytes: bytes)
        self.handle = handle
    }

    /// A new key from the system's generator.
    public static func generate() throws(SealError) -> SigningKey {
        try SigningKey(KeyHandle.generate(type: copenssl_pkey_ed25519()))
    }

    /// - Parameter pem: PKCS#8 as `pem()` writes it.
    public convenience init(pem: [UInt8]) throws(SealError) {
        try self.init(KeyHandle.read(pem: pem, type: copenssl_pkey_ed25519()))
    }

    /// - Parameter seed: the 32 bytes RFC 8032 calls the private key.
    public convenience init(seed: [UInt8]) throws(SealError) {
        guard seed.count == Self.seedBytes else { throw .malformed("a seed of another size") }
        guard let key = EVP_PKEY_new_raw_private_key(copenssl_pkey_ed25519(), nil, seed, seed.count) else {
            throw .last("EVP_PKEY_new_raw_private_key")
        }
        try self.init(KeyHandle(owning: key))
    }

    /// PKCS#8 in PEM, for a 0600 file only.
    public func pem() throws(SealError) -> [UInt8] { try handle.pem() }

    /// 64 bytes; the same message gives the same signature (RFC 8032 is deterministic).
    public func sign(_ message: [UInt8]) throws(SealError) -> [UInt8] {
        guard let context = EVP_MD_CTX_new() else { throw .last("EVP_MD_CTX_new") }
        defer { EVP_MD_CTX_free(context) }
        var signature = [UInt8](repeating: 0, count: Self.signatureBytes)
        var length = signature.count
        guard EVP_DigestSignInit(context, nil, nil, nil, handle.pointer) == 1,
            EVP_DigestSign(context, &signature, &length, message, message.count) == 1, length == signature.count
        else { throw .last("EVP_DigestSign") }
        return signature
    }
}

/// The public half of an Ed25519 key: a value, 32 bytes.
public struct VerifyingKey: Hashable, Sendable {
    public static let byteCount = 32

    /// Raw, as RFC 8032 encodes it.
    public let bytes: [UInt8]

    public init(bytes: [UInt8]) throws(SealError) {
        guard bytes.count == Self.byteCount else { throw .malformed("a public key of another size") }
        self.bytes = bytes
    }

    /// The first 8 bytes of SHA-256 over the key: names it in a batch header.
    public var keyID: [UInt8] { Array(SHA256.digest(bytes).prefix(8)) }

    /// False for a signature of another key, another message, another size, or a key that is no point of the curve.
    public func verifies(_ signature: [UInt8], of message: [UInt8]) -> Bool {
        guard signature.count == SigningKey.signatureBytes,
            let key = EVP_PKEY_new_raw_public_key(copenssl_pkey_ed25519(), nil, bytes, bytes.count)
        else { return false }
        let handle = KeyHandle(owning: key)
        guard let context = EVP_MD_CTX_new() else { preconditionFailure("no memory for a verification") }
        defer {
            EVP_MD_CTX_free(context)
            ERR_clear_error()
        }
        return EVP_DigestVerifyInit(context, nil, nil, nil, handle.pointer) == 1
            && EVP_DigestVerify(context, signature, signature.count, message, message.count) == 1
    }
}
