import Glibc

/// The clocks the daemon reads; rooms below get time as a value.
enum Moment {
    static func monotonicMilliseconds() -> Int64 { milliseconds(CLOCK_MONOTONIC) }
    static func wallMilliseconds() -> Int64 { milliseconds(CLOCK_REALTIME) }
    /// Runs through sleep too: for what is due in minutes.
    static func bootMilliseconds() -> Int64 { milliseconds(CLOCK_BOOTTIME) }

    private static func milliseconds(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}

/// This start of the kernel, as the kernel names it: entries of one boot can be ordered by their monotonic time.
enum BootID {
    static let bytes: [UInt8] = {
        let text = FileBytes.read("/proc/sys/kernel/random/boot_id", bytesMax: 64) ?? []
        let digits = text.compactMap { Character(UnicodeScalar($0)).hexDigitValue }
        let bytes = stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
        return bytes.count == 16 ? bytes : [UInt8](repeating: 0, count: 16)
    }()
}
