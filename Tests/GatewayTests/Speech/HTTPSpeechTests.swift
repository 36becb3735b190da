import Conversation
import Logging
import Synchronization
import Testing

@testable import execora_gateway

/// The HTTP provider against a server on loopback that answers what OpenAI's would, and what it should not.
struct HTTPSpeechTests {
    private static let clip = SpokenClip.of(
        [1, 2, 3], language: "hi-en", wakePhrase: "okay nabu", oggOpus: Array("OggS-bytes".utf8))

    private func speech(
        _ server: FakeSpeechServer, key: String? = "sk-secret-key", language: String? = nil,
        answerTimeMax: Duration = .seconds(60), lines: LogLines = LogLines()
    ) throws -> HTTPSpeech {
        HTTPSpeech(
            .init(url: server.url + "/", model: "whisper-1", keyFile: nil, language: language),
            call: ProviderCall(
                secret: try key.map { try KeyFile.secret($0) }, answerTimeMax: answerTimeMax,
                logger: GatewayLog.logger(level: .trace, write: lines.add)))
    }

    @Test func `the form carries file, model, words and key, and the answer becomes a transcript`() async throws {
        let server = FakeSpeechServer([
            .init(body: #"{"text":" Okay, not boo. Rahul gave 200 rupees cash. ","usage":{}}"#)
        ])
        defer { server.stop() }
        let transcripts = try await speech(server).transcribe(Self.clip)
        #expect(transcripts.map(\.text) == ["Rahul gave 200 rupees cash."])
        #expect(transcripts.first?.engine == "http:whisper-1")
        #expect(transcripts.first?.confidenceMilli == HTTPSpeech.confidenceUntold)

        let request = String(decoding: try #require(server.received.first), as: UTF8.self)
        #expect(request.hasPrefix("POST /v1/audio/transcriptions HTTP/1.1\r\n"))
        #expect(request.lowercased().contains("\r\nauthorization: bearer sk-secret-key\r\n"))
        let boundary = "execora-\(Self.clip.turn)"
        #expect(request.lowercased().contains("content-type: multipart/form-data; boundary=\(boundary.lowercased())"))
        let form = request[try #require(request.firstRange(of: "\r\n\r\n")).upperBound...]
        #expect(
            form == """
                --\(boundary)\r
                Content-Disposition: form-data; name="model"\r
                \r
                whisper-1\r
                --\(boundary)\r
                Content-Disposition: form-data; name="response_format"\r
                \r
                json\r
                --\(boundary)\r
                Content-Disposition: form-data; name="temperature"\r
                \r
                0\r
                --\(boundary)\r
                Content-Disposition: form-data; name="prompt"\r
                \r
                okay nabu, Rahul Sharma, Priya Patel, Suresh Kumar, Milk, दूध, Bread, ब्रेड, Eggs, Rice\r
                --\(boundary)\r
                Content-Disposition: form-data; name="file"; filename="turn.ogg"\r
                Content-Type: audio/ogg\r
                \r
                OggS-bytes\r
                --\(boundary)--\r

                """)
    }

    @Test func `a server without a key is asked without one, a language that is set is told`() async throws {
        let server = FakeSpeechServer([.init(body: #"{"text":"haan"}"#)])
        defer { server.stop() }
        _ = try await speech(server, key: nil, language: "hi").transcribe(Self.clip)
        let request = String(decoding: try #require(server.received.first), as: UTF8.self)
        #expect(!request.lowercased().contains("authorization"))
        #expect(request.contains("name=\"language\"\r\n\r\nhi\r\n"))
    }

    @Test func `429 and 500 are tried again after the pause that the server asks`() async throws {
        let server = FakeSpeechServer([
            .init(status: 429, headers: ["retry-after: 0"], body: #"{"error":{"code":"rate_limit_exceeded"}}"#),
            .init(status: 500, headers: ["Retry-After: 0"], body: "oops"), .init(body: #"{"text":"yes"}"#),
        ])
        defer { server.stop() }
        #expect(try await speech(server).transcribe(Self.clip).map(\.text) == ["yes"])
        #expect(server.received.count == 3)
    }

    @Test(
        arguments: [
            // A body that quotes the key must not carry it into our error or log.
            (
                401, #"{"error":{"message":"Incorrect API key provided: sk-secret-key","code":"invalid_api_key"}}"#,
                SpeechError.refused(reason: "HTTP 401 invalid_api_key"), 1
            ),
            (400, #"{"error":{"code":"sk-secret-key is wrong!"}}"#, .refused(reason: "HTTP 400"), 1),
            (429, #"{"error":{"code":"insufficient_quota"}}"#, .refused(reason: "HTTP 429 insufficient_quota"), 1),
            (429, "{}", .busy, 3), (503, "<html>", .broken(reason: "HTTP 503"), 3),
            (200, "not json", .broken(reason: "answer without a text"), 1),
            (200, #"{"text":7}"#, .broken(reason: "answer without a text"), 1),
            (200, String(repeating: "x", count: 300_000), .broken(reason: "answer too long"), 1),
        ] as [(Int, String, SpeechError, Int)])
    func `what is no transcript is a named error`(status: Int, body: String, error: SpeechError, tries: Int)
        async throws
    {
        let server = FakeSpeechServer([.init(status: status, headers: ["retry-after: 0"], body: body)])
        defer { server.stop() }
        let lines = LogLines()
        await #expect(throws: error) { try await self.speech(server, lines: lines).transcribe(Self.clip) }
        #expect(server.received.count == tries)
        #expect(!"\(error)".contains("sk-secret-key"))
        #expect(!lines.all.joined().contains("sk-secret-key"))
    }

    @Test func `a server that asks for a long pause is given up`() async throws {
        let server = FakeSpeechServer([.init(status: 429, headers: ["retry-after: 60"], body: "{}")])
        defer { server.stop() }
        await #expect(throws: SpeechError.busy) { try await speech(server).transcribe(Self.clip) }
        #expect(server.received.count == 1)
    }

    @Test func `a slow server is left at the deadline`() async throws {
        let server = FakeSpeechServer([.init(body: #"{"text":"late"}"#, afterMilliseconds: 3000)])
        defer { server.stop() }
        await #expect(throws: SpeechError.timedOut) {
            try await speech(server, answerTimeMax: .milliseconds(300)).transcribe(Self.clip)
        }
    }

    @Test func `a connection that breaks is tried again`() async throws {
        let server = FakeSpeechServer([.init(hangsUp: true), .init(body: #"{"text":"yes"}"#)])
        defer { server.stop() }
        #expect(try await speech(server).transcribe(Self.clip).map(\.text) == ["yes"])
    }
}

struct RetryRuleTests {
    @Test(
        arguments: [
            (.status(200, code: nil, retryAfterSeconds: nil), 1, .take),
            (.status(429, code: nil, retryAfterSeconds: nil), 1, .again(after: .milliseconds(300))),
            (.status(429, code: nil, retryAfterSeconds: nil), 2, .again(after: .milliseconds(900))),
            (.status(429, code: nil, retryAfterSeconds: nil), 3, .giveUp(.busy)),
            (
                .status(429, code: "insufficient_quota", retryAfterSeconds: 1), 1,
                .giveUp(.refused(reason: "HTTP 429 insufficient_quota"))
            ),
            (.status(503, code: nil, retryAfterSeconds: 2), 1, .again(after: .seconds(2))),
            (.status(503, code: nil, retryAfterSeconds: 6), 1, .giveUp(.broken(reason: "HTTP 503"))),
            (
                .status(404, code: "model_not_found", retryAfterSeconds: nil), 1,
                .giveUp(.refused(reason: "HTTP 404 model_not_found"))
            ),
            (.noConnection, 1, .again(after: .milliseconds(300))),
            (.noConnection, 3, .giveUp(.broken(reason: "no connection"))),
        ] as [(RetryRule.Outcome, Int, RetryRule.Step)])
    func `a try is taken, repeated or given up`(outcome: RetryRule.Outcome, number: Int, step: RetryRule.Step) {
        #expect(RetryRule.step(after: outcome, try: number) == step)
    }
}

struct WakePhraseTests {
    @Test(arguments: [
        ("Okay Nabu. Rahul gave 200 rupees", "Rahul gave 200 rupees"),
        ("Okay, not boo. Yes, confirm.", "Yes, confirm."),
        ("OK Nabu, check Priya's balance", "check Priya's balance"), ("Okay nabu", ""),
        ("Okaynabu haan", "haan"), ("Okay Na Boo bill for Priya", "bill for Priya"),
        // Not at the front, or not like it: left whole.
        ("Check the okay nabu", "Check the okay nabu"), ("Okay", "Okay"), ("Okay haan", "Okay haan"),
        ("Onion two kilo", "Onion two kilo"), ("", ""),
    ])
    func `the wake word leaves the front of a transcript, nothing else does`(text: String, rest: String) {
        #expect(WakePhrase.stripped(from: text, phrase: "okay nabu") == rest)
        #expect(WakePhrase.stripped(from: text, phrase: nil) == text)
    }

    @Test func `a model's name is its phrase`() {
        #expect(SpeechClip.phrase(ofModel: "okay_nabu") == "okay nabu")
        #expect(SpeechClip.phrase(ofModel: "alexa") == "alexa")
    }
}
