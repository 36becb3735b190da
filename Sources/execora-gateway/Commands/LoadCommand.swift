import ArgumentParser
import Glibc
import JSONText
import Ledger
import Seals

struct LoadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load",
        abstract: "Measure a running gateway with made-up counters: real TLS, signatures, batches and receipts.",
        discussion: """
            Enrols --devices new counters, each in a shop of its own, and lets each send --batches, one after another over \
            its own line, every receipt checked. With --at-once the counters are a fleet of up to 1,000,000 instead, in \
            shops of four: their keys and certificates are made beforehand with the state folder's authority, and they \
            come in turn, so many at a time: each opens its line, sends, and goes. Use a state folder made for it: the \
            counters stay. The gateway's sync_burst must be at least --batches. Prints one JSON line.
            """)

    @OptionGroup
    var gateway: ServingOptions

    @Option(help: "Host of the gateway.")
    var host = "localhost"

    @Option(help: "Counters, 1 to 1000; with --at-once 1 to 1,000,000.")
    var devices = 20

    @Option(help: "A fleet of which so many have a line open at any time.")
    var atOnce: Int?

    @Option(help: "Batches a counter.")
    var batches = 50

    @Option(help: "Entries a batch.")
    var entries = 20

    @Option(help: "Bytes of an entry's content; a real entry's body is about 90.")
    var bodyBytes = 80

    @Option(help: "Seconds that every line stays open behind its last batch; the result is printed before.")
    var hold = 0

    func validate() throws {
        guard (1...(atOnce == nil ? 1000 : 1_000_000)).contains(devices), (1...4000).contains(atOnce ?? 1),
            batches > 0, (1...1000).contains(entries), (0...4096).contains(bodyBytes)
        else {
            throw ValidationError(
                "devices 1 to 1000 (1,000,000 with at-once), at-once 1 to 4000, batches 1 or more, entries 1 to 1000, body-bytes 0 to 4096"
            )
        }
    }

    func run() async throws {
        try await ending { if let atOnce { try await runFleet(atOnce) } else { try await runCounters() } }
    }

    private func runCounters() async throws {
        let (folder, fleet) = try await gateway.fleet.open()
        let trust = try folder.text(folder.rootCertificate, secret: false)
        var counters: [VirtualCounter] = []
        for index in 0..<devices {
            let code = try await fleet.newCode(
                shop: Self.shop(index, of: fleet), life: .seconds(600), nowMilliseconds: SystemClock.milliseconds()
            ).code
            counters.append(
                try await .enrolled(
                    code: code.description, trustPEM: trust, host: host, enrolPort: gateway.enrolPort,
                    devicePort: gateway.devicePort))
        }
        // What is sent was written before, and lines are open before the first sale of a day.
        var ready: [(counter: VirtualCounter, line: DeviceLine, events: [[StoredEvent]])] = []
        for index in counters.indices {
            var events: [[StoredEvent]] = []
            for _ in 0..<batches { events.append(counters[index].invented(entries, bodyBytes: bodyBytes)) }
            ready.append((counters[index], try await counters[index].open(), events))
        }
        let clock = ContinuousClock()
        let start = clock.now
        let rounds = try await withThrowingTaskGroup(of: [Duration].self) { group in
            for one in ready {
                group.addTask {
                    var (counter, rounds) = (one.counter, [Duration]())
                    for batch in one.events {
                        let sent = clock.now
                        try await counter.sendBatch(batch, over: one.line)
                        rounds.append(clock.now - sent)
                    }
                    return rounds
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }.sorted()
        }
        let took = clock.now - start
        let total = Int64(rounds.count * entries)
        tell([
            .init("bench", "sync_entries_per_second"), .init("devices", .integer(Int64(devices))),
            .init("entries", .integer(total)), .init("entries_per_batch", .integer(Int64(entries))),
            .init("value", .integer(total * 1000 / max(1, took.milliseconds))), .init("unit", "entries/s"),
            .init("batches_per_second", .integer(Int64(rounds.count) * 1000 / max(1, took.milliseconds))),
            .init("round_p50_ms", .integer(Self.share(rounds, 50))),
            .init("round_p99_ms", .integer(Self.share(rounds, 99))),
        ])
        if hold > 0 { try await Task.sleep(for: .seconds(hold)) }
        for one in ready {
            await one.line.end()
            try await one.counter.end()
        }
    }

    private func runFleet(_ atOnce: Int) async throws {
        let (folder, fleet) = try await gateway.fleet.open()
        let clock = ContinuousClock()
        var start = clock.now
        let made = try await VirtualFleet.made(
            devices, authority: folder.authority(), fleet: fleet, nowMilliseconds: SystemClock.milliseconds())
        let making = clock.now - start
        let place = try VirtualCounter.Place(
            host: host, devicePort: gateway.devicePort, trustPEM: folder.text(folder.rootCertificate, secret: false))
        start = clock.now
        let result = try await made.go(
            atOnce: min(atOnce, devices), batches: batches, entries: entries, bodyBytes: bodyBytes, place: place,
            receiptKey: folder.receiptKey().verifyingKey)
        let took = (clock.now - start).milliseconds
        let (contacts, rounds) = (result.contacts.sorted(), result.rounds.sorted())
        tell([
            .init("bench", "fleet_devices_per_second"), .init("devices", .integer(Int64(contacts.count))),
            .init("value", .integer(Int64(contacts.count) * 1000 / max(1, took))), .init("unit", "devices/s"),
            .init("entries", .integer(Int64(rounds.count * entries))), .init("milliseconds", .integer(took)),
            .init("making_ms", .integer(making.milliseconds)),
            .init("rounds_per_second", .integer(Int64(rounds.count) * 1000 / max(1, took))),
            .init("contact_p50_ms", .integer(Self.share(contacts, 50))),
            .init("contact_p99_ms", .integer(Self.share(contacts, 99))),
            .init("round_p50_ms", .integer(Self.share(rounds, 50))),
            .init("round_p99_ms", .integer(Self.share(rounds, 99))),
        ])
    }

    /// A shop for each counter, the stores in turn: which one a shop is in follows from its name.
    private static func shop(_ index: Int, of fleet: Fleet) -> String {
        let wanted = index % fleet.stores.count
        return (0...).lazy.map { "load \(index) \($0)" }.first {
            fleet.index(of: FleetStore.shopID(named: $0)) == wanted
        }!
    }

    private func tell(_ members: [JSONValue.Member]) {
        print(JSONValue.object(members).text)
        fflush(nil)
    }

    /// Of sorted times: the one that so many percent do not exceed.
    private static func share(_ times: [Duration], _ percent: Int) -> Int64 {
        times.isEmpty ? 0 : times[min(times.count - 1, times.count * percent / 100)].milliseconds
    }
}
