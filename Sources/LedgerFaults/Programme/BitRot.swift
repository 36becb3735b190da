import Glibc
import Ledger

/// Every byte of a small book changes by one bit, as old flash does it: noticed, or without consequence; never a crash,
/// never another sum. What is noticed is mended from the journal, or from the copy beside the book.
public struct BitRot {
    let seed: UInt64
    private let folder = FaultFolder()

    public init(seed: UInt64) { self.seed = seed }

    /// - Parameter every: changes each byte (1), or one in so many.
    /// - Parameter mendEvery: of the flips that were noticed, how many are also mended.
    public func run(every: Int = 1, mendEvery: Int = 40, progress: (Int) -> Void = { _ in }) -> FaultOutcome {
        var outcome = FaultOutcome(part: "one bit of every byte")
        do { try flipAll(every, mendEvery, &outcome, progress) } catch { outcome.note(error, "seed \(seed)") }
        return outcome
    }

    private func flipAll(
        _ every: Int, _ mendEvery: Int, _ outcome: inout FaultOutcome, _ progress: (Int) -> Void
    ) throws(Violation) {
        let counter = FaultCounter(path: folder.book, seed: seed)
        let events: [StoredEvent]
        let copy: String
        do {
            try counter.open()
            for _ in 0..<30 { try counter.step() }
            events = try counter.book?.events(after: 0, epoch: 1, limit: 1000) ?? []
            copy = try counter.book?.backup().path ?? ""
        } catch { throw Violation("I1", "a small book cannot be made: \(error)") }
        outcome.entries = events.count
        counter.close()
        let clean = FaultDisk.read(folder.book)
        let journal = Self.places(of: events, in: clean)
        outcome.places = clean.count
        let flipped = folder.path + "/flipped.sqlite"
        FaultDisk.write(flipped, clean)
        var (noticed, inJournal, noticedInJournal, mended) = (0, 0, 0, 0)
        for index in stride(from: Int(seed) % every, to: clean.count, by: every) {
            let bit = UInt8(1) << UInt8((index / every) % 8)
            Self.put(clean[index] ^ bit, at: index, in: flipped)
            outcome.faults += 1
            if journal[index] { inJournal += 1 }
            var isNoticed = true
            do {
                let book = try LedgerStore.inspect(path: flipped)
                isNoticed = try !book.verify().valid
                if !isNoticed, try book.events(after: 0, epoch: 1, limit: 1000) != events {
                    outcome.note(Violation("I3", "another journal verifies"), "byte \(index)")
                }
            } catch {}
            if journal[index], !isNoticed {
                outcome.note(Violation("I3", "a flip in the journal is not noticed"), "byte \(index)")
            }
            if isNoticed {
                noticed += 1
                if journal[index] { noticedInJournal += 1 }
                if noticed % mendEvery == 0 {
                    do throws(Violation) { try mend(clean, index, bit, copy, events) } catch {
                        outcome.note(error, "byte \(index)")
                    }
                    mended += 1
                }
            }
            Self.put(clean[index], at: index, in: flipped)
            if index % 10_000 < every { progress(index) }
        }
        outcome.note = "\(noticed) noticed, \(noticedInJournal) of \(inJournal) in journal rows, \(mended) mended"
    }

    /// As the technician does it: projections anew from the journal, or where that is hurt, `restore` from the copy.
    private func mend(
        _ clean: [UInt8], _ index: Int, _ bit: UInt8, _ copy: String, _ events: [StoredEvent]
    ) throws(Violation) {
        let path = folder.path + "/mended.sqlite"
        for end in ["-wal", "-shm"] { unlink(path + end) }
        var bytes = clean
        bytes[index] ^= bit
        FaultDisk.write(path, bytes)
        do {
            do { _ = try LedgerStore.take(path: path).rebuild() } catch {
                FaultDisk.write(path, bytes)
                for end in ["-wal", "-shm"] { unlink(path + end) }
                try restore(path, from: copy, index)
            }
            let book = try LedgerStore.inspect(path: path)
            let report = try book.verify()
            guard report.valid else { throw Violation("I4", "not mended: \(report.reason ?? "")") }
            guard try book.events(after: 0, epoch: 1, limit: 1000) == events else {
                throw Violation("I1", "mended, it is another journal")
            }
        } catch let violation as Violation { throw violation } catch {
            throw Violation("I4", "cannot be mended: \(error)")
        }
    }

    /// Where nothing of the damaged book can be read, nobody can know that the copy has its last entry: it is refused,
    /// and then ordered.
    private func restore(_ path: String, from copy: String, _ index: Int) throws(BookError) {
        func run(acceptsLoss: Bool) throws(BookError) {
            _ = try Restore(book: path).run(
                from: copy, acceptsLoss: acceptsLoss, at: WallTime(milliseconds: 1_768_444_200_000),
                id: ULID(high: 1, low: UInt64(index)))
        }
        do throws(BookError) { try run(acceptsLoss: false) } catch {
            guard case .unavailable = error else { throw error }
            try run(acceptsLoss: true)
        }
    }

    /// Which bytes of the file are those of an event's body or hash.
    private static func places(of events: [StoredEvent], in bytes: [UInt8]) -> [Bool] {
        var places = [Bool](repeating: false, count: bytes.count)
        for event in events {
            for part in [event.body, event.hash] {
                guard let start = find(part, in: bytes) else { continue }
                for index in start..<start + part.count { places[index] = true }
            }
        }
        return places
    }

    private static func find(_ part: [UInt8], in bytes: [UInt8]) -> Int? {
        bytes.withUnsafeBytes { all in
            var at = 0
            while at + part.count <= all.count {
                guard let next = memchr(all.baseAddress! + at, Int32(part[0]), all.count - part.count - at + 1) else {
                    return nil
                }
                if memcmp(next, part, part.count) == 0 { return UnsafeRawPointer(next) - all.baseAddress! }
                at = UnsafeRawPointer(next) - all.baseAddress! + 1
            }
            return nil
        }
    }

    private static func put(_ byte: UInt8, at index: Int, in path: String) {
        let file = open(path, O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { return }
        withUnsafeBytes(of: byte) { _ = pwrite(file, $0.baseAddress, 1, off_t(index)) }
        close(file)
    }
}
