import Glibc
import JSONText

/// The speech service as a child process on the other end of a socket. Owned by the thread of `WhisperSpeech`;
/// ended and reaped in `deinit`.
///
/// One socket is its standard input and output both: when the gateway ends, however that happens, the service reads the
/// end of its input and ends too. Its standard error is the gateway's.
struct WhisperChild: ~Copyable {
    let pid: pid_t
    let socket: Int32

    private init(pid: pid_t, socket: Int32) {
        (self.pid, self.socket) = (pid, socket)
    }

    /// What `python -c` runs: read the service's source from standard input, then be it. So the source needs no file
    /// that another could change, and does not fill the process list.
    private static let bootstrap = """
        import sys
        take = sys.stdin.buffer.read
        exec(compile(take(int.from_bytes(take(4), "big")), "whisper_service.py", "exec"))
        """

    /// - Throws: `SpeechError.refused` with the reason when there is no such program.
    static func start(python: String, model: String, files: [(name: String, sha256: String)]) throws(SpeechError)
        -> WhisperChild
    {
        var ends: [Int32] = [-1, -1]
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0 else {
            throw .refused(reason: "socketpair: error \(errno)")
        }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDIN_FILENO)
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO)

        // A group of its own: a Ctrl-C at the terminal is for the gateway, which ends the service in order. Signals that
        // the gateway ignores or holds back are the service's again.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        var all = sigset_t()
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP))

        // -I: neither the user's site-packages nor PYTHONPATH nor the working folder may bring code in.
        let arguments = [python, "-I", "-c", bootstrap, model] + files.flatMap { [$0.name, $0.sha256] }
        // One thread in numpy's products: the service itself runs two searches side by side, and OpenBLAS's own threads
        // spin while they wait for a core that others have.
        let environment =
            currentEnvironment() + ["HF_HUB_OFFLINE=1", "PYTHONUNBUFFERED=1", "OPENBLAS_NUM_THREADS=1"]
        var pid: pid_t = 0
        let code = withCStrings(arguments) { argv in
            withCStrings(environment) { envp in posix_spawn(&pid, python, &actions, &attributes, argv, envp) }
        }
        close(ends[1])
        guard code == 0 else {
            close(ends[0])
            throw .refused(reason: "\(python) does not start: error \(code)")
        }
        return WhisperChild(pid: pid, socket: ends[0])
    }

    deinit {
        // The whole group, should the service ever have children.
        kill(-pid, SIGKILL)
        close(socket)
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
    }

    private static func currentEnvironment() -> [String] {
        var all: [String] = []
        var next = environ
        while let entry = next.pointee {
            all.append(String(cString: entry))
            next += 1
        }
        return all.filter { !$0.hasPrefix("PYTHON") && !$0.hasPrefix("HF_") }
    }

    private static func withCStrings<R>(
        _ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> R
    ) -> R {
        let copies: [UnsafeMutablePointer<CChar>?] = strings.map { strdup($0) } + [nil]
        defer { for copy in copies { free(copy) } }
        return body(copies)
    }
}
