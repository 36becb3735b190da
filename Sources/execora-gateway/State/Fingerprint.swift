import Seals

/// How a certificate is known in the store: SHA-256 of its DER.
enum Fingerprint {
    static func of(der: [UInt8]) -> [UInt8] { SHA256.digest(der) }
}
