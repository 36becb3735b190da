import Ledger

/// A scripted day from an empty folder to the evening's backup, ended before and after each call that changes the disk.
public struct KillPoints {
    let disk: FaultDisk
    let seed: UInt64
    /// Steps of the day.
    let steps: Int
    private let folder = FaultFolder()

    public init(disk: FaultDisk, seed: UInt64, steps: Int = 160) {
        self.disk = disk
        self.seed = seed
        self.steps = steps
    }

    /// The day without a fault: how many calls there are.
    func calls() throws(Violation) -> Int {
        let counter = start()
        let before = disk.operations
        do throws(BookError) { try work(counter) } catch { throw Violation("I1", "the day fails by itself: \(error)") }
        return disk.operations - before
    }

    private func start() -> FaultCounter {
        folder.empty()
        disk.forget()
        return FaultCounter(path: folder.book, seed: seed)
    }

    private func work(_ counter: FaultCounter) throws(BookError) {
        for step in 0..<steps {
            if counter.book == nil { try counter.open() }
            try counter.step()
            // The shop closes for lunch.
            if step == steps / 2 { counter.close() }
        }
        counter.close()
    }

    /// - Parameter every: tries each call of the day (1), or one in so many.
    /// - Parameter cutsPower: the plug at each place, instead of the process.
    public func run(every: Int = 1, cutsPower: Bool = false, progress: (Int) -> Void = { _ in }) -> FaultOutcome {
        var outcome = FaultOutcome(part: cutsPower ? "power cut at every call" : "kill at every call")
        do {
            let calls = try calls()
            outcome.places = calls * 2
            for call in stride(from: 1, through: calls, by: every) {
                for fault in [FaultDisk.Fault.endBefore, .endAfter] {
                    do { try end(fault, at: call, cutsPower, &outcome) } catch {
                        outcome.note(error, "seed \(seed), call \(call), \(fault)")
                    }
                }
                if call % 100 < every { progress(call) }
            }
        } catch { outcome.note(error, "seed \(seed)") }
        return outcome
    }

    private func end(_ fault: FaultDisk.Fault, at call: Int, _ cutsPower: Bool, _ outcome: inout FaultOutcome)
        throws(Violation)
    {
        let counter = start()
        disk.arm(fault, after: call)
        do throws(BookError) { try work(counter) } catch {
            guard disk.isEnded else { throw Violation("I1", "refused without a fault: \(error)") }
        }
        guard disk.isEnded else { throw Violation("I1", "the day is another one: call \(call) was not made") }
        outcome.faults += 1
        counter.close()
        if cutsPower { disk.restartAfterPowerCut() } else { disk.restartAfterKill() }
        do throws(BookError) { try counter.open() } catch { throw Violation("I4", "does not open: \(error)") }
        try counter.check(isWhole: false)
        do throws(BookError) {
            try counter.performInFlight()
            try counter.step()
        } catch { throw Violation("I1", "does not go on: \(error)") }
        try counter.check()
        outcome.entries += counter.acknowledged.count
        counter.close()
    }
}
