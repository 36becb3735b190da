import Conversation
import Testing

@testable import execora_gateway

struct TurnQuotaTests {
    private let start = ContinuousClock.now

    @Test func `a day's audio runs out, tells when to come back, and fills again`() {
        let quota = TurnQuota(.init(deviceAudioSeconds: 864, shopAudioSeconds: 86_400))
        #expect(quota.audioWait(device: [1], shop: "a", at: start) == nil)
        quota.heard(seconds: 865, device: [1], shop: "a", at: start)
        // A hundredth of a second comes back a second: 1 s short is 100 s.
        #expect(quota.audioWait(device: [1], shop: "a", at: start) == 101)
        #expect(quota.audioWait(device: [1], shop: "a", at: start + .seconds(101)) == nil)
        // Another counter of the shop speaks on.
        #expect(quota.audioWait(device: [2], shop: "a", at: start) == nil)
    }

    @Test func `a shop's counters share its audio`() {
        let quota = TurnQuota(.init(deviceAudioSeconds: 1000, shopAudioSeconds: 1500))
        for device: [UInt8] in [[1], [2]] { quota.heard(seconds: 800, device: device, shop: "a", at: start) }
        #expect(quota.audioWait(device: [3], shop: "a", at: start) != nil)
        #expect(quota.audioWait(device: [3], shop: "b", at: start) == nil)
    }

    @Test func `a bucket never holds more than its limit`() {
        let quota = TurnQuota(.init(deviceAudioSeconds: 100, shopAudioSeconds: 10_000))
        quota.heard(seconds: 1, device: [1], shop: "a", at: start)
        quota.heard(seconds: 101, device: [1], shop: "a", at: start + .seconds(86_400 * 30))
        #expect(quota.audioWait(device: [1], shop: "a", at: start + .seconds(86_400 * 30)) != nil)
    }

    @Test func `no tokens allowed is none ever`() {
        let quota = TurnQuota(.init(shopTokens: 0))
        #expect(!quota.mayAskModel(shop: "a", at: start))
    }

    @Test func `a device over its day is answered 429 with when to come back`() async throws {
        let quotas = TurnQuota.Limits(deviceAudioSeconds: 1, shopAudioSeconds: 1000)
        try await GatewayRig.run(speech: RecordingSpeech(["haan"]), quotas: quotas) { rig in
            let counter = try await CounterDouble.enrolled(at: rig)
            let pieces =
                [TurnFraming.head(CounterDouble.hello())]
                + CounterDouble.records(try CounterDouble.tone(frames: 75).packets)
            #expect(try await counter.turn(pieces, to: rig).status == 200)
            let refused = try await counter.turn(pieces, to: rig)
            #expect(refused.status == 429 && refused.errorCode == "busy")
            // Half a second short, at a second a day.
            let wait = try #require(refused.headers["retry-after"].flatMap { Int($0) })
            #expect((43_000...43_400).contains(wait))
            let other = try await CounterDouble.enrolled(at: rig)
            #expect(try await other.turn(pieces, to: rig).status == 200)
        }
    }
}
