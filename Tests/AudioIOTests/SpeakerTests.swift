import Glibc
import Synchronization
import Testing

@testable import AudioIO

/// What a speaker said of its clips.
private final class Told: Sendable {
    let ends = Mutex<[SoundClip.End]>([])
    let starts = Mutex<[Int64]>([])
    let failures = Mutex<[AudioError]>([])
    let bell = WakeUp()

    func clip(_ samples: [Int16]) -> SoundClip {
        SoundClip(
            samples: samples, onStart: { [self] time in starts.withLock { $0.append(time) } },
            onEnd: { [self] end in
                ends.withLock { $0.append(end) }
                bell.signal()
            })
    }

    var event: @Sendable (SpeakerEvent) -> Void {
        { [self] event in if case .failed(let error) = event { failures.withLock { $0.append(error) } } }
    }

    func waitForEnds(_ count: Int) -> [SoundClip.End] {
        let until = SteadyClock.milliseconds() + 20_000
        while ends.withLock({ $0.count }) < count, SteadyClock.milliseconds() < until { bell.wait(milliseconds: 100) }
        return ends.withLock { $0 }
    }
}

private func speaker(
    _ backend: SpeakerConfiguration.Backend, _ told: Told,
    clock: @escaping @Sendable () -> Int64 = { SteadyClock.milliseconds() }
) -> Speaker {
    var configuration = SpeakerConfiguration(backend: backend)
    configuration.priority = 0
    return Speaker(configuration: configuration, clock: clock, onEvent: told.event)
}

@Test func `clips land in the file one behind the other`() throws {
    let scratch = Scratch()
    let told = Told()
    let speaker = speaker(.file(path: "\(scratch.path)/said.wav"), told)
    speaker.start()
    #expect(speaker.play(told.clip([1, 2, 3])))
    #expect(speaker.play(told.clip([4, 5])))
    #expect(told.waitForEnds(2) == [.played, .played])
    #expect(try WAVReader.samples(path: "\(scratch.path)/said.wav", secondsMax: 1) == [1, 2, 3, 4, 5])
    #expect(!speaker.play(told.clip([])))
    speaker.stop()
    #expect(!speaker.play(told.clip([1])))
}

/// The answer to "and when it is full?".
@Test func `a ninth waiting clip is refused, and stopping ends them all as interrupted`() {
    let told = Told()
    let speaker = speaker(.null, told)
    for _ in 0..<Speaker.clipsMax { #expect(speaker.play(told.clip([Int16](repeating: 0, count: 160_000)))) }
    #expect(!speaker.play(told.clip([1])))
    #expect(speaker.isSpeaking)
    speaker.start()
    speaker.stop()
    #expect(told.ends.withLock { $0 } == [SoundClip.End](repeating: .interrupted, count: 8))
}

@Test func `an interruption is silence now`() {
    let told = Told()
    let speaker = speaker(.null, told)
    speaker.start()
    speaker.play(told.clip([Int16](repeating: 0, count: 16_000 * 60)))
    while told.starts.withLock({ $0.isEmpty }) { usleep(1_000) }
    let before = SteadyClock.milliseconds()
    speaker.interrupt()
    #expect(told.waitForEnds(1) == [.interrupted])
    #expect(SteadyClock.milliseconds() - before < 5_000)
    speaker.stop()
}

/// F3: the ear must not take the counter's own voice, nor the room's answer to it, for the shopkeeper's.
@Test func `own sound counts until the room's tail has gone`() {
    let now = Mutex<Int64>(1_000)
    let told = Told()
    let speaker = speaker(.file(path: "/dev/null"), told) { now.withLock { $0 } }
    speaker.start()
    #expect(!speaker.isSpeaking)
    speaker.play(told.clip([1, 2, 3]))
    #expect(told.waitForEnds(1) == [.played])
    #expect(speaker.isSpeaking)
    now.withLock { $0 = 1_249 }
    #expect(speaker.isSpeaking)
    now.withLock { $0 = 1_250 }
    #expect(!speaker.isSpeaking)
    #expect(speaker.spoke(in: 1_200..<1_260))
    #expect(!speaker.spoke(in: 1_250..<1_300))
    #expect(!speaker.spoke(in: 900..<1_000))
    speaker.stop()
}

@Test func `a speaker that is not there holds nobody up`() {
    let told = Told()
    let speaker = speaker(.alsa(device: "hw:CARD=nosuchcard,DEV=0"), told)
    speaker.start()
    let before = SteadyClock.milliseconds()
    speaker.play(told.clip([Int16](repeating: 0, count: 1_600)))
    #expect(told.waitForEnds(1) == [.unheard])
    #expect(SteadyClock.milliseconds() - before >= 100)
    #expect(told.failures.withLock { $0 } == [.missing(device: "hw:CARD=nosuchcard,DEV=0")])
    #expect(told.starts.withLock { $0.count } == 1)
    speaker.stop()
}

@Test func `a microphone that is not there is told and tried again`() {
    let heard = Heard()
    var configuration = MicrophoneConfiguration(backend: .alsa(device: "hw:CARD=nosuchcard,DEV=0"))
    configuration.priority = 0
    let microphone = Microphone(configuration: configuration, ring: SampleRing(), onEvent: heard.take)
    microphone.start()
    let second = heard.wait(seconds: 10) { if case .openFailed(_, 200) = $0 { true } else { false } }
    #expect(second == .openFailed(.missing(device: "hw:CARD=nosuchcard,DEV=0"), retryMilliseconds: 200))
    #expect(microphone.state == .lost)
    microphone.stop()
}
