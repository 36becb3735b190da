import Conversation
import JSONText
import Logging
import Testing

@testable import execora_gateway

/// Deepgram, ElevenLabs and Sarvam against a server on loopback that answers in their forms (headers, bodies, errors,
/// rate limits, slow and broken streams), as their documents tell them.
struct VendorSpeechTests {
    private static let clip = SpokenClip.of(
        [1, 2, 3], language: "hi-en", wakePhrase: nil, oggOpus: Array("OggS-bytes".utf8))

    enum Vendor: String, CaseIterable, Sendable {
        case deepgram, elevenlabs, sarvam

        /// What it answers when it heard `text`.
        func heard(_ text: String) -> String {
            switch self {
            case .deepgram:
                #"{"metadata":{"request_id":"r"},"results":{"channels":[{"alternatives":[{"transcript":"\#(text)","confidence":0.97,"languages":["hi"],"words":[]}]}]}}"#
            case .elevenlabs:
                #"{"language_code":"hin","language_probability":0.98,"text":"\#(text)","words":[{"text":"a","type":"word","logprob":-0.1},{"text":" ","type":"spacing"}]}"#
            case .sarvam: #"{"request_id":"r","transcript":"\#(text)","timestamps":null,"language_code":"hi-IN"}"#
            }
        }

        var keyHeader: String {
            switch self {
            case .deepgram: "authorization: token sk-secret-key"
            case .elevenlabs: "xi-api-key: sk-secret-key"
            case .sarvam: "api-subscription-key: sk-secret-key"
            }
        }
    }

    private func speech(
        _ vendor: Vendor, _ server: FakeSpeechServer, answerTimeMax: Duration = .seconds(60),
        lines: LogLines = LogLines()
    ) throws -> any SpeechToText {
        let header: ProviderCall.KeyHeader =
            switch vendor {
            case .deepgram: .token
            case .elevenlabs: .named("xi-api-key")
            case .sarvam: .named("api-subscription-key")
            }
        let call = ProviderCall(
            secret: try KeyFile.secret("sk-secret-key"), keyHeader: header, answerTimeMax: answerTimeMax,
            logger: GatewayLog.logger(level: .trace, write: lines.add))
        let told = SpeechConfiguration.Vendor(url: server.base + "/", keyFile: "")
        return switch vendor {
        case .deepgram: DeepgramSpeech(told, call: call)
        case .elevenlabs: ElevenLabsSpeech(told, call: call)
        case .sarvam: SarvamSpeech(told, call: call)
        }
    }

    @Test(arguments: Vendor.allCases)
    func `what it heard comes back as a transcript, asked for with its own key header`(vendor: Vendor) async throws {
        let server = FakeSpeechServer([.init(body: vendor.heard(" राहुल ने दो सौ दिए "))])
        defer { server.stop() }
        let heard = try await speech(vendor, server).transcribe(Self.clip)
        #expect(heard.map(\.text) == ["राहुल ने दो सौ दिए"])
        #expect(heard.first?.engine.hasPrefix(vendor.rawValue + ":") == true)
        let sure: Int64 = [.deepgram: 970, .elevenlabs: 905, .sarvam: HTTPSpeech.confidenceUntold][vendor]!
        #expect(heard.first?.confidenceMilli == sure)
        let request = String(decoding: try #require(server.received.first), as: UTF8.self)
        #expect(request.lowercased().contains("\r\n\(vendor.keyHeader)\r\n"))
    }

    @Test func `Deepgram gets the file as its body and the rest in its query`() async throws {
        let server = FakeSpeechServer([.init(body: Vendor.deepgram.heard("haan"))])
        defer { server.stop() }
        _ = try await speech(.deepgram, server).transcribe(Self.clip)
        let request = String(decoding: try #require(server.received.first), as: UTF8.self)
        let line = try #require(request.split(separator: "\r\n").first)
        #expect(
            line == """
                POST /v1/listen?model=nova-3&language=multi&smart_format=true&mip_opt_out=true&keyterm=Rahul%20Sharma\
                &keyterm=Priya%20Patel&keyterm=Suresh%20Kumar&keyterm=Milk&keyterm=%E0%A4%A6%E0%A5%82%E0%A4%A7\
                &keyterm=Bread&keyterm=%E0%A4%AC%E0%A5%8D%E0%A4%B0%E0%A5%87%E0%A4%A1&keyterm=Eggs&keyterm=Rice HTTP/1.1
                """)
        // Of a file in a container neither encoding nor rate may be told.
        #expect(!line.contains("encoding") && !line.contains("sample_rate"))
        #expect(request.lowercased().contains("\r\ncontent-type: audio/ogg\r\n"))
        #expect(request.hasSuffix("\r\n\r\nOggS-bytes"))
    }

    @Test func `ElevenLabs gets a form with key terms, and no language for a mix of two`() async throws {
        let server = FakeSpeechServer([.init(body: Vendor.elevenlabs.heard("haan"))])
        defer { server.stop() }
        _ = try await speech(.elevenlabs, server).transcribe(Self.clip)
        let request = String(decoding: try #require(server.received.first), as: UTF8.self)
        #expect(request.hasPrefix("POST /v1/speech-to-text?enable_logging=false HTTP/1.1\r\n"))
        #expect(request.contains("name=\"model_id\"\r\n\r\nscribe_v2\r\n"))
        #expect(request.contains("name=\"file_format\"\r\n\r\nother\r\n"))
        #expect(request.contains("name=\"keyterms\"\r\n\r\nRahul Sharma\r\n"))
        #expect(request.contains("filename=\"turn.ogg\"\r\nContent-Type: audio/ogg\r\n\r\nOggS-bytes\r\n"))
        #expect(!request.contains("name=\"language_code\""))
    }

    @Test func `Sarvam is told the language and asked for mixed script`() async throws {
        let server = FakeSpeechServer([.init(body: Vendor.sarvam.heard("haan"))])
        defer { server.stop() }
        _ = try await speech(.sarvam, server).transcribe(Self.clip)
        let request = String(decoding: try #require(server.received.first), as: UTF8.self)
        #expect(request.hasPrefix("POST /speech-to-text HTTP/1.1\r\n"))
        #expect(request.contains("name=\"model\"\r\n\r\nsaaras:v4\r\n"))
        #expect(request.contains("name=\"mode\"\r\n\r\ncodemix\r\n"))
        #expect(request.contains("name=\"language_code\"\r\n\r\nhi-IN\r\n"))
        #expect(!request.contains("input_audio_codec"))
    }

    @Test(arguments: Vendor.allCases)
    func `silence is an answer without transcripts`(vendor: Vendor) async throws {
        let server = FakeSpeechServer([.init(body: vendor.heard(""))])
        defer { server.stop() }
        #expect(try await speech(vendor, server).transcribe(Self.clip).isEmpty)
    }

    struct Failure: Sendable, CustomTestStringConvertible {
        var vendor: Vendor
        var status: Int
        var body: String
        var error: SpeechError
        var tries = 1

        var testDescription: String { "\(vendor) \(status) \(error)" }
    }

    static let failures: [Failure] = [
        Failure(
            vendor: .deepgram, status: 401,
            body: #"{"err_code":"INVALID_AUTH","err_msg":"sk-secret-key is not valid","request_id":"r"}"#,
            error: .refused(reason: "HTTP 401 INVALID_AUTH")),
        Failure(
            vendor: .deepgram, status: 402, body: #"{"category":"ASR_PAYMENT_REQUIRED","message":"","request_id":"r"}"#,
            error: .refused(reason: "HTTP 402 ASR_PAYMENT_REQUIRED")),
        Failure(
            vendor: .deepgram, status: 400, body: "Bad Request: sk-secret-key", error: .refused(reason: "HTTP 400")),
        Failure(vendor: .deepgram, status: 429, body: "{}", error: .busy, tries: 3),
        Failure(
            vendor: .elevenlabs, status: 401,
            body: #"{"detail":{"status":"quota_exceeded","message":"sk-secret-key"}}"#,
            error: .refused(reason: "HTTP 401 quota_exceeded")),
        Failure(
            vendor: .elevenlabs, status: 422, body: #"{"detail":[{"loc":["body","file"],"msg":"sk-secret-key"}]}"#,
            error: .refused(reason: "HTTP 422")),
        Failure(
            vendor: .sarvam, status: 403,
            body: #"{"error":{"message":"sk-secret-key","code":"invalid_api_key_error"}}"#,
            error: .refused(reason: "HTTP 403 invalid_api_key_error")),
        Failure(
            vendor: .sarvam, status: 429, body: #"{"error":{"message":"","code":"insufficient_quota_error"}}"#,
            error: .refused(reason: "HTTP 429 insufficient_quota_error")),
        Failure(
            vendor: .sarvam, status: 503, body: #"{"error":{"message":"","code":"rate_limit_exceeded_error"}}"#,
            error: .busy, tries: 3),
        Failure(
            vendor: .sarvam, status: 500, body: #"{"error":{"message":"","code":"internal_server_error"}}"#,
            error: .broken(reason: "HTTP 500 internal_server_error"), tries: 3),
        Failure(
            vendor: .deepgram, status: 200, body: #"{"results":{}}"#,
            error: .broken(reason: "answer without alternatives")),
        Failure(vendor: .elevenlabs, status: 200, body: "<html>", error: .broken(reason: "answer without a text")),
        Failure(
            vendor: .sarvam, status: 200, body: #"{"transcript":7}"#,
            error: .broken(reason: "answer without a transcript")),
    ]

    @Test(arguments: failures)
    func `an error is told by its kind and code, never by its message`(failure: Failure) async throws {
        let server = FakeSpeechServer([
            .init(status: failure.status, headers: ["retry-after: 0"], body: failure.body)
        ])
        defer { server.stop() }
        let lines = LogLines()
        let speech = try speech(failure.vendor, server, lines: lines)
        await #expect(throws: failure.error) { try await speech.transcribe(Self.clip) }
        #expect(server.received.count == failure.tries)
        #expect(!lines.all.joined().contains("sk-secret-key"))
    }

    @Test(arguments: Vendor.allCases)
    func `a stream that breaks in its middle is asked for again`(vendor: Vendor) async throws {
        let whole = vendor.heard("haan")
        let server = FakeSpeechServer([.init(body: whole, cutAtByte: 20), .init(body: whole)])
        defer { server.stop() }
        #expect(try await speech(vendor, server).transcribe(Self.clip).map(\.text) == ["haan"])
        #expect(server.received.count == 2)
    }

    @Test(arguments: Vendor.allCases)
    func `a stream that dribbles is left at the deadline`(vendor: Vendor) async throws {
        let server = FakeSpeechServer([.init(body: vendor.heard("haan"), dribbleMilliseconds: 100)])
        defer { server.stop() }
        let speech = try speech(vendor, server, answerTimeMax: .milliseconds(500))
        await #expect(throws: SpeechError.timedOut) { try await speech.transcribe(Self.clip) }
    }
}
