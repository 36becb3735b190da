import Glibc

/// Writes 16-bit mono PCM WAV. The header is right after every `append`: a program that is killed leaves a good file.
/// Owned by one thread.
public final class WAVWriter {
    /// The format counts bytes in 32 bits; behind this `append` refuses.
    public static let samplesMax = (0xFFFF_FF00 - 44) / 2

    private let path: String
    private let descriptor: Int32
    private var samples = 0

    /// - Parameter path: made anew, mode 0600: it holds somebody's voice.
    public init(path: String, hertz: Int = 16_000) throws(AudioError) {
        self.path = path
        descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .badFile(path: path, reason: String(cString: strerror(errno))) }
        func little(_ value: Int, _ count: Int) -> [UInt8] {
            (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
        }
        let header =
            Array("RIFF".utf8) + little(36, 4) + Array("WAVEfmt ".utf8) + little(16, 4) + little(1, 2) + little(1, 2)
            + little(hertz, 4) + little(hertz * 2, 4) + little(2, 2) + little(16, 2) + Array("data".utf8) + little(0, 4)
        try put(header, at: 0)
    }

    deinit { close(descriptor) }

    public func append(_ more: UnsafeBufferPointer<Int16>) throws(AudioError) {
        guard samples + more.count <= Self.samplesMax else { throw .badFile(path: path, reason: "4 GB are full") }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(more.count * 2)
        for sample in more {
            bytes.append(UInt8(truncatingIfNeeded: sample))
            bytes.append(UInt8(truncatingIfNeeded: sample >> 8))
        }
        try put(bytes, at: 44 + 2 * samples)
        samples += more.count
        func little(_ value: Int) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
        try put(little(36 + 2 * samples), at: 4)
        try put(little(2 * samples), at: 40)
    }

    private func put(_ bytes: [UInt8], at offset: Int) throws(AudioError) {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes {
                pwrite(descriptor, $0.baseAddress! + done, bytes.count - done, off_t(offset + done))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw .badFile(path: path, reason: String(cString: strerror(errno))) }
            done += count
        }
    }
}
