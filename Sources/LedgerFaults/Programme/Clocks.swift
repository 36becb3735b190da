import Ledger

/// A clock that is wrong: 1970, 2038, backwards, across 31 March, trusted or not. Money is taken all the same; a bill has
/// a number of its own year or is refused, and no number is given twice or left out.
public struct Clocks {
    let seed: UInt64
    private let folder = FaultFolder()

    public init(seed: UInt64) { self.seed = seed }

    public func run(steps: Int) -> FaultOutcome {
        var outcome = FaultOutcome(part: "clock: 1970, 2038, backwards, 31 March, no RTC")
        do { try work(steps, &outcome) } catch { outcome.note(error, "seed \(seed)") }
        return outcome
    }

    private func work(_ steps: Int, _ outcome: inout FaultOutcome) throws(Violation) {
        let counter = FaultCounter(path: folder.book, seed: seed)
        var random = Seeded(seed)
        var refused = 0
        for step in 0..<steps {
            do throws(BookError) {
                if counter.book == nil { try counter.open() }
                if random.happens(15) {
                    jump(counter, &random)
                    outcome.faults += 1
                }
                if random.happens(10) { counter.wallQuality = Int64(random.pick(0...4)) }
                let before = counter.model.numbers
                try counter.step()
                try held(counter, before)
            } catch {
                guard case .refused(.clockUntrusted) = error else {
                    throw Violation("I1", "step \(step): a wrong clock gives \(error)")
                }
                refused += 1
                counter.dropInFlight()
            }
            if counter.clockFault != nil { throw counter.clockFault! }
            if step % 100 == 99 {
                try counter.check()
                counter.close()
            }
        }
        do throws(BookError) { if counter.book == nil { try counter.open() } } catch {
            throw Violation("I4", "does not open: \(error)")
        }
        try counter.check()
        outcome.entries = counter.acknowledged.count
        outcome.note = "\(counter.model.numbers.count) financial years, \(refused) bills refused for the clock"
    }

    /// A number was given: never of a year before one that has begun, never before 2025.
    private func held(_ counter: FaultCounter, _ before: [Int64: Int64]) throws(BookError) {
        for (year, count) in counter.model.numbers where count != before[year] ?? 0 {
            if year < before.keys.max() ?? year || year < 2024 {
                counter.clockFault = Violation("I5", "a number of \(year) after \(before.keys.max() ?? 0)")
            }
        }
    }

    private func jump(_ counter: FaultCounter, _ random: inout Seeded) {
        func day(_ year: Int64, _ month: Int64, _ day: Int64) -> WallTime {
            CivilTime(day: CivilDay(year: year, month: month, day: day), hour: 23, minute: 58).wallTime()
        }
        switch random.pick(0...6) {
        case 0: counter.now = WallTime(milliseconds: 0)
        // The second after 2^31.
        case 1 where random.happens(5): counter.now = WallTime(milliseconds: 2_147_483_648_000)
        case 2: counter.now = counter.now.adding(seconds: -3600)
        case 3, 4:
            // Two minutes before the year turns.
            let year = CivilTime(counter.now).day.financialYear
            counter.now = day(max(2025, year) + 1, 3, 31)
        case 5: counter.now = counter.now.adding(seconds: 86_400)
        default: counter.now = day(2026, 1, 15)
        }
    }
}
