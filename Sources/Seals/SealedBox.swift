import COpenSSL

public enum Randomness {
    /// Bytes from the system's generator.
    public static func bytes(_ count: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        precondition(RAND_bytes(&bytes, Int32(count)) == 1, "the random generator does not answer")
        return bytes
    }
}

/// AES-256-GCM (NIST SP 800-38D): 12-byte random nonce | ciphertext | 16-byte tag.
public enum SealedBox {
    public static let keyBytes = 32
    static let nonceBytes = 12
    static let tagBytes = 16

    public static func seal(_ plain: [UInt8], key: [UInt8], binding: [UInt8] = []) throws(SealError) -> [UInt8] {
        precondition(key.count == keyBytes, "key of another size")
        guard let context = EVP_CIPHER_CTX_new() else { throw .last("EVP_CIPHER_CTX_new") }
        defer { EVP_CIPHER_CTX_free(context) }
        let nonce = Randomness.bytes(nonceBytes)
        var out = [UInt8](repeating: 0, count: plain.count)
        var tag = [UInt8](repeating: 0, count: tagBytes)
        var length: Int32 = 0
        guard EVP_EncryptInit_ex(context, EVP_aes_256_gcm(), nil, key, nonce) == 1,
            binding.isEmpty || EVP_EncryptUpdate(context, nil, &length, binding, Int32(binding.count)) == 1,
            EVP_EncryptUpdate(context, &out, &length, plain, Int32(plain.count)) == 1,
            EVP_EncryptFinal_ex(context, &tag, &length) == 1,
            EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, Int32(tagBytes), &tag) == 1
        else { throw .last("seal") }
        return nonce + out + tag
    }

    public static func open(_ box: [UInt8], key: [UInt8], binding: [UInt8] = []) throws(SealError) -> [UInt8] {
        precondition(key.count == keyBytes, "key of another size")
        guard box.count >= nonceBytes + tagBytes else { throw .malformed("sealed box is too short") }
        guard let context = EVP_CIPHER_CTX_new() else { throw .last("EVP_CIPHER_CTX_new") }
        defer { EVP_CIPHER_CTX_free(context) }
        let nonce = Array(box[..<nonceBytes])
        let sealed = Array(box[nonceBytes..<box.count - tagBytes])
        var tag = Array(box[(box.count - tagBytes)...])
        var out = [UInt8](repeating: 0, count: sealed.count)
        var rest = [UInt8](repeating: 0, count: tagBytes)
        var length: Int32 = 0
        guard EVP_DecryptInit_ex(context, EVP_aes_256_gcm(), nil, key, nonce) == 1,
            binding.isEmpty || EVP_DecryptUpdate(context, nil, &length, binding, Int32(binding.count)) == 1,
            EVP_DecryptUpdate(context, &out, &length, sealed, Int32(sealed.count)) == 1,
            EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, Int32(tagBytes), &tag) == 1
        else { throw .last("open") }
        guard EVP_DecryptFinal_ex(context, &rest, &length) == 1 else {
            ERR_clear_error()
            throw .notAuthentic
        }
        return out
    }
}
