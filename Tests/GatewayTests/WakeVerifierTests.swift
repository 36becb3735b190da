import Conversation
import Glibc
import Ledger
import OpusCoding
import Testing

@testable import execora_gateway

/// The second look at a wake: the device's own model room, on the gateway, with a larger cutoff.
struct WakeVerifierTests {
    private static func verifier(cutoff: Int64 = WakeVerifier.cutoffDefaultMilli) throws -> WakeVerifier {
        let model = SpokenClip.embedded.model
        return try WakeVerifier(
            .init(models: String(model.dropLast("/whisper-base".count)), cutoffMilli: cutoff))
    }

    private static func hello(_ samples: Int, turn: UInt64 = 1) -> TurnHello {
        TurnHello(
            turn: ULID(high: 0x0193_0000_0000_0000, low: turn),
            wake: .init(
                model: "okay_nabu", scoreMilli: 900, cutoffMilli: 850, startSampleIndex: 5000,
                endSampleIndex: 5000 + UInt64(samples)),
            firstSampleIndex: 5000, isLate: false, spokenAt: WallTime(milliseconds: 1_772_600_400_000), vocabulary: [],
            language: "hi-en")
    }

    private static func packets(_ samples: [Int16]) throws -> [[UInt8]] {
        var encoder = try OpusSpeechEncoder.open()
        return try stride(from: 0, to: samples.count - 319, by: 320).map {
            try encoder.encode(Array(samples[$0..<$0 + 320]))
        }
    }

    /// The pre-roll as a device sends it: some room before the word, the word, what was said.
    private static func spoken(_ word: String, voice: String) throws -> (before: Int, all: [Int16]) {
        let room = SpokenClip.hiss(peak: 40, seconds: 0.5)
        let said = try SpokenClip.say(word, voice: voice)
        return (room.count + said.count, room + said + (try SpokenClip.say("check the balance", voice: voice)))
    }

    @Test(arguments: ["rms", "slt"])
    func `the wake word is the wake word, other words are not`(voice: String) throws {
        let verifier = try Self.verifier()
        let (end, word) = try Self.spoken("okay nabu", voice: voice)
        let hello = Self.hello(end)
        let needed = try #require(verifier.samplesNeeded(for: hello))
        #expect(verifier.confirms(word.prefix(needed), hello.wake!))
        // "Okay not now" passes this model at any cutoff, on the device and here: too near a rhyme.
        for other in ["okay rahul", "give me a new book", "hello brother"] {
            let (end, sound) = try Self.spoken(other, voice: voice)
            #expect(!verifier.confirms(sound.prefix(end + WakeVerifier.afterEndSamples), hello.wake!), "\(other)")
        }
    }

    @Test func `where there is nothing to verify the device's word is taken`() throws {
        let verifier = try Self.verifier()
        #expect(verifier.samplesNeeded(for: CounterDouble.hello()) == nil)
        var unknown = Self.hello(16_000)
        unknown.wake?.model = "computer"
        #expect(verifier.samplesNeeded(for: unknown) == nil)
        #expect(verifier.samplesNeeded(for: Self.hello(WakeVerifier.endSamplesMax + 1)) == nil)
        var before = Self.hello(16_000)
        before.wake?.endSampleIndex = 0
        #expect(verifier.samplesNeeded(for: before) == nil)
    }

    @Test func `a folder without models is refused`() {
        #expect(throws: SpeechError.self) { try WakeVerifier(.init(models: "/nowhere", cutoffMilli: 900)) }
    }

    /// Quiet cancel: the device hears of it while its turn is still open, nothing is recognised, nothing is said.
    @Test func `a false wake is told before the turn's end, to the real device`() async throws {
        let speech = RecordingSpeech(["haan"])
        try await GatewayRig.run(speech: speech, verifier: try Self.verifier()) { rig in
            let device = try await RealDevice.enrolled(at: rig)
            defer { device.remove() }
            let sound = SpokenClip.hiss(peak: 3000, seconds: 2)
            let delivery = try await device.turn(try Self.packets(sound), hello: Self.hello(16_000), ends: false)
            #expect(delivery.reply.verdict == .rejected && delivery.reply.transcripts.isEmpty)
            #expect(speech.clips.isEmpty)
            #expect(rig.metrics.value("execora_wakes_total", labels: [("verified", "no")]) == 1)
            // The line is good for the next turn.
            let (end, word) = try Self.spoken("okay nabu", voice: "rms")
            let next = try await device.turn(try Self.packets(word), hello: Self.hello(end, turn: 2))
            #expect(next.reply.verdict == .heard && next.reply.transcripts.map(\.text) == ["haan"])
            #expect(rig.metrics.value("execora_wakes_total", labels: [("verified", "yes")]) == 1)
        }
    }

    @Test func `a short false wake is rejected with its reply`() async throws {
        let speech = RecordingSpeech(["haan"])
        try await GatewayRig.run(speech: speech, verifier: try Self.verifier()) { rig in
            let device = try await RealDevice.enrolled(at: rig)
            defer { device.remove() }
            let sound = SpokenClip.hiss(peak: 3000, seconds: 1)
            let delivery = try await device.turn(try Self.packets(sound), hello: Self.hello(16_000))
            #expect(delivery.reply.verdict == .rejected && speech.clips.isEmpty)
        }
    }
}
