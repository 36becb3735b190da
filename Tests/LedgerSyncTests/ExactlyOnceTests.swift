import Ledger
import LedgerSync
import Testing

/// A shop behind a bad line for days: requests and answers lost, doubled, late, the daemon cut, the gateway restored
/// from backups. At the end each entry is stored once, in order, and receipted. A failing seed is in the message.
@Suite struct ExactlyOnceTests {
    private enum Parcel {
        case toGateway(OutgoingBatch)
        case toCounter(SyncAnswer, ULID)
    }

    @Test(arguments: 1...30)
    func `every entry arrives exactly once`(seed: Int) throws {
        var random = Seeded(UInt64(seed))
        let counter = try Counter(seed: UInt64(seed)) {
            $0.eventsMax = [2, 9, 1000][seed % 3]
            $0.coalesceMilliseconds = [0, 500, 15_000][seed % 3]
        }
        let lossPerHundred = [10, 40, 70][seed % 3]
        var road: [(due: Int64, parcel: Parcel)] = []
        var lastReceipted: Int64 = 0
        var isGood = false

        for step in 0..<4000 {
            // Then the line is good and everything must settle by itself.
            isGood = step >= 1000
            if isGood, road.isEmpty, try counter.book.cursor().seq == counter.book.head().seq,
                counter.gateway.stored.count == counter.book.stored.count
            {
                break
            }
            if !isGood, random.happens(8) { counter.sell(1 + random.below(6)) }
            if !isGood, random.happens(2) {
                road.removeAll { if case .toCounter = $0.parcel { true } else { false } }
                counter.start()
            }
            if !isGood, random.happens(1) { counter.gateway.restore(through: Int64(random.below(40))) }
            if random.happens(5) { counter.runner.lineUp(now: counter.moment) }

            let nextDue = [counter.runner.dueMilliseconds, road.map(\.due).min()].compactMap { $0 }.min()
            let due = try #require(nextDue, "seed \(seed): nothing would ever happen again")
            counter.now = max(counter.now, due)
            while let index = road.firstIndex(where: { $0.due <= counter.now }) {
                switch road.remove(at: index).parcel {
                case .toGateway(let batch):
                    let answer = counter.gateway.answer(batch.bytes)
                    guard isGood || !random.happens(lossPerHundred) else { continue }
                    road.append((counter.now + delay(&random, isGood), .toCounter(answer, batch.id)))
                case .toCounter(let answer, let id): counter.runner.answered(answer, to: id, now: counter.moment)
                }
            }
            counter.runner.run(now: counter.moment)
            #expect(counter.outbox.count <= 1, "seed \(seed)")
            for batch in counter.outbox {
                if isGood || !random.happens(lossPerHundred) {
                    road.append((counter.now + delay(&random, isGood), .toGateway(batch)))
                    if !isGood, random.happens(20) {
                        road.append((counter.now + delay(&random, isGood), .toGateway(batch)))
                    }
                } else if random.happens(50) {
                    road.append((counter.now + delay(&random, isGood), .toCounter(.lost, batch.id)))
                }
            }
            counter.outbox = []
            let receipted = try counter.book.cursor().seq
            #expect(receipted >= lastReceipted, "seed \(seed): the cursor went back")
            lastReceipted = receipted
        }

        #expect(!counter.told.contains { if case .stopped = $0 { true } else { false } }, "seed \(seed)")
        #expect(counter.book.stored.count > 100, "seed \(seed): the run was too quiet to show anything")
        #expect(try counter.book.cursor().seq == counter.book.head().seq, "seed \(seed)")
        #expect(counter.gateway.stored.map(\.body) == counter.book.stored.map(\.body), "seed \(seed)")
        #expect(counter.gateway.applied.values.allSatisfy { $0 == 1 }, "seed \(seed)")
    }

    /// Mostly short, sometimes longer than a try is waited for.
    private func delay(_ random: inout Seeded, _ isGood: Bool) -> Int64 {
        if isGood { return 50 }
        return random.happens(10) ? Int64(random.below(90_000)) : Int64(random.below(2000))
    }
}
