import Glibc
import Seals

/// A folder of a test's own, removed when the value goes.
final class Scratch {
    let path: String

    init() {
        path = "/tmp/execora-seals-" + Hex.text(Randomness.bytes(8))
        precondition(mkdir(path, 0o700) == 0, "no scratch folder: \(errno)")
    }

    deinit { _ = try? Tool.run(["rm", "-rf", path]) }

    func file(_ name: String, _ bytes: [UInt8]) throws -> String {
        let path = path + "/" + name
        try PrivateFile.write(bytes, to: path)
        return path
    }
}

/// Runs a tool of the machine and gives its exit code and what it printed (both streams).
enum Tool {
    struct Failure: Error { var code: Int32 }

    static func run(_ words: [String]) throws -> (code: Int32, text: String) {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw Failure(code: errno) }
        defer { close(ends[0]) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
        posix_spawn_file_actions_adddup2(&actions, ends[1], 2)
        posix_spawn_file_actions_addclose(&actions, ends[0])
        posix_spawn_file_actions_addclose(&actions, ends[1])
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        var child: pid_t = 0
        let code = posix_spawnp(&child, words[0], &actions, nil, &arguments, environ)
        close(ends[1])
        guard code == 0 else { throw Failure(code: code) }
        var text: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while case let count = read(ends[0], &chunk, chunk.count), count > 0 { text += chunk[..<count] }
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0, errno == EINTR {}
        return ((status >> 8) & 0xFF, String(decoding: text, as: UTF8.self))
    }
}
