import Conversation
import JSONText
import Logging
import Testing

@testable import execora_gateway

/// The language model against a server on loopback in the form of OpenAI's chat completions. It is untrusted: what is not
/// in the schema, or not whole, is no opinion.
struct ChatOpinionTests {
    private static let clip = SpokenClip.of([1], language: "hi-en", wakePhrase: nil, oggOpus: [])
    private static let heard = [
        RecordingSpeech.transcript("rahul ne do so diye"), RecordingSpeech.transcript("rahul ne the so diye"),
    ]

    private static func answer(_ content: String, finish: String = "stop", refusal: String = "null") -> String {
        let body: JSONValue = [
            "choices": .array([
                [
                    "index": 0, "message": ["role": "assistant", "content": .string(content)],
                    "finish_reason": .string(finish),
                ]
            ]),
            "usage": ["total_tokens": 321],
        ]
        return body.text.replacing("\"role\":\"assistant\"", with: "\"role\":\"assistant\",\"refusal\":\(refusal)")
    }

    private static let payment = #"""
        {"intent":"RECORD_PAYMENT","customer":"Rahul","amount_paise":20000,"mode":null,"items":[]}
        """#

    private func opinion(
        _ server: FakeSpeechServer, form: OpinionConfiguration.Form = .jsonSchema,
        meter: ProviderMeter = ProviderMeter(),
        answerTimeMax: Duration = .seconds(60), lines: LogLines = LogLines()
    ) throws -> ChatOpinion {
        var told = OpinionConfiguration(url: server.url + "/", model: "m1")
        told.form = form
        let logger = GatewayLog.logger(level: .trace, write: lines.add)
        return ChatOpinion(
            told,
            call: ProviderCall(
                secret: try KeyFile.secret("sk-secret-key"), answerTimeMax: answerTimeMax, logger: logger),
            meter: meter, logger: logger)
    }

    @Test func `what was heard goes as data under a strict schema, the answer becomes an opinion`() async throws {
        let server = FakeSpeechServer([.init(body: Self.answer(Self.payment))])
        defer { server.stop() }
        let meter = ProviderMeter(prices: .init(microsPerThousandTokens: 1000))
        let answer = try await opinion(server, meter: meter).opinion(on: Self.heard, Self.clip)
        #expect(
            answer
                == .init(
                    opinion: TurnOpinion(
                        intent: "RECORD_PAYMENT", customer: "Rahul", amountPaise: 20000, engine: "llm:m1"), tokens: 321)
        )
        #expect(
            meter.metrics.value("execora_provider_tokens_total", labels: [("provider", "llm"), ("shop", "")]) == 321)
        #expect(
            meter.metrics.value("execora_cost_micro_usd_total", labels: [("provider", "llm"), ("shop", "")]) == 321)

        let request = String(decoding: try #require(server.received.first), as: UTF8.self)
        #expect(request.hasPrefix("POST /v1/chat/completions HTTP/1.1\r\n"))
        #expect(request.lowercased().contains("\r\nauthorization: bearer sk-secret-key\r\n"))
        let body = try JSONValue(parsing: String(request[request.firstRange(of: "\r\n\r\n")!.upperBound...]))
        #expect(body["model"]?.string == "m1" && body["temperature"]?.integer == 0)
        let told = try JSONValue(parsing: #require(body["messages"]?[1]?["content"]?.string))
        #expect(told["transcripts"]?.array?.compactMap(\.string) == Self.heard.map(\.text))
        #expect(told["shop_words"]?.array?.first?.string == "Rahul Sharma")
        let form = try #require(body["response_format"]?["json_schema"])
        #expect(form["strict"]?.bool == true)
        Self.checkStrict(form["schema"] ?? .null)
    }

    /// Strict form: every property required, nothing additional, at every level.
    private static func checkStrict(_ schema: JSONValue) {
        if let properties = schema["properties"]?.members {
            #expect(schema["additionalProperties"]?.bool == false)
            #expect(
                Set(schema["required"]?.array?.compactMap(\.string) ?? []) == Set(properties.map(\.name)))
            for property in properties { checkStrict(property.value) }
        }
        if let items = schema["items"] { checkStrict(items) }
    }

    @Test(
        arguments: [(.jsonObject, "json_object"), (.none, nil)] as [(OpinionConfiguration.Form, String?)])
    func `lesser servers are asked in their form and checked the same`(form: OpinionConfiguration.Form, type: String?)
        async throws
    {
        let server = FakeSpeechServer([
            .init(body: Self.answer(Self.payment)), .init(body: Self.answer("Rahul paid 200.")),
        ])
        defer { server.stop() }
        let model = try opinion(server, form: form)
        #expect(try await model.opinion(on: Self.heard, Self.clip)?.opinion?.amountPaise == 20000)
        #expect(try await model.opinion(on: Self.heard, Self.clip)?.opinion == nil)
        let request = String(decoding: try #require(server.received.first), as: UTF8.self)
        let body = try JSONValue(parsing: String(request[request.firstRange(of: "\r\n\r\n")!.upperBound...]))
        #expect(body["response_format"]?["type"]?.string == type)
    }

    @Test(arguments: [
        answer(payment, finish: "length"), answer(payment, finish: "content_filter"),
        answer(payment, refusal: #""I will not""#), answer(#"{"intent":"GRANT_OWNER","items":[]}"#),
        answer(#"{"intent":"RECORD_PAYMENT","amount_paise":-1,"items":[]}"#), answer("not json"),
        #"{"choices":[]}"#, "<html>",
    ])
    func `an answer that is refused, cut or outside the schema is no opinion`(body: String) async throws {
        let server = FakeSpeechServer([.init(body: body)])
        defer { server.stop() }
        #expect(try await opinion(server).opinion(on: Self.heard, Self.clip)?.opinion == nil)
    }

    @Test func `a model that is down costs no turn its words, and is not asked again at once`() async throws {
        let server = FakeSpeechServer([.init(status: 401, body: #"{"error":{"code":"invalid_api_key"}}"#)])
        defer { server.stop() }
        let lines = LogLines()
        let model = try opinion(server, lines: lines)
        #expect(try await model.opinion(on: Self.heard, Self.clip) == nil)
        #expect(try await model.opinion(on: Self.heard, Self.clip) == nil)
        #expect(server.received.count == 1)
        #expect(!lines.all.joined().contains("sk-secret-key") && !lines.all.joined().contains("rahul"))
    }

    @Test func `a slow model is left at its deadline`() async throws {
        let server = FakeSpeechServer([.init(body: Self.answer(Self.payment), afterMilliseconds: 3000)])
        defer { server.stop() }
        #expect(
            try await opinion(server, answerTimeMax: .milliseconds(300)).opinion(on: Self.heard, Self.clip) == nil)
    }

    @Test func `a model is asked only where there is doubt`() throws {
        let server = FakeSpeechServer([.init()])
        defer { server.stop() }
        let model = try opinion(server)
        func said(_ text: String, _ sure: Int64) -> TurnReply.Transcript {
            .init(text: text, confidenceMilli: sure, language: "", engine: "", model: "", milliseconds: 0)
        }
        #expect(!model.isWanted(for: []))
        #expect(
            !model.isWanted(for: [said("haan", 950)]) && !model.isWanted(for: [said("haan", 950), said("haan", 400)]))
        #expect(model.isWanted(for: [said("haan", 800)]) && model.isWanted(for: [said("haan", 950), said("han", 940)]))
    }

    /// The whole way: a doubtful turn comes back with words and opinion.
    @Test func `a turn carries the opinion back to the device`() async throws {
        let server = FakeSpeechServer([.init(body: Self.answer(Self.payment))])
        defer { server.stop() }
        let speech = RecordingSpeech(["rahul ne do so diye", "rahul ne the so diye"])
        try await GatewayRig.run(speech: speech, opinion: try opinion(server)) { rig in
            let counter = try await CounterDouble.enrolled(at: rig)
            let answer = try await counter.turn(
                [TurnFraming.head(CounterDouble.hello())]
                    + CounterDouble.records(try CounterDouble.tone(frames: 5).packets), to: rig)
            let reply = try TurnReply(json: answer.json)
            #expect(reply.opinions.map(\.intent) == ["RECORD_PAYMENT"])
            #expect(reply.transcripts.count == 2)
        }
    }

    @Test func `a shop without tokens left is answered without the model`() async throws {
        let server = FakeSpeechServer([.init(body: Self.answer(Self.payment))])
        defer { server.stop() }
        let quotas = TurnQuota.Limits(shopTokens: 300)
        let speech = RecordingSpeech(["rahul ne do so diye", "rahul ne the so diye"])
        try await GatewayRig.run(speech: speech, opinion: try opinion(server), quotas: quotas) { rig in
            let counter = try await CounterDouble.enrolled(at: rig)
            for count in [1, 0] {
                let answer = try await counter.turn(
                    [TurnFraming.head(CounterDouble.hello())]
                        + CounterDouble.records(try CounterDouble.tone(frames: 5).packets), to: rig)
                #expect(try TurnReply(json: answer.json).opinions.count == count)
            }
        }
    }
}
