import Seals

/// The gateway's public word, once a night, of where every device's chain stands: what it tells one shop it has told
/// all the world. A shopkeeper keeps the note and the proof of his own head; who holds the note cannot be told of
/// another past later.
///
/// - Source: C2SP tlog-checkpoint and signed-note (github.com/C2SP/C2SP): three lines, an empty line, a signature line.
///   Further lines, such as a witness's, may be added behind.
struct Checkpoint: Hashable, Sendable {
    /// Names this log. One gateway's stores together are one log.
    static let origin = "execora/heads/v1"
    static let keyName = "execora-gateway"

    var size: Int
    var root: [UInt8]

    /// What a leaf says: "execora/head/v1\0" || shop(16) || device(16) || epoch u64 || seq u64 || hash(32).
    static func leaf(_ head: DeviceHead) -> [UInt8] {
        var leaf = Array("execora/head/v1\0".utf8) + head.shop + head.device
        for number in [head.epoch, head.seq] { leaf += withUnsafeBytes(of: number.bigEndian) { Array($0) } }
        return leaf + head.hash
    }

    /// Leaves stand in the order of shop and device.
    static func order(_ heads: [DeviceHead]) -> [DeviceHead] {
        heads.sorted { ($0.shop + $0.device).lexicographicallyPrecedes($1.shop + $1.device) }
    }

    var text: String { "\(Self.origin)\n\(size)\n\(Base64.text(root))\n" }

    /// The note: text, empty line, "— name base64(key id(4) || Ed25519 signature)".
    func note(signedBy key: SigningKey) throws(SealError) -> String {
        let signature = try key.sign(Array(text.utf8))
        return text + "\n\u{2014} \(Self.keyName) \(Base64.text(Self.keyID(key.verifyingKey) + signature))\n"
    }

    /// SHA-256(name || "\n" || 0x01 || key)[0..<4]; 1 is Ed25519.
    static func keyID(_ key: VerifyingKey) -> [UInt8] {
        Array(SHA256.digest(Array(keyName.utf8), [0x0A, 0x01], key.bytes).prefix(4))
    }
}

/// RFC 4648, with padding.
enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    static func text(_ bytes: [UInt8]) -> String {
        var out: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let three = bytes[start..<min(start + 3, bytes.count)]
            let word = three.enumerated().reduce(UInt32(0)) { $0 | UInt32($1.element) << (16 - 8 * UInt32($1.offset)) }
            for place in 0..<4 {
                out.append(
                    place <= three.count ? alphabet[Int(word >> (18 - 6 * UInt32(place)) & 63)] : UInt8(ascii: "="))
            }
        }
        return String(decoding: out, as: UTF8.self)
    }
}
