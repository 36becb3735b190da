import Glibc

/// What a WAV file says of itself.
public struct WAVFormat: Sendable, Equatable {
    public var hertz: Int
    public var channels: Int
}

/// Reads 16-bit PCM WAV as a stream: from a file or a pipe, however long, holding 8 kB of it.
///
/// Takes chunks it does not know, `WAVE_FORMAT_EXTENSIBLE`, and a `data` size of 0, all ones, or more than there is (as
/// programs write that cannot seek back): the sound then ends with the file. Everything else that is not as the format
/// says is refused with the reason. Owned by one thread.
public final class WAVReader {
    /// A header longer than this is no sound file.
    public static let headerBytesMax = 1 << 20
    public static let channelsMax = 8

    public let format: WAVFormat
    private let path: String
    private let file: UnsafeMutablePointer<FILE>
    private var bytesLeft: UInt64

    /// - Parameter path: a file, or "-" for standard input.
    public init(path: String) throws(AudioError) {
        self.path = path
        guard let file = path == "-" ? fdopen(dup(0), "rb") : fopen(path, "rbe") else {
            throw .badFile(path: path, reason: String(cString: strerror(errno)))
        }
        do throws(AudioError) {
            (format, bytesLeft) = try Self.header(of: file, path)
        } catch {
            fclose(file)
            throw error
        }
        self.file = file
    }

    deinit { fclose(file) }

    /// Reads interleaved frames.
    /// - Parameter buffer: a whole number of frames.
    /// - Returns: frames read, fewer than asked only at the end; 0 at the end. Half a frame at the end is left out.
    public func read(into buffer: UnsafeMutableBufferPointer<Int16>) throws(AudioError) -> Int {
        let frameBytes = 2 * format.channels
        let frames = min(UInt64(buffer.count / format.channels), bytesLeft / UInt64(frameBytes))
        guard frames > 0 else { return 0 }
        let got = fread(buffer.baseAddress!, frameBytes, Int(frames), file)
        if got < Int(frames) {
            guard ferror(file) == 0 else { throw .badFile(path: path, reason: "a read failed") }
            bytesLeft = 0
        } else {
            bytesLeft -= UInt64(got * frameBytes)
        }
        #if _endian(big)
            for index in 0..<(got * format.channels) { buffer[index] = Int16(littleEndian: buffer[index]) }
        #endif
        return got
    }

    /// Passes frames over; stops at the end.
    public func skip(frames: Int) throws(AudioError) {
        var left = min(UInt64(frames) * UInt64(2 * format.channels), bytesLeft)
        bytesLeft -= left
        while left > 0 {
            let part = Int(min(left, 4096))
            guard Self.pass(file, part) else {
                bytesLeft = 0
                return
            }
            left -= UInt64(part)
        }
    }

    /// The whole file as 16 kHz mono, first channel, for tools.
    /// - Parameter secondsMax: longer files are refused.
    public static func samples(path: String, secondsMax: Int) throws(AudioError) -> [Int16] {
        let reader = try WAVReader(path: path)
        let format = reader.format
        guard format.hertz == 16_000 || format.hertz == 48_000 else {
            throw .rateRefused(hertz: 16_000, nearest: format.hertz)
        }
        let decimator = format.hertz == 48_000 ? Decimator() : nil
        var samples: [Int16] = []
        var chunk = [Int16](repeating: 0, count: 4_096 * format.channels)
        while true {
            // By way of Result: Array's closure doors are not yet typed in Swift 6.0.
            let frames = try chunk.withUnsafeMutableBufferPointer { all in
                Result { () throws(AudioError) in try reader.read(into: all) }
            }.get()
            guard frames > 0 else { return samples }
            for frame in 0..<frames {
                let raw = chunk[frame * format.channels]
                if let decimator {
                    if let sample = decimator.take(raw) { samples.append(sample) }
                } else {
                    samples.append(raw)
                }
            }
            guard samples.count <= secondsMax * 16_000 else {
                throw .badFile(path: path, reason: "longer than \(secondsMax) s")
            }
        }
    }

    // The header ----------------------------------------------------------------------------------------------

    private static func pass(_ file: UnsafeMutablePointer<FILE>, _ count: Int) -> Bool {
        withUnsafeTemporaryAllocation(byteCount: 4_096, alignment: 1) { scratch in
            var left = count
            while left > 0 {
                let got = fread(scratch.baseAddress!, 1, min(left, 4_096), file)
                if got == 0 { return false }
                left -= got
            }
            return true
        }
    }

    private static func header(
        of file: UnsafeMutablePointer<FILE>, _ path: String
    ) throws(AudioError) -> (WAVFormat, UInt64) {
        func refuse(_ reason: String) -> AudioError { .badFile(path: path, reason: reason) }
        func bytes(_ count: Int, _ what: String) throws(AudioError) -> [UInt8] {
            var bytes = [UInt8](repeating: 0, count: count)
            guard fread(&bytes, 1, count, file) == count else { throw refuse("ends inside \(what)") }
            return bytes
        }
        func number(_ bytes: [UInt8], _ at: Int, _ count: Int) -> Int {
            (0..<count).reduce(0) { $0 | Int(bytes[at + $1]) << (8 * $1) }
        }
        let riff = try bytes(12, "the RIFF header")
        guard riff[0..<4].elementsEqual("RIFF".utf8), riff[8..<12].elementsEqual("WAVE".utf8) else {
            throw refuse("not a WAV file (no RIFF/WAVE mark)")
        }
        var format: WAVFormat?
        var passed = 12
        while true {
            let head = try bytes(8, "a chunk header, before any sound")
            let size = number(head, 4, 4)
            passed += 8
            if head[0..<4].elementsEqual("data".utf8) {
                guard let format else { throw refuse("sound before its format (\"data\" before \"fmt \")") }
                let isUnknown = size == 0 || size >= 0xFFFF_FF00
                return (format, isUnknown ? .max : UInt64(size))
            }
            passed += size
            guard passed <= headerBytesMax else { throw refuse("no sound within the first MiB") }
            if head[0..<4].elementsEqual("fmt ".utf8) {
                guard size >= 16 else { throw refuse("the format chunk is \(size) bytes, not 16 or more") }
                let body = try bytes(min(size, 40), "the format chunk")
                guard pass(file, size - body.count + size & 1) else { throw refuse("ends inside the format chunk") }
                format = try checked(body, number, refuse)
            } else {
                // Chunks begin on even places.
                guard pass(file, size + size & 1) else { throw refuse("ends inside a chunk, before any sound") }
            }
        }
    }

    private static func checked(
        _ body: [UInt8], _ number: ([UInt8], Int, Int) -> Int, _ refuse: (String) -> AudioError
    ) throws(AudioError) -> WAVFormat {
        var tag = number(body, 0, 2)
        if tag == 0xFFFE, body.count >= 40 { tag = number(body, 24, 2) }
        guard tag == 1 else { throw refuse("format \(tag) is not plain PCM") }
        let bits = number(body, 14, 2)
        guard bits == 16 else { throw refuse("\(bits) bits a sample, not 16") }
        let channels = number(body, 2, 2)
        guard (1...channelsMax).contains(channels) else { throw refuse("\(channels) channels, not 1 to 8") }
        let hertz = number(body, 4, 4)
        guard (8_000...192_000).contains(hertz) else { throw refuse("\(hertz) Hz, not 8 to 192 kHz") }
        guard number(body, 12, 2) == 2 * channels else { throw refuse("its block size does not fit its channels") }
        return WAVFormat(hertz: hertz, channels: channels)
    }
}
