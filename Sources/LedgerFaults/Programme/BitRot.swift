import Glibc
import Ledger

/// Every byte of a small book changes by one bit, as old flash does it: noticed, or without consequence; never a crash,
/// never another sum. What is noticed is mended as a technician mends it: projections anew from the journal, and where
/// that is not enough, `restore` from the other copies.
public struct BitRot {
    /// What else the shop has: a backup of this evening, or one of noon and the gateway's copy of the journal.
    enum Copies: CaseIterable { case backup, olderBackupAndGateway }

    let seed: UInt64
    private let folder = FaultFolder()

    public init(seed: UInt64) { self.seed = seed }

    /// The day's end, what was in it, and the two backups.
    private struct Evening {
        var clean: [UInt8]
        var events: [StoredEvent]
        var backup: [UInt8] = []
        var olderBackup: [UInt8] = []
    }

    private struct Counts {
        var noticed = 0
        var inJournal = 0
        var noticedInJournal = 0
        var rebuilt = 0
        var restored = 0
        var ordered = 0
        var notes = 0
    }

    /// - Parameter every: changes each byte (1), or one in so many.
    public func run(every: Int = 1, progress: (Int) -> Void = { _ in }) -> FaultOutcome {
        var outcome = FaultOutcome(part: "one bit of every byte")
        do { try flipAll(try evening(), every, &outcome, progress) } catch { outcome.note(error, "seed \(seed)") }
        return outcome
    }

    private func evening() throws(Violation) -> Evening {
        let counter = FaultCounter(path: folder.book, seed: seed)
        var evening = Evening(clean: [], events: [])
        do {
            try counter.open()
            for _ in 0..<20 { try counter.step() }
            evening.olderBackup = FaultDisk.read(try counter.book?.backup().path ?? "")
            for _ in 0..<10 { try counter.step() }
            evening.backup = FaultDisk.read(try counter.book?.backup().path ?? "")
            evening.events = try counter.book?.events(after: 0, epoch: 1, limit: 1000) ?? []
        } catch { throw Violation("I1", "a small book cannot be made: \(error)") }
        counter.close()
        evening.clean = FaultDisk.read(folder.book)
        folder.empty()
        return evening
    }

    private func flipAll(
        _ evening: Evening, _ every: Int, _ outcome: inout FaultOutcome, _ progress: (Int) -> Void
    ) throws(Violation) {
        let (clean, events) = (evening.clean, evening.events)
        outcome.entries = events.count
        let journal = Self.places(of: events, in: clean)
        outcome.places = clean.count
        let flipped = folder.path + "/flipped.sqlite"
        FaultDisk.write(flipped, clean)
        var counts = Counts()
        for index in stride(from: Int(seed) % every, to: clean.count, by: every) {
            let bit = UInt8(1) << UInt8((index / every) % 8)
            Self.put(clean[index] ^ bit, at: index, in: flipped)
            outcome.faults += 1
            if journal[index] { counts.inJournal += 1 }
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
                counts.noticed += 1
                if journal[index] { counts.noticedInJournal += 1 }
                let copies = Copies.allCases[counts.noticed % 2]
                do throws(Violation) { try mend(evening, index, bit, copies, &counts) } catch {
                    outcome.note(error, "byte \(index), bit \(bit), \(copies)")
                }
            }
            Self.put(clean[index], at: index, in: flipped)
            if index % 10_000 < every { progress(index) }
        }
        outcome.note =
            "\(counts.noticed) noticed, \(counts.noticedInJournal) of \(counts.inJournal) in journal rows; mended all: "
            + "\(counts.rebuilt) by rebuild, \(counts.restored) by restore, \(counts.ordered) of them where the flip hid "
            + "which entry is the newest; \(counts.notes) notes lost"
    }

    /// As the technician does it.
    private func mend(
        _ evening: Evening, _ index: Int, _ bit: UInt8, _ copies: Copies, _ counts: inout Counts
    ) throws(Violation) {
        let place = FaultFolder()
        var bytes = evening.clean
        bytes[index] ^= bit
        FaultDisk.write(place.book, bytes)
        let backup = copies == .backup ? evening.backup : evening.olderBackup
        FaultDisk.write(place.book + ".backup-000000000001", backup)
        do {
            if try rebuildHelps(place.book) {
                counts.rebuilt += 1
            } else {
                try restore(place.book, copies == .backup ? nil : evening.events, index, &counts)
                counts.restored += 1
            }
            let book = try LedgerStore.inspect(path: place.book)
            let report = try book.verify()
            guard report.valid else { throw Violation("I4", "not mended: \(report.reason ?? "")") }
            guard try book.events(after: 0, epoch: 1, limit: 1000) == evening.events else {
                throw Violation("I1", "mended, it is another journal")
            }
        } catch let violation as Violation { throw violation } catch {
            throw Violation("I4", "cannot be mended: \(error)")
        }
    }

    private func rebuildHelps(_ path: String) throws(BookError) -> Bool {
        do throws(BookError) {
            let book = try LedgerStore.take(path: path)
            try book.rebuild()
        } catch { return false }
        // Read anew, as whoever opens it next will read it.
        do throws(BookError) { return try LedgerStore.inspect(path: path).verify().valid } catch { return false }
    }

    /// Where nothing of the damaged book can be read, nobody can know that a copy has its last entry: it is refused, and
    /// then ordered.
    private func restore(
        _ path: String, _ gateway: [StoredEvent]?, _ index: Int, _ counts: inout Counts
    ) throws(BookError) {
        func fetch(_ store: LedgerStore) throws(BookError) {
            guard let gateway, let last = gateway.last else { return }
            let head = try store.head()
            guard head.seq < last.seq else { return }
            try store.takeBack(
                gateway.filter { $0.seq > head.seq }.map(\.body),
                to: ChainHead(epoch: last.epoch, seq: last.seq, hash: last.hash))
        }
        func run(acceptsLoss: Bool) throws(BookError) {
            let report = try Restore(book: path).run(
                from: nil, acceptsLoss: acceptsLoss, at: WallTime(milliseconds: 1_768_444_200_000),
                id: ULID(high: 1, low: UInt64(index)), fetch: gateway == nil ? nil : fetch)
            counts.notes += Int(report.notesLost)
        }
        do throws(BookError) { try run(acceptsLoss: false) } catch {
            guard case .unavailable = error else { throw error }
            counts.ordered += 1
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

    static func find(_ part: [UInt8], in bytes: [UInt8]) -> Int? {
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
