import Conversation
import Glibc
import Ledger
import OpusCoding

/// A recording on disk as the clip a device would have sent: 16 kHz mono samples, and the same through our own Opus
/// encoder as an Ogg file.
enum AudioFile {
    /// All that a turn may hold.
    static let samplesMax = TurnIntake.audioSamplesMax

    /// - Throws: `GatewayError.file` when it cannot be read or is no sound.
    static func samples(path: String) throws -> [Int16] {
        let lower = path.lowercased()
        if lower.hasSuffix(".ogg") || lower.hasSuffix(".opus") {
            let samples = try OggOpusReader.read(contents(path)).samples()
            return Array(samples.prefix(samplesMax))
        }
        // FLAC and WAV of any rate and width; sox knows them all.
        let raw = try output(of: [
            "sox", path, "-t", "raw", "-r", "16000", "-e", "signed", "-b", "16", "-L", "-c", "1", "-",
        ])
        guard !raw.isEmpty else { throw GatewayError.file(path: path, code: EINVAL, operation: "decode") }
        let count = min(raw.count / 2, samplesMax)
        return (0..<count).map { Int16(truncatingIfNeeded: Int(raw[2 * $0]) | Int(raw[2 * $0 + 1]) << 8) }
    }

    static func clip(
        _ samples: [Int16], language: String, vocabulary: [String], people: Int, turn: ULID
    ) throws -> SpeechClip {
        var encoder = try OpusSpeechEncoder.open()
        var packets: [[UInt8]] = []
        for start in stride(from: 0, to: samples.count, by: OpusSpeechEncoder.frameSamples) {
            let frame = Array(samples[start..<min(start + OpusSpeechEncoder.frameSamples, samples.count)])
            let rest = [Int16](repeating: 0, count: OpusSpeechEncoder.frameSamples - frame.count)
            packets.append(try encoder.encode(frame + rest))
        }
        let file = try OggOpusWriter.file(
            of: packets, head: OggOpusHead(preSkip48k: encoder.lookaheadSamples * 3), serial: 1)
        // What the recogniser hears went through the codec, as a turn's does.
        var decoder = try OpusSpeechDecoder.open()
        var heard: [Int16] = []
        for packet in packets { heard += try decoder.decode(packet) }
        return SpeechClip(
            samples: heard, oggOpus: file, language: language, vocabulary: vocabulary,
            people: people, turn: turn, wakePhrase: nil)
    }

    static func contents(_ path: String) throws -> [UInt8] {
        guard let file = fopen(path, "rb") else { throw GatewayError.file(path: path, code: errno, operation: "open") }
        defer { fclose(file) }
        return readAll(file)
    }

    private static func readAll(_ file: UnsafeMutablePointer<FILE>) -> [UInt8] {
        var all: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while case let count = fread(&chunk, 1, chunk.count, file), count > 0 { all += chunk[..<count] }
        return all
    }

    /// What a program wrote; empty when it failed.
    private static func output(of arguments: [String]) throws -> [UInt8] {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw GatewayError.file(path: arguments[0], code: errno, operation: "pipe") }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO)
        posix_spawn_file_actions_addclose(&actions, ends[0])
        var argv: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        defer { for argument in argv { free(argument) } }
        var pid: pid_t = 0
        let code = posix_spawnp(&pid, arguments[0], &actions, nil, &argv, environ)
        close(ends[1])
        guard code == 0, let file = fdopen(ends[0], "rb") else {
            close(ends[0])
            throw GatewayError.file(path: arguments[0], code: code, operation: "start (board/setup installs it)")
        }
        defer { fclose(file) }
        let bytes = readAll(file)
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
        return status == 0 ? bytes : []
    }
}
