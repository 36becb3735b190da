import Conversation
import JSONText
import Ledger
import Seals
import Testing

@testable import execora_gateway

@Suite struct OperationsTests {
    @Test func `health and readiness are told`() async throws {
        try await GatewayRig.run { rig in
            #expect(try await rig.operations("/healthz").status == 200)
            let ready = try await rig.operations("/readyz")
            #expect(ready.status == 200 && ready.json["store"]?.bool == true && ready.json["speech"]?.bool == true)
        }
    }

    @Test func `metrics count requests by route and status`() async throws {
        try await GatewayRig.run { rig in
            let counter = try await CounterDouble.enrolled(at: rig)
            _ = try await counter.sync(counter.batch(counter.chain(3)), to: rig)
            _ = try await counter.send("GET", "/v1/nothing-here", to: rig)
            let page = String(decoding: try await rig.operations("/metrics").bytes, as: UTF8.self)
            #expect(page.contains(#"execora_requests_total{port="device",route="/v1/sync",status="200"} 1"#))
            #expect(page.contains(#"execora_requests_total{port="device",route="other",status="404"} 1"#))
            #expect(page.contains("execora_sync_entries_total 3"))
            #expect(page.contains("execora_sync_milliseconds_count 1"))
        }
    }

    /// Of a turn and a batch the log holds identifiers and counts, one line each; nothing that was said or sold.
    @Test func `logs and metrics hold nothing private`() async throws {
        try await GatewayRig.run(speech: RecordingSpeech(["Ramprasad ne paanch hazaar diye"])) { rig in
            let counter = try await CounterDouble.enrolled(at: rig, shop: "laxmi-bhandar")
            let code = try await rig.code(shop: "laxmi-bhandar")
            _ = try await rig.enrol(CounterDouble().enrolment(code: code))
            let hello = CounterDouble.hello(vocabulary: ["Ramprasad"])
            _ = try await counter.turn(
                [TurnFraming.head(hello)] + CounterDouble.records(try CounterDouble.tone(frames: 5).packets), to: rig,
                headers: [("x-execora-turn", hello.turn.description), ("traceparent", hello.traceparent)])
            _ = try await counter.sync(counter.batch(counter.chain(2, flavour: "Ramprasad")), to: rig)
            _ = try await counter.send("GET", "/v1/Ramprasad?q=paanch", to: rig)
            let requests = rig.log.requests
            #expect(
                requests.compactMap { $0["route"]?.string } == [
                    "/v1/enrol", "/v1/enrol", "/v1/turns", "/v1/sync", "other",
                ])
            let turn = requests[2]
            #expect(turn["turn"]?.string == hello.turn.description && turn["trace"]?.string == hello.traceparent)
            #expect(turn["device"]?.string == String(Hex.text(counter.device).prefix(8)))
            #expect(turn["packets"]?.string == "5" && turn["verdict"]?.string == "heard")
            #expect(requests[3]["outcome"]?.string == "appended" && requests[3]["entries"]?.string == "2")
            let all = (rig.log.all + [rig.metrics.text]).joined(separator: "\n").lowercased()
            for secret in ["ramprasad", "paanch", "laxmi", code.lowercased(), Hex.text(counter.device)] {
                #expect(!all.contains(secret))
            }
        }
    }

    @Test func `a header that is not in its form is not echoed`() async throws {
        try await GatewayRig.run { rig in
            let counter = try await CounterDouble.enrolled(at: rig)
            let answer = try await counter.send(
                "GET", "/v1/time", to: rig, headers: [("traceparent", "Ramprasad"), ("x-execora-turn", "{}")])
            #expect(answer.status == 200)
            #expect(answer.headers["traceparent"] == nil && answer.headers["x-execora-turn"] == nil)
            #expect(!rig.log.all.joined().contains("Ramprasad"))
        }
    }

    @Test func `series of metrics are bounded`() {
        let metrics = GatewayMetrics()
        for index in 0..<GatewayMetrics.seriesMax + 10 { metrics.count("x_total", labels: [("n", "\(index)")]) }
        #expect(metrics.text.contains("execora_metrics_dropped_total 10"))
    }

    /// Cumulative buckets, as Prometheus reads them.
    @Test func `a duration falls into every bucket that holds it`() {
        let metrics = GatewayMetrics()
        for duration: Int64 in [5, 6, 30_000] { metrics.observe("x_milliseconds", milliseconds: duration) }
        let lines = metrics.text.split(separator: "\n")
        #expect(lines.contains(#"x_milliseconds_bucket{le="5"} 1"#))
        #expect(lines.contains(#"x_milliseconds_bucket{le="10"} 2"#))
        #expect(lines.contains(#"x_milliseconds_bucket{le="20000"} 2"#))
        #expect(lines.contains(#"x_milliseconds_bucket{le="+Inf"} 3"#))
        #expect(lines.contains("x_milliseconds_sum 30011"))
    }
}
