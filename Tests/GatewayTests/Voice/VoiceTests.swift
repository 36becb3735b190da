import Conversation
import JSONText
import Logging
import NIOCore
import Testing

@testable import execora_gateway

/// Voices against a server on loopback in the vendors' forms, and a program on this machine.
struct VoiceTests {
    private static let line = SpokenLine(text: "Rahul ka do sau likh diya", language: "hi-en")

    private func call(_ header: ProviderCall.KeyHeader) throws -> ProviderCall {
        ProviderCall(
            secret: try KeyFile.secret("sk-secret-key"), keyHeader: header, answerTimeMax: .seconds(60),
            logger: GatewayLog.logger(write: { _ in }))
    }

    private func body(_ server: FakeSpeechServer) throws -> (head: String, json: JSONValue) {
        let request = String(decoding: try #require(server.received.first), as: UTF8.self)
        let end = try #require(request.firstRange(of: "\r\n\r\n"))
        return (String(request[..<end.lowerBound]), try JSONValue(parsing: String(request[end.upperBound...])))
    }

    @Test func `ElevenLabs is asked in its form and answers with audio`() async throws {
        let server = FakeSpeechServer([.init(body: "OggS...")])
        defer { server.stop() }
        let voice = ElevenLabsVoice(
            .init(url: server.base, voice: "v/1", keyFile: ""), call: try call(.named("xi-api-key")))
        let audio = try await voice.speak(Self.line)
        #expect(audio == SpokenAudio(contentType: "audio/ogg", bytes: Array("OggS...".utf8)))
        let (head, json) = try body(server)
        #expect(head.hasPrefix("POST /v1/text-to-speech/v%2F1?output_format=opus_48000_32 HTTP/1.1\r\n"))
        #expect(head.lowercased().contains("\r\nxi-api-key: sk-secret-key"))
        #expect(json["text"]?.string == Self.line.text && json["language_code"]?.string == "hi")
        #expect(json["model_id"]?.string == "eleven_flash_v2_5")
    }

    @Test(arguments: [(nil, "language_code"), ("target_language_code", "target_language_code")] as [(String?, String)])
    func `Sarvam's audio comes out of its base64, under the language key that is configured`(told: String?, key: String)
        async throws
    {
        let server = FakeSpeechServer([.init(body: #"{"request_id":"r","audios":["T2dnUy4u"]}"#)])
        defer { server.stop() }
        let voice = SarvamVoice(
            .init(url: server.base, keyFile: "", languageKey: told), call: try call(.named("api-subscription-key")))
        #expect(try await voice.speak(Self.line).bytes == Array("OggS..".utf8))
        let (head, json) = try body(server)
        #expect(head.hasPrefix("POST /text-to-speech HTTP/1.1\r\n"))
        #expect(json[key]?.string == "hi-IN" && json["model"]?.string == "bulbul:v3")
        #expect(json["output_audio_codec"]?.string == "opus" && json["pitch"] == nil)
    }

    @Test func `OpenAI is asked in its form`() async throws {
        let server = FakeSpeechServer([.init(body: "OggS")])
        defer { server.stop() }
        let voice = OpenAIVoice(.init(url: server.url, keyFile: ""), call: try call(.bearer))
        _ = try await voice.speak(Self.line)
        let (head, json) = try body(server)
        #expect(head.hasPrefix("POST /v1/audio/speech HTTP/1.1\r\n"))
        #expect(head.lowercased().contains("\r\nauthorization: bearer sk-secret-key"))
        #expect(json["input"]?.string == Self.line.text && json["response_format"]?.string == "opus")
    }

    @Test(arguments: [#"{"audios":[]}"#, #"{"audios":["%%%="]}"#, #"{"audios":["abc"]}"#, "x"])
    func `an answer without audio is broken`(answer: String) async throws {
        let server = FakeSpeechServer([.init(body: answer)])
        defer { server.stop() }
        let voice = SarvamVoice(.init(url: server.base, keyFile: ""), call: try call(.bearer))
        await #expect(throws: SpeechError.broken(reason: "answer without audio")) { try await voice.speak(Self.line) }
    }

    @Test func `a program on this machine speaks`() async throws {
        let voice = CommandVoice(["espeak-ng", "-v", "{language}", "--stdout"])
        let audio = try await voice.speak(Self.line)
        #expect(audio.contentType == "audio/wav" && audio.bytes.count > 20_000)
        await #expect(throws: SpeechError.broken(reason: "no WAV came")) {
            try await CommandVoice(["cat"]).speak(Self.line)
        }
        await #expect(throws: SpeechError.broken(reason: "the voice program failed")) {
            try await CommandVoice(["false"]).speak(Self.line)
        }
        await #expect(throws: SpeechError.self) { try await CommandVoice(["/nowhere/voice"]).speak(Self.line) }
    }

    /// The counter's lines repeat: each is paid for once. And a vendor that fails costs nobody the answer.
    @Test func `a line is asked for once, and the next voice speaks when one fails`() async throws {
        let failing = FakeSpeechServer([.init(status: 403, body: #"{"error":{"code":"invalid_api_key_error"}}"#)])
        let good = FakeSpeechServer([.init(body: "OggS")])
        defer { for server in [failing, good] { server.stop() } }
        let metrics = GatewayMetrics()
        let desk = VoiceDesk(
            [
                SarvamVoice(.init(url: failing.base, keyFile: ""), call: try call(.bearer)),
                OpenAIVoice(.init(url: good.url, keyFile: ""), call: try call(.bearer)),
            ], metrics: metrics, logger: GatewayLog.logger(write: { _ in }))
        for _ in 0..<3 { #expect(try await desk.speak(Self.line, shop: "s").bytes == Array("OggS".utf8)) }
        #expect(failing.received.count == 1 && good.received.count == 1)
        #expect(metrics.value("execora_voice_total", labels: [("provider", "openai"), ("from", "cache")]) == 2)
        var other = Self.line
        other.language = "en"
        _ = try await desk.speak(other, shop: "s")
        #expect(good.received.count == 2)
    }

    @Test func `a device asks for a line's sound`() async throws {
        let server = FakeSpeechServer([.init(body: "OggS")])
        defer { server.stop() }
        let desk = VoiceDesk(
            [OpenAIVoice(.init(url: server.url, keyFile: ""), call: try call(.bearer))], metrics: GatewayMetrics(),
            logger: GatewayLog.logger(write: { _ in }))
        try await GatewayRig.run(voices: desk) { rig in
            let counter = try await CounterDouble.enrolled(at: rig)
            func ask(_ body: JSONValue) async throws -> CounterDouble.Answer {
                try await counter.send(
                    "POST", "/v1/speech", to: rig, body: .bytes(ByteBuffer(bytes: body.bytes)))
            }
            let answer = try await ask(["text": "likh diya", "language": "hi-en"])
            #expect(answer.status == 200 && answer.bytes == Array("OggS".utf8))
            #expect(answer.headers["content-type"] == "audio/ogg")
            #expect(try await ask(["text": " ", "language": "hi"]).status == 400)
            #expect(try await ask(["text": "x", "language": "fr"]).status == 400)
            let long = String(repeating: "a", count: SpokenLine.bytesMax + 1)
            #expect(try await ask(["text": .string(long), "language": "hi"]).status == 413)
        }
        try await GatewayRig.run { rig in
            let counter = try await CounterDouble.enrolled(at: rig)
            let answer = try await counter.send(
                "POST", "/v1/speech", to: rig,
                body: .bytes(ByteBuffer(bytes: (["text": "x", "language": "hi"] as JSONValue).bytes)))
            #expect(answer.status == 501 && answer.errorCode == "no_voice")
        }
    }
}

struct Base64Tests {
    /// RFC 4648, section 10.
    @Test(arguments: [
        ("", ""), ("Zg==", "f"), ("Zm8=", "fo"), ("Zm9v", "foo"), ("Zm9vYg==", "foob"), ("Zm9vYmE=", "fooba"),
        ("Zm9vYmFy", "foobar"),
    ])
    func `the vectors of the RFC`(text: String, bytes: String) {
        #expect(AudioBase64.bytes(text) == Array(bytes.utf8))
    }

    @Test(arguments: ["Zg", "Zg=", "Z===", "Zm 9", "Zm9v\n", "Z=g="])
    func `what is no base64 is none`(text: String) {
        #expect(AudioBase64.bytes(text) == nil)
    }
}
