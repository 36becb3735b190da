/// The gateway's signed word that it no longer serves a device. Unsigned, anyone between could stop a counter's sync
/// for good.
public enum RevocationNotice {
    /// "execora/revoked/v1\0" || device(16) || server's milliseconds u64 big-endian.
    public static func message(device: [UInt8], serverMilliseconds: Int64) -> [UInt8] {
        Array("execora/revoked/v1\0".utf8) + device + withUnsafeBytes(of: serverMilliseconds.bigEndian) { Array($0) }
    }

    /// - Parameter key: the receipt key.
    public static func make(
        device: [UInt8], serverMilliseconds: Int64, key: SigningKey
    ) throws(SealError) -> [UInt8] {
        try key.sign(message(device: device, serverMilliseconds: serverMilliseconds))
    }

    public static func holds(
        _ signature: [UInt8], device: [UInt8], serverMilliseconds: Int64, key: VerifyingKey
    ) -> Bool {
        key.verifies(signature, of: message(device: device, serverMilliseconds: serverMilliseconds))
    }
}
