import Ledger
import LedgerSync
import NIOCore
import Seals

/// A made-up counter that sends through a bad line with the device's own sync: `SyncRunner` decides what goes again
/// and when, the waiting in between is skipped. Beside the line's faults, batches are sent twice, and old ones come
/// once more later.
actor BadLineCounter {
    private let counter: VirtualCounter
    private let journal: any SyncBook
    /// What the line does not do: send twice, send late.
    private let repeats: Bool
    private let door = Letterbox()
    private let runner: SyncRunner
    private var random: SplitMix
    private var clock: Int64 = 1
    private var old: [[UInt8]] = []
    private(set) var tries = 0
    private(set) var doubled = 0

    /// Rounds without a receipt after which the line counts as one that carries nothing.
    static let fruitlessMax = 400

    /// - Parameter isReal: a real book of payments in memory instead of invented entries.
    init(
        _ counter: VirtualCounter, entries: Int, batchEntries: Int, bodyBytes: Int, isReal: Bool,
        bookPath: String? = nil, repeats: Bool, seed: UInt64
    ) throws {
        self.counter = counter
        self.repeats = repeats
        random = SplitMix(state: seed)
        journal =
            isReal
            ? try PaymentBook.make(
                path: bookPath, identity: counter.identity, entries: entries, random: &random)
            : InventedJournal(
                device: counter.identity.device, entries: entries, bodyBytes: bodyBytes, seed: random.next())
        var configuration = SyncConfiguration()
        configuration.eventsMax = batchEntries
        configuration.coalesceMilliseconds = 0
        // Deaf generator for ids and jitter, from the run's own seed.
        var own = SplitMix(state: random.next())
        runner = SyncRunner(
            book: journal, door: door, identity: counter.identity, key: counter.ledgerKey,
            bootID: .init(repeating: 0, count: 16), configuration: configuration, random: { own.next() },
            now: Self.moment(1), tell: { _ in })
    }

    /// Sends until the gateway has receipted all.
    ///
    /// - Throws: when sync stopped, or nothing gets through any more.
    func drain() async throws -> ChainHead {
        let head = try journal.head()
        var fruitless = 0
        while try journal.cursor().seq < head.seq {
            let before = try journal.cursor().seq
            runner.hurry(now: Self.moment(clock))
            clock = max(clock, runner.dueMilliseconds ?? clock)
            runner.run(now: Self.moment(clock))
            if let batch = door.take() {
                let answer = await post(batch)
                clock += 1
                runner.answered(answer, to: batch.id, now: Self.moment(clock))
            }
            if case .stopped(let reason) = runner.driver.phase {
                throw GatewayError.state(problem: "sync stopped: \(reason)", hint: "this must never happen here")
            }
            fruitless = try journal.cursor().seq > before ? 0 : fruitless + 1
            guard fruitless < Self.fruitlessMax else {
                throw GatewayError.state(problem: "nothing gets through", hint: "is the gateway up?")
            }
            if fruitless > 5 { try await Task.sleep(for: .milliseconds(min(500, 20 * fruitless))) }
        }
        return head
    }

    private func post(_ batch: OutgoingBatch) async -> SyncAnswer {
        tries += 1
        guard repeats else { return await counter.send(batch.bytes, timeout: Self.timeout) }
        if random.next() % 100 < 5, let stale = old.randomElement(using: &random) {
            // An old batch that was under way all the time arrives only now, before the new one.
            doubled += 1
            _ = await counter.send(stale, timeout: Self.timeout)
        }
        if old.count == 8 { old.removeFirst() }
        old.append(batch.bytes)
        if random.next() % 100 < 8 {
            doubled += 1
            async let twin = counter.send(batch.bytes, timeout: Self.timeout)
            let answer = await counter.send(batch.bytes, timeout: Self.timeout)
            _ = await twin
            return answer
        }
        return await counter.send(batch.bytes, timeout: Self.timeout)
    }

    func end() async throws { try await counter.end() }

    private static let timeout = TimeAmount.seconds(30)

    private static func moment(_ milliseconds: Int64) -> SyncMoment {
        SyncMoment(
            monotonicMilliseconds: milliseconds, wall: WallTime(milliseconds: SystemClock.milliseconds()),
            wallQuality: 3)
    }
}

/// Holds the one batch that is on its way out.
private final class Letterbox: SyncDoor {
    private var batch: OutgoingBatch?

    func send(_ batch: OutgoingBatch) { self.batch = batch }

    func take() -> OutgoingBatch? {
        defer { batch = nil }
        return batch
    }
}

/// Entries as a device would hold them, with bodies of a given size, half of each repeated and half random.
final class InventedJournal: SyncBook {
    private let stored: [StoredEvent]
    private var kept = SyncCursor(epoch: 1, seq: 0, hash: ChainLink.start, receipt: [])

    init(device: [UInt8], entries: Int, bodyBytes: Int, seed: UInt64) {
        var random = SplitMix(state: seed)
        var (stored, prev): ([StoredEvent], [UInt8]) = ([], ChainLink.start)
        stored.reserveCapacity(entries)
        for seq in 1...Int64(max(1, entries)) {
            let body = Self.body(seq, bytes: bodyBytes, using: &random)
            let hash = ChainLink.hash(device: device, epoch: 1, seq: seq, prev: prev, body: body)
            stored.append(
                StoredEvent(
                    epoch: 1, seq: seq, id: ULID(high: 0, low: UInt64(seq)), type: 1, body: body, prev: prev, hash: hash
                ))
            prev = hash
        }
        self.stored = stored
    }

    /// A real entry's body holds an id and a time that no compression shortens, and fields that are much alike.
    static func body(_ seq: Int64, bytes: Int, using random: inout SplitMix) -> [UInt8] {
        let noise = (0..<bytes / 2).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        return CBORValue.map([
            1: .integer(seq), 2: .bytes(noise), 3: .bytes(.init(repeating: 7, count: bytes - bytes / 2)),
        ]).encoded
    }

    func head() -> ChainHead {
        stored.last.map { ChainHead(epoch: 1, seq: $0.seq, hash: $0.hash) }
            ?? ChainHead(epoch: 1, seq: 0, hash: ChainLink.start)
    }

    func events(after seq: Int64, epoch: Int64, limit: Int) -> [StoredEvent] {
        guard epoch == 1, seq < Int64(stored.count) else { return [] }
        return Array(stored[Int(max(0, seq))...].prefix(max(0, limit)))
    }

    func cursor() -> SyncCursor { kept }
    func advance(to cursor: SyncCursor) { kept = cursor }
}
