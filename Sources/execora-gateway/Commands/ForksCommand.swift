import ArgumentParser
import JSONText
import Ledger
import LedgerSync
import Seals

struct ForksCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "forks",
        abstract: "Prove on a running gateway that copied and rolled back books are found at their first contact.",
        discussion: """
            Enrols made-up counters and lets each come once more as what it must not be: a clone that sells under the \
            same key beside it, a book put back from an old image that sells on, and an old image that has sold nothing \
            yet and only looks in. The first two must be answered 409 "fork" and change nothing; the third must get the \
            newest receipt, which names entries that it has not. Prints one JSON line; exit code 1 when one passes.
            """)

    @OptionGroup
    var gateway: ServingOptions

    @Option(help: "Counters; each is tried in the three ways.")
    var devices = 100

    func validate() throws {
        guard (1...1000).contains(devices) else { throw ValidationError("devices 1 to 1000") }
    }

    func run() async throws {
        try await ending {
            let (folder, fleet) = try await gateway.fleet.open()
            let trust = try folder.text(folder.rootCertificate, secret: false)
            var found: [String: Int64] = ["clone": 0, "rollback": 0, "old_image": 0]
            var left = 0
            for _ in 0..<devices {
                let code = try await fleet.newCode(
                    shop: "forks", life: .seconds(600), nowMilliseconds: SystemClock.milliseconds()
                ).code
                let counter = try await VirtualCounter.enrolled(
                    code: code.description, trustPEM: trust, host: "localhost", enrolPort: gateway.enrolPort,
                    devicePort: gateway.devicePort)
                for (kind, isFound) in try await Self.tried(counter) where isFound { found[kind]! += 1 }
                let held = try await fleet.heads().first { $0.device == counter.identity.device }
                if held?.seq != Self.batchEntries * 3 { left += 1 }
                try await counter.end()
            }
            let sum = found.values.reduce(0, +)
            let line: JSONValue = [
                "bench": "sync.forks_found", "value": .integer(sum), "unit": .string("of \(devices * 3)"),
                "clone": .integer(found["clone"]!), "rollback": .integer(found["rollback"]!),
                "old_image": .integer(found["old_image"]!), "chains_changed": .integer(Int64(left)),
            ]
            print(line.text)
            guard sum == Int64(devices * 3), left == 0 else { throw ExitCode(1) }
        }
    }

    private static let batchEntries: Int64 = 5

    private static func tried(_ whole: VirtualCounter) async throws -> [(kind: String, isFound: Bool)] {
        var counter = whole
        let line = try await counter.open()
        var batches: [[StoredEvent]] = []
        func sell() async throws {
            let events = counter.invented(Int(batchEntries), bodyBytes: 80)
            try await counter.sendBatch(events, over: line)
            batches.append(events)
        }
        try await sell()
        // The image is of now.
        var image = counter
        try await sell()
        var clone = counter
        try await sell()
        // Each copy sells one thing of its own, so its entries are others than those held.
        func isFork(_ copy: inout VirtualCounter) async throws -> Bool {
            let answer = try await copy.post(copy.invented(2, bodyBytes: 81), over: line)
            return answer.status == 409 && (try? JSONValue(parsing: answer.body))?["error"]?["code"]?.string == "fork"
        }
        let isClone = try await isFork(&clone)
        let answer = try await image.post(batches[0], over: line)
        let told = try? Receipt.read(answer.body, key: whole.identity.receiptKey)
        let isOld = answer.status == 200 && told?.throughSeq == batchEntries * 3
        let isRolledBack = try await isFork(&image)
        await line.end()
        return [("clone", isClone), ("old_image", isOld), ("rollback", isRolledBack)]
    }
}
