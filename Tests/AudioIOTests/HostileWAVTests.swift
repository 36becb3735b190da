import Testing

@testable import AudioIO

/// WAV files with bytes changed: refused with a reason or read within what was asked. `make fuzz` goes on from here.
@Test func `a damaged WAV file is refused or read within its bounds`() throws {
    var state: UInt64 = 20_261_125
    func below(_ bound: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int(state >> 33) % bound
    }
    let sound = (0..<400).map { Int16(truncatingIfNeeded: $0 * 977) }
    let file = wav(chunk("LIST", [1, 2, 3]), chunk("fmt ", fmt(channels: 2)), chunk("data", bytes(sound)))
    let headBytes = file.count - 2 * sound.count
    let scratch = Scratch()
    var refused = 0
    var read = 0
    for _ in 0..<600 {
        var damaged = file
        for _ in 0...below(3) {
            switch below(6) {
            case 0: damaged.removeLast(below(damaged.count))
            case 1: damaged.insert(UInt8(below(256)), at: below(min(damaged.count, headBytes) + 1))
            default:
                if !damaged.isEmpty { damaged[below(min(damaged.count, headBytes))] = [0, 1, 0x7F, 0xFF][below(4)] }
            }
        }
        let path = scratch.write("a.wav", damaged)
        do throws(AudioError) {
            _ = try WAVReader.samples(path: path, secondsMax: 10)
            read += 1
        } catch {
            refused += 1
        }
        guard let reader = try? WAVReader(path: path) else { continue }
        var frames = [Int16](repeating: 0, count: 16 * reader.format.channels)
        var bytesRead = 0
        while let got = try? frames.withUnsafeMutableBufferPointer({ try reader.read(into: $0) }), got > 0 {
            bytesRead += got * 2 * reader.format.channels
        }
        #expect(bytesRead <= damaged.count, "sound out of nothing")
    }
    #expect(refused > 50 && read > 50, "both ways were gone: \(refused) refused, \(read) read")
}
