import Testing

@testable import OpusCoding

/// Ogg files with bytes changed, their checksums put right again so that the reader looks at what is in them.
@Test(arguments: [true, false])
func `a damaged Ogg file is refused or read within its limits`(isChecksumRight: Bool) throws {
    var state: UInt64 = 20_261_125
    func below(_ bound: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int(state >> 33) % bound
    }
    let file = try Given.opusencFile()
    var refused = 0
    var read = 0
    for _ in 0..<300 {
        var damaged = file
        for _ in 0...below(4) {
            if below(8) == 0 {
                damaged.removeLast(below(damaged.count / 2))
            } else {
                // Half of the changes near the front, where the heads are.
                damaged[below(below(2) == 0 ? min(300, damaged.count) : damaged.count)] = UInt8(below(256))
            }
        }
        if isChecksumRight { repairChecksums(&damaged) }
        do throws(OpusError) {
            let recording = try OggOpusReader.read(damaged)
            #expect(recording.packets.reduce(0) { $0 + $1.bytes.count } <= damaged.count)
            read += 1
        } catch {
            refused += 1
        }
    }
    #expect(refused > 10 && read > 10, "both ways were gone: \(refused) refused, \(read) read")
}

private func repairChecksums(_ file: inout [UInt8]) {
    var at = 0
    while at + OggPage.headBytes <= file.count {
        guard file[at...].starts(with: OggPage.capture) else {
            at += 1
            continue
        }
        let body = at + OggPage.headBytes + Int(file[at + 26])
        guard body <= file.count else { return }
        let end = file[at + OggPage.headBytes..<body].reduce(body) { $0 + Int($1) }
        guard end <= file.count else { return }
        for index in 22..<26 { file[at + index] = 0 }
        file.replaceSubrange(at + 22..<at + 26, with: littleEndian(OggChecksum.of(file[at..<end])))
        at = end
    }
}
