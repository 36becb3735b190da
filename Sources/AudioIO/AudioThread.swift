import Glibc

/// Starts this room's threads: named, with a small stack, under SCHED_FIFO where the right is granted.
enum AudioThread {
    /// libasound's plugins need about 40 kB; untouched pages cost nothing.
    static let stackBytes = 256 * 1024

    /// - Parameter priority: SCHED_FIFO priority; 0 asks for none.
    /// - Returns: the thread, to be joined by the caller. A process that cannot make its few fixed threads at start
    ///   cannot work: that is fatal.
    static func start(name: String, _ body: @escaping @Sendable () -> Void) -> pthread_t {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        pthread_attr_setstacksize(&attributes, stackBytes)
        defer { pthread_attr_destroy(&attributes) }
        let context = Unmanaged.passRetained(Start(name: name, body: body)).toOpaque()
        var thread: pthread_t = 0
        let code = pthread_create(&thread, &attributes, run, context)
        precondition(code == 0, "no thread for \(name): error \(code)")
        return thread
    }

    /// Asks for SCHED_FIFO for the calling thread.
    /// - Returns: whether it was granted; without it sound works too, with less patience for a busy machine.
    static func askForRealTime(priority: Int32) -> Bool {
        guard priority > 0 else { return false }
        var parameters = sched_param()
        parameters.sched_priority = priority
        return pthread_setschedparam(pthread_self(), SCHED_FIFO, &parameters) == 0
    }

    private final class Start: Sendable {
        let name: String
        let body: @Sendable () -> Void

        init(name: String, body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }

    private static let run: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { context in
        let start = Unmanaged<Start>.fromOpaque(context!).takeRetainedValue()
        // `pthread_setname_np` is not in the Glibc module; the file behind it is the same thing.
        let file = open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
        if file >= 0 {
            var bytes = Array(start.name.utf8.prefix(15))
            write(file, &bytes, bytes.count)
            close(file)
        }
        start.body()
        return nil
    }
}

/// The clock that ALSA stamps its samples with.
enum SteadyClock {
    static func nanoseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    static func milliseconds() -> Int64 { nanoseconds() / 1_000_000 }
}
