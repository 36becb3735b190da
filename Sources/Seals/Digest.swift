import COpenSSL

// Seals: bytes in; digests, signatures, sealed boxes, keys and certificate requests out. The only importer of OpenSSL.
// No thread of its own: keys are shared by any threads, every other value is one thread's at a time.
// Largest it holds: one file of the identity (64 kB, `PrivateFile.bytesMax`) and what the caller hands it to digest or seal.

/// SHA-256 (FIPS 180-4).
public struct SHA256: ~Copyable {
    public static let byteCount = 32

    private let context: OpaquePointer

    public init() {
        guard let context = EVP_MD_CTX_new() else { preconditionFailure("no memory for a digest") }
        self.context = context
        precondition(EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1, "SHA-256 is not available")
    }

    deinit { EVP_MD_CTX_free(context) }

    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        precondition(EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) == 1, "digest refused bytes")
    }

    public mutating func update(_ bytes: [UInt8]) { bytes.withUnsafeBytes { update($0) } }

    /// The digest of all so far; the value starts anew after.
    public mutating func finish() -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: Self.byteCount)
        precondition(EVP_DigestFinal_ex(context, &digest, nil) == 1, "digest did not end")
        // Nil is the algorithm it has: looking it up by name costs more than a short digest.
        precondition(EVP_DigestInit_ex(context, nil, nil) == 1, "SHA-256 is not available")
        return digest
    }

    public static func digest(_ parts: [UInt8]...) -> [UInt8] {
        var hash = SHA256()
        for part in parts { hash.update(part) }
        return hash.finish()
    }
}
