import Dispatch
import Glibc

/// A voice on this machine: espeak-ng, Piper, or any program that reads text and writes WAV.
struct CommandVoice: TextToSpeech {
    /// Longest that a program may take; then it is ended.
    static let answerTimeMax: Duration = .seconds(8)

    private let command: [String]

    init(_ command: [String]) { self.command = command }

    var name: String { "command" }
    var voice: String { "command/" + command.joined(separator: " ") }

    func speak(_ line: SpokenLine) async throws -> SpokenAudio {
        let arguments = command.map { $0.replacing("{language}", with: line.language == "en" ? "en" : "hi") }
        // The program blocks; it gets a thread that is not the cooperative pool's.
        let bytes = try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(with: Result { try Self.run(arguments, line.text) }) }
        }
        guard bytes.starts(with: Array("RIFF".utf8)) else { throw SpeechError.broken(reason: "no WAV came") }
        return SpokenAudio(contentType: "audio/wav", bytes: bytes)
    }

    private static func run(_ arguments: [String], _ text: String) throws -> [UInt8] {
        // One socket is its input and its output; close-on-exec, so that no other child holds an end open.
        var ends: [Int32] = [-1, -1]
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0 else {
            throw SpeechError.broken(reason: "no socket")
        }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDIN_FILENO)
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO)
        var argv: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        defer { for argument in argv { free(argument) } }
        var pid: pid_t = 0
        let code = posix_spawnp(&pid, arguments[0], &actions, nil, &argv, environ)
        close(ends[1])
        defer { close(ends[0]) }
        guard code == 0 else {
            throw SpeechError.refused(reason: "the voice program does not start: error \(code)")
        }
        // A line is smaller than a socket holds: this never blocks.
        let bytes = Array((text + "\n").utf8)
        _ = send(ends[0], bytes, bytes.count, Int32(MSG_NOSIGNAL))
        shutdown(ends[0], Int32(SHUT_WR))
        var all: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        let end = ContinuousClock.now + answerTimeMax
        var isWhole = false
        while all.count <= SpokenAudio.bytesMax {
            var watched = pollfd(fd: ends[0], events: Int16(POLLIN), revents: 0)
            let left = (end - .now).milliseconds
            guard left > 0, poll(&watched, 1, Int32(clamping: left)) > 0 else { break }
            let count = recv(ends[0], &chunk, chunk.count, 0)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else {
                // The end, or a reset by a program that left without reading its line; how it ended is told below.
                isWhole = true
                break
            }
            all += chunk[..<count]
        }
        if !isWhole { kill(pid, SIGKILL) }
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
        guard isWhole else { throw SpeechError.timedOut }
        guard status == 0 else { throw SpeechError.broken(reason: "the voice program failed") }
        return all
    }
}
