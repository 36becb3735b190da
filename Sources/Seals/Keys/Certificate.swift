import COpenSSL
import Glibc

/// An X.509 certificate, read for its own facts. Whether to trust it is TLS's to decide, not this room's.
public struct Certificate: ~Copyable {
    let pointer: OpaquePointer

    private init(owning pointer: OpaquePointer) { self.pointer = pointer }

    /// Reads the first certificate of a PEM chain: the leaf.
    public static func read(pem: [UInt8]) throws(SealError) -> Certificate {
        let text = try MemoryText.holding(pem)
        guard let pointer = PEM_read_bio_X509(text.pointer, nil, nil, nil) else {
            ERR_clear_error()
            throw .malformed("not a certificate in PEM")
        }
        return Certificate(owning: pointer)
    }

    deinit { X509_free(pointer) }

    /// The subject's first common name, nil when it has none.
    public var commonName: String? {
        let name = X509_get_subject_name(pointer)
        let index = X509_NAME_get_index_by_NID(name, NID_commonName, -1)
        guard index >= 0, let entry = X509_NAME_get_entry(name, index) else { return nil }
        var bytes: UnsafeMutablePointer<UInt8>?
        let count = ASN1_STRING_to_UTF8(&bytes, X509_NAME_ENTRY_get_data(entry))
        guard count >= 0, let bytes else { return nil }
        defer { CRYPTO_free(bytes, nil, 0) }
        return String(decoding: UnsafeBufferPointer(start: bytes, count: Int(count)), as: UTF8.self)
    }

    /// Not valid before this moment, in seconds since 1970.
    public var notBeforeSeconds: Int64 { get throws(SealError) { try Self.seconds(X509_get0_notBefore(pointer)) } }
    /// Not valid after this moment, in seconds since 1970.
    public var notAfterSeconds: Int64 { get throws(SealError) { try Self.seconds(X509_get0_notAfter(pointer)) } }

    /// SHA-256 over the DER, the form technicians compare.
    public var fingerprint: [UInt8] {
        get throws(SealError) {
            var digest = [UInt8](repeating: 0, count: SHA256.byteCount)
            var length: UInt32 = 0
            guard X509_digest(pointer, EVP_sha256(), &digest, &length) == 1, length == digest.count else {
                throw .last("X509_digest")
            }
            return digest
        }
    }

    /// When a device should ask for a new one: two thirds of the way from `notBefore` to `notAfter`.
    public var renewAfterSeconds: Int64 {
        get throws(SealError) {
            let (first, last) = (try notBeforeSeconds, try notAfterSeconds)
            return first + (last - first) / 3 * 2
        }
    }

    private static func seconds(_ time: UnsafePointer<ASN1_TIME>?) throws(SealError) -> Int64 {
        var parts = tm()
        guard let time, ASN1_TIME_to_tm(time, &parts) == 1 else { throw .last("ASN1_TIME_to_tm") }
        return Int64(timegm(&parts))
    }
}
