import Glibc
import OpusCoding
import Seals

/// Answers that are always the same, recorded beforehand in the counter's own voice: one file of Ogg Opus recordings.
///
/// They are heard also when the voice program is missing or broken, and cost a decoder instead of a process. A recording is
/// found by a digest of voice, speed and text: when the voice or a language pack changes, the old ones are simply no
/// longer found, and `PromptRecorder` makes the new ones. Nothing is remembered between two calls, so a new file counts
/// from the next answer on. Blocking; the voice's desk.
///
/// The file, little-endian: `EXPROMPT`, version (u32, 1), count (u32); for each prompt its key (16 bytes), place and length
/// (u32, u32); 8 bytes of the SHA-256 of all before; then the Ogg files, whose pages carry their own CRCs.
struct RecordedPrompts: Sendable {
    enum Fault: Error, Equatable {
        case unreadable(code: Int32)
        case damaged(String)
    }

    /// The first 16 bytes of a SHA-256: two prompts never share one.
    struct Key: Hashable {
        static let byteCount = 16
        let bytes: [UInt8]

        init(text: String, voice: Voice) {
            let parts = ["execora-prompt-1", voice.program, voice.name, String(voice.wordsPerMinute), text]
            let digest = SHA256.digest(Array(parts.joined(separator: "\u{0}").utf8))
            bytes = Array(digest.prefix(Self.byteCount))
        }

        init(bytes: ArraySlice<UInt8>) { self.bytes = Array(bytes) }
    }

    static let magic = Array("EXPROMPT".utf8)
    static let version: UInt32 = 1
    static let sealBytes = 8
    static let headBytes = 16
    static let entryBytes = Key.byteCount + 8
    /// Three languages of about fifty lines; a file that says more is refused.
    static let promptsMax = 1_024
    static let fileBytesMax = 8 << 20
    /// 30 s of sound.
    static let promptBytesMax = 128 << 10

    let path: String

    /// - Returns: 16 kHz mono samples, or nil where this text was never recorded in this voice, or nothing was.
    func samples(of text: String, by voice: Voice) throws(Fault) -> [Int16]? {
        guard let ogg = try ogg(Key(text: text, voice: voice)) else { return nil }
        return try Self.samples(inOgg: ogg)
    }

    static func samples(inOgg ogg: [UInt8]) throws(Fault) -> [Int16] {
        do throws(OpusError) {
            let recording = try OggOpusReader.read(ogg)
            guard recording.isWhole else { throw .tooDamaged }
            return try recording.samples()
        } catch { throw .damaged("recording: \(error)") }
    }

    /// The recording as it lies in the file, its pages not yet checked.
    func ogg(_ key: Key) throws(Fault) -> [UInt8]? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else {
            if errno == ENOENT { return nil }
            throw .unreadable(code: errno)
        }
        defer { close(file) }
        let head = try Self.read(file, at: 0, count: Self.headBytes)
        guard head.starts(with: Self.magic), Self.number(head, at: 8) == Self.version else { throw .damaged("head") }
        let count = Int(Self.number(head, at: 12))
        guard count <= Self.promptsMax else { throw .damaged("count") }
        let index = try Self.read(file, at: Self.headBytes, count: count * Self.entryBytes + Self.sealBytes)
        let entries = index.dropLast(Self.sealBytes)
        guard SHA256.digest(head, Array(entries)).prefix(Self.sealBytes).elementsEqual(index.suffix(Self.sealBytes))
        else { throw .damaged("index") }
        for at in stride(from: 0, to: entries.count, by: Self.entryBytes)
        where entries[at..<at + Key.byteCount].elementsEqual(key.bytes) {
            let length = Int(Self.number(index, at: at + Key.byteCount + 4))
            guard length <= Self.promptBytesMax else { throw .damaged("length") }
            return try Self.read(file, at: Int(Self.number(index, at: at + Key.byteCount)), count: length)
        }
        return nil
    }

    private static func read(_ file: Int32, at place: Int, count: Int) throws(Fault) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var done = 0
        while done < count {
            let got = bytes.withUnsafeMutableBytes {
                pread(file, $0.baseAddress! + done, count - done, off_t(place + done))
            }
            if got < 0, errno == EINTR { continue }
            guard got >= 0 else { throw .unreadable(code: errno) }
            guard got > 0 else { throw .damaged("cut short") }
            done += got
        }
        return bytes
    }

    static func number(_ bytes: [UInt8], at place: Int) -> UInt32 {
        (0..<4).reduce(0) { $0 | UInt32(bytes[place + $1]) << (8 * UInt32($1)) }
    }

    static func bytes(_ number: Int) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) } }
}
