import Ledger

/// What one part of the programme did and found.
public struct FaultOutcome: Sendable {
    public var part: String
    /// How many faults fell.
    public var faults = 0
    /// How many places there were to try, where they are counted.
    public var places: Int?
    /// Entries acknowledged over all of it.
    public var entries = 0
    /// The first of them, with what replays each.
    public var violations: [String] = []
    public var violationCount = 0
    public var note = ""
    /// True when violations are what must be found: a negative control.
    public var mustFail = false

    public init(part: String) { self.part = part }

    public var isGood: Bool { faults > 0 && (violationCount == 0) != mustFail }

    /// Kept in words; the rest are counted.
    private static let violationsMax = 20

    mutating func note(_ violation: Violation, _ place: String) {
        violationCount += 1
        if violations.count < Self.violationsMax { violations.append("\(violation) (\(place))") }
    }
}

/// The plug is pulled at any call that changes the disk, also while the book recovers from the cut before.
public struct PowerCuts {
    let disk: FaultDisk
    let seed: UInt64
    /// Entries after which a new book begins, so that a check stays short.
    private static let entriesMax = 220

    public init(disk: FaultDisk, seed: UInt64) {
        self.disk = disk
        self.seed = seed
    }

    /// - Parameters:
    ///   - weak: the negative control, at `synchronous=NORMAL`.
    ///   - keep: where the last book is left for the model that is not of this program.
    public func run(cuts: Int, weak: Bool = false, keep: String? = nil, progress: (Int) -> Void = { _ in })
        -> FaultOutcome
    {
        var outcome = FaultOutcome(part: weak ? "power cuts at NORMAL (must lose)" : "power cuts")
        outcome.mustFail = weak
        disk.isWeak = weak
        if weak { weakenEveryConnection() }
        defer {
            disk.isWeak = false
            if weak { leaveConnectionsAlone() }
        }
        let folder = FaultFolder()
        var random = Seeded(seed)
        var counter: FaultCounter?
        var books: UInt64 = 0
        while outcome.faults < cuts {
            if counter == nil {
                folder.empty()
                disk.forget()
                books += 1
                counter = FaultCounter(path: folder.book, seed: seed &* 1_000_003 &+ books)
            }
            let current = counter!
            do throws(Violation) {
                try sellUntilCut(current, &random)
                outcome.faults += 1
                if outcome.faults % 1000 == 0 { progress(outcome.faults) }
                current.close()
                // One of eight is the process alone that dies.
                if random.happens(12) { disk.restartAfterKill() } else { disk.restartAfterPowerCut() }
                // The next cut may fall before the book is open again.
                if random.happens(20) {
                    disk.arm(random.happens(50) ? .endBefore : .endAfter, after: random.pick(1...12))
                }
                try reopen(current)
            } catch {
                outcome.note(error, "seed \(seed), book \(books), cut \(outcome.faults)")
                current.close()
                disk.restartAfterKill()
                outcome.entries += current.acknowledged.count
                counter = nil
                continue
            }
            if current.acknowledged.count > Self.entriesMax, outcome.faults < cuts {
                outcome.entries += current.acknowledged.count
                current.close()
                counter = nil
            }
        }
        outcome.entries += counter?.acknowledged.count ?? 0
        if let keep, let counter {
            counter.close()
            if disk.isEnded { disk.restartAfterPowerCut() }
            disk.disarm()
            do throws(Violation) { try reopen(counter) } catch { outcome.note(error, "seed \(seed), the last book") }
            counter.close()
            FaultDisk.write(keep, FaultDisk.read(folder.book))
        }
        outcome.note = "\(books) books"
        return outcome
    }

    private func sellUntilCut(_ counter: FaultCounter, _ random: inout Seeded) throws(Violation) {
        if disk.isEnded { return }
        disk.arm(random.happens(50) ? .endBefore : .endAfter, after: random.pick(1...120))
        while !disk.isEnded {
            do throws(BookError) {
                if counter.book == nil { try counter.open() }
                try counter.step()
            } catch {
                // Only the cut may stop a sale here.
                guard disk.isEnded else { throw Violation("I1", "refused without a fault: \(error)") }
            }
        }
    }

    /// Opens, unless the cut that is armed falls first; then everything acknowledged is asked for.
    private func reopen(_ counter: FaultCounter) throws(Violation) {
        do throws(BookError) {
            try counter.open()
        } catch {
            guard disk.isEnded else { throw Violation("I4", "does not open: \(error)") }
            return
        }
        disk.disarm()
        guard !disk.isEnded else { return }
        try counter.check(isWhole: false)
        do throws(BookError) { try counter.performInFlight() } catch {
            throw Violation("I7", "asked again it is refused: \(error)")
        }
        try counter.check()
    }
}
