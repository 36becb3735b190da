import Ledger
import LedgerSync
import Seals

/// A counter and a gateway joined by hand: tests move time, carry batches, lose or repeat them.
final class Counter: SyncDoor {
    let key: SigningKey
    let receiptKey: SigningKey
    let identity: DeviceIdentity
    var book: MemoryBook
    let gateway: SimulatedGateway
    var now: Int64 = 1000
    private(set) var told: [SyncEvent] = []
    /// Sent and not yet carried.
    var outbox: [OutgoingBatch] = []
    private(set) var runner: SyncRunner!
    private let configuration: SyncConfiguration
    private var random: Seeded

    init(seed: UInt64 = 1, configure: (inout SyncConfiguration) -> Void = { _ in }) throws {
        key = try SigningKey(seed: KnownEnvelopes.seed)
        receiptKey = try SigningKey(seed: [UInt8](repeating: 5, count: 32))
        identity = DeviceIdentity(
            device: DeviceIdentity.deviceID(of: key.verifyingKey), shop: KnownEnvelopes.shop, series: "A01",
            receiptKey: receiptKey.verifyingKey)
        book = MemoryBook(device: identity.device)
        gateway = SimulatedGateway(shop: identity.shop, deviceKey: key.verifyingKey, receiptKey: receiptKey)
        var configuration = SyncConfiguration()
        configure(&configuration)
        self.configuration = configuration
        random = Seeded(seed)
        start()
    }

    var moment: SyncMoment {
        SyncMoment(monotonicMilliseconds: now, wall: WallTime(milliseconds: 1_790_000_000_000 + now), wallQuality: 3)
    }

    /// The daemon starts, or starts again after a cut: what was in memory is gone.
    func start() {
        outbox = []
        runner = SyncRunner(
            book: book, door: self, identity: identity, key: key, bootID: KnownEnvelopes.bootID,
            configuration: configuration, random: { [unowned self] in random.next() }, now: moment,
            tell: { [unowned self] in told.append($0) })
    }

    func send(_ batch: OutgoingBatch) { outbox.append(batch) }

    func sell(_ count: Int = 1, epoch: Int64 = 1, bodyBytes: Int = 40) {
        for _ in 0..<count { book.append(epoch: epoch, bodyBytes: bodyBytes) }
        runner.committed(now: moment)
    }

    /// Moves to the next due time and lets the runner act there.
    func pass() {
        if let due = runner.dueMilliseconds { now = max(now, due) }
        runner.run(now: moment)
    }

    /// Carries the oldest batch to the gateway and its answer back.
    func carry() {
        guard !outbox.isEmpty else { return }
        let batch = outbox.removeFirst()
        runner.answered(gateway.answer(batch.bytes), to: batch.id, now: moment)
    }

    /// Rounds on a good line until nothing waits, at most `limit`.
    func settle(_ limit: Int = 50) {
        for _ in 0..<limit {
            if outbox.isEmpty, let head = try? book.head(), let cursor = try? book.cursor(), head.seq == cursor.seq,
                head.epoch == cursor.epoch
            {
                return
            }
            pass()
            carry()
        }
    }

    var receipts: [Receipt] {
        told.compactMap { event in
            if case .receipted(_, let receipt, _) = event { receipt } else { nil }
        }
    }
}
