import Glibc
import Ledger

/// The disk refuses one call of the scripted day: EIO, no space, half a write, a sync that failed. Nothing that was
/// acknowledged may be lost, and selling goes on: at once after "no space", after opening anew otherwise.
public struct DiskErrors {
    let disk: FaultDisk
    let seed: UInt64
    let steps: Int
    private let folder = FaultFolder()

    public init(disk: FaultDisk, seed: UInt64, steps: Int = 160) {
        self.disk = disk
        self.seed = seed
        self.steps = steps
    }

    /// - Parameter every: tries each call (1), or one in so many.
    public func run(every: Int = 1, progress: (Int) -> Void = { _ in }) -> FaultOutcome {
        var outcome = FaultOutcome(part: "EIO, ENOSPC, short write, failed sync at every call")
        let calls = log(&outcome)
        outcome.places = calls.reduce(0) { $0 + Self.faults(of: $1).count }
        for (index, operation) in calls.enumerated() where index % every == 0 {
            for fault in Self.faults(of: operation) {
                do { try refuse(fault, at: index + 1, &outcome) } catch {
                    outcome.note(error, "seed \(seed), call \(index + 1) (\(operation)), \(fault)")
                }
            }
            if index % 100 < every { progress(index) }
        }
        return outcome
    }

    static func faults(of operation: FaultDisk.Operation) -> [FaultDisk.Fault] {
        switch operation {
        case .write: [.ioError, .noSpace, .shortWrite]
        case .create: [.ioError, .noSpace]
        case .sync, .truncate, .unlink, .rename: [.ioError]
        }
    }

    private func log(_ outcome: inout FaultOutcome) -> [FaultDisk.Operation] {
        let counter = start()
        disk.startLog()
        do throws(Violation) { try work(counter) } catch { outcome.note(error, "without a fault") }
        let calls = disk.endLog()
        counter.close()
        return calls
    }

    private func start() -> FaultCounter {
        folder.empty()
        disk.forget()
        return FaultCounter(path: folder.book, seed: seed)
    }

    private func refuse(_ fault: FaultDisk.Fault, at call: Int, _ outcome: inout FaultOutcome) throws(Violation) {
        let counter = start()
        disk.arm(fault, after: call)
        try work(counter)
        guard disk.hasFallen else { throw Violation("I1", "the day is another one: call \(call) was not made") }
        outcome.faults += 1
        try counter.check()
        outcome.entries += counter.acknowledged.count
        // What the failed sync left unwritten must not be what the book stands on.
        counter.close()
        disk.restartAfterPowerCut()
        do throws(BookError) { try counter.open() } catch {
            throw Violation("I4", "does not open after a cut: \(error)")
        }
        try counter.check()
        counter.close()
    }

    /// The day, with the answer the daemon has to each error.
    private func work(_ counter: FaultCounter) throws(Violation) {
        try open(counter)
        for step in 0..<steps {
            do throws(BookError) { try counter.step() } catch { try recover(counter, error) }
            if step == steps / 2 {
                counter.close()
                try open(counter)
            }
        }
    }

    private func open(_ counter: FaultCounter) throws(Violation) {
        do throws(BookError) { try counter.open() } catch {
            guard disk.hasFallen else { throw Violation("I1", "does not open: \(error)") }
            // The fault is over: one that fell at opening leaves a book that opens.
            do throws(BookError) { try counter.open() } catch {
                throw Violation("I1", "does not open any more: \(error)")
            }
        }
    }

    private func recover(_ counter: FaultCounter, _ error: BookError) throws(Violation) {
        guard disk.hasFallen else { throw Violation("I1", "refused without a fault: \(error)") }
        switch error {
        case .full: break
        case .storage, .damaged:
            // Until it is opened anew nothing more is taken, though the disk is well again.
            guard (try? counter.performInFlight()) == nil else {
                throw Violation("I1", "money is taken after a failed write")
            }
            if counter.book?.mustReopen == true, (Int(seed) + counter.acknowledged.count) % 2 == 0 {
                // As the daemon does it. It has said "no": the shopkeeper says it again, and it must not be there twice.
                do throws(BookError) { try counter.book?.reopen() } catch {
                    throw Violation("I1", "does not open anew: \(error)")
                }
                guard try counter.holdsOnlyWhatWasAcknowledged() else {
                    throw Violation("I7", "what was refused is in the book")
                }
            } else {
                counter.close()
                try open(counter)
            }
            try counter.check(isWhole: false)
        default: throw Violation("I1", "another error: \(error)")
        }
        do throws(BookError) { try counter.performInFlight() } catch {
            throw Violation("I1", "asked again it is refused: \(error)")
        }
    }

    /// No space for a while, at a place of the day: refused in words while it lasts, sold the moment it ends.
    public func full(times: Int) -> FaultOutcome {
        var outcome = FaultOutcome(part: "disk full, then space")
        var random = Seeded(seed)
        var slowest: Int64 = 0
        for time in 0..<times {
            let counter = start()
            do throws(Violation) {
                try open(counter)
                for _ in 0..<random.pick(1...60) {
                    do throws(BookError) { try counter.step() } catch { throw Violation("I1", "\(error)") }
                }
                disk.isFull = true
                var refused = 0
                for _ in 0..<random.pick(1...5) {
                    do throws(BookError) {
                        if counter.isInFlight { try counter.performInFlight() } else { try counter.step() }
                    } catch {
                        guard error == .full else { throw Violation("I1", "a full disk gives \(error)") }
                        refused += 1
                    }
                }
                guard refused > 0 else { throw Violation("I1", "sold on a full disk") }
                outcome.faults += 1
                disk.isFull = false
                let begin = nanoseconds()
                do throws(BookError) { try counter.performInFlight() } catch {
                    throw Violation("I1", "there is space and it is refused: \(error)")
                }
                slowest = max(slowest, nanoseconds() - begin)
                try counter.check()
            } catch { outcome.note(error, "seed \(seed), time \(time)") }
            disk.isFull = false
            outcome.entries += counter.acknowledged.count
            counter.close()
        }
        outcome.note = "selling again after \(slowest / 1000) us at most"
        if slowest > 2_000_000_000 { outcome.note(Violation("I1", "two seconds were not enough"), "seed \(seed)") }
        return outcome
    }
}

/// CLOCK_MONOTONIC.
func nanoseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}
