import Glibc
import Testing

@testable import AudioIO

/// A folder of its own for one test, gone after it.
final class Scratch {
    let path: String

    init() {
        var template = Array("/tmp/execora-audio-XXXXXX".utf8CString)
        precondition(mkdtemp(&template) != nil)
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { clear() }

    private func clear() {
        if let stream = opendir(path) {
            while let entry = readdir(stream) {
                let name = withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                }
                unlink("\(path)/\(name)")
            }
            closedir(stream)
        }
        rmdir(path)
    }

    func write(_ name: String, _ bytes: [UInt8]) -> String {
        let file = fopen("\(path)/\(name)", "wb")!
        fwrite(bytes, 1, bytes.count, file)
        fclose(file)
        return "\(path)/\(name)"
    }
}

func little(_ value: Int, _ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }

func chunk(_ name: String, _ body: [UInt8], size: Int? = nil) -> [UInt8] {
    Array(name.utf8) + little(size ?? body.count, 4) + body + (body.count % 2 == 1 ? [0] : [])
}

func fmt(tag: Int = 1, channels: Int = 1, hertz: Int = 16_000, bits: Int = 16) -> [UInt8] {
    little(tag, 2) + little(channels, 2) + little(hertz, 4) + little(hertz * channels * bits / 8, 4)
        + little(channels * bits / 8, 2) + little(bits, 2)
}

func wav(_ chunks: [UInt8]...) -> [UInt8] {
    let body = chunks.reduce([], +)
    return Array("RIFF".utf8) + little(4 + body.count, 4) + Array("WAVE".utf8) + body
}

func bytes(_ samples: [Int16]) -> [UInt8] { samples.flatMap { little(Int(UInt16(bitPattern: $0)), 2) } }

private let sound: [Int16] = [0, 1, -1, 32_767, -32_768, 12_345]

private func samples(_ reader: WAVReader) throws -> [Int16] {
    var all: [Int16] = []
    var buffer = [Int16](repeating: 0, count: 4 * reader.format.channels)
    while true {
        let frames = try buffer.withUnsafeMutableBufferPointer { (all) throws(AudioError) in try reader.read(into: all)
        }
        if frames == 0 { return all }
        all += buffer[..<(frames * reader.format.channels)]
    }
}

@Test func `what is written is read back, also before the writer is closed`() throws {
    let scratch = Scratch()
    let path = "\(scratch.path)/a.wav"
    let writer = try WAVWriter(path: path)
    try sound.withUnsafeBufferPointer { (all) throws(AudioError) in try writer.append(all) }
    #expect(try samples(WAVReader(path: path)) == sound)
    try sound.withUnsafeBufferPointer { (all) throws(AudioError) in try writer.append(all) }
    let reader = try WAVReader(path: path)
    #expect(reader.format == WAVFormat(hertz: 16_000, channels: 1))
    #expect(try samples(reader) == sound + sound)
    withExtendedLifetime(writer) {}
}

/// What other programs write, and is right enough.
@Test(arguments: [
    (
        "extra chunks",
        wav(chunk("LIST", [1, 2, 3]), chunk("fmt ", fmt()), chunk("fact", [0, 0, 0, 0]), chunk("data", bytes(sound)))
    ),
    ("data size 0, from a pipe", wav(chunk("fmt ", fmt()), chunk("data", bytes(sound), size: 0))),
    ("data size all ones, from a pipe", wav(chunk("fmt ", fmt()), chunk("data", bytes(sound), size: 0xFFFF_FFFF))),
    ("data size flite's way", wav(chunk("fmt ", fmt()), chunk("data", bytes(sound), size: 0x7FFF_F000))),
    ("format chunk of 18 bytes", wav(chunk("fmt ", fmt() + [0, 0]), chunk("data", bytes(sound)))),
    ("half a sample at the end", wav(chunk("fmt ", fmt()), chunk("data", bytes(sound) + [9]))),
    ("something behind the sound", wav(chunk("fmt ", fmt()), chunk("data", bytes(sound)), chunk("LIST", [1, 2]))),
    (
        "extensible",
        wav(
            chunk(
                "fmt ",
                fmt(tag: 0xFFFE) + little(22, 2) + little(16, 2) + little(4, 4) + little(1, 2)
                    + [UInt8](repeating: 0, count: 14)), chunk("data", bytes(sound)))
    ),
])
func `sound is read from`(what: String, file: [UInt8]) throws {
    let scratch = Scratch()
    #expect(try samples(WAVReader(path: scratch.write("a.wav", file))) == sound)
}

@Test(arguments: [
    ("not a WAV file", Array("OggS...........".utf8)),
    ("ends inside the RIFF header", Array("RIFF".utf8)),
    ("before any sound", wav(chunk("fmt ", fmt()))),
    ("before its format", wav(chunk("data", bytes(sound)))),
    ("not plain PCM", wav(chunk("fmt ", fmt(tag: 3)), chunk("data", []))),
    ("8 bits", wav(chunk("fmt ", fmt(bits: 8)), chunk("data", []))),
    ("0 channels", wav(chunk("fmt ", fmt(channels: 0)), chunk("data", []))),
    ("9 channels", wav(chunk("fmt ", fmt(channels: 9)), chunk("data", []))),
    ("1 Hz", wav(chunk("fmt ", fmt(hertz: 1)), chunk("data", []))),
    ("not 16 or more", wav(chunk("fmt ", [1, 0]), chunk("data", []))),
    ("within the first MiB", wav(chunk("LIST", [], size: 0x7FFF_FFFF), chunk("fmt ", fmt()))),
])
func `a file is refused with its reason`(reason: String, file: [UInt8]) throws {
    let scratch = Scratch()
    let path = scratch.write("a.wav", file)
    do {
        _ = try WAVReader(path: path)
        Issue.record("taken")
    } catch {
        guard case .badFile(_, let told) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(told.contains(reason))
    }
}

@Test func `a file that is not there is an error with the system's words`() {
    #expect(throws: AudioError.badFile(path: "/nowhere/a.wav", reason: "No such file or directory")) {
        try WAVReader(path: "/nowhere/a.wav")
    }
}

/// 20,000 broken files, seed 1: each is read or refused; nothing crashes, nothing takes more than there is.
@Test func `broken files never do harm`() throws {
    let scratch = Scratch()
    let good = wav(
        chunk("LIST", [1, 2, 3]), chunk("fmt ", fmt(channels: 2) + [0, 0]), chunk("data", bytes(sound + sound)))
    var dice = Dice(state: 1)
    var taken = 0
    var refused = 0
    for _ in 0..<20_000 {
        var bad = good
        for _ in 0...dice.next(4) {
            switch dice.next(4) {
            case 0: bad[dice.next(bad.count)] = UInt8(dice.next(256))
            case 1: bad[dice.next(bad.count)] = [0, 1, 0x7F, 0x80, 0xFF][dice.next(5)]
            case 2: bad.removeLast(dice.next(bad.count - 1))
            default: bad.insert(UInt8(dice.next(256)), at: dice.next(bad.count))
            }
        }
        do {
            let read = try samples(WAVReader(path: scratch.write("b.wav", bad)))
            #expect(read.count * 2 <= bad.count)
            taken += 1
        } catch { refused += 1 }
    }
    #expect(taken > 1_000 && refused > 1_000)
}
