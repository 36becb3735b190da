import Hummingbird
import JSONText
import Seals

/// `GET /v1/time?nonce=HEX`: the gateway's clock, signed by the receipt key, for a counter whose own clock cannot be
/// trusted. The nonce is the asker's, 1 to 32 bytes, so an old answer cannot pass for a new one; without one the
/// gateway takes its own and the answer proves only who gave it.
struct TimeRoute: Sendable {
    let receiptKey: SigningKey
    let now: @Sendable () -> Int64

    func answer(_ request: Request) throws -> Response {
        var nonce = Randomness.bytes(16)
        if let asked = request.uri.queryParameters.get("nonce") {
            guard let bytes = Hex.bytes(asked), (1...32).contains(bytes.count) else {
                throw Refusal.malformed("nonce is 1 to 32 bytes in hex")
            }
            nonce = bytes
        }
        let now = now()
        guard let signature = try? receiptKey.sign(Self.message(nonce: nonce, milliseconds: now)) else {
            throw Refusal.unavailable("the receipt key does not sign", retryAfterSeconds: 30)
        }
        return .json([
            "ms": .integer(now), "nonce": .string(Hex.text(nonce)), "signature": .string(Hex.text(signature)),
        ])
    }

    /// `"execora/time/v1\0"`, the nonce, the milliseconds as 8 bytes, big-endian.
    static func message(nonce: [UInt8], milliseconds: Int64) -> [UInt8] {
        Array("execora/time/v1\0".utf8) + nonce
            + withUnsafeBytes(of: milliseconds.bigEndian) { Array($0) }
    }
}
