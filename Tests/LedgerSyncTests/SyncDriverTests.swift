import Ledger
import LedgerSync
import Testing

/// The driver alone: times and phases, no book, no line.
@Suite struct SyncDriverTests {
    private let id = ULID(high: 1, low: 1)

    private func driver(seed: UInt64 = 3, _ change: (inout SyncConfiguration) -> Void = { _ in }) -> SyncDriver {
        var configuration = SyncConfiguration()
        change(&configuration)
        return SyncDriver(configuration, seed: seed, now: 0)
    }

    @Test func `entries within the window go together`() {
        var driver = driver()
        driver.foundNothing(now: 0)
        driver.committed(now: 1000)
        #expect(driver.dueMilliseconds == 16_000)
        driver.committed(now: 9000)
        #expect(driver.dueMilliseconds == 16_000, "the first entry decides, or a busy shop would never sync")
        let (early, onTime) = (driver.isDue(now: 15_999), driver.isDue(now: 16_000))
        #expect(!early && onTime)
    }

    @Test func `the idle round comes within its jitter, not always at the same time`() {
        var seen: Set<Int64> = []
        for seed in 0..<200 {
            var driver = driver(seed: UInt64(seed))
            driver.foundNothing(now: 0)
            let due = driver.dueMilliseconds ?? -1
            #expect((240_000...360_000).contains(due))
            seen.insert(due)
        }
        #expect(seen.count > 150)
        #expect(seen.contains { $0 < 270_000 } && seen.contains { $0 > 330_000 })
    }

    @Test func `back-off doubles to its maximum with full jitter and always comes again`() {
        var highest = [Int64](repeating: 0, count: 30)
        for seed in 0..<300 {
            var driver = driver(seed: UInt64(seed))
            var now: Int64 = 0
            for failure in 0..<30 {
                driver.failed(.line, now: now)
                let wait = (driver.dueMilliseconds ?? -1) - now
                let ceiling: Int64 = min(900_000, 1000 << Int64(min(failure, 20)))
                #expect((1...ceiling).contains(wait))
                highest[failure] = max(highest[failure], wait)
                now += wait
                let isDue = driver.isDue(now: now)
                #expect(isDue)
            }
        }
        #expect(highest[0] > 900 && highest[3] > 7000 && highest[29] > 850_000, "the whole range is used")
    }

    @Test func `a sale does not shorten the back-off, a line that came up does`() {
        var driver = driver()
        for _ in 0..<12 { driver.failed(.line, now: 0) }
        let due = driver.dueMilliseconds
        driver.committed(now: 10)
        #expect(driver.dueMilliseconds == due)
        driver.lineUp(now: 20)
        #expect((20...5020).contains(driver.dueMilliseconds ?? -1))
    }

    @Test(arguments: [1, 30, 600, 100_000] as [Int64])
    func `Retry-After is never undercut and never for ever`(seconds: Int64) {
        for seed in 0..<50 {
            var driver = driver(seed: UInt64(seed))
            driver.failed(.busy(status: 503), retryAfterSeconds: seconds, now: 5)
            let wait = (driver.dueMilliseconds ?? -1) - 5
            let asked = min(seconds, 3600) * 1000
            #expect((asked...asked + 4000).contains(wait))
        }
    }

    @Test func `a refused batch is halved down to the entry that is refused by itself`() {
        var driver = driver()
        var counts: [Int] = []
        var parked: Int64?
        while parked == nil {
            let count = min(driver.batchEventsMax, 1000)
            counts.append(count)
            parked = driver.refused(firstSeq: 77, count: count, now: 0)
        }
        #expect(counts == [1000, 500, 250, 125, 62, 31, 15, 7, 3, 1])
        #expect(parked == 77 && driver.parkedSeq == 77)
        #expect((675_000...900_000).contains(driver.dueMilliseconds ?? -1))
        driver.lineUp(now: 1)
        #expect((driver.dueMilliseconds ?? 0) > 600_000, "a parked entry is not retried with every new line")
        #expect(driver.refused(firstSeq: 77, count: 1, now: 900_000) == nil, "told once")
        driver.receipted(hasMore: true, wasFull: true, now: 1_000_000)
        #expect(driver.parkedSeq == nil && driver.batchEventsMax == 2 && driver.dueMilliseconds == 1_000_000)
    }

    @Test func `a try without an answer is given up and re-armed`() {
        var driver = driver()
        driver.sent(id, firstSeq: 1, lastSeq: 1, now: 0)
        #expect(driver.dueMilliseconds == 45_000)
        let early = driver.isDue(now: 44_999)
        let late = driver.isDue(now: 45_000)
        #expect(!early && !late)
        #expect(driver.phase == .backingOff(failures: 1))
        let again = driver.isDue(now: driver.dueMilliseconds ?? 0)
        #expect(again)
    }

    @Test func `a stopped driver is never due`() {
        var driver = driver()
        driver.stop(.fork)
        driver.committed(now: 5)
        driver.lineUp(now: 5)
        driver.hurry(now: 5)
        let isDue = driver.isDue(now: .max)
        #expect(!isDue && driver.dueMilliseconds == nil)
    }

    @Test func `wrong numbers in the configuration are all named`() {
        var configuration = SyncConfiguration()
        #expect(configuration.mistakes.isEmpty)
        configuration.coalesceMilliseconds = -1
        configuration.idleJitterPercent = 101
        configuration.backoffMaxMilliseconds = 10
        configuration.eventsMax = 0
        #expect(configuration.mistakes.count == 4)
        #expect(configuration.mistakes[0] == "coalesce_ms is -1, not 0 to 3600000")
    }
}
