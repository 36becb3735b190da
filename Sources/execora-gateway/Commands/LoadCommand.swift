import ArgumentParser
import Glibc
import JSONText
import Seals

struct LoadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load",
        abstract: "Measure a running gateway with made-up counters: real TLS, signatures, batches and receipts.",
        discussion: """
            Enrols --devices new counters in a shop named "load" and lets each send --batches, one after another over \
            its own line, every receipt checked. Use a state folder made for it: the counters stay. The gateway's \
            sync_burst must be at least --batches. Prints one JSON line.
            """)

    @OptionGroup
    var gateway: FleetOptions

    @Option(help: "Host of the gateway.")
    var host = "localhost"

    @Option(help: "The device port that serve printed.")
    var devicePort: Int

    @Option(help: "The enrol port that serve printed.")
    var enrolPort: Int

    @Option(help: "Counters, 1 to 1000.")
    var devices = 20

    @Option(help: "Batches a counter.")
    var batches = 50

    @Option(help: "Entries a batch.")
    var entries = 20

    @Option(help: "Bytes of an entry's content; a real entry's body is about 90.")
    var bodyBytes = 80

    @Option(help: "Seconds that every line stays open behind its last batch; the result is printed before.")
    var hold = 0

    func validate() throws {
        guard (1...1000).contains(devices), batches > 0, (1...1000).contains(entries), (0...4096).contains(bodyBytes)
        else { throw ValidationError("devices 1 to 1000, batches 1 or more, entries 1 to 1000, body-bytes 0 to 4096") }
    }

    func run() async throws {
        try await ending {
            let (folder, fleet) = try await gateway.open()
            let trust = try folder.text(folder.rootCertificate, secret: false)
            var counters: [VirtualCounter] = []
            for _ in 0..<devices {
                let code = try await fleet.newCode(
                    shop: "load", life: .seconds(600), nowMilliseconds: SystemClock.milliseconds()
                ).code
                counters.append(
                    try await .enrolled(
                        code: code.description, trustPEM: trust, host: host, enrolPort: enrolPort,
                        devicePort: devicePort))
            }
            let clock = ContinuousClock()
            let start = clock.now
            let rounds = try await withThrowingTaskGroup(of: [Duration].self) { group in
                for counter in counters {
                    group.addTask { [batches, entries, bodyBytes] in
                        var (counter, rounds) = (counter, [Duration]())
                        for _ in 0..<batches {
                            let sent = clock.now
                            try await counter.sendBatch(entries: entries, bodyBytes: bodyBytes)
                            rounds.append(clock.now - sent)
                        }
                        return rounds
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }.sorted()
            }
            let took = clock.now - start
            let total = Int64(rounds.count * entries)
            let line: JSONValue = [
                "bench": "sync_entries_per_second", "devices": .integer(Int64(devices)),
                "entries": .integer(total), "entries_per_batch": .integer(Int64(entries)),
                "value": .integer(total * 1000 / max(1, took.milliseconds)), "unit": "entries/s",
                "batches_per_second": .integer(Int64(rounds.count) * 1000 / max(1, took.milliseconds)),
                "round_p50_ms": .integer(rounds[rounds.count / 2].milliseconds),
                "round_p99_ms": .integer(rounds[min(rounds.count - 1, rounds.count * 99 / 100)].milliseconds),
            ]
            print(line.text)
            fflush(nil)
            if hold > 0 { try await Task.sleep(for: .seconds(hold)) }
            for counter in counters { try await counter.end() }
        }
    }
}
