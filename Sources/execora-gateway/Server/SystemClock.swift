import Glibc

/// The wall clock, for receipts and certificates.
enum SystemClock {
    static let milliseconds: @Sendable () -> Int64 = {
        var moment = timespec()
        clock_gettime(CLOCK_REALTIME, &moment)
        return Int64(moment.tv_sec) * 1000 + Int64(moment.tv_nsec) / 1_000_000
    }
}
