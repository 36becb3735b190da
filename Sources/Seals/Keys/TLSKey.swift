import COpenSSL

/// The key behind the device's client certificate: ECDSA on P-256 (FIPS 186-4), made on the device, never sent.
/// Any thread.
public final class TLSKey: Sendable {
    private let handle: KeyHandle

    private init(_ handle: consuming KeyHandle) { self.handle = handle }

    public static func generate() throws(SealError) -> TLSKey {
        TLSKey(
            try KeyHandle.generate(type: copenssl_pkey_ec()) { context in
                EVP_PKEY_CTX_set_ec_paramgen_curve_nid(context, NID_X9_62_prime256v1)
            })
    }

    /// - Parameter pem: PKCS#8 (or SEC 1) of a P-256 key; another curve is refused.
    public convenience init(pem: [UInt8]) throws(SealError) {
        let handle = try KeyHandle.read(pem: pem, type: copenssl_pkey_ec())
        guard EVP_PKEY_get_bits(handle.pointer) == 256 else { throw .malformed("a key on another curve") }
        self.init(handle)
    }

    /// PKCS#8 in PEM, for a 0600 file only.
    public func pem() throws(SealError) -> [UInt8] { try handle.pem() }

    /// A PKCS#10 request (RFC 2986) signed by this key, in PEM.
    ///
    /// - Parameter commonName: the subject's one name: the device id in lower-case hex.
    public func certificateRequest(commonName: String) throws(SealError) -> [UInt8] {
        guard let request = X509_REQ_new() else { throw .last("X509_REQ_new") }
        defer { X509_REQ_free(request) }
        let name = Array(commonName.utf8)
        guard X509_REQ_set_version(request, 0) == 1,
            X509_NAME_add_entry_by_txt(
                X509_REQ_get_subject_name(request), "CN", copenssl_mbstring_utf8(), name, Int32(name.count), -1, 0)
                == 1,
            X509_REQ_set_pubkey(request, handle.pointer) == 1,
            X509_REQ_sign(request, handle.pointer, EVP_sha256()) > 0
        else { throw .last("X509_REQ_sign") }
        let text = try MemoryText.empty()
        guard PEM_write_bio_X509_REQ(text.pointer, request) == 1 else { throw .last("PEM_write_bio_X509_REQ") }
        return try text.contents()
    }

    /// True when the certificate was made for this key.
    public func matches(_ certificate: borrowing Certificate) -> Bool {
        let matches = X509_check_private_key(certificate.pointer, handle.pointer) == 1
        ERR_clear_error()
        return matches
    }
}
