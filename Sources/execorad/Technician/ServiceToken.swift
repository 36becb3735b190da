import Diagnostics
import Glibc
import JSONText
import Seals

/// A technician's token: who, for which box, until when, signed with a key the box trusts.
///
///     v1.<JSON in hex>.<Ed25519 signature in hex>     {"holder": "meena", "device": "<32 hex>" or "*", "until_s": ...}
///
/// The boxes' trusted keys stand in a file, one public key a line in hex with a name behind it. A token ends by its own
/// time and is good for `hoursMax` at most from when it is shown, so that a lost one is worth little.
struct ServiceTokens: Sendable {
    static let hoursMax: Int64 = 12
    static let keysMax = 16
    /// Of the token's digest, for the journal: enough to tell tokens apart, nothing to forge one from.
    static let markBytes = 8

    /// Path of the trusted keys; empty where none are.
    var keysPath: String
    /// This device's id in hex.
    var device: String
    var nowMilliseconds: @Sendable () -> Int64

    func look(at text: String) -> Result<ServiceGrant, CallFault> {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard text.utf8.count <= 4_096, parts.count == 3, parts[0] == "v1", let body = Hex.bytes(String(parts[1])),
            let signature = Hex.bytes(String(parts[2])), let json = try? JSONValue(parsing: body),
            let holder = json["holder"]?.string, let until = json["until_s"]?.integer, let box = json["device"]?.string
        else { return .failure(.notAllowed("that is no technician's token")) }
        guard keys().contains(where: { $0.verifies(signature, of: Array("execora/service/v1".utf8) + body) }) else {
            return .failure(.notAllowed("the token is signed by nobody this box trusts"))
        }
        guard box == "*" || box == device else { return .failure(.notAllowed("the token is for another box")) }
        let left = until.multipliedReportingOverflow(by: 1000).partialValue - nowMilliseconds()
        guard left > 0, until < Int64.max / 1000 else { return .failure(.notAllowed("the token's time is over")) }
        // What a technician may call himself is no way to move another's cursor.
        let shown = String(decoding: holder.utf8.prefix(64).map { $0 < 0x20 || $0 == 0x7F ? 0x3F : $0 }, as: UTF8.self)
        let mark = Hex.text(Array(SHA256.digest(Array(text.utf8)).prefix(Self.markBytes)))
        return .success(ServiceGrant(holder: shown, mark: mark, milliseconds: min(left, Self.hoursMax * 3_600_000)))
    }

    private func keys() -> [VerifyingKey] {
        guard !keysPath.isEmpty, let file = FileBytes.read(keysPath, bytesMax: 16 * 1024) else { return [] }
        return String(decoding: file, as: UTF8.self).split(separator: "\n").prefix(Self.keysMax).compactMap { line in
            guard let word = line.split(separator: " ").first, let bytes = Hex.bytes(String(word)) else { return nil }
            return try? VerifyingKey(bytes: bytes)
        }
    }

    /// Makes one; for the technician's own machine (`execorad service-token`), never the box.
    static func make(holder: String, device: String, untilSeconds: Int64, key: SigningKey) throws(SealError) -> String {
        let body = JSONValue.object([
            .init("holder", .string(holder)), .init("device", .string(device)),
            .init("until_s", .integer(untilSeconds)),
        ]).bytes
        return "v1.\(Hex.text(body)).\(Hex.text(try key.sign(Array("execora/service/v1".utf8) + body)))"
    }
}
