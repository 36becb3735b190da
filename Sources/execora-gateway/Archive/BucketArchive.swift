import AsyncHTTPClient
import NIOCore

/// Recordings in a bucket of S3 or a server that speaks like it, path-style, over HTTP client of the gateway.
struct BucketArchive: ArchiveStore {
    static let timeMax = Duration.seconds(20)
    static let answerBytesMax = 4 << 20

    let bucket: ArchiveConfiguration.Bucket
    let secret: ProviderSecret
    var client: HTTPClient = .shared
    var now: @Sendable () -> Int64 = SystemClock.milliseconds

    func put(_ bytes: [UInt8], key: String) async throws {
        _ = try await send("PUT", key: key, headers: [("content-type", "audio/ogg")], body: bytes)
    }

    func keys(prefix: String) async throws -> [String] {
        var found: [String] = []
        var token: String?
        repeat {
            var query = [("list-type", "2"), ("prefix", prefix)]
            if let token { query.append(("continuation-token", token)) }
            let page = String(decoding: try await send("GET", key: "", query: query), as: UTF8.self)
            found += Self.texts("Key", in: page)
            token = Self.texts("NextContinuationToken", in: page).first
        } while token != nil && found.count < Self.keysMax
        return found
    }

    func remove(key: String) async throws { _ = try await send("DELETE", key: key) }

    /// The texts of all elements of one name. Our keys hold nothing that XML escapes.
    static func texts(_ name: String, in xml: String) -> [String] {
        xml.split(separator: "<\(name)>", omittingEmptySubsequences: false).dropFirst().map {
            String($0.prefix { $0 != "<" })
        }
    }

    private func send(
        _ method: String, key: String, query: [(String, String)] = [], headers: [(String, String)] = [],
        body: [UInt8] = []
    ) async throws -> [UInt8] {
        let parts = try secret.key().split(separator: ":", maxSplits: 1).map(String.init)
        guard parts.count == 2 else { throw SpeechError.refused(reason: "the key file is not ACCESS:SECRET") }
        let base = bucket.url.withoutSlash
        guard let host = base.split(separator: "/", omittingEmptySubsequences: true).dropFirst().first else {
            throw SpeechError.refused(reason: "archive url without a host")
        }
        let path = "/" + bucket.name + (key.isEmpty ? "" : "/" + URLQuery.escaped(key, keeping: "/"))
        let signature = RequestSignature(accessKey: parts[0], secretKey: parts[1], region: bucket.region)
        var request = HTTPClientRequest(
            url: query.isEmpty ? base + path : URLQuery.url(base + path, query.sorted { $0.0 < $1.0 }))
        request.method = .init(rawValue: method)
        for (name, value) in signature.headers(
            method: method, host: String(host), path: path, query: query, headers: headers, body: body,
            moment: RequestSignature.moment(now()))
        { request.headers.add(name: name, value: value) }
        if !body.isEmpty { request.body = .bytes(ByteBuffer(bytes: body)) }
        let response = try await client.execute(request, timeout: .milliseconds(Self.timeMax.milliseconds))
        let answer = try await response.body.collect(upTo: Self.answerBytesMax)
        guard (200..<300).contains(response.status.code) else {
            // The answer may quote the key id.
            throw SpeechError.refused(reason: "HTTP \(response.status.code)")
        }
        return Array(answer.readableBytesView)
    }
}
