import Ledger
import Seals

/// The outer form batch and receipt share: magic(4) | header length u16 big-endian | header, a deterministic CBOR
/// map | Ed25519 signature(64) over domain || header.
///
/// The signature is over the header's bytes as they are sent; they are never encoded again to be checked.
struct Envelope {
    var header: [UInt8]
    var signature: [UInt8]
    /// What follows the signature.
    var rest: ArraySlice<UInt8>

    static func write(magic: String, header: [UInt8], domain: String, key: SigningKey) throws(SealError) -> [UInt8] {
        precondition(header.count <= SyncLimits.headerBytesMax, "a header of \(header.count) bytes")
        let signature = try key.sign(Array(domain.utf8) + header)
        return Array(magic.utf8) + [UInt8(header.count >> 8), UInt8(header.count & 0xFF)] + header + signature
    }

    static func read(_ bytes: [UInt8], magic: String) throws(SyncError) -> Envelope {
        guard bytes.starts(with: magic.utf8) else { throw .malformed("not \(magic)") }
        guard bytes.count >= SyncLimits.fixedBytes else { throw .malformed("envelope is cut") }
        let length = Int(bytes[4]) << 8 | Int(bytes[5])
        guard length <= SyncLimits.headerBytesMax else { throw .tooLarge("header") }
        guard bytes.count >= SyncLimits.fixedBytes + length else { throw .malformed("envelope is cut") }
        let signatureStart = 6 + length
        return Envelope(
            header: Array(bytes[6..<signatureStart]), signature: Array(bytes[signatureStart..<signatureStart + 64]),
            rest: bytes[(signatureStart + 64)...])
    }

    func isSigned(by key: VerifyingKey, domain: String) -> Bool {
        key.verifies(signature, of: Array(domain.utf8) + header)
    }

    /// The header's map, holding exactly the keys 1 to `lastKey`.
    func fields(lastKey: Int64) throws(SyncError) -> HeaderFields {
        let value: CBORValue
        do { value = try CBORValue(decoding: header) } catch { throw .malformed("header is not canonical CBOR") }
        guard let map = value.map, map.count == lastKey, (1...lastKey).allSatisfy({ map[$0] != nil }) else {
            throw .malformed("header has other fields")
        }
        return HeaderFields(map: map)
    }
}

/// Reads fields by key, each with its type and range.
struct HeaderFields {
    let map: [Int64: CBORValue]

    func number(_ key: Int64, in range: ClosedRange<Int64>) throws(SyncError) -> Int64 {
        guard let number = map[key]?.integer, range.contains(number) else { throw .malformed("header field \(key)") }
        return number
    }

    func bytes(_ key: Int64, count: Int) throws(SyncError) -> [UInt8] {
        guard let bytes = map[key]?.bytes, bytes.count == count else { throw .malformed("header field \(key)") }
        return bytes
    }
}
