import Testing

@testable import OpusCoding

/// What comes out is what went in, late by the lookahead. 24 kbit/s keeps a voice's waveform to better than 10 dB.
@Test func `speech survives encoding and decoding`() throws {
    let samples = Given.voice(samples: 32_000)
    let (packets, lookahead) = try Given.packets(of: samples)
    var decoder = try OpusSpeechDecoder.open()
    var decoded: [Int16] = []
    for packet in packets { decoded += try decoder.decode(packet) }
    var (signal, noise) = (0.0, 0.0)
    for index in 1_600..<samples.count {
        let (sent, heard) = (Double(samples[index]), Double(decoded[index + lookahead]))
        signal += sent * sent
        noise += (sent - heard) * (sent - heard)
    }
    #expect(signal / noise > 10)  // 10 dB
}

/// Bytes on a poor line are what the design counted: at most the bit rate asked for.
@Test func `packets keep to the bit rate`() throws {
    let (packets, _) = try Given.packets(of: Given.voice(samples: 160_000))
    let bytes = packets.reduce(0) { $0 + $1.count }
    let bitsPerSecond = bytes * 8 * 50 / packets.count
    #expect((12_000...26_000).contains(bitsPerSecond))
    #expect(packets.allSatisfy { OpusPacket.samples48k($0) == 960 })
}

/// No turn hears the one before: one handle for years is as good as a new one each turn.
@Test func `a reset encoder is as new`() throws {
    let samples = Given.voice(samples: 3_200)
    var encoder = try OpusSpeechEncoder.open()
    func turn() throws -> [[UInt8]] {
        try stride(from: 0, to: samples.count, by: 320).map { try encoder.encode(Array(samples[$0..<$0 + 320])) }
    }
    let first = try turn()
    let withoutReset = try turn()
    encoder.reset()
    #expect(try turn() == first)
    #expect(withoutReset != first)
}

@Test func `lost sound is concealed with its length`() throws {
    let (packets, _) = try Given.packets(of: Given.voice(samples: 3_200))
    var decoder = try OpusSpeechDecoder.open()
    for packet in packets.prefix(5) { _ = try decoder.decode(packet) }
    #expect(try decoder.conceal().count == 320)
}

@Test func `an empty packet is malformed, not lost sound`() throws {
    var decoder = try OpusSpeechDecoder.open()
    #expect(throws: OpusError.malformedPacket) { try decoder.decode([]) }
}

/// The gateway decodes what strangers send.
@Test func `random bytes as packets never crash the decoder`() throws {
    var random = Seeded(state: 1)
    var decoder = try OpusSpeechDecoder.open()
    for _ in 0..<2_000 {
        let packet = (0..<Int.random(in: 0...200, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random)
        }
        do throws(OpusError) { #expect(try decoder.decode(packet).count <= 1_920) } catch {
            #expect(error == .malformedPacket)
        }
    }
}
