/// Who a device is, as the gateway told it at enrolment and its own ledger key says.
public struct DeviceIdentity: Hashable, Sendable {
    /// 16 bytes; see `deviceID(of:)`.
    public var device: [UInt8]
    /// 16 bytes, given by the gateway.
    public var shop: [UInt8]
    /// The counter's own series of invoice numbers, such as "A01": unique in the shop.
    public var series: String
    /// The gateway's receipt key, pinned.
    public var receiptKey: VerifyingKey
    /// The ledger keys this device has had, the one in use last; empty where nobody looked.
    public var keys: [VerifyingKey]

    public init(
        device: [UInt8], shop: [UInt8], series: String, receiptKey: VerifyingKey, keys: [VerifyingKey] = []
    ) {
        precondition(device.count == 16 && shop.count == 16, "an identity is 16 bytes")
        self.device = device
        self.shop = shop
        self.series = series
        self.receiptKey = receiptKey
        self.keys = keys
    }

    /// The key signs for this device: it is the one in use, or the one the device's id is made of.
    public func signs(with key: VerifyingKey) -> Bool {
        keys.last.map { $0 == key } ?? (Self.deviceID(of: key) == device)
    }

    public var deviceHex: String { Hex.text(device) }
    public var shopHex: String { Hex.text(shop) }

    /// The first 16 bytes of SHA-256("execora/device-id/v1" || raw public ledger key): a device cannot choose
    /// another's id, and keeps its own through every renewal of its certificate.
    public static func deviceID(of ledgerKey: VerifyingKey) -> [UInt8] {
        Array(SHA256.digest(Array("execora/device-id/v1".utf8), ledgerKey.bytes).prefix(16))
    }
}

/// What a device signs with its ledger key to enrol, so that the key it names is the key it holds.
public enum EnrolmentProof {
    /// - Parameters: the one-time code and the request in PEM, byte for byte as they are sent.
    public static func message(code: String, request: [UInt8]) -> [UInt8] {
        Array("execora/enrol/v1\0".utf8) + Array(code.utf8) + request
    }

    public static func make(code: String, request: [UInt8], key: SigningKey) throws(SealError) -> [UInt8] {
        try key.sign(message(code: code, request: request))
    }

    public static func holds(_ proof: [UInt8], code: String, request: [UInt8], key: VerifyingKey) -> Bool {
        key.verifies(proof, of: message(code: code, request: request))
    }
}
