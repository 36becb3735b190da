import Glibc
import Ledger
import Synchronization

/// How far the wall clock can be believed, from what the machine knows of it. Any thread.
///
/// 4: the gateway's time, attested in a receipt of the last 48 h, agrees. 3: the time service has set the clock from the
/// network in the last 48 h. 2: a battery-backed clock set it at start. 1: it is only not before what is known to be past
/// (a clock kept in a file). 0: it is before that, or the gateway's time contradicts it.
final class ClockTrust: Sendable {
    /// Design B.4: "server or NTP in the last 48 h".
    static let attestedMilliseconds: Int64 = 48 * 3_600_000
    /// The wall may be off the gateway's time by so much: a slow line and a drifting quartz.
    static let agreementMilliseconds: Int64 = 120_000

    struct Paths: Sendable {
        /// Touched by systemd-timesyncd each time it has set the clock; in /run, so of this boot.
        var synchronized = "/run/systemd/timesync/synchronized"
        /// "1" when the kernel took the time from this clock at start.
        var batteryClock = "/sys/class/rtc/rtc0/hctosys"
    }

    private struct Attested {
        var server: Int64
        var boot: Int64
    }

    private let paths: Paths
    private let wall: @Sendable () -> Int64
    private let boot: @Sendable () -> Int64
    private let attested = Mutex<Attested?>(nil)

    init(
        paths: Paths = Paths(), wall: @escaping @Sendable () -> Int64 = Moment.wallMilliseconds,
        boot: @escaping @Sendable () -> Int64 = Moment.bootMilliseconds
    ) {
        self.paths = paths
        self.wall = wall
        self.boot = boot
    }

    /// A fresh signed receipt told the gateway's time.
    func attest(server: WallTime, boot: Int64) {
        attested.withLock { $0 = Attested(server: server.rawValue, boot: boot) }
    }

    /// As the book stores it: 0 to 4.
    var quality: Int64 {
        let (now, since) = (wall(), boot())
        guard now >= LedgerStore.clockFloor.rawValue else { return 0 }
        if let told = attested.withLock({ $0 }), since - told.boot <= Self.attestedMilliseconds {
            let expected = told.server + (since - told.boot)
            return abs(now - expected) <= Self.agreementMilliseconds ? 4 : 0
        }
        var facts = stat()
        if stat(paths.synchronized, &facts) == 0 {
            let age = now - Int64(facts.st_mtim.tv_sec) * 1000
            if (-Self.agreementMilliseconds...Self.attestedMilliseconds).contains(age) { return 3 }
        }
        return FileBytes.read(paths.batteryClock, bytesMax: 16)?.first == UInt8(ascii: "1") ? 2 : 1
    }
}
