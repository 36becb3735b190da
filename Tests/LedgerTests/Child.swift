import Glibc

/// A process of its own that writes a book, as the daemon would: `execoractl ledger bench`.
final class Child {
    let process: pid_t
    private let output: Int32
    private var pending: [UInt8] = []

    /// The tool that was built beside these tests.
    static let tool: String = {
        var link = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &link, 4095)
        let path = link[..<max(0, count)].map { UInt8(bitPattern: $0) }
        var folder = String(decoding: path, as: UTF8.self)
        // Run by a helper of the toolchain, the tests are a library among the arguments.
        for argument in CommandLine.arguments where argument.contains(".xctest") { folder = argument }
        folder = String(folder[..<(folder.lastIndex(of: "/") ?? folder.startIndex)])
        return folder + "/execoractl"
    }()

    /// - Parameter shell: a command line in which `"$0" "$@"` is the tool and its arguments.
    init(_ arguments: [String], shell: String = "exec \"$0\" \"$@\"") throws {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw Surprise() }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
        posix_spawn_file_actions_addclose(&actions, ends[0])
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        var words: [UnsafeMutablePointer<CChar>?] =
            (["/bin/sh", "-c", shell, Self.tool] + arguments).map { strdup($0) } + [nil]
        var id: pid_t = 0
        let code = posix_spawn(&id, "/bin/sh", &actions, nil, &words, environ)
        for word in words { free(word) }
        posix_spawn_file_actions_destroy(&actions)
        close(ends[1])
        (process, output) = (id, ends[0])
        guard code == 0 else { throw Surprise() }
    }

    /// The next line it printed; nil at its end.
    func line() -> String? {
        while true {
            if let end = pending.firstIndex(of: UInt8(ascii: "\n")) {
                let line = String(decoding: pending[..<end], as: UTF8.self)
                pending.removeFirst(end + 1)
                return line
            }
            var part = [UInt8](repeating: 0, count: 4096)
            let count = read(output, &part, part.count)
            guard count > 0 else { return nil }
            pending += part[..<count]
        }
    }

    /// As the power cut does to the process: no handler runs.
    func kill() { Glibc.kill(process, SIGKILL) }

    /// Waits for its end.
    /// - Returns: the exit code, or nil when a signal ended it.
    func end() -> Int32? {
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
        close(output)
        return status & 0x7F == 0 ? status >> 8 & 0xFF : nil
    }
}
