import Hummingbird
import JSONText
import Seals

/// `POST /v1/enrol` on the enrol port: a one-time code, a certificate request and the ledger's public key become a
/// client certificate. The proof shows that the sender holds the ledger key it names.
struct EnrolRoute: Sendable {
    static let bodyBytesMax = 16_384

    let fleet: Fleet
    let authority: CertificateAuthority
    let trustPEM: String
    let receiptKey: SigningKey
    let now: @Sendable () -> Int64

    func answer(_ request: Request, note: RequestNote) async throws -> Response {
        let body = try await request.bytes(upTo: Self.bodyBytesMax)
        guard let json = try? JSONValue(parsing: body), let code = json["code"]?.string,
            let csr = json["csr"]?.string,
            let key = json["ledger_key"]?.string.flatMap(Hex.bytes).flatMap({ try? VerifyingKey(bytes: $0) }),
            let proof = json["proof"]?.string.flatMap(Hex.bytes)
        else { throw Refusal.malformed("an enrolment has code, csr, ledger_key and proof") }
        guard EnrolmentProof.holds(proof, code: code, request: Array(csr.utf8), key: key) else {
            throw Refusal(
                status: .unprocessableContent, code: "proof", message: "the proof is not the ledger key's signature")
        }
        let tlsKey = try CertificateAuthority.deviceKey(request: csr)
        let device = DeviceIdentity.deviceID(of: key)
        note.add("device", .string(String(Hex.text(device).prefix(8))))
        guard let codeHash = EnrolCode.hash(typed: code) else { throw Self.codeRefused }

        let now = now()
        let outcome = try await fleet.enrol(
            codeHash: codeHash, requestHash: SHA256.digest(key.bytes, Array(tlsKey.x963Representation)), device: device,
            ledgerKey: key.bytes,
            nowMilliseconds: now
        ) { [authority, trustPEM, receiptKey] shop, device, series throws(GatewayError) in
            let issued = try authority.device(
                key: tlsKey, subject: .init(device: device, shop: shop, series: series, ledgerKey: key.bytes),
                nowMilliseconds: now)
            let answer: JSONValue = [
                "shop": .string(Hex.text(shop)), "device": .string(Hex.text(device)), "series": .string(series),
                "certificate": .string(issued.chainPEM), "ca": .string(trustPEM),
                "receipt_key": .string(Hex.text(receiptKey.verifyingKey.bytes)),
            ]
            return (issued, answer.bytes)
        }
        switch outcome {
        case .enrolled(let answer): return .json(bytes: answer)
        case .codeRefused: throw Self.codeRefused
        case .deviceRefused:
            throw Refusal(
                status: .forbidden, code: "device", message: "this device was revoked or belongs to another shop")
        case .shopFull:
            throw Refusal(
                status: .forbidden, code: "shop_full", message: "the shop has no series left for another counter")
        }
    }

    private static let codeRefused = Refusal(
        status: .forbidden, code: "code", message: "the code is wrong, used or expired; ask for a new one")
}

/// `POST /v1/renew` on the device port: a new certificate for the device that asks, for the key in its request. The
/// old one stays good until it ends, so an answer lost on the way locks nobody out.
struct RenewRoute: Sendable {
    let fleet: Fleet
    let authority: CertificateAuthority
    let now: @Sendable () -> Int64

    func answer(_ request: Request, from sender: DeviceRecord) async throws -> Response {
        let body = try await request.bytes(upTo: EnrolRoute.bodyBytesMax)
        guard let csr = (try? JSONValue(parsing: body))?["csr"]?.string else {
            throw Refusal.malformed("a renewal has csr")
        }
        let key = try CertificateAuthority.deviceKey(request: csr)
        let issued = try authority.device(key: key, subject: .init(sender), nowMilliseconds: now())
        guard try await fleet.store(of: sender.shop).renew(issued, of: sender, nowMilliseconds: now()) else {
            throw Refusal.busy("this device has too many certificates that still run", retryAfterSeconds: 86_400)
        }
        return .json(["certificate": .string(issued.chainPEM)])
    }
}
