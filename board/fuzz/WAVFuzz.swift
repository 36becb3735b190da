// libFuzzer's way into the WAV reader: any bytes are a file.
import AudioIO
import Glibc

// A file without a name; the reader opens it by its descriptor.
private let file: Int32 = {
    var template = Array("/tmp/execora-fuzz-XXXXXX".utf8CString)
    let file = mkstemp(&template)
    precondition(file >= 0 && unlink(template) == 0, "no file to write to")
    return file
}()
private let path = "/proc/self/fd/\(file)"

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzWAV(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard ftruncate(file, 0) == 0, pwrite(file, start, count, 0) == count else { return 0 }
    if let samples = try? WAVReader.samples(path: path, secondsMax: 10) {
        precondition(samples.count <= 10 * 16_000, "more sound than was asked for")
    }
    guard let reader = try? WAVReader(path: path) else { return 0 }
    try? reader.skip(frames: 7)
    var frames = [Int16](repeating: 0, count: 64 * reader.format.channels)
    frames.withUnsafeMutableBufferPointer { buffer in
        while let got = try? reader.read(into: buffer), got > 0 { precondition(got <= 64, "more frames than fit") }
    }
    return 0
}
