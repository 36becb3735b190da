import ArgumentParser
import Glibc
import JSONText

struct ExactlyOnceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "exactly-once",
        abstract: "Prove on a running gateway that a bad line loses and doubles nothing.",
        discussion: """
            Enrols made-up counters and lets each send its entries with the device's own sync through a line of our own \
            that refuses, delays and cuts connections anywhere, while batches are also sent twice and old ones come \
            again; then compares every head and counts every entry. The gateway's sync_burst must be 10000. The same \
            seed gives the same faults. Prints one JSON line; exit code 1 when anything is lost or doubled.
            """)

    @OptionGroup
    var gateway: ServingOptions

    @Option(help: "Counters.")
    var devices = 20

    @Option(help: "Entries in all.")
    var entries = 1_000_000

    @Option(help: "Entries a batch at most.")
    var batchEntries = 500

    @Option(help: "The seed of all faults.")
    var seed: UInt64 = 1

    @Flag(help: "A line without faults, and nothing sent twice: for measuring.")
    var clean = false

    @Option(help: "Bits a second that the line carries each way; without it as fast as the machine.")
    var bitsPerSecond: Int64?

    @Flag(help: "Real books of spoken payments instead of invented entries.")
    var payments = false

    @Option(help: "With --payments: an existing folder in which the books are kept as files, as on a device.")
    var book: String?

    func validate() throws {
        guard (1...1000).contains(devices), entries >= devices, (1...1000).contains(batchEntries) else {
            throw ValidationError("devices 1 to 1000, entries at least one each, batch-entries 1 to 1000")
        }
    }

    func run() async throws {
        try await ending {
            let (folder, fleet) = try await gateway.fleet.open()
            let before = try await fleet.entriesHeld()
            var run = BadLineRun(
                devices: devices, entries: entries, batchEntries: batchEntries, seed: seed,
                trustPEM: try folder.text(folder.rootCertificate, secret: false), enrolPort: gateway.enrolPort,
                devicePort: gateway.devicePort)
            if clean { run.line = .init() }
            run.line.bitsPerSecond = bitsPerSecond
            (run.repeats, run.isReal, run.books) = (!clean, payments, book)
            let result = try await run.go(fleet: fleet)
            let held = try await fleet.entriesHeld() - before
            let expected = Int64(devices * (entries / devices))
            let line: JSONValue = [
                "bench": "sync.exactly_once", "value": .integer(held), "unit": "entries",
                "expected": .integer(expected), "heads_equal": .bool(result.headsEqual),
                "milliseconds": .integer(result.milliseconds), "bytes": .integer(Int64(result.bytes)),
                "bits_per_second": JSONValue(bitsPerSecond), "tries": .integer(Int64(result.tries)),
                "sent_twice_or_late": .integer(Int64(result.doubled)), "connections_cut": .integer(Int64(result.cut)),
                "connections_refused": .integer(Int64(result.refused)), "pieces_late": .integer(Int64(result.late)),
                "seed": .string(String(seed)), "book_bytes": JSONValue(result.bookBytes),
            ]
            print(line.text)
            guard held == expected, result.headsEqual else { throw ExitCode(1) }
        }
    }
}

/// Many counters behind one bad line.
struct BadLineRun: Sendable {
    var devices: Int
    var entries: Int
    var batchEntries: Int
    var seed: UInt64
    var trustPEM: String
    var enrolPort: Int
    var devicePort: Int
    var line = FaultProxy.Line(
        refusedPerMille: 50, cutPerMille: 600, cutBytesMax: 400_000, latePerMille: 20, delayMilliseconds: 40)

    var repeats = true
    var isReal = false
    /// A folder for the books of real payments; nil keeps them in memory.
    var books: String?

    struct Result: Sendable {
        var headsEqual: Bool
        var tries: Int
        var doubled: Int
        var cut: Int
        var refused: Int
        var late: Int
        var milliseconds: Int64
        /// Over the line, both ways, TLS and HTTP included.
        var bytes: Int
        /// Of all books, where they are files.
        var bookBytes: Int64?
    }

    func go(fleet: Fleet) async throws -> Result {
        let proxy = try await FaultProxy.start(to: devicePort, line: line, seed: seed)
        var counters: [BadLineCounter] = []
        var random = SplitMix(state: seed)
        for index in 0..<devices {
            let code = try await fleet.newCode(
                shop: "bad line \(index % 7)", life: .seconds(600), nowMilliseconds: SystemClock.milliseconds()
            ).code
            let counter = try await VirtualCounter.enrolled(
                code: code.description, trustPEM: trustPEM, host: "localhost", enrolPort: enrolPort,
                devicePort: proxy.port)
            counters.append(
                try BadLineCounter(
                    counter, entries: entries / devices, batchEntries: batchEntries, bodyBytes: 80,
                    isReal: isReal, bookPath: books.map { "\($0)/book-\(index).sqlite" }, repeats: repeats,
                    seed: random.next()))
        }
        let start = ContinuousClock.now
        let heads = try await withThrowingTaskGroup(of: [UInt8].self) { group in
            for counter in counters { group.addTask { try await counter.drain().hash } }
            return try await group.reduce(into: Set<[UInt8]>()) { $0.insert($1) }
        }
        let took = (ContinuousClock.now - start).milliseconds
        let held = Set(try await fleet.heads().map(\.hash))
        var (tries, doubled) = (0, 0)
        for counter in counters {
            tries += await counter.tries
            doubled += await counter.doubled
            try await counter.end()
        }
        try await proxy.end()
        let bookBytes = books.map { books in
            (0..<devices).map { Self.fileBytes("\(books)/book-\($0).sqlite") }.reduce(0, +)
        }
        return Result(
            headsEqual: heads.count == devices && heads.isSubset(of: held), tries: tries, doubled: doubled,
            cut: proxy.cut, refused: proxy.refused, late: proxy.late, milliseconds: took,
            bytes: proxy.bytes, bookBytes: bookBytes)
    }

    /// A book with its log.
    private static func fileBytes(_ path: String) -> Int64 {
        ["", "-wal"].reduce(0) { sum, suffix in
            var status = stat()
            return stat(path + suffix, &status) == 0 ? sum + Int64(status.st_size) : sum
        }
    }
}
