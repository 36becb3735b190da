import Glibc
import Testing

@testable import OpusCoding

/// Sounds, files and the reference tools (opus-tools, from board/setup).
enum Given {
    static let fixtures = #filePath.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 } + "/Fixtures"

    /// Made by opusenc 0.2 of 2.5 s at 16 kHz: 60 ms packets, 12 kbit/s.
    static func opusencFile() throws -> [UInt8] { try bytes("\(fixtures)/opusenc.opus") }

    static func bytes(_ path: String) throws -> [UInt8] {
        let file = try #require(fopen(path, "rb"), "\(path) cannot be opened")
        defer { fclose(file) }
        var all: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while case let count = fread(&chunk, 1, chunk.count, file), count > 0 { all += chunk[..<count] }
        return all
    }

    static func write(_ bytes: [UInt8], to path: String) throws {
        let file = try #require(fopen(path, "wb"))
        defer { fclose(file) }
        #expect(fwrite(bytes, 1, bytes.count, file) == bytes.count)
    }

    static func withFolder<Answer>(_ body: (String) throws -> Answer) throws -> Answer {
        var name = Array("/tmp/execora-opus-XXXXXX".utf8CString)
        _ = try #require(mkdtemp(&name))
        let folder = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer { _ = shell("rm -rf \(folder)") }
        return try body(folder)
    }

    /// - Returns: what the command printed (errors with it) and its exit code.
    static func shell(_ command: String) -> (output: String, code: Int32) {
        guard let pipe = popen("\(command) 2>&1", "r") else { return ("popen", -1) }
        var output: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4_096)
        while case let count = fread(&chunk, 1, chunk.count, pipe), count > 0 { output += chunk[..<count] }
        return (String(decoding: output, as: UTF8.self), pclose(pipe) >> 8)
    }

    /// A voice-like sound: harmonics of a gliding pitch under two formants, in syllables.
    static func voice(samples count: Int) -> [Int16] {
        var phase = 0.0
        return (0..<count).map { index in
            let time = Double(index) / 16_000
            let pitch = 120 + 30 * sin(2 * .pi * 1.3 * time)
            phase += 2 * .pi * pitch / 16_000
            var value = 0.0
            for harmonic in 1...24 {
                let hertz = pitch * Double(harmonic)
                let formants = exp(-pow((hertz - 600) / 250, 2)) + 0.5 * exp(-pow((hertz - 1_700) / 400, 2))
                value += formants * sin(phase * Double(harmonic))
            }
            return Int16(value * 4_500 * (0.55 + 0.45 * sin(2 * .pi * 4 * time)))
        }
    }

    static func packets(of samples: [Int16]) throws -> (packets: [[UInt8]], lookahead: Int) {
        var encoder = try OpusSpeechEncoder.open()
        let frame = OpusSpeechEncoder.frameSamples
        var packets: [[UInt8]] = []
        for start in stride(from: 0, to: samples.count + encoder.lookaheadSamples, by: frame) {
            let part = start < samples.count ? Array(samples[start..<min(start + frame, samples.count)]) : []
            packets.append(try encoder.encode(part + [Int16](repeating: 0, count: frame - part.count)))
        }
        return (packets, encoder.lookaheadSamples)
    }

    static func file(of samples: [Int16]) throws -> (file: [UInt8], packets: [[UInt8]]) {
        let (packets, lookahead) = try packets(of: samples)
        let file = try OggOpusWriter.file(
            of: packets, head: OggOpusHead(preSkip48k: lookahead * 3), serial: 0xE8EC_0BA5,
            inputSamples: samples.count)
        return (file, packets)
    }
}

/// A generator with a seed, so that a failure can be seen again (SplitMix64).
struct Seeded: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
        return word ^ word >> 31
    }
}
