import Glibc
import Testing

@testable import execorad

struct VoiceTests {
    /// As the daemon does: a child that ends before it has read is an error code, not the end of the process.
    init() { signal(SIGPIPE, SIG_IGN) }

    /// Speech must keep its pitch: a tone of 1 kHz at 22,050 Hz is a tone of 1 kHz at 16 kHz, as loud as before.
    @Test func `resampling keeps pitch and level`() {
        let tone = (0..<22_050).map { Int16(10_000 * sine(Double($0) * 1_000 / 22_050)) }
        let out = Resampler.to16kHz(tone, from: 22_050)
        #expect(abs(out.count - 16_000) <= 1)
        let middle = out[1_000..<15_000]
        var worst = 0.0
        for (index, sample) in middle.enumerated() {
            worst = max(worst, abs(Double(sample) - 10_000 * sine(Double(index + 1_000) * 1_000 / 16_000)))
        }
        #expect(worst < 100)
    }

    @Test func `what lies above the new band is taken out`() {
        let tone = (0..<22_050).map { Int16(10_000 * sine(Double($0) * 9_500 / 22_050)) }
        let out = Resampler.to16kHz(tone, from: 22_050)[1_000..<15_000]
        #expect(out.allSatisfy { abs(Int($0)) < 500 })
    }

    @Test func `espeak-ng says a sentence`() throws {
        let voice = Voice(program: "espeak-ng", name: "en-gb", wordsPerMinute: 150)
        let samples = try voice.samples(saying: "two hundred rupees")
        #expect(samples.count > 8_000)
        #expect(samples.contains { abs(Int($0)) > 1_000 })
    }

    @Test func `a missing voice program is told, not waited for`() {
        let voice = Voice(program: "/nonexistent/espeak", name: "en", wordsPerMinute: 150)
        #expect(throws: Voice.Failure.notStarted(code: 2)) { try voice.samples(saying: "x") }
    }

    @Test func `a voice that fails is told`() {
        let voice = Voice(program: "false", name: "en", wordsPerMinute: 150)
        #expect(throws: Voice.Failure.ended(status: 256)) { try voice.samples(saying: "x") }
    }

    private func sine(_ turns: Double) -> Double {
        Glibc.sin(turns * 2 * .pi)
    }
}
