import Conversation
import Glibc
import Logging
import Synchronization
import Testing

@testable import execora_gateway

/// Known answers of AWS's own documentation ("Authenticating Requests: Examples", bucket examplebucket, 24 May 2013).
struct RequestSignatureTests {
    private static let signature = RequestSignature(
        accessKey: "AKIAIOSFODNN7EXAMPLE", secretKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", region: "us-east-1")
    private static let host = "examplebucket.s3.amazonaws.com"

    private func signed(_ headers: [(String, String)]) -> String? {
        headers.first { $0.0 == "authorization" }?.1.split(separator: "=").last.map(String.init)
    }

    @Test func `a GET of an object`() {
        let headers = Self.signature.headers(
            method: "GET", host: Self.host, path: "/test.txt", headers: [("range", "bytes=0-9")], body: [],
            moment: "20130524T000000Z")
        #expect(signed(headers) == "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41")
        #expect(
            headers.first { $0.0 == "authorization" }?.1.hasPrefix(
                "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
                    + "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,Signature=") == true)
    }

    @Test func `a PUT of an object`() {
        let headers = Self.signature.headers(
            method: "PUT", host: Self.host, path: "/test%24file.text",
            headers: [("date", "Fri, 24 May 2013 00:00:00 GMT"), ("x-amz-storage-class", "REDUCED_REDUNDANCY")],
            body: Array("Welcome to Amazon S3.".utf8), moment: "20130524T000000Z")
        #expect(signed(headers) == "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd")
    }

    @Test func `a GET of a list`() {
        let headers = Self.signature.headers(
            method: "GET", host: Self.host, path: "/", query: [("max-keys", "2"), ("prefix", "J")], body: [],
            moment: "20130524T000000Z")
        #expect(signed(headers) == "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7")
    }

    @Test(
        arguments: [
            (0, "19700101T000000Z"), (1_369_353_600_000, "20130524T000000Z"), (951_827_696_789, "20000229T123456Z"),
            (4_107_542_399_999, "21000228T235959Z"), (-1, "19691231T235959Z"),
        ] as [(Int64, String)])
    func `a moment is written in UTC`(milliseconds: Int64, text: String) {
        #expect(RequestSignature.moment(milliseconds) == text)
    }
}

struct ArchiveTests {
    private static let logger = GatewayLog.logger(write: { _ in })

    private static func clip(_ turn: UInt64, _ bytes: String = "OggS") -> SpeechClip {
        var clip = SpokenClip.of([1], oggOpus: Array(bytes.utf8))
        clip.turn = .init(high: 1, low: turn)
        clip.shopHash = "00c0ffee"
        return clip
    }

    /// 2026-03-04 at noon.
    private static let noon: Int64 = 1_772_625_600_000

    @Test func `a recording is kept under its shop and day, and goes when its days are over`() async throws {
        let folder = TemporaryFolder()
        let path = folder.path + "/other"
        mkdir(path, 0o700)
        let at = Mutex(Self.noon)
        let metrics = GatewayMetrics()
        let archive = Archive(
            FolderArchive(path: path), retentionDays: 30, metrics: metrics, logger: Self.logger,
            now: { at.withLock { $0 } })
        let key = "00c0ffee/2026-03-04/\(Self.clip(7).turn).ogg"
        let running = Task { try await archive.run() }
        archive.keep(Self.clip(7))
        #expect(try await eventually { metrics.value("execora_archive_total", labels: [("result", "kept")]) == 1 })
        #expect(try await FolderArchive(path: path).keys(prefix: "00c0ffee/") == [key])
        #expect(try SpokenClip.contents(path + "/" + key) == Array("OggS".utf8))
        var status = stat()
        #expect(stat(path + "/" + key, &status) == 0 && status.st_mode & 0o777 == 0o600)
        running.cancel()
        try? await running.value

        // What is not named as ours stays for ever.
        KeyFile.write("x", to: path + "/notes.txt")
        at.withLock { $0 = Self.noon + 30 * 86_400_000 }
        await archive.sweep()
        #expect(try await FolderArchive(path: path).keys(prefix: "").count == 2)
        at.withLock { $0 = Self.noon + 31 * 86_400_000 }
        await archive.sweep()
        #expect(try await FolderArchive(path: path).keys(prefix: "") == ["notes.txt"])
        rmdir(path + "/00c0ffee")
    }

    @Test func `a full archive drops the newest and counts it`() {
        let metrics = GatewayMetrics()
        let archive = Archive(
            FolderArchive(path: "/nowhere"), retentionDays: 1, metrics: metrics, logger: Self.logger, now: { 0 })
        for turn in 0..<UInt64(Archive.waitingMax) + 3 { archive.keep(Self.clip(turn)) }
        #expect(metrics.value("execora_archive_total", labels: [("result", "dropped")]) == 3)
    }

    @Test func `a bucket is asked with signed requests, and a page follows a page`() async throws {
        let page = """
            <?xml version="1.0"?><ListBucketResult><IsTruncated>true</IsTruncated>\
            <Contents><Key>a/2026-01-01/x.ogg</Key><Size>1</Size></Contents>\
            <NextContinuationToken>t+1</NextContinuationToken></ListBucketResult>
            """
        let last = "<ListBucketResult><Contents><Key>a/2026-01-02/y.ogg</Key></Contents></ListBucketResult>"
        let server = FakeSpeechServer([.init(), .init(body: page), .init(body: last), .init(status: 204)])
        defer { server.stop() }
        let bucket = BucketArchive(
            bucket: .init(url: server.base, name: "shop-sounds", region: "ap-south-1", keyFile: ""),
            secret: try KeyFile.secret("AKIA:sec/ret:1"), now: { Self.noon })
        try await bucket.put(Array("OggS".utf8), key: "a/2026-01-01/x.ogg")
        #expect(try await bucket.keys(prefix: "a/") == ["a/2026-01-01/x.ogg", "a/2026-01-02/y.ogg"])
        try await bucket.remove(key: "a/2026-01-01/x.ogg")
        let heads = server.received.map { String(decoding: $0, as: UTF8.self) }
        #expect(heads[0].hasPrefix("PUT /shop-sounds/a/2026-01-01/x.ogg HTTP/1.1\r\n") && heads[0].hasSuffix("OggS"))
        #expect(heads[1].hasPrefix("GET /shop-sounds?list-type=2&prefix=a%2F HTTP/1.1\r\n"))
        #expect(heads[2].hasPrefix("GET /shop-sounds?continuation-token=t%2B1&list-type=2&prefix=a%2F HTTP/1.1\r\n"))
        #expect(heads[3].hasPrefix("DELETE /shop-sounds/a/2026-01-01/x.ogg HTTP/1.1\r\n"))
        for head in heads {
            #expect(head.contains("x-amz-date: 20260304T120000Z\r\n"))
            #expect(
                head.contains("authorization: AWS4-HMAC-SHA256 Credential=AKIA/20260304/ap-south-1/s3/aws4_request,"))
            #expect(!head.contains("sec/ret"))
        }
    }

    @Test func `a bucket's refusal is told by its status alone`() async throws {
        let server = FakeSpeechServer([.init(status: 403, body: "<Error><AWSAccessKeyId>AKIA</AWSAccessKeyId></Error>")]
        )
        defer { server.stop() }
        let bucket = BucketArchive(
            bucket: .init(url: server.base, name: "b", region: "r", keyFile: ""), secret: try KeyFile.secret("AKIA:s"))
        await #expect(throws: SpeechError.refused(reason: "HTTP 403")) { try await bucket.put([1], key: "k") }
    }

    @Test func `a turn is archived where that was chosen, a cancelled one never`() async throws {
        let folder = TemporaryFolder()
        let path = folder.path + "/other"
        mkdir(path, 0o700)
        let metrics = GatewayMetrics()
        let archive = Archive(FolderArchive(path: path), retentionDays: 30, metrics: metrics, logger: Self.logger)
        try await GatewayRig.run(speech: RecordingSpeech(["haan"]), archive: archive) { rig in
            let counter = try await CounterDouble.enrolled(at: rig)
            for last in [TurnFraming.Flags.cancel, .end] {
                _ = try await counter.turn(
                    [TurnFraming.head(CounterDouble.hello())]
                        + CounterDouble.records(try CounterDouble.tone(frames: 5).packets, last: last), to: rig)
            }
            #expect(try await eventually { metrics.value("execora_archive_total", labels: [("result", "kept")]) == 1 })
        }
        let keys = try await FolderArchive(path: path).keys(prefix: "")
        #expect(keys.count == 1)
        for key in keys { try await FolderArchive(path: path).remove(key: key) }
        rmdir(path + "/" + (keys.first?.split(separator: "/").first.map(String.init) ?? ""))
    }
}
