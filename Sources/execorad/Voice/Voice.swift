import Conversation
import Glibc

/// Turns an answer into sound by a child process of espeak-ng: its 20 MB of voices cost memory only while it speaks.
///
/// The text goes through a pipe, never through the arguments, where any user of the machine could read it.
/// Blocking: lives on a desk of its own.
struct Voice: Sendable {
    enum Failure: Error, Equatable {
        /// The program is missing or cannot be started; `errno`.
        case notStarted(code: Int32)
        /// It ended with another status than 0, or by a signal.
        case ended(status: Int32)
        /// It said nothing that is a WAV.
        case noSound
        case timedOut
    }

    /// An answer is one or two sentences; what is beyond is not spoken.
    static let textBytesMax = 2_000
    /// 60 s of sound at espeak's 22,050 Hz.
    static let soundBytesMax = 60 * 22_050 * 2
    static let deadlineMilliseconds: Int64 = 10_000

    var program: String
    var name: String
    var wordsPerMinute: Int

    /// A Hindi voice reads Roman letters as English; in Devanagari the same words sound as they are meant.
    func readable(_ text: String) -> String { name.hasPrefix("hi") ? Transliteration.devanagari(text) : text }

    /// - Returns: 16 kHz mono samples.
    func samples(saying text: String) throws(Failure) -> [Int16] {
        let wav = try run(Array(text.utf8.prefix(Self.textBytesMax)))
        guard let (rate, samples) = Self.sound(inWAV: wav), !samples.isEmpty else { throw .noSound }
        return Resampler.to16kHz(samples, from: rate)
    }

    private func run(_ text: [UInt8]) throws(Failure) -> [UInt8] {
        var input: [Int32] = [-1, -1]
        var output: [Int32] = [-1, -1]
        guard pipe(&input) == 0 else { throw .notStarted(code: errno) }
        guard pipe(&output) == 0 else {
            let code = errno
            for end in input { close(end) }
            throw .notStarted(code: code)
        }
        for end in input + output { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, input[0], 0)
        posix_spawn_file_actions_adddup2(&actions, output[1], 1)
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        // The daemon's threads block signals; the child must not.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))

        let words = [program, "-v", name, "-s", String(wordsPerMinute), "--stdin", "--stdout"]
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        var child: pid_t = 0
        let code = posix_spawnp(&child, program, &actions, &attributes, &arguments, environ)
        close(input[0])
        close(output[1])
        guard code == 0 else {
            close(input[1])
            close(output[0])
            throw .notStarted(code: code)
        }
        // At most 2,000 bytes: they fit into the pipe's buffer, so this cannot block; SIGPIPE is ignored by the daemon.
        text.withUnsafeBytes { _ = write(input[1], $0.baseAddress, $0.count) }
        close(input[1])
        let wav = Self.drain(output[0])
        close(output[0])
        if wav == nil { kill(child, SIGKILL) }
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0, errno == EINTR {}
        guard let wav else { throw .timedOut }
        guard status == 0 else { throw .ended(status: status) }
        return wav
    }

    /// All the child says, or nil when it takes too long or says too much.
    private static func drain(_ file: Int32) -> [UInt8]? {
        let end = Moment.monotonicMilliseconds() + deadlineMilliseconds
        var all: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while all.count <= soundBytesMax {
            let left = end - Moment.monotonicMilliseconds()
            guard left > 0 else { return nil }
            var wait = pollfd(fd: file, events: Int16(POLLIN), revents: 0)
            guard poll(&wait, 1, Int32(left)) > 0 else { continue }
            let count = read(file, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            if count <= 0 { return all }
            all += chunk[..<count]
        }
        return nil
    }

    /// espeak-ng writes a plain 16-bit mono header of 44 bytes whose sizes are unknown to it (it writes to a pipe).
    private static func sound(inWAV bytes: [UInt8]) -> (rate: Int, samples: [Int16])? {
        guard bytes.count > 44, bytes[0..<4].elementsEqual("RIFF".utf8), bytes[36..<40].elementsEqual("data".utf8)
        else { return nil }
        let rate = (0..<4).reduce(0) { $0 | Int(bytes[24 + $1]) << (8 * $1) }
        guard (8_000...48_000).contains(rate), bytes[22] == 1, bytes[34] == 16 else { return nil }
        let samples = stride(from: 44, to: bytes.count - 1, by: 2).map {
            Int16(bitPattern: UInt16(bytes[$0]) | UInt16(bytes[$0 + 1]) << 8)
        }
        return (rate, samples)
    }
}

extension Voice {
    init(_ configuration: ApplianceConfiguration) {
        self.init(
            program: configuration.voiceProgram, name: configuration.voiceName,
            wordsPerMinute: configuration.voiceWordsPerMinute)
    }
}
