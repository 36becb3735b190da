import JSONText

/// A device's word that another ledger key follows its own, signed by both: the old key says who follows, the new one
/// that it is held. From the first key, which the device's id is made of, handovers lead to the one in use.
public struct KeyHandover: Hashable, Sendable {
    /// 16 bytes.
    public var device: [UInt8]
    public var old: VerifyingKey
    public var new: VerifyingKey
    /// The new key signs from this entry of this epoch on.
    public var epoch: Int64
    public var fromSeq: Int64
    public var oldSignature: [UInt8]
    public var newSignature: [UInt8]

    /// Of one device. When full: no further change of key; a device that changes it every month is 8 years old then.
    public static let countMax = 100

    /// - Throws: `SealError` when a key does not sign.
    public init(
        device: [UInt8], from old: SigningKey, to new: SigningKey, epoch: Int64, fromSeq: Int64
    ) throws(SealError) {
        self.device = device
        self.old = old.verifyingKey
        self.new = new.verifyingKey
        self.epoch = epoch
        self.fromSeq = fromSeq
        (oldSignature, newSignature) = ([], [])
        oldSignature = try old.sign(message)
        newSignature = try new.sign(message)
    }

    /// "execora/key-handover/v1\0" || device(16) || old key(32) || new key(32) || epoch u64 || first seq u64, big-endian.
    private var message: [UInt8] {
        var message = Array("execora/key-handover/v1\0".utf8) + device + old.bytes + new.bytes
        for number in [epoch, fromSeq] { message += withUnsafeBytes(of: number.bigEndian) { Array($0) } }
        return message
    }

    /// Both signatures hold, and the keys are two.
    public var holds: Bool {
        old != new && old.verifies(oldSignature, of: message) && new.verifies(newSignature, of: message)
    }

    /// The keys from the first to the one in use; nil when the handovers do not lead from the device's id to `key`.
    public static func keys(of device: [UInt8], through handovers: [KeyHandover], to key: VerifyingKey)
        -> [VerifyingKey]?
    {
        guard handovers.count <= countMax else { return nil }
        let first = handovers.first?.old ?? key
        guard DeviceIdentity.deviceID(of: first) == device else { return nil }
        var keys = [first]
        for handover in handovers {
            guard handover.device == device, handover.holds, handover.old == keys[keys.count - 1] else { return nil }
            keys.append(handover.new)
        }
        return keys[keys.count - 1] == key ? keys : nil
    }

    // As JSON, on the wire and in the identity folder ---------------------------------------------------------------

    public var json: JSONValue {
        [
            "device": .string(Hex.text(device)), "old_key": .string(Hex.text(old.bytes)),
            "new_key": .string(Hex.text(new.bytes)), "epoch": .integer(epoch), "from_seq": .integer(fromSeq),
            "old_signature": .string(Hex.text(oldSignature)), "new_signature": .string(Hex.text(newSignature)),
        ]
    }

    /// Nil when a field is missing or of another form; whether it holds is another question.
    public init?(json: JSONValue) {
        func bytes(_ name: String, _ count: Int) -> [UInt8]? {
            json[name]?.string.flatMap(Hex.bytes).flatMap { $0.count == count ? $0 : nil }
        }
        guard let device = bytes("device", 16), let old = bytes("old_key", 32), let new = bytes("new_key", 32),
            let epoch = json["epoch"]?.integer, epoch >= 1, let fromSeq = json["from_seq"]?.integer, fromSeq >= 1,
            let oldSignature = bytes("old_signature", 64), let newSignature = bytes("new_signature", 64),
            let oldKey = try? VerifyingKey(bytes: old), let newKey = try? VerifyingKey(bytes: new)
        else { return nil }
        self.device = device
        self.old = oldKey
        self.new = newKey
        self.epoch = epoch
        self.fromSeq = fromSeq
        self.oldSignature = oldSignature
        self.newSignature = newSignature
    }
}
