import Glibc
import Ledger
import LedgerSync
import Seals
import Testing

/// The book on SQLite behind the runner: what a shop commits is what the gateway stores, across a restart.
@Suite struct RealBookTests {
    private final class Door: SyncDoor {
        var sent: [OutgoingBatch] = []

        func send(_ batch: OutgoingBatch) { sent.append(batch) }
    }

    private final class Told {
        var events: [SyncEvent] = []
    }

    private let key: SigningKey
    private let receiptKey: SigningKey
    private let identity: DeviceIdentity

    init() throws {
        key = try SigningKey(seed: KnownEnvelopes.seed)
        receiptKey = try SigningKey(seed: [UInt8](repeating: 5, count: 32))
        identity = DeviceIdentity(
            device: DeviceIdentity.deviceID(of: key.verifyingKey), shop: KnownEnvelopes.shop, series: "A01",
            receiptKey: receiptKey.verifyingKey)
    }

    private func open(_ path: String) throws -> LedgerStore {
        try LedgerStore.open(
            path: path,
            configuration: LedgerConfiguration(
                deviceID: identity.device, shopID: identity.shop, bootID: KnownEnvelopes.bootID,
                monotonicMilliseconds: { 1000 }))
    }

    private func sync(_ book: LedgerStore, _ gateway: SimulatedGateway, rounds: Int, from start: Int64) -> [SyncEvent] {
        let (door, told) = (Door(), Told())
        var configuration = SyncConfiguration()
        configuration.eventsMax = 40
        var now = start
        func moment() -> SyncMoment {
            SyncMoment(monotonicMilliseconds: now, wall: WallTime(milliseconds: 1_790_000_000_000), wallQuality: 3)
        }
        var random = Seeded(9)
        let runner = SyncRunner(
            book: book, door: door, identity: identity, key: key, bootID: KnownEnvelopes.bootID,
            configuration: configuration, random: { random.next() }, now: moment(),
            tell: { told.events.append($0) })
        for _ in 0..<rounds {
            now = max(now, runner.dueMilliseconds ?? now)
            runner.run(now: moment())
            while !door.sent.isEmpty {
                let batch = door.sent.removeFirst()
                runner.answered(gateway.answer(batch.bytes), to: batch.id, now: moment())
            }
        }
        return told.events
    }

    @Test func `what a shop commits is what the gateway holds, and a restart goes on where it was`() throws {
        let folder = "/tmp/execora-sync-" + Hex.text(Randomness.bytes(8))
        try #require(mkdir(folder, 0o700) == 0)
        defer {
            for name in ["book.sqlite", "book.sqlite-wal", "book.sqlite-shm", "book.sqlite.lock"] {
                unlink(folder + "/" + name)
            }
            rmdir(folder)
        }
        let gateway = SimulatedGateway(shop: identity.shop, deviceKey: key.verifyingKey, receiptKey: receiptKey)
        var command: UInt64 = 0
        func perform(_ book: LedgerStore, _ one: Command) throws -> Committed {
            command += 1
            return try book.perform(
                one, id: ULID(high: 7, low: command), evidence: Evidence(confirmedBy: "technician"),
                at: WallTime(milliseconds: 1_790_000_000_000 + Int64(command)))
        }

        do {
            let book = try open(folder + "/book.sqlite")
            let made = try perform(
                book, .createCustomer(CustomerDetails(name: "Rahul Sharma"), opening: Paise(rawValue: 50_000)))
            guard case .customer(let rahul) = made.outcome else { throw BookError.damaged("no customer") }
            for amount in 1...99 {
                _ = try perform(book, .giveCredit(rahul, Paise(rawValue: Int64(amount) * 100), note: nil))
            }
            let told = sync(book, gateway, rounds: 4, from: 0)
            let through = told.compactMap {
                if case .receipted(_, let receipt, _) = $0 { receipt.throughSeq } else { nil }
            }
            #expect(through == [40, 80, 100])
        }

        let book = try open(folder + "/book.sqlite")
        #expect(try book.cursor().seq == 100)
        _ = try perform(book, .createCustomer(CustomerDetails(name: "Priya Patel"), opening: Paise(rawValue: 0)))
        let told = sync(book, gateway, rounds: 2, from: 50_000)
        #expect(told.contains { if case .receipted(_, let receipt, _) = $0 { receipt.number == 4 } else { false } })
        let head = try book.head()
        #expect(head.seq == 101 && gateway.head(epoch: 1).seq == 101 && gateway.head(epoch: 1).hash == head.hash)
        #expect(try gateway.stored.map(\.body) == book.events(after: 0, epoch: 1, limit: 1000).map(\.body))
        #expect(try book.verify().valid)
        // Names stay at home: what went up holds none.
        let up = gateway.stored.flatMap(\.body)
        #expect(!Hex.text(up).contains(Hex.text(Array("Rahul".utf8))))
    }
}
