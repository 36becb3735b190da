import Glibc
import Ledger

/// A book of an earlier version becomes one of this version, ended before and after every call of that: afterwards it is
/// the old book or the new one, and opening it again finishes the work. Its journal is the same byte for byte.
public struct MigrationKills {
    let disk: FaultDisk
    let seed: UInt64
    private let old: [UInt8]
    private let folder = FaultFolder()

    /// - Parameter book: a file as the earlier version left it, of the device that the tests' fixtures are of.
    public init(disk: FaultDisk, seed: UInt64, book: String) {
        self.disk = disk
        self.seed = seed
        old = FaultDisk.read(book)
    }

    public func run(every: Int) -> FaultOutcome {
        var outcome = FaultOutcome(part: "change of version, ended at every call")
        do throws(Violation) {
            guard !old.isEmpty else { throw Violation("I1", "there is no book of an earlier version") }
            let counter = start()
            let before = disk.operations
            let journal = try open(counter)
            let calls = disk.operations - before
            outcome.entries = journal.count
            outcome.places = calls * 2
            counter.close()
            for call in stride(from: 1, through: calls, by: every) {
                for fault in [FaultDisk.Fault.endBefore, .endAfter] {
                    for cutsPower in [false, true] {
                        do throws(Violation) { try end(fault, at: call, cutsPower, journal) } catch {
                            outcome.note(error, "call \(call), \(fault), power \(cutsPower)")
                        }
                        outcome.faults += 1
                    }
                }
            }
        } catch { outcome.note(error, "seed \(seed)") }
        outcome.note = "each by a kill and by a power cut"
        return outcome
    }

    private func start() -> FaultCounter {
        folder.empty()
        disk.forget()
        FaultDisk.write(folder.book, old)
        return FaultCounter(path: folder.book, seed: seed, device: Array(0..<16))
    }

    private func end(
        _ fault: FaultDisk.Fault, at call: Int, _ cutsPower: Bool, _ journal: [StoredEvent]
    ) throws(Violation) {
        let counter = start()
        disk.arm(fault, after: call)
        do throws(BookError) { try counter.open() } catch {
            guard disk.isEnded else { throw Violation("I1", "refused without a fault: \(error)") }
        }
        counter.close()
        if cutsPower { disk.restartAfterPowerCut() } else { disk.restartAfterKill() }
        guard try open(counter) == journal else { throw Violation("I1", "the journal is another one") }
        counter.close()
    }

    /// Opens, and gives the journal of a book that verifies.
    private func open(_ counter: FaultCounter) throws(Violation) -> [StoredEvent] {
        do {
            try counter.open()
            guard let book = counter.book else { return [] }
            let report = try book.verify()
            guard report.valid else { throw Violation("I4", report.reason ?? "not valid") }
            return try book.events(after: 0, epoch: 1, limit: 1 << 20)
        } catch let violation as Violation { throw violation } catch {
            throw Violation("I4", "does not open: \(error)")
        }
    }
}
