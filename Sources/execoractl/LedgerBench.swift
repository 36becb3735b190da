import Glibc
import JSONText
import Ledger

/// Appends payments to a book at full durability and says how many a second it took. Without `--book` the book is a new
/// file in the current folder, removed afterwards: the figure is that folder's disk, not the machine's memory.
struct LedgerBench {
    var call: LedgerCall

    /// Customers that pay in turn.
    static let customerCount = 500

    func run() throws(BookError) -> Int32 {
        let path = call.book ?? "execora-bench-\(getpid()).sqlite"
        defer { if call.book == nil { for end in ["", "-wal", "-shm", ".lock"] { unlink(path + end) } } }
        if call.opens {
            try measureOpening(path)
            return 0
        }
        let isGood = try measure(LedgerStore.open(path: path, configuration: configuration))
        guard isGood, !call.acknowledges else { return isGood ? 0 : 1 }
        try measureOpening(path)
        return 0
    }

    /// What a start costs and, in a process that did nothing before (`--open`), what the open book takes of memory after
    /// some sales and a balance of everybody.
    private func measureOpening(_ path: String) throws(BookError) {
        let before = Self.pssKilobytes
        let start = now()
        let store = try LedgerStore.open(path: path, configuration: configuration)
        report("ledger.open", (now() - start) / 1000, "us")
        let customers = try store.customers().map(\.id)
        for index in 0..<200 { _ = try store.performAll([payment(customers, index)]) }
        for customer in customers { _ = try store.balance(of: customer) }
        if call.opens { report("ledger.open.memory", Self.pssKilobytes - before, "kB PSS") }
    }

    /// Proportional set size of this process, from /proc.
    private static var pssKilobytes: Int64 {
        guard let file = fopen("/proc/self/smaps_rollup", "r") else { return 0 }
        defer { fclose(file) }
        var text = [UInt8](repeating: 0, count: 4096)
        let count = fread(&text, 1, text.count, file)
        for line in String(decoding: text[..<count], as: UTF8.self).split(separator: "\n") where line.hasPrefix("Pss:")
        {
            return line.split(separator: " ").dropFirst().first.flatMap { Int64($0) } ?? 0
        }
        return 0
    }

    /// - Returns: false when the book does not verify afterwards.
    private func measure(_ store: LedgerStore) throws(BookError) -> Bool {
        let customers = try prepare(store)
        var times = try append(to: store, customers)
        guard !call.acknowledges else { return true }
        let name = call.batch == 1 ? "ledger.payment" : "ledger.payment.batch\(call.batch)"
        report(name, Int64(call.entries) * 1_000_000_000 / max(1, times.reduce(0, +)), "entries/s")
        report("\(name).commit.p50.ns", percentile(50, of: &times), "ns")
        report("\(name).commit.p50", percentile(50, of: &times) / 1000, "us")
        report("\(name).commit.p99", percentile(99, of: &times) / 1000, "us")
        times = []
        for round in 0..<20 * customers.count {
            let before = now()
            _ = try store.balance(of: customers[round % customers.count])
            times.append(now() - before)
        }
        report("ledger.balance.p99", percentile(99, of: &times), "ns")
        let start = now()
        let verified = try store.verify()
        report("ledger.verify", verified.entries * 1_000_000_000 / max(1, now() - start), "entries/s")
        let facts = try store.facts()
        report("ledger.size", (facts.pages - facts.freePages) * facts.pageBytes / max(1, facts.events), "bytes/entry")
        guard verified.valid, facts.findings.isEmpty else {
            let reason = verified.reason ?? facts.findings.joined(separator: ", ")
            LedgerCall.standardError("execoractl ledger bench: the book is not good afterwards: \(reason)")
            return false
        }
        return true
    }

    /// - Returns: how long each commit took, in nanoseconds.
    private func append(to store: LedgerStore, _ customers: [CustomerID]) throws(BookError) -> [Int64] {
        var times: [Int64] = []
        times.reserveCapacity(call.entries / call.batch + 1)
        var done = 0
        while done < call.entries {
            let requests = (0..<min(call.batch, call.entries - done)).map { payment(customers, done + $0) }
            let before = now()
            let committed = try store.performAll(requests)
            times.append(now() - before)
            done += requests.count
            if call.acknowledges { acknowledge(committed) }
        }
        return times
    }

    private func percentile(_ share: Int, of times: inout [Int64]) -> Int64 {
        times.sort()
        return times[times.count * share / 100]
    }

    private var configuration: LedgerConfiguration {
        LedgerConfiguration(
            deviceID: [UInt8](repeating: 0xBE, count: 16), shopID: [UInt8](repeating: 0xBE, count: 16),
            bootID: [UInt8](repeating: 1, count: 16), monotonicMilliseconds: { now() / 1_000_000 })
    }

    /// The customers of an earlier run, or new ones, each owing enough to pay for long.
    private func prepare(_ store: LedgerStore) throws(BookError) -> [CustomerID] {
        let known = try store.customers().map(\.id)
        if known.count >= Self.customerCount { return known }
        let requests = (known.count..<Self.customerCount).map {
            LedgerStore.Request(
                .createCustomer(CustomerDetails(name: "Customer \($0)"), opening: Paise(1_000_000_000)), id: newID(),
                evidence: Evidence(confirmedBy: "technician"), at: wall)
        }
        return known
            + (try store.performAll(requests)).compactMap {
                if case .customer(let id) = $0.outcome { id } else { nil }
            }
    }

    /// As much evidence as a spoken payment carries.
    private func payment(_ customers: [CustomerID], _ index: Int) -> LedgerStore.Request {
        let split = PaymentSplit(amount: Paise(Int64(1 + index % 1000) * 100), mode: index % 3 == 0 ? .upi : .cash)
        let evidence = Evidence(
            turn: newID(), transcriptHash: [UInt8](repeating: UInt8(index & 255), count: 32), confidenceMilli: 930,
            confirmedBy: "voice")
        return LedgerStore.Request(
            .receivePayment(customers[index % customers.count], [split]), id: newID(), evidence: evidence, at: wall)
    }

    private var wall: WallTime { WallTime(milliseconds: Int64(time(nil)) * 1000) }

    private func newID() -> ULID {
        var random = SystemRandomNumberGenerator()
        return ULID(at: wall, using: &random)
    }

    /// One line an entry, out of the process before the next commit: what a test may hold the book to.
    private func acknowledge(_ committed: [Committed]) {
        for one in committed {
            let line = Array("\(one.seq) \(one.hash.hexText) \(one.event)\n".utf8)
            _ = write(1, line, line.count)
        }
    }

    private func report(_ bench: String, _ value: Int64, _ unit: String) {
        print(
            JSONValue.object([
                JSONValue.Member("bench", .string(bench)), JSONValue.Member("value", .integer(value)),
                JSONValue.Member("unit", .string(unit)), JSONValue.Member("peer", .null),
                JSONValue.Member("ratio", .null),
            ]).text)
    }
}

/// CLOCK_MONOTONIC in nanoseconds.
private func now() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}
