import Testing

@testable import OpusCoding

/// The known answer: every checksum opusenc wrote is the one we compute.
@Test func `pages of opusenc have our checksums`() throws {
    let file = try Given.opusencFile()
    var at = 0
    var pages = 0
    while at < file.count {
        guard case .page(let page, let end) = OggPage.read(file, at: at) else {
            Issue.record("page \(pages) at byte \(at) is refused")
            return
        }
        #expect(page.bytes == Array(file[at..<end]))
        (at, pages) = (end, pages + 1)
    }
    #expect(pages >= 4)
}

/// CRC-32 with this polynomial, start and end, of "123456789" (the catalogue's check value of a CRC like Ogg's, but
/// with start 0 and no inversion at the end), worked out bit by bit by long division outside this code.
@Test func `the checksum is the plain division by the polynomial`() {
    #expect(OggChecksum.of(Array("123456789".utf8)[...]) == 0x89A1_897F)
    #expect(OggChecksum.of([]) == 0)
}

@Test func `a file of opusenc is read whole`() throws {
    let recording = try OggOpusReader.read(try Given.opusencFile())
    #expect(recording.isWhole)
    #expect(recording.head.channels == 1)
    #expect(recording.head.inputRateHertz == 16_000)
    #expect(recording.tags.vendor.hasPrefix("libopus"))
    #expect(try recording.samples().count == 40_000)
}

@Test(arguments: [1, 319, 320, 16_000, 16_001, 33_333, 48_000])
func `a file plays exactly the samples that went in`(count: Int) throws {
    let (file, packets) = try Given.file(of: Given.voice(samples: count))
    let recording = try OggOpusReader.read(file)
    #expect(recording.isWhole)
    #expect(recording.packets.map(\.bytes) == packets)
    #expect(try recording.samples().count == count)
}

/// opusinfo finds nothing to warn of, opusdec gets the same number of samples.
@Test(arguments: [320, 16_000, 40_000])
func `the reference tools accept our files`(count: Int) throws {
    let (file, _) = try Given.file(of: Given.voice(samples: count))
    try Given.withFolder { folder in
        try Given.write(file, to: "\(folder)/turn.opus")
        let info = Given.shell("opusinfo \(folder)/turn.opus")
        #expect(info.code == 0, "\(info.output)")
        #expect(!info.output.contains("WARNING"), "\(info.output)")
        let decoding = Given.shell("opusdec --quiet --no-dither \(folder)/turn.opus \(folder)/turn.raw")
        #expect(decoding.code == 0, "\(decoding.output)")
        // opusdec honours the head's input rate: 16 kHz, 16 bits.
        let raw = try Given.bytes("\(folder)/turn.raw")
        #expect(abs(raw.count / 2 - count) <= 1)
        let told: [Int16] = stride(from: 0, to: raw.count - 1, by: 2).map { integer(raw, at: $0) }
        let ours = try OggOpusReader.read(file).samples()
        // It decodes at 48 kHz and resamples, so the sound is like ours, not the same.
        let (power, difference) = zip(ours, told).reduce((0.0, 0.0)) { sum, pair in
            let (one, other) = (Double(pair.0), Double(pair.1))
            return (sum.0 + one * one, sum.1 + (one - other) * (one - other))
        }
        #expect(difference < power / 10)
    }
}

@Test func `a file without sound is a file`() throws {
    let file = try OggOpusWriter.file(of: [], head: OggOpusHead(preSkip48k: 312), serial: 1)
    let recording = try OggOpusReader.read(file)
    #expect(recording.isWhole)
    #expect(try recording.samples().isEmpty)
}

@Test func `one page holds one second`() throws {
    let (file, _) = try Given.file(of: Given.voice(samples: 16_000 * 3))
    var granules: [Int64] = []
    var at = 0
    while at < file.count, case .page(let page, let end) = OggPage.read(file, at: at) {
        granules.append(page.granule)
        at = end
    }
    #expect(granules == [0, 0, 48_000, 96_000, 144_000, 144_000 + 312])
}

/// No flipped bit passes unseen: the file is refused, or counts its damage, or reads the same.
@Test func `every flipped bit is told or harmless`() throws {
    let (file, packets) = try Given.file(of: Given.voice(samples: 17_000))
    let whole = try OggOpusReader.read(file)
    var unseen = 0
    for bit in 0..<file.count * 8 {
        var damaged = file
        damaged[bit / 8] ^= 1 << (bit % 8)
        guard let read = try? OggOpusReader.read(damaged) else { continue }
        if read.isWhole, read != whole { unseen += 1 }
        // What is given is what was written: damage costs packets and makes none.
        if !read.packets.allSatisfy({ packets.contains($0.bytes) }) { unseen += 1 }
    }
    #expect(unseen == 0)
}

@Test func `every cut is told`() throws {
    let (file, _) = try Given.file(of: Given.voice(samples: 17_000))
    for length in 0..<file.count {
        if let read = try? OggOpusReader.read(Array(file[..<length])) { #expect(!read.isWhole) }
    }
}

/// Time stays true over a lost page: its second is silence, what follows is where it was.
@Test func `a damaged page costs its second and no more`() throws {
    let (file, _) = try Given.file(of: Given.voice(samples: 48_000))
    let whole = try OggOpusReader.read(file).samples()
    var at = 0
    for _ in 0..<3 {
        if case .page(_, let end) = OggPage.read(file, at: at) { at = end }
    }
    var damaged = file
    damaged[at + 100] ^= 0x10
    let recording = try OggOpusReader.read(damaged)
    #expect(recording.damagedRuns == 1 && recording.missingPages == 1)
    let samples = try recording.samples()
    #expect(samples.count == whole.count)
    #expect(samples[..<15_000] == whole[..<15_000])
    #expect(samples[17_000..<31_000].allSatisfy { $0 == 0 })
    // The decoder finds its way back within a few frames.
    #expect(samples[40_000...].contains { $0 != 0 })
}

@Test func `packets over page ends are put together`() throws {
    let long = [0x4C] + [UInt8](repeating: 7, count: 599)
    func page(_ sequence: UInt32, _ flags: OggPage.Flags, _ lacing: [UInt8], _ body: ArraySlice<UInt8>) -> [UInt8] {
        OggPage(
            flags: flags, granule: -1, serial: 9, sequence: sequence, lacing: lacing, body: Array(body)
        ).bytes
    }
    var writer = OggOpusWriter(head: OggOpusHead(preSkip48k: 0), serial: 9)
    let head = writer.begin()
    let pages = [
        page(2, [], [255], long[..<255]), page(3, .continued, [255], long[255..<510]),
        page(4, [.continued, .end], [90, 3], long[510...] + [0x48, 1, 2]),
    ]
    let whole = try OggOpusReader.read(head + pages.joined())
    #expect(whole.packets.map(\.bytes) == [long, [0x48, 1, 2]] && whole.isWhole)
    let torn = try OggOpusReader.read(head + pages[0] + pages[2])
    #expect(torn.packets.map(\.bytes) == [[0x48, 1, 2]] && torn.missingPages == 1)
    #expect(torn.packets[0].isAfterGap)
}

@Test func `limits refuse what is over them`() throws {
    let (file, _) = try Given.file(of: Given.voice(samples: 16_000))
    #expect(throws: OpusError.tooLarge("file")) {
        try OggOpusReader.read(file, limits: .init(fileBytesMax: file.count - 1))
    }
    #expect(throws: OpusError.tooLarge("recording")) { try OggOpusReader.read(file, limits: .init(packetsMax: 10)) }
    let noise = Array(repeating: OggPage.capture + [0], count: 100).flatMap { $0 }
    #expect(throws: OpusError.tooDamaged) { try OggOpusReader.read(file + noise) }
}

/// A hostile granule is a number like any other.
@Test func `granules of any size never crash`() throws {
    let (packets, _) = try Given.packets(of: Given.voice(samples: 640))
    for granule in [Int64.min, -2, 0, 1, Int64.max] {
        var writer = OggOpusWriter(head: OggOpusHead(preSkip48k: 312), serial: 9)
        let head = writer.begin()
        let page = OggPage(
            flags: .end, granule: granule, serial: 9, sequence: 5, lacing: [UInt8(packets[0].count)], body: packets[0])
        let count = try OggOpusReader.read(head + page.bytes).samples().count
        #expect(count <= 30 * 16_000 + 320)
    }
}

@Test func `random bytes and random damage never crash the reader`() throws {
    var random = Seeded(state: 2)
    let (file, _) = try Given.file(of: Given.voice(samples: 33_000))
    for _ in 0..<300 {
        let length = Int.random(in: 0...400, using: &random)
        _ = try? OggOpusReader.read((0..<length).map { _ in UInt8.random(in: 0...255, using: &random) })
        var damaged = file
        for _ in 0..<Int.random(in: 1...8, using: &random) {
            damaged[Int.random(in: 0..<file.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
        }
        _ = try? OggOpusReader.read(damaged).samples()
    }
}
