import Flash
import Glibc
import Ledger

/// A counter at work on a bad disk: performs steps on the real book, keeps what the book acknowledged, and holds the
/// book to it afterwards.
final class FaultCounter {
    let path: String
    private(set) var book: LedgerStore?
    var day: ShopDay
    private(set) var model = ShopModel()
    /// What the book said is written, in its order.
    private(set) var acknowledged: [Committed] = []
    private var remembered: [String: [UInt8]] = [:]
    private var receipted: Int64 = 0
    /// Asked and not answered: after the restart it is there, or not, and is asked again under the same ids.
    private var inFlight: (step: ShopDay.Step, ids: [ULID])?
    var now = CivilTime(day: CivilDay(year: 2026, month: 1, day: 15), hour: 9, minute: 0).wallTime()
    var wallQuality: Int64 = 3
    private var chance: Seeded

    init(path: String, seed: UInt64, device: [UInt8] = Array(1...16)) {
        self.path = path
        self.device = device
        day = ShopDay(seed: seed)
        chance = Seeded(seed ^ 0xABCD)
    }

    let device: [UInt8]
    /// Kept by whoever watches the clock.
    var clockFault: Violation?

    var configuration: LedgerConfiguration {
        LedgerConfiguration(
            deviceID: device, shopID: [UInt8](repeating: 9, count: 16), bootID: [UInt8](repeating: 7, count: 16),
            monotonicMilliseconds: { 5000 }, wallQuality: { [unowned self] in wallQuality },
            randomBytes: { [unowned self] in chance.bytes($0) })
    }

    func open() throws(BookError) { book = try LedgerStore.open(path: path, configuration: configuration) }
    func close() { book = nil }

    // MARK: Selling

    /// Takes one step. Throws what the book throws; the step is then in flight.
    func step() throws(BookError) {
        let step = day.next(model)
        let ids = (0..<4).map { _ in day.id() }
        now = now.adding(seconds: Int64(day.random.pick(1...240)))
        inFlight = (step, ids)
        try performInFlight()
    }

    /// One command that is not of the day's chance.
    func perform(_ command: Command) throws(BookError) {
        inFlight = (.command(command), (0..<4).map { _ in day.id() })
        try performInFlight()
    }

    var isInFlight: Bool { inFlight != nil }

    /// The book was restored: small state is not part of that.
    func wasRestored() { remembered = [:] }

    func holdsOnlyWhatWasAcknowledged() throws(Violation) -> Bool {
        do throws(BookError) { return try book?.head().seq == Int64(acknowledged.count) } catch {
            throw Violation("I4", "the book cannot be read: \(error)")
        }
    }

    /// It was refused in words: nobody asks again.
    func dropInFlight() { inFlight = nil }

    /// Asks again what was not answered.
    func performInFlight() throws(BookError) {
        guard let book, let (step, ids) = inFlight else { return }
        switch step {
        case .command(let command): acknowledge([command], try book.performAll([request(command, ids[0])]))
        case .bulk(let commands):
            acknowledge(commands, try book.performAll(zip(commands, ids).map { request($0, $1) }))
        case .remember(let key, let bytes):
            try book.remember(key, bytes)
            remembered[key] = bytes
        case .receipt:
            let head = try book.head()
            if head.seq > 0 {
                try book.advance(
                    to: SyncCursor(epoch: head.epoch, seq: head.seq, hash: head.hash, receipt: ids[0].bytes))
                receipted = head.seq
            }
        }
        inFlight = nil
    }

    private func request(_ command: Command, _ id: ULID) -> LedgerStore.Request {
        LedgerStore.Request(command, id: id, evidence: Evidence(confirmedBy: "voice"), at: now)
    }

    private func acknowledge(_ commands: [Command], _ committed: [Committed]) {
        for (command, one) in zip(commands, committed) {
            acknowledged.append(one)
            // Small state may name whom it is about, and goes with anybody.
            if case .eraseCustomer = command { remembered = [:] }
            model.apply(command, one.event, at: now)
        }
    }

    // MARK: The invariants

    /// Holds an opened book to everything it has acknowledged.
    /// - Parameters:
    ///   - isWhole: also the model and the replay, which are of use when nothing is in flight.
    ///   - newest: looks at so many of the newest entries alone; those before were looked at earlier.
    func check(isWhole: Bool = true, newest: Int = .max) throws(Violation) {
        guard let book else { return }
        do {
            let head = try book.head()
            let skipped = newest == .max ? 0 : max(0, min(acknowledged.count, Int(head.seq)) - newest)
            let events = try book.events(after: Int64(skipped), epoch: 1, limit: Int(head.seq) + 1)
            guard events.count == Int(head.seq) - skipped else {
                throw Violation("I3", "\(events.count + skipped) of \(head.seq) entries")
            }
            for one in acknowledged.dropFirst(skipped) {
                guard one.seq <= head.seq, events[Int(one.seq) - 1 - skipped].hash == one.hash,
                    events[Int(one.seq) - 1 - skipped].id == one.event
                else {
                    throw Violation("I1", "acknowledged entry \(one.seq) is not there; the book ends at \(head.seq)")
                }
            }
            var prev = skipped == 0 ? ChainLink.start : acknowledged[skipped - 1].hash
            for (seq, event) in zip(Int64(skipped + 1)..., events) {
                let hash = ChainLink.hash(device: device, epoch: 1, seq: seq, prev: prev, body: event.body)
                guard event.seq == seq, event.hash == hash else {
                    throw Violation("I3", "entry \(seq) breaks the chain")
                }
                prev = hash
            }
            try checkExtra(events.dropFirst(acknowledged.count - skipped).map(\.id))
            guard Set(events.map(\.id)).count == events.count else { throw Violation("I7", "one id twice") }
            try checkSmallState(book)
            guard isWhole else { return }
            let report = try book.verify()
            guard report.valid else { throw Violation("I4", report.reason ?? "not valid") }
            if inFlight == nil { try checkModel(book) }
        } catch let violation as Violation {
            throw violation
        } catch {
            throw Violation("I4", "the book cannot be read: \(error)")
        }
    }

    /// Nothing is there that nobody asked for, and of a transaction all or nothing.
    private func checkExtra(_ extra: [ULID]) throws(Violation) {
        guard !extra.isEmpty else { return }
        let asked: Int
        switch inFlight?.step {
        case .command: asked = 1
        case .bulk(let commands): asked = commands.count
        default: asked = 0
        }
        guard extra == Array((inFlight?.ids ?? []).prefix(asked)) else {
            throw Violation("I7", "\(extra.count) entries that were not asked for, or half of a transaction")
        }
    }

    private func checkSmallState(_ book: LedgerStore) throws {
        for (key, bytes) in remembered {
            let held = try book.recall(key)
            var allowed: [[UInt8]?] = [bytes]
            switch inFlight?.step {
            case .remember(key, let asked): allowed.append(asked)
            case .command(.eraseCustomer): allowed.append(nil)
            default: break
            }
            guard allowed.contains(held) else { throw Violation("I1", "what was remembered is not there") }
        }
        let cursor = try book.cursor()
        guard cursor.seq >= receipted else { throw Violation("I1", "the receipt is not there") }
        guard cursor.seq > 0 else { return }
        guard try book.events(after: cursor.seq - 1, epoch: 1, limit: 1).first?.hash == cursor.hash else {
            throw Violation("I6", "the receipt is of another chain")
        }
    }

    private func checkModel(_ book: LedgerStore) throws {
        var sum: Int64 = 0
        for event in try book.events(after: 0, epoch: 1, limit: 1 << 30) {
            for posting in try JournalEntry(decoding: event.body).postings { sum += posting.amount.rawValue }
        }
        guard sum == 0 else { throw Violation("I2", "the postings sum to \(sum)") }
        guard model.events == acknowledged.count else { throw Violation("I7", "the harness lost count") }
        for (customer, amount) in model.balances {
            let held = try book.balance(of: CustomerID(rawValue: customer)).rawValue
            guard held == amount else { throw Violation("I7", "customer \(customer) owes \(held), not \(amount)") }
        }
        for product in try book.products() where product.stock.rawValue != model.stock[product.id.rawValue] {
            throw Violation("I7", "stock of product \(product.id.rawValue)")
        }
        var next: [Int64: Int64] = [:]
        for invoice in try book.invoices(of: nil, limit: 1 << 20).reversed() {
            let year = CivilTime(invoice.at).day.financialYear
            next[year, default: 0] += 1
            let digits = String(next[year]!)
            let number = "A01/\(year % 100)-" + String(repeating: "0", count: max(0, 7 - digits.count)) + digits
            guard invoice.number == number, invoice.number.utf8.count <= 16 else {
                throw Violation("I5", "\(invoice.number) where \(number) follows")
            }
        }
        guard next == model.numbers else { throw Violation("I5", "numbers given out: \(next), not \(model.numbers)") }
    }
}

/// A folder of one book, emptied and used again.
final class FaultFolder {
    let path: String

    init() {
        // In memory where there is such a place: the disk's own speed is not what is tried here.
        let parent = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"
        var template = Array("\(parent)/execora-faults-XXXXXX".utf8CString)
        path = template.withUnsafeMutableBufferPointer { String(cString: mkdtemp($0.baseAddress!)) }
    }

    var book: String { path + "/book.sqlite" }

    func empty() { Self.empty(path) }

    private static func empty(_ folder: String) {
        for name in names(of: folder) where unlink(folder + "/" + name) != 0 {
            empty(folder + "/" + name)
            rmdir(folder + "/" + name)
        }
    }

    static func names(of path: String) -> [String] {
        (try? Flash.names(in: path)) ?? []
    }

    deinit {
        empty()
        rmdir(path)
    }
}
