import COpenSSL

// Seals: bytes in; digests, signatures, sealed boxes, keys and certificate requests out. The only importer of OpenSSL.
// No thread of its own: keys are shared by any threads, every other value is one thread's at a time.
// Largest it holds: one file of the identity (64 kB, `PrivateFile.bytesMax`) and what the caller hands it to digest or seal.

/// SHA-256 (FIPS 180-4).
///
/// OpenSSL's plain functions, not its EVP ones: the state lies in the value, and a digest of a hundred bytes, of which
/// a batch needs two an entry, costs the hashing alone.
public struct SHA256: ~Copyable {
    public static let byteCount = 32

    private var state = SHA256_CTX()

    public init() { precondition(SHA256_Init(&state) == 1, "SHA-256 is not available") }

    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        precondition(SHA256_Update(&state, bytes.baseAddress, bytes.count) == 1, "digest refused bytes")
    }

    public mutating func update(_ bytes: [UInt8]) { bytes.withUnsafeBytes { update($0) } }

    /// The digest of all so far; the value starts anew after.
    public mutating func finish() -> [UInt8] {
        let digest = [UInt8](unsafeUninitializedCapacity: Self.byteCount) { buffer, count in
            precondition(SHA256_Final(buffer.baseAddress, &state) == 1, "digest did not end")
            count = Self.byteCount
        }
        precondition(SHA256_Init(&state) == 1, "SHA-256 is not available")
        return digest
    }

    public static func digest(_ parts: [UInt8]...) -> [UInt8] {
        var hash = SHA256()
        for part in parts { hash.update(part) }
        return hash.finish()
    }
}
