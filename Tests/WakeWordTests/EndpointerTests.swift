import Testing

@testable import WakeWord

/// Sound made of stretches, 20 ms frames, with what the voice-activity model says of each.
private struct Stretch {
    var milliseconds: Int
    /// Level in decibels of full scale; nil is digital silence.
    var level: Int?
    var voice: Int64 = 0
}

private func speech(_ milliseconds: Int, voice: Int64 = 900, level: Int = -26) -> Stretch {
    Stretch(milliseconds: milliseconds, level: level, voice: voice)
}
private func room(_ milliseconds: Int, level: Int = -60, voice: Int64 = 0) -> Stretch {
    Stretch(milliseconds: milliseconds, level: level, voice: voice)
}

/// A square wave of exactly that level: its root mean square is its height.
private func frame(_ level: Int?) -> [Int16] {
    // 10^(level/20) * 32767 for whole decibels, by steps of 6.0206 and 1 dB.
    guard let level else { return [Int16](repeating: 0, count: 320) }
    var height = 32_767.0
    for _ in 0..<(-level) { height *= 0.891_250_938 }
    let value = Int16(height)
    return (0..<320).map { $0 / 8 % 2 == 0 ? value : -value }
}

/// - Returns: the end and where it was told, milliseconds.
private func run(
    _ stretches: [Stretch], profile: EndpointProfile = .normal, openAt: Int = 1_000, hasVoiceModel: Bool = true,
    block: Int = 320
) -> Endpoint? {
    var endpointer = Endpointer(hasVoiceModel: hasVoiceModel)
    var at: UInt64 = 0
    for stretch in stretches {
        let samples = frame(stretch.level)
        for _ in 0..<(stretch.milliseconds / 20) {
            if at == UInt64(openAt * 16) { endpointer.open(profile, at: at) }
            for part in stride(from: 0, to: 320, by: block) {
                let piece = Array(samples[part..<min(part + block, 320)])
                let end = piece.withUnsafeBufferPointer {
                    endpointer.take($0, from: at + UInt64(part), voiceMilli: stretch.voice)
                }
                if let end { return end }
            }
            at += 320
        }
    }
    return nil
}

private let words: [Stretch] = [
    room(1_000), speech(460, voice: 100), speech(1_540), room(640, voice: 900), room(30_000),
]

@Test func `a sentence is found to the frame, and ends after its hangover`() throws {
    let end = try #require(run([room(1_000), room(500)] + words.dropFirst()))
    #expect(end.reason == .silence)
    #expect(end.speechStart == 1_500 * 16)
    #expect(end.speechEnd == 3_500 * 16)
    #expect(end.endSample == 4_200 * 16)
}

@Test(arguments: [
    (EndpointProfile.quick, 500), (.normal, 700), (.dictation, 1_200), (.followUp, 700),
])
func `the profile's hangover decides how long silence lasts`(profile: EndpointProfile, hangover: Int) throws {
    let end = try #require(run(words, profile: profile))
    #expect(end.reason == .silence)
    #expect(Int(end.endSample) == (3_000 + hangover) * 16)
}

/// F1: speaking straight on. Words that began before the turn was opened are scored, not waited for.
@Test func `words already there when the turn opens are scored`() throws {
    var endpointer = Endpointer()
    var at: UInt64 = 0
    func feed(_ endpointer: inout Endpointer, _ milliseconds: Int, _ level: Int) -> Endpoint? {
        for _ in 0..<(milliseconds / 20) {
            let end = frame(level).withUnsafeBufferPointer { endpointer.take($0, from: at, voiceMilli: 900) }
            at += 320
            if let end { return end }
        }
        return nil
    }
    _ = feed(&endpointer, 1_000, -60)
    _ = feed(&endpointer, 600, -26)
    endpointer.open(.normal, at: 1_200 * 16)
    #expect(endpointer.speechStart == 1_200 * 16)
    let end = try #require(feed(&endpointer, 5_000, -60))
    #expect(end.reason == .silence)
    #expect(end.speechStart == 1_200 * 16)
    #expect(end.speechEnd == 1_600 * 16)
}

@Test(arguments: [(EndpointProfile.normal, 4_000), (.followUp, 6_000)])
func `nobody speaking cancels the turn`(profile: EndpointProfile, after: Int) throws {
    let end = try #require(run([room(20_000)], profile: profile))
    #expect(end == Endpoint(reason: .noSpeech, speechStart: nil, speechEnd: nil, endSample: UInt64(1_000 + after) * 16))
}

@Test func `a cough is no speech`() throws {
    let end = try #require(run([room(1_500), speech(200, voice: 0), room(20_000)]))
    #expect(end.reason == .noSpeech)
    #expect(end.speechStart == nil)
}

/// A short "haan" is over before the model has noticed it.
@Test func `a short answer the model never saw is speech`() throws {
    let end = try #require(run([room(1_500), speech(300, voice: 0), room(20_000)], profile: .followUp))
    #expect(end.reason == .silence)
    #expect(end.speechStart == 1_500 * 16 && end.speechEnd == 1_800 * 16)
}

@Test func `a pause shorter than the hangover does not end a sentence`() throws {
    let end = try #require(
        run([room(1_000), speech(800), room(600, voice: 600), speech(800), room(600, voice: 600), room(20_000)]))
    #expect(end.speechEnd == 3_200 * 16)
    #expect(end.endSample == 3_900 * 16)
}

@Test func `a pause the model needs its time for does not end a sentence`() throws {
    // A pause of 600 ms, and the model says "no voice" until 460 ms into the next words.
    let end = try #require(
        run([
            room(1_000), speech(800), room(400, voice: 600), room(200), speech(460, voice: 0), speech(600),
            room(20_000),
        ]))
    #expect(end.speechEnd == 3_460 * 16)
}

/// F2: the fan goes on, loud; the model's word ends the turn, its lateness counts as silence already spent.
@Test func `a room that stays loud does not hold the turn open`() throws {
    let end = try #require(
        run([room(1_000), speech(2_000), room(660, level: -30, voice: 900), room(20_000, level: -30, voice: 0)]))
    #expect(end.reason == .silence)
    #expect(Int(end.speechEnd!) <= 3_040 * 16)
    #expect(end.endSample <= 4_300 * 16)
}

/// Nobody speaks; a machine starts. Without a voice it is no turn.
@Test func `noise no voice confirms is no speech`() throws {
    let end = try #require(run([room(1_500), room(20_000, level: -30)]))
    #expect(end.reason == .noSpeech)
    // What was taken for speech at first is given up a second later, at the latest.
    #expect(end.endSample <= 6_200 * 16)
}

@Test func `a bystander far below the speaker does not hold the turn open`() throws {
    let end = try #require(run([room(1_000), speech(2_000), speech(10_000, level: -42)]))
    #expect(end.reason == .silence)
    #expect(end.endSample == 3_700 * 16)
}

@Test func `past 15 s a short pause ends the turn, and at 28 s nothing keeps it open`() throws {
    let soft = try #require(run([room(1_000), speech(15_500), room(20_000, voice: 900)]))
    #expect(soft.reason == .softCap)
    #expect(soft.endSample == 16_700 * 16)
    let hard = try #require(run([room(1_000), speech(60_000)]))
    #expect(hard.reason == .hardCap)
    #expect(hard.endSample == 29_000 * 16)
}

@Test func `without a model loudness decides alone`() throws {
    let end = try #require(
        run(words.map { Stretch(milliseconds: $0.milliseconds, level: $0.level) }, hasVoiceModel: false))
    #expect(end.endSample == 3_700 * 16)
}

/// F3: the counter's own tone is neither speech nor silence.
@Test func `the counter's own tone does not begin a sentence`() {
    var endpointer = Endpointer()
    var at: UInt64 = 0
    var starts: [UInt64?] = []
    for index in 0..<100 {
        if index == 50 {
            endpointer.mask(1_000 * 16..<1_120 * 16)
            endpointer.open(.normal, at: 1_000 * 16)
        }
        let level = (50..<56).contains(index) ? -20 : -60
        _ = frame(level).withUnsafeBufferPointer { endpointer.take($0, from: at, voiceMilli: 0) }
        at += 320
        starts.append(endpointer.speechStart)
    }
    #expect(starts.allSatisfy { $0 == nil })
}

/// The daemon feeds what the ring gives; the answer may not depend on how it was cut.
@Test(arguments: [1, 7, 160, 319])
func `blocks of any size give the same end`(block: Int) {
    #expect(run(words, block: block) == run(words))
}

@Test func `a quicker profile may be set while the turn is open`() throws {
    var endpointer = Endpointer()
    var at: UInt64 = 0
    var end: Endpoint?
    for index in 0..<300 where end == nil {
        if index == 50 { endpointer.open(.dictation, at: at) }
        if index == 110 { endpointer.change(to: .quick) }
        let level = (50..<100).contains(index) ? -26 : -60
        end = frame(level).withUnsafeBufferPointer { endpointer.take($0, from: at, voiceMilli: 0) }
        at += 320
    }
    #expect(end?.endSample == 2_500 * 16)
    #expect(!endpointer.isOpen)
}

// The gate ------------------------------------------------------------------------------------------------------

@Test(arguments: [(1, 0), (2, 60), (100, 400), (1_000, 600), (10_000, 800), (32_767, 903)])
func `levels are tenths of a decibel`(height: Int, tenths: Int) {
    let level = SoundLevel.tenths(sumOfSquares: UInt64(height * height) * 320, count: 320)
    #expect(abs(level - tenths) <= 1)
}

@Test func `the floor is the tenth percentile of three seconds`() {
    var floor = NoiseFloor()
    for index in 0..<150 { floor.take(tenths: index < 20 ? 300 : 700) }
    #expect(floor.tenths == 305)
    for _ in 0..<10 { floor.take(tenths: 700) }
    #expect(floor.tenths == 705)
}

@Test func `lost samples do not shift the frames`() {
    var gate = EnergyGate()
    let samples = [Int16](repeating: 100, count: 500)
    samples.withUnsafeBufferPointer { all in
        #expect(gate.take(UnsafeBufferPointer(rebasing: all[..<200]), from: 0) == (200, nil))
        let (taken, frame) = gate.take(all, from: 10_000)
        #expect(taken == 320)
        #expect(frame?.first == 10_000)
        #expect(frame?.levelTenths == 399)
    }
}
