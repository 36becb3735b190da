import Ledger
import LedgerSync
import Seals

/// Shops for days: the real book and the real sync of each, on a disk that loses power, over a line that loses, delays
/// and doubles, against the receiver. Clock, chance, disk and line are the seed's: the same seed, the same journals.
public struct Simulation {
    let disk: FaultDisk
    let seed: UInt64

    public init(disk: FaultDisk, seed: UInt64) {
        self.disk = disk
        self.seed = seed
    }

    /// - Returns: what happened, and SHA-256 over the head of every shop's journal.
    public func run(shops: Int, days: Int, entriesADay: Int, progress: (Int) -> Void = { _ in }) -> (
        outcome: FaultOutcome, digest: [UInt8]
    ) {
        var outcome = FaultOutcome(part: "simulated shop-days")
        var heads: [UInt8] = []
        var (cuts, batches, replays) = (0, 0, 0)
        for number in 0..<shops {
            do throws(Violation) {
                let shop = try SimulatedShop(disk: disk, seed: seed &* 7919 &+ UInt64(number))
                for _ in 0..<days {
                    try shop.day(entries: entriesADay)
                    outcome.faults += 1
                }
                heads += try shop.evening()
                outcome.entries += shop.entries
                cuts += shop.cuts
                batches += shop.batches
                replays += shop.receiver.replayed
            } catch { outcome.note(error, "seed \(seed), shop \(number)") }
            progress(number + 1)
        }
        outcome.note = "\(cuts) power cuts, \(batches) batches sent, \(replays) answered again"
        return (outcome, SHA256.digest(heads))
    }
}

private final class SimulatedShop: SyncDoor {
    private enum Parcel {
        case toReceiver(OutgoingBatch)
        case toCounter(SyncAnswer, ULID)
    }

    private let disk: FaultDisk
    private let folder = FaultFolder()
    private let counter: FaultCounter
    private let key: SigningKey
    private let identity: DeviceIdentity
    let receiver: SimulatedReceiver
    private var runner: SyncRunner?
    private var random: Seeded
    private var road: [(due: Int64, parcel: Parcel)] = []
    /// Milliseconds since the shop opened for the first time.
    private var now: Int64 = 0
    private var stopped: String?
    private(set) var cuts = 0
    private(set) var batches = 0

    var entries: Int { counter.acknowledged.count }

    /// The line's manners: of a hundred parcels, lost and doubled.
    private static let lost = 15
    private static let doubled = 8
    /// Entries travel together: a batch in a quarter of an hour, as signing each alone would be all the work there is.
    private static let coalesceMilliseconds: Int64 = 900_000

    init(disk: FaultDisk, seed: UInt64) throws(Violation) {
        self.disk = disk
        random = Seeded(seed)
        let receiptKey: SigningKey
        do {
            key = try SigningKey(seed: random.bytes(32))
            receiptKey = try SigningKey(seed: random.bytes(32))
        } catch { throw Violation("I6", "no key: \(error)") }
        identity = DeviceIdentity(
            device: DeviceIdentity.deviceID(of: key.verifyingKey), shop: [UInt8](repeating: 9, count: 16),
            series: "A01", receiptKey: receiptKey.verifyingKey)
        receiver = SimulatedReceiver(shop: identity.shop, deviceKey: key.verifyingKey, receiptKey: receiptKey)
        disk.forget()
        counter = FaultCounter(path: folder.book, seed: seed, device: identity.device)
        counter.day.hasReceipts = false
        try start()
    }

    func send(_ batch: OutgoingBatch) {
        batches += 1
        for _ in 0..<(random.happens(Self.doubled) ? 2 : 1) where !random.happens(Self.lost) {
            road.append((now + Int64(random.pick(20...2000)), .toReceiver(batch)))
        }
    }

    private var moment: SyncMoment {
        SyncMoment(monotonicMilliseconds: now, wall: counter.now, wallQuality: 3)
    }

    private func start() throws(Violation) {
        do throws(BookError) { try counter.open() } catch { throw Violation("I4", "does not open: \(error)") }
        guard let book = counter.book else { return }
        var configuration = SyncConfiguration()
        configuration.coalesceMilliseconds = Self.coalesceMilliseconds
        configuration.idleMilliseconds = 7_200_000
        runner = SyncRunner(
            book: book, door: self, identity: identity, key: key, bootID: [UInt8](repeating: 7, count: 16),
            configuration: configuration, random: { [unowned self] in random.next() }, now: moment,
            tell: { [unowned self] in if case .stopped(let reason) = $0 { stopped = "\(reason)" } })
    }

    /// Twelve hours of selling with one power cut at a moment of its own, and a night.
    func day(entries: Int) throws(Violation) {
        let until = counter.acknowledged.count + entries
        disk.arm(random.happens(50) ? .endBefore : .endAfter, after: random.pick(1...entries * 12))
        while counter.acknowledged.count < until {
            now += Int64(random.pick(1...2 * 43_200_000 / entries))
            counter.now = WallTime(milliseconds: 1_768_444_200_000 + now)
            do throws(BookError) {
                try counter.step()
                runner?.committed(now: moment)
            } catch {
                guard disk.isEnded else { throw Violation("I1", "refused without a fault: \(error)") }
            }
            if !disk.isEnded { try travel(until: now) }
            if disk.isEnded { try restart() }
        }
        disk.disarm()
        now += 43_200_000
        counter.now = WallTime(milliseconds: 1_768_444_200_000 + now)
        try travel(until: now)
    }

    private func restart() throws(Violation) {
        cuts += 1
        runner = nil
        counter.close()
        // Answers on their way to the process that is gone never arrive.
        road.removeAll { if case .toCounter = $0.parcel { true } else { false } }
        disk.restartAfterPowerCut()
        try start()
        try counter.check(isWhole: false, newest: 600)
        do throws(BookError) { try counter.performInFlight() } catch {
            throw Violation("I7", "asked again it is refused: \(error)")
        }
    }

    /// What is due happens, in its order, up to a moment.
    private func travel(until end: Int64) throws(Violation) {
        while let runner, !disk.isEnded {
            if let stopped { throw Violation("I6", "sync stopped: \(stopped)") }
            let due = [runner.dueMilliseconds, road.map(\.due).min()].compactMap { $0 }.min()
            guard let due, due <= end else { break }
            let moment = SyncMoment(monotonicMilliseconds: max(0, due), wall: counter.now, wallQuality: 3)
            if let index = road.firstIndex(where: { $0.due <= due }) {
                switch road.remove(at: index).parcel {
                case .toReceiver(let batch):
                    let answer = receiver.answer(batch.bytes, at: counter.now)
                    if !random.happens(Self.lost) {
                        road.append((due + Int64(random.pick(20...2000)), .toCounter(answer, batch.id)))
                    }
                case .toCounter(let answer, let id): runner.answered(answer, to: id, now: moment)
                }
            } else {
                runner.run(now: moment)
            }
        }
    }

    /// The last evening: the line is given the time it needs, then both sides are compared and the book is checked whole.
    func evening() throws(Violation) -> [UInt8] {
        for _ in 0..<40 where receiver.hashes.count < counter.acknowledged.count {
            now += 3_600_000
            try travel(until: now)
        }
        try counter.check()
        guard receiver.hashes == counter.acknowledged.map(\.hash) else {
            throw Violation(
                "I6", "the receiver has \(receiver.hashes.count) of \(counter.acknowledged.count) entries, or others")
        }
        guard receiver.quarantined == 0 else { throw Violation("I6", "the receiver took the book for another history") }
        guard receiver.applied == receiver.hashes.count else { throw Violation("I7", "an entry was applied twice") }
        runner = nil
        counter.close()
        return receiver.head
    }
}
