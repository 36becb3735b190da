import Glibc

/// A thread of its own with a bounded list of jobs, done one after the other in the order they came.
///
/// Blocking C calls (SQLite's fsync, a child's pipe) live on a desk, never on a Swift executor or an audio thread.
/// When the list is full `post` says so and the job is not taken: the caller decides what that means.
final class Desk: @unchecked Sendable {
    // @unchecked: `jobs` and `isClosing` are only touched with `lock` held.
    typealias Job = @Sendable () -> Void

    private let name: String
    private let jobsMax: Int
    private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var jobs: [(due: Int64, job: Job)] = []
    private var isClosing = false
    private var thread: pthread_t?

    init(name: String, jobsMax: Int = 64) {
        self.name = name
        self.jobsMax = jobsMax
        pthread_mutex_init(lock, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(changed, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(changed)
        pthread_mutex_destroy(lock)
        changed.deallocate()
        lock.deallocate()
    }

    func start() {
        thread = Thread.start(name: name) { [self] in run() }
    }

    /// Takes a job, to be done now or after a delay.
    /// - Returns: false when the list is full or the desk is closing; the job is dropped then.
    @discardableResult
    func post(afterMilliseconds delay: Int64 = 0, _ job: @escaping Job) -> Bool {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        guard !isClosing, jobs.count < jobsMax else { return false }
        let due = Moment.monotonicMilliseconds() + delay
        let place = jobs.lastIndex { $0.due <= due }.map { $0 + 1 } ?? 0
        jobs.insert((due, job), at: place)
        pthread_cond_signal(changed)
        return true
    }

    /// Does the jobs that are due, then ends the thread and waits for it.
    func close() {
        pthread_mutex_lock(lock)
        isClosing = true
        pthread_cond_signal(changed)
        pthread_mutex_unlock(lock)
        if let thread { pthread_join(thread, nil) }
        thread = nil
    }

    private func run() {
        while let job = next() { job() }
    }

    private func next() -> Job? {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        while true {
            let now = Moment.monotonicMilliseconds()
            if let first = jobs.first, first.due <= now { return jobs.removeFirst().job }
            if isClosing { return nil }
            if let first = jobs.first {
                var until = timespec(tv_sec: Int(first.due / 1000), tv_nsec: Int(first.due % 1000) * 1_000_000)
                pthread_cond_timedwait(changed, lock, &until)
            } else {
                pthread_cond_wait(changed, lock)
            }
        }
    }
}

/// Starts named POSIX threads.
enum Thread {
    /// 512 kB of stack: SQLite and libcurl need less than a quarter of it; untouched pages cost nothing.
    static let stackBytes = 512 * 1024

    /// So that `top -H` and a backtrace say who is who. The kernel keeps 15 characters; `pthread_setname_np` is
    /// not in the Glibc module, the file behind it is the same thing.
    fileprivate static func nameThisThread(_ name: String) {
        let file = open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { return }
        defer { close(file) }
        var bytes = Array(name.utf8.prefix(15))
        write(file, &bytes, bytes.count)
    }

    /// - Returns: the thread, to be joined by the caller. A process that cannot make its few fixed threads at
    ///   start cannot work: that is fatal here.
    static func start(name: String, _ body: @escaping @Sendable () -> Void) -> pthread_t {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        pthread_attr_setstacksize(&attributes, stackBytes)
        defer { pthread_attr_destroy(&attributes) }
        let context = Unmanaged.passRetained(ThreadStart(name: name, body: body)).toOpaque()
        var thread: pthread_t = 0
        let code = pthread_create(&thread, &attributes, runStart, context)
        precondition(code == 0, "no thread for \(name): error \(code)")
        return thread
    }
}

private final class ThreadStart: Sendable {
    let name: String
    let body: @Sendable () -> Void

    init(name: String, body: @escaping @Sendable () -> Void) {
        self.name = name
        self.body = body
    }
}

private func runStart(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    let start = Unmanaged<ThreadStart>.fromOpaque(context!).takeRetainedValue()
    Thread.nameThisThread(start.name)
    start.body()
    return nil
}
