import Glibc
import Synchronization
import Testing

@testable import AudioIO

/// Events as they came.
final class Heard: Sendable {
    let events = Mutex<[CaptureEvent]>([])
    private let bell = WakeUp()

    var take: @Sendable (CaptureEvent) -> Void {
        { [self] event in
            events.withLock { $0.append(event) }
            bell.signal()
        }
    }

    var all: [CaptureEvent] { events.withLock { $0 } }

    /// Waits for an event; nil after the time.
    func wait(seconds: Int, for isWanted: (CaptureEvent) -> Bool) -> CaptureEvent? {
        let until = SteadyClock.milliseconds() + Int64(seconds) * 1_000
        while true {
            if let event = all.first(where: isWanted) { return event }
            let left = until - SteadyClock.milliseconds()
            if left <= 0 { return nil }
            bell.wait(milliseconds: Int(left))
        }
    }

    func waitForEnd() -> UInt64? {
        guard case .ended(let index)? = wait(seconds: 20, for: { if case .ended = $0 { true } else { false } }) else {
            return nil
        }
        return index
    }
}

func configuration(_ path: String, _ pace: MicrophoneConfiguration.Pace = .asRead) -> MicrophoneConfiguration {
    var configuration = MicrophoneConfiguration(backend: .file(path: path, pace: pace))
    configuration.priority = 0
    return configuration
}

/// Noise with energy everywhere, so that places can be told apart.
func noise(_ count: Int, seed: UInt64 = 3, amplitude: Int = 8_000) -> [Int16] {
    var dice = Dice(state: seed)
    return (0..<count).map { _ in Int16(dice.next(2 * amplitude) - amplitude) }
}

func filtered(_ samples: [Int16]) -> [Int16] {
    var filter = HighPass()
    return samples.map { filter.take($0) }
}

/// Reads on until the index; nil when it was overtaken.
func readAll(_ reader: RingReader, to end: UInt64) -> [Int16]? {
    var all: [Int16] = []
    var buffer = [Int16](repeating: 0, count: 4_000)
    while reader.at < end {
        switch buffer.withUnsafeMutableBufferPointer({ reader.read(into: $0) }) {
        case .samples(_, let count):
            all += buffer[..<count]
            if count == 0, !reader.wait(forSamples: 1, milliseconds: 5_000) { return nil }
        case .overtaken: return nil
        }
    }
    return all
}

@Test func `a file longer than the ring is heard whole by a reader that takes its time`() throws {
    let scratch = Scratch()
    let sound = noise(300_000)
    let path = scratch.write("a.wav", wav(chunk("fmt ", fmt()), chunk("data", bytes(sound))))
    let ring = SampleRing()
    let reader = try #require(ring.reader(from: 0))
    let heard = Heard()
    let microphone = Microphone(configuration: configuration(path), ring: ring, onEvent: heard.take)
    microphone.start()
    let got = readAll(reader, to: 300_000)
    #expect(got == filtered(sound))
    #expect(heard.waitForEnd() == 300_000)
    #expect(microphone.state == .ended)
    #expect(microphone.counters.samples == 300_000)
    #expect(microphone.counters.opens == 1)
    microphone.stop()
    #expect(microphone.state == .stopped)
    #expect(ring.oldest == 300_000)
}

@Test func `the chosen channel of a 48 kHz file is heard at 16 kHz`() throws {
    let scratch = Scratch()
    let tone = (0..<48_000).map { Int16((9_000 * sin(2 * Double.pi * 1_000 * Double($0) / 48_000)).rounded()) }
    let frames = tone.flatMap { [Int16(77), $0, Int16(-5)] }
    let path = scratch.write(
        "a.wav", wav(chunk("fmt ", fmt(channels: 3, hertz: 48_000)), chunk("data", bytes(frames))))
    let ring = SampleRing()
    let heard = Heard()
    var wanted = configuration(path)
    wanted.channel = 1
    let reader = try #require(ring.reader(from: 0))
    let microphone = Microphone(configuration: wanted, ring: ring, onEvent: heard.take)
    microphone.start()
    let got = try #require(readAll(reader, to: 16_000))
    #expect(heard.waitForEnd() == 16_000)
    let peak = got[4_000...].map { abs(Int($0)) }.max()!
    #expect((8_700...9_050).contains(peak))
    #expect(microphone.level.peak > 8_700)
    microphone.stop()
}

/// The buffer runs over: the loss becomes silence of the same length, is told and can be found again.
@Test func `an overrun leaves silence of its length and a mark`() throws {
    let scratch = Scratch()
    let sound = noise(64_000)
    let path = scratch.write("a.wav", wav(chunk("fmt ", fmt()), chunk("data", bytes(sound))))
    let ring = SampleRing()
    let reader = try #require(ring.reader(from: 0))
    let heard = Heard()
    var wanted = configuration(path)
    wanted.accidents = [
        .init(atSample: 16_000, kind: .overrun(samples: 2_400)),
        .init(atSample: 40_000, kind: .overrun(samples: 12_000)),
    ]
    let microphone = Microphone(configuration: wanted, ring: ring, onEvent: heard.take)
    microphone.start()
    // The second loss is longer than the cap: 8,000 of its 12,000 samples are filled.
    let got = try #require(readAll(reader, to: 60_000))
    #expect(heard.waitForEnd() == 60_000)
    #expect(got[16_000..<18_400].allSatisfy { $0 == 0 })
    #expect(got[18_400] != 0)
    #expect(Array(got[..<16_000]) == filtered(Array(sound[..<16_000])))
    #expect(Array(got[18_400..<40_000]) == filtered(Array(sound[18_400..<40_000])))
    #expect(got[40_000..<48_000].allSatisfy { $0 == 0 })
    #expect(heard.all.contains(.overrun(atSample: 16_000, silenceSamples: 2_400)))
    #expect(heard.all.contains(.overrun(atSample: 40_000, silenceSamples: 8_000)))
    #expect(microphone.counters.overruns == 2)
    #expect(microphone.counters.silenceSamples == 10_400)
    #expect(microphone.gapSamples(in: 0..<60_000) == 10_400)
    #expect(microphone.gapSamples(in: 17_000..<17_500) == 500)
    #expect(microphone.gapSamples(in: 18_400..<40_000) == 0)
    microphone.stop()
}

@Test func `a device that is lost is told and comes back where the ring stands`() throws {
    let scratch = Scratch()
    let path = scratch.write("a.wav", wav(chunk("fmt ", fmt()), chunk("data", bytes(noise(32_000)))))
    let ring = SampleRing()
    let heard = Heard()
    var wanted = configuration(path)
    wanted.accidents = [.init(atSample: 8_000, kind: .unplugged(samples: 4_000))]
    let microphone = Microphone(configuration: wanted, ring: ring, onEvent: heard.take)
    microphone.start()
    #expect(heard.waitForEnd() == 28_000)
    let names = heard.all.map { event in
        switch event {
        case .opened(_, let index): "opened \(index)"
        case .lost(_, let index): "lost \(index)"
        case .ended(let index): "ended \(index)"
        default: "other"
        }
    }
    #expect(names == ["opened 0", "lost 8000", "opened 8000", "ended 28000"])
    #expect(microphone.counters.losses == 1)
    microphone.stop()
}

/// F14: mute is mute. The device is closed, the ring is empty, and the soft mute cannot undo the switch.
@Test func `a muted ear is closed and remembers nothing`() throws {
    let scratch = Scratch()
    let path = scratch.write("a.wav", wav(chunk("fmt ", fmt()), chunk("data", bytes(noise(160_000)))))
    let ring = SampleRing()
    let heard = Heard()
    let reader = try #require(ring.reader(from: 0))
    let microphone = Microphone(configuration: configuration(path, .realTime), ring: ring, onEvent: heard.take)
    microphone.start()
    #expect(reader.wait(forSamples: 1_000, milliseconds: 5_000))
    microphone.mute(.hardware)
    microphone.mute(.soft)
    #expect(heard.wait(seconds: 5) { if case .muted = $0 { true } else { false } } != nil)
    #expect(microphone.state == .muted)
    #expect(microphone.muteReasons == [.hardware, .soft])
    let end = ring.end
    #expect(ring.oldest == end)
    var buffer = [Int16](repeating: 0, count: 10)
    guard case .overtaken = buffer.withUnsafeMutableBufferPointer({ reader.read(into: $0) }) else {
        Issue.record("sound of before the mute can be read")
        return
    }
    microphone.unmute(.soft)
    #expect(!reader.wait(forSamples: 1, milliseconds: 120))
    #expect(microphone.state == .muted)
    #expect(ring.end == end)
    microphone.unmute(.hardware)
    #expect(reader.wait(forSamples: 640, milliseconds: 5_000))
    #expect(microphone.state == .open)
    microphone.stop()
}

@Test func `a file of another rate is refused with the nearest`() throws {
    let scratch = Scratch()
    let path = scratch.write("a.wav", wav(chunk("fmt ", fmt(hertz: 44_100)), chunk("data", bytes(noise(100)))))
    let heard = Heard()
    let microphone = Microphone(configuration: configuration(path), ring: SampleRing(), onEvent: heard.take)
    microphone.start()
    #expect(
        heard.wait(seconds: 5) { _ in true }
            == .openFailed(.rateRefused(hertz: 16_000, nearest: 44_100), retryMilliseconds: 0))
    microphone.stop()
}

/// When a turn's last words stand at the end of a rehearsal file, silence behind them lets the endpoint come.
@Test func `silence follows a file where it is asked for`() throws {
    let scratch = Scratch()
    let path = scratch.write("a.wav", wav(chunk("fmt ", fmt()), chunk("data", bytes(noise(1_000)))))
    let heard = Heard()
    var wanted = configuration(path)
    wanted.silenceAfterFileMilliseconds = 500
    let microphone = Microphone(configuration: wanted, ring: SampleRing(), onEvent: heard.take)
    microphone.start()
    #expect(heard.waitForEnd() == 9_000)
    microphone.stop()
}

@Test func `a sample's time on the steady clock follows its index`() throws {
    let scratch = Scratch()
    let path = scratch.write("a.wav", wav(chunk("fmt ", fmt()), chunk("data", bytes(noise(32_000)))))
    let heard = Heard()
    let before = SteadyClock.milliseconds()
    let microphone = Microphone(configuration: configuration(path), ring: SampleRing(), onEvent: heard.take)
    microphone.start()
    #expect(heard.waitForEnd() == 32_000)
    let first = microphone.monotonicMilliseconds(ofSample: 0)
    #expect(first >= before && first <= SteadyClock.milliseconds())
    #expect(microphone.monotonicMilliseconds(ofSample: 32_000) - first == 2_000)
    microphone.stop()
}

/// The owner's closure is slow: events wait, then are dropped and counted; sound goes on.
@Test func `events nobody takes are dropped and counted`() throws {
    let gate = WakeUp()
    let dropped = Mutex(0)
    let told = Mutex(0)
    let post = EventPost(
        onEvent: { _ in
            if told.withLock({ count in
                count += 1
                return count == 1
            }) {
                gate.wait(milliseconds: 10_000)
            }
        }, dropped: { dropped.withLock { $0 += 1 } })
    for index in 0..<80 { post.send(.flatLine(atSample: UInt64(index))) }
    #expect(dropped.withLock { $0 } == 80 - EventPost.eventsMax)
    post.start()
    gate.signal()
    post.close()
    #expect(told.withLock { $0 } == EventPost.eventsMax)
}

/// F7: a driver that pretends to be well and gives nothing. Told to reopen, the microphone hears on where it stood.
@Test func `a device that stands still hears again when it is opened anew`() throws {
    let scratch = Scratch()
    let path = scratch.write("a.wav", wav(chunk("fmt ", fmt()), chunk("data", bytes(noise(32_000)))))
    let ring = SampleRing()
    let heard = Heard()
    var wanted = configuration(path)
    wanted.accidents = [.init(atSample: 8_000, kind: .standstill)]
    let microphone = Microphone(configuration: wanted, ring: ring, onEvent: heard.take)
    let reader = try #require(ring.reader(from: 0))
    microphone.start()
    #expect(reader.wait(forSamples: 8_000, milliseconds: 10_000))
    // Open, by its own account, and not a sample more.
    #expect(!reader.wait(forSamples: 8_001, milliseconds: 100))
    #expect(microphone.state == .open)
    microphone.reopen()
    #expect(heard.waitForEnd() == 32_000)
    #expect(heard.all.contains { if case .lost(.stalled, 8_000) = $0 { true } else { false } })
    #expect(microphone.counters.opens == 2 && microphone.counters.losses == 1)
    microphone.stop()
}

/// Clock-drift injection: the device's clock is 1,000 millionths fast; the samples' times follow it, not the nominal rate.
@Test(arguments: [1_000, -1_000])
func `a drifting device's samples keep their true time`(millionths: Int) throws {
    let scratch = Scratch()
    let path = scratch.write("a.wav", wav(chunk("fmt ", fmt()), chunk("data", bytes(noise(160_000)))))
    let heard = Heard()
    var wanted = configuration(path)
    wanted.accidents = [.init(atSample: 32_000, kind: .drift(millionths: millionths))]
    let ring = SampleRing()
    let before = SteadyClock.milliseconds()
    let microphone = Microphone(configuration: wanted, ring: ring, onEvent: heard.take)
    microphone.start()
    #expect(heard.waitForEnd() == 160_000)
    // 8 s by a fast clock are 8 ms shorter; the newest sample's mark says so.
    let newest = microphone.monotonicMilliseconds(ofSample: 160_000)
    let expected = before + 10_000 - Int64(millionths * 8) / 1_000
    #expect(newest >= expected && newest <= SteadyClock.milliseconds() + 10_000)
    let origin = Double(ring.originNanoseconds.load(ordering: .relaxed))
    let again = Double(before) * 1e6 - Double(millionths) * 8_000
    #expect(origin >= again - 1e6)
    microphone.stop()
}

/// F12: a machine too slow for its sound. The overruns stay bounded in what they cost: a mark each, silence of their length,
/// one doubling of the buffer, and not a line of log beyond what the queue of events holds.
@Test func `a storm of overruns is counted, marked and survived`() throws {
    let scratch = Scratch()
    let path = scratch.write("a.wav", wav(chunk("fmt ", fmt()), chunk("data", bytes(noise(160_000)))))
    let heard = Heard()
    var wanted = configuration(path)
    wanted.accidents = (1...200).map { .init(atSample: $0 * 700, kind: .overrun(samples: 160)) }
    let microphone = Microphone(configuration: wanted, ring: SampleRing(), onEvent: heard.take)
    microphone.start()
    let until = SteadyClock.milliseconds() + 20_000
    while microphone.state != .ended, SteadyClock.milliseconds() < until { usleep(2_000) }
    microphone.stop()
    #expect(microphone.ring.end == 160_000)
    #expect(microphone.counters.overruns == 200)
    #expect(microphone.counters.silenceSamples == 200 * 160)
    #expect(heard.all.count + Int(microphone.counters.eventsDropped) == 202)
}

/// A capsule that comes off: two seconds without the smallest movement are told, once, and its return too.
@Test func `a flat line in the middle of sound is told once and its end too`() throws {
    let scratch = Scratch()
    let sound = noise(32_000) + [Int16](repeating: 5, count: 48_000) + noise(16_000, seed: 9)
    let path = scratch.write("a.wav", wav(chunk("fmt ", fmt()), chunk("data", bytes(sound))))
    let heard = Heard()
    let microphone = Microphone(configuration: configuration(path), ring: SampleRing(), onEvent: heard.take)
    microphone.start()
    #expect(heard.waitForEnd() == 96_000)
    let flat = heard.all.filter { if case .flatLine = $0 { true } else { false } }
    let again = heard.all.filter { if case .flatLineEnded = $0 { true } else { false } }
    #expect(flat.count == 1 && again.count == 1)
    if case .flatLine(let at)? = flat.first { #expect((63_900...64_700).contains(at)) }
    microphone.stop()
}
