import JSONText
import Seals

/// The JSON of an error answer: {"error": {"code", "message", "next_seq", "head"}}. Untrusted until the book agrees.
struct SyncRefusal: Hashable {
    /// An error answer is one small object; a longer one is no answer of the gateway.
    static let bytesMax = 4096

    /// Letters and underscores, at most 32: it goes into logs.
    var code = ""
    /// Where the gateway wants to go on.
    var nextSeq: Int64?
    /// Its hash before that, 32 bytes.
    var head: [UInt8]?
    /// With "fork": the epoch that is open there.
    var epoch: Int64?
    /// With "revoked": the server's clock and its signature, as in `RevocationNotice`.
    var serverMilliseconds: Int64?
    var signature: [UInt8]?

    /// The gateway itself said that it no longer serves this device.
    func isRevocation(of identity: DeviceIdentity) -> Bool {
        guard code == "revoked", let serverMilliseconds, let signature else { return false }
        return RevocationNotice.holds(
            signature, device: identity.device, serverMilliseconds: serverMilliseconds, key: identity.receiptKey)
    }

    init(_ body: [UInt8]) {
        guard body.count <= Self.bytesMax, let json = try? JSONValue(parsing: body), let error = json["error"] else {
            return
        }
        code = String((error["code"]?.string ?? "").filter { $0.isASCII && ($0.isLetter || $0 == "_") }.prefix(32))
        nextSeq = error["next_seq"]?.integer
        epoch = error["epoch"]?.integer
        serverMilliseconds = error["ms"]?.integer
        signature = error["signature"]?.string.flatMap(Hex.bytes)
        head = error["head"]?.string.flatMap(Hex.bytes).flatMap { $0.count == SHA256.byteCount ? $0 : nil }
    }
}
