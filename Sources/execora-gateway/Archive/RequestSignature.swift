import Crypto
import Seals

/// AWS Signature Version 4 for S3 and what speaks like it. Pure: request and moment in, headers out.
/// Source: AWS, "Signature Calculations for the Authorization Header: Transferring Payload in a Single Chunk".
struct RequestSignature {
    var accessKey: String
    var secretKey: String
    var region: String
    var service = "s3"

    /// - Parameters:
    ///   - path: percent-encoded, slashes kept.
    ///   - query: names and values, not encoded.
    ///   - headers: those to be signed besides host and the two dates; names in lower case.
    ///   - moment: "20130524T000000Z".
    /// - Returns: all headers that the request must carry but `host`.
    func headers(
        method: String, host: String, path: String, query: [(String, String)] = [], headers: [(String, String)] = [],
        body: [UInt8], moment: String
    ) -> [(String, String)] {
        let bodyHash = Hex.text(Seals.SHA256.digest(body))
        let signed = ([("host", host), ("x-amz-content-sha256", bodyHash), ("x-amz-date", moment)] + headers)
            .sorted { $0.0 < $1.0 }
        let names = signed.map(\.0).joined(separator: ";")
        let told = query.map { (URLQuery.escaped($0.0), URLQuery.escaped($0.1)) }.sorted { $0 < $1 }
        let canonical = [
            method, path, told.map { "\($0.0)=\($0.1)" }.joined(separator: "&"),
            signed.map { "\($0.0):\($0.1.trimmed)\n" }.joined(), names, bodyHash,
        ].joined(separator: "\n")
        let day = String(moment.prefix(8))
        let scope = "\(day)/\(region)/\(service)/aws4_request"
        let toSign = [
            "AWS4-HMAC-SHA256", moment, scope, Hex.text(Seals.SHA256.digest(Array(canonical.utf8))),
        ].joined(separator: "\n")
        var key = Array("AWS4\(secretKey)".utf8)
        for part in [day, region, service, "aws4_request"] { key = Self.code(part, key) }
        let signature = Hex.text(Self.code(toSign, key))
        return signed.filter { $0.0 != "host" } + [
            (
                "authorization",
                "AWS4-HMAC-SHA256 Credential=\(accessKey)/\(scope),SignedHeaders=\(names),Signature=\(signature)"
            )
        ]
    }

    private static func code(_ message: String, _ key: [UInt8]) -> [UInt8] {
        Array(HMAC<Crypto.SHA256>.authenticationCode(for: Array(message.utf8), using: SymmetricKey(data: key)))
    }

    /// The ISO 8601 basic form that signatures use, from milliseconds since 1970.
    static func moment(_ milliseconds: Int64) -> String {
        let civil = CivilMoment(milliseconds: milliseconds)
        func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(civil.year)\(two(civil.month))\(two(civil.day))T\(two(civil.hour))\(two(civil.minute))"
            + "\(two(civil.second))Z"
    }
}

/// Date and time in UTC. Source of the day count: Howard Hinnant, "chrono-compatible low-level date algorithms".
struct CivilMoment: Equatable {
    var year: Int64
    var month: Int64
    var day: Int64
    var hour: Int64
    var minute: Int64
    var second: Int64

    init(milliseconds: Int64) {
        let seconds = milliseconds.floorDivided(by: 1000)
        let days = seconds.floorDivided(by: 86_400)
        let left = seconds - days * 86_400
        (hour, minute, second) = (left / 3600, left / 60 % 60, left % 60)
        let shifted = days + 719_468
        let era = shifted.floorDivided(by: 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }
}

extension Int64 {
    fileprivate func floorDivided(by divisor: Int64) -> Int64 {
        self / divisor - (self % divisor < 0 ? 1 : 0)
    }
}
