import Glibc
import Synchronization

/// A thread that runs an actor's jobs one after another, so that SQLite's blocking calls never sit on the
/// cooperative pool. `FleetStore` owns one for its file.
///
/// The queue is bounded by those who wait: each request in flight has at most one job here.
final class StoreThread: SerialExecutor {
    private struct State {
        var jobs: [UnownedJob] = []
        var isEnding = false
    }

    private let state = Mutex(State())
    private let arrivals: Arrivals

    init() {
        arrivals = Arrivals()
        var thread = pthread_t()
        let whole = Unmanaged.passRetained(self)
        let code = pthread_create(
            &thread, nil,
            { argument in
                Unmanaged<StoreThread>.fromOpaque(argument!).takeRetainedValue().work()
                return nil
            }, whole.toOpaque())
        precondition(code == 0, "no thread for the store")
        pthread_detach(thread)
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        state.withLock { $0.jobs.append(job) }
        arrivals.tell()
    }

    /// Ends the thread once its jobs are done. Called when the actor goes; nothing may be enqueued after.
    func end() {
        state.withLock { $0.isEnding = true }
        arrivals.tell()
    }

    private func work() {
        while true {
            arrivals.wait()
            let (jobs, isEnding) = state.withLock { state in
                defer { state.jobs = [] }
                return (state.jobs, state.isEnding)
            }
            for job in jobs { job.runSynchronously(on: asUnownedSerialExecutor()) }
            if isEnding && jobs.isEmpty { return }
            if isEnding { arrivals.tell() }
        }
    }
}

/// A counting semaphore. `@unchecked Sendable`: `sem_t` is made for many threads; its memory stays in one place.
private final class Arrivals: @unchecked Sendable {
    private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

    init() { sem_init(semaphore, 0, 0) }

    deinit {
        sem_destroy(semaphore)
        semaphore.deallocate()
    }

    func tell() { sem_post(semaphore) }

    func wait() {
        while sem_wait(semaphore) != 0 {}
    }
}
