import JSONText
import Seals

/// How a device becomes one of a shop's: it makes its own two keys, asks with a one-time code, checks the answer.
public enum Enrolment {
    /// - Parameters:
    ///   - gateway: "https://host:port", the enrol port.
    ///   - trustPath: the operator's root certificate, brought by the technician.
    ///   - code: the one-time code.
    ///   - isReplacing: enrol although the device is enrolled; its keys, and so its device id, stay.
    /// - Returns: who the device is now; the identity folder is complete. On any error an identity of before stands.
    ///
    /// Blocks; up to 40 s.
    public static func enrol(
        gateway: String, trustPath: String, code: String, into folder: IdentityFolder, isReplacing: Bool = false
    ) throws(EnrolmentError) -> DeviceIdentity {
        do throws(LinkError) { try GatewayLink.checkAddress(gateway) } catch { throw .link(error) }
        if !isReplacing, try isEnrolled(folder) { throw .alreadyEnrolled }
        let device: [UInt8]
        let body: JSONValue
        do throws(SealError) {
            let keys = try folder.keysMadeIfMissing()
            device = try folder.deviceID()
            let request = try keys.tls.certificateRequest(commonName: Hex.text(device))
            let proof = try EnrolmentProof.make(code: code, request: request, key: keys.ledger)
            body = [
                "code": .string(code), "csr": .string(String(decoding: request, as: UTF8.self)),
                "ledger_key": .string(Hex.text(keys.ledger.verifyingKey.bytes)), "proof": .string(Hex.text(proof)),
            ]
        } catch { throw .identity(error) }
        let answer = try ask(gateway + "/v1/enrol", trustPath: trustPath, body: body)
        return try complete(folder, device: device, answer: answer)
    }

    private static func isEnrolled(_ folder: IdentityFolder) throws(EnrolmentError) -> Bool {
        do throws(SealError) {
            _ = try folder.identity()
            return true
        } catch {
            if case .missing = error { return false }
            throw .identity(error)
        }
    }

    private static func ask(_ url: String, trustPath: String, body: JSONValue) throws(EnrolmentError) -> JSONValue {
        let bytes: [UInt8]
        do throws(LinkError) {
            let exchange = try Exchange.open(
                url: url, credentials: .init(trustPath: trustPath, own: nil),
                headers: ["Content-Type: application/json"], body: .bytes(body.bytes), limits: .enrolment)
            bytes = try exchange.perform().get().accepted()
        } catch { throw .link(error) }
        do { return try JSONValue(parsing: bytes) } catch { throw .answer("not JSON") }
    }

    private static func complete(
        _ folder: IdentityFolder, device: [UInt8], answer: JSONValue
    ) throws(EnrolmentError) -> DeviceIdentity {
        guard answer["device"]?.string.flatMap(Hex.bytes) == device else { throw .answer("another device") }
        guard let shop = answer["shop"]?.string.flatMap(Hex.bytes), shop.count == 16 else { throw .answer("shop") }
        // A series is part of every invoice number, and of what is spoken.
        guard let series = answer["series"]?.string, (1...8).contains(series.utf8.count),
            series.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) })
        else { throw .answer("series") }
        guard let chain = answer["certificate"]?.string, let trust = answer["ca"]?.string,
            let receiptKey = answer["receipt_key"]?.string.flatMap(Hex.bytes), receiptKey.count == 32
        else { throw .answer("certificate, ca or receipt_key") }
        do throws(SealError) {
            let identity = DeviceIdentity(
                device: device, shop: shop, series: series, receiptKey: try VerifyingKey(bytes: receiptKey))
            // Checked before anything is written: `complete` replaces the root first.
            try check(chain: chain, device: device, folder)
            try folder.complete(identity, chain: Array(chain.utf8), trust: Array(trust.utf8))
            return try folder.identity()
        } catch {
            if case .malformed(let what) = error { throw .answer(what) }
            throw .identity(error)
        }
    }

    static func check(chain: String, device: [UInt8], _ folder: IdentityFolder) throws(SealError) {
        let leaf = try Certificate.read(pem: Array(chain.utf8))
        guard try folder.tlsKey().matches(leaf) else { throw .malformed("a certificate for another key") }
        guard leaf.commonName == Hex.text(device) else { throw .malformed("a certificate for another device") }
    }
}
