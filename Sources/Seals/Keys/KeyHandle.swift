import COpenSSL

/// One private or public key inside OpenSSL. Nothing changes it after it was made.
struct KeyHandle: ~Copyable, @unchecked Sendable {
    // @unchecked: an EVP_PKEY that is only read may be used by several threads at once (openssl-threads(7));
    // every operation here makes its own context.
    let pointer: OpaquePointer

    init(owning pointer: OpaquePointer) { self.pointer = pointer }

    deinit { EVP_PKEY_free(pointer) }

    /// - Parameter prepare: sets what the key type needs before the key is made; 1 is success.
    static func generate(type: Int32, prepare: (OpaquePointer) -> Int32 = { _ in 1 }) throws(SealError) -> KeyHandle {
        guard let context = EVP_PKEY_CTX_new_id(type, nil) else { throw .last("EVP_PKEY_CTX_new_id") }
        defer { EVP_PKEY_CTX_free(context) }
        var key: OpaquePointer?
        guard EVP_PKEY_keygen_init(context) == 1, prepare(context) == 1, EVP_PKEY_keygen(context, &key) == 1, let key
        else { throw .last("EVP_PKEY_keygen") }
        return KeyHandle(owning: key)
    }

    /// Reads a private key of one type; an encrypted PEM is refused, never asked a password for.
    static func read(pem: [UInt8], type: Int32) throws(SealError) -> KeyHandle {
        let text = try MemoryText.holding(pem)
        let refusePassword:
            @convention(c) (UnsafeMutablePointer<CChar>?, Int32, Int32, UnsafeMutableRawPointer?) ->
                Int32 = { _, _, _, _ in -1 }
        guard let key = PEM_read_bio_PrivateKey(text.pointer, nil, refusePassword, nil) else {
            ERR_clear_error()
            throw .malformed("not a private key in PEM")
        }
        let handle = KeyHandle(owning: key)
        guard EVP_PKEY_get_base_id(key) == type else { throw .malformed("a private key of another type") }
        return handle
    }

    /// PKCS#8, unencrypted.
    func pem() throws(SealError) -> [UInt8] {
        let text = try MemoryText.empty()
        guard PEM_write_bio_PKCS8PrivateKey(text.pointer, pointer, nil, nil, 0, nil, nil) == 1 else {
            throw .last("PEM_write_bio_PKCS8PrivateKey")
        }
        return try text.contents()
    }
}

/// A BIO over memory: what OpenSSL reads PEM from and writes it to. Its memory is wiped when freed.
struct MemoryText: ~Copyable {
    /// A private key, a request or a chain of certificates is far below this.
    static let bytesMax = 64 * 1024

    let pointer: OpaquePointer

    private init(owning pointer: OpaquePointer) { self.pointer = pointer }

    static func empty() throws(SealError) -> MemoryText {
        guard let pointer = BIO_new(BIO_s_mem()) else { throw .last("BIO_new") }
        return MemoryText(owning: pointer)
    }

    static func holding(_ bytes: [UInt8]) throws(SealError) -> MemoryText {
        guard bytes.count <= bytesMax else { throw .malformed("text is too long") }
        let text = try empty()
        guard bytes.isEmpty || BIO_write(text.pointer, bytes, Int32(bytes.count)) == bytes.count else {
            throw .last("BIO_write")
        }
        return text
    }

    deinit { BIO_free(pointer) }

    func contents() throws(SealError) -> [UInt8] {
        let count = BIO_ctrl_pending(pointer)
        var bytes = [UInt8](repeating: 0, count: count)
        guard count <= Self.bytesMax, BIO_read(pointer, &bytes, Int32(count)) == count else { throw .last("BIO_read") }
        return bytes
    }
}
