import Ledger
import Seals

/// Carries out what `SyncDriver` decides: reads the book, signs, hands to the door, checks receipts against the
/// book's own chain, moves the cursor.
///
/// Belongs to the book's thread: every method is called there, and `door` and `tell` are called from there.
public final class SyncRunner {
    /// Read at a time while a batch is filled, so that long entries do not pile up beside it.
    static let pageEvents = 64

    let book: any SyncBook
    private let door: any SyncDoor
    let identity: DeviceIdentity
    private let key: SigningKey
    private let bootID: [UInt8]
    private let configuration: SyncConfiguration
    private let random: () -> UInt64
    private let tell: (SyncEvent) -> Void

    public internal(set) var driver: SyncDriver
    /// Where the next batch starts behind. Nil until the book was asked. Behind the stored cursor only while a
    /// restored gateway is being told again what it lost.
    var place: ChainHead?
    private var inFlight: (batch: OutgoingBatch, wasFull: Bool, sentMilliseconds: Int64)?
    /// The last receipt of this run, for `report`.
    public private(set) var lastReceipt: Receipt?
    public private(set) var lastFailure: SyncDriver.Failure?

    /// - Parameters:
    ///   - key: the ledger key of `identity.device`.
    ///   - bootID: 16 bytes of this start of the kernel.
    ///   - random: real randomness, for batch ids and jitter.
    ///   - tell: told of everything that happens, on the book's thread.
    public init(
        book: any SyncBook, door: any SyncDoor, identity: DeviceIdentity, key: SigningKey, bootID: [UInt8],
        configuration: SyncConfiguration, random: @escaping () -> UInt64, now: SyncMoment,
        tell: @escaping (SyncEvent) -> Void
    ) {
        precondition(identity.signs(with: key.verifyingKey), "another device's ledger key")
        self.book = book
        self.door = door
        self.identity = identity
        self.key = key
        self.bootID = bootID
        self.configuration = configuration
        self.random = random
        self.tell = tell
        driver = SyncDriver(configuration, seed: random(), now: now.monotonicMilliseconds)
    }

    /// When `run` is to be called next, by the monotonic clock; nil when sync has stopped for good. Any other call
    /// may bring it forward: ask again after each.
    public var dueMilliseconds: Int64? { driver.dueMilliseconds }

    public func committed(now: SyncMoment) { driver.committed(now: now.monotonicMilliseconds) }
    public func lineUp(now: SyncMoment) { driver.lineUp(now: now.monotonicMilliseconds) }
    public func hurry(now: SyncMoment) { driver.hurry(now: now.monotonicMilliseconds) }

    /// Makes the round that is due, if one is.
    public func run(now: SyncMoment) {
        let wasInFlight = inFlight != nil
        guard driver.isDue(now: now.monotonicMilliseconds) else {
            if wasInFlight, case .backingOff = driver.phase {
                inFlight = nil
                tellFailure(.line, now)
            }
            return
        }
        do throws(BookError) {
            try send(now)
        } catch {
            fail(error, now)
        }
    }

    /// What became of a batch. An answer to a try already given up is ignored: the gateway stored the batch or did
    /// not, and the next try learns which.
    public func answered(_ answer: SyncAnswer, to id: ULID, now: SyncMoment) {
        guard let (batch, wasFull, sent) = inFlight, batch.id == id else { return }
        inFlight = nil
        do throws(BookError) {
            switch answer {
            case .lost: fail(.line, now)
            case .answered(let status, let body, let retryAfter):
                switch status {
                case 200:
                    try receive(
                        body, of: batch, wasFull: wasFull, round: now.monotonicMilliseconds - sent, now)
                case 409: try resolve(SyncRefusal(body), of: batch, now)
                case 400, 413, 422: refuse(batch, now)
                case 401, 403:
                    let refusal = SyncRefusal(body)
                    if refusal.isRevocation(of: identity) {
                        stop(.revoked)
                    } else {
                        fail(.identity(code: refusal.code), now)
                    }
                case 429, 500...599: fail(.busy(status: status), retryAfterSeconds: retryAfter, now)
                default: fail(.unexpected(status: status), now)
                }
            }
        } catch {
            fail(error, now)
        }
    }

    // MARK: A round

    private func send(_ now: SyncMoment) throws(BookError) {
        var from: ChainHead
        if let place { from = place } else { from = try start() }
        let head = try book.head()
        var (events, isFull) = try page(from)
        if events.isEmpty, from.epoch < head.epoch {
            // All of the older epoch is receipted; the next starts a chain of its own.
            from = ChainHead(epoch: from.epoch + 1, seq: 0, hash: ChainLink.start)
            (events, isFull) = try page(from)
        }
        place = from
        if events.isEmpty, from.seq > 0 {
            // Nothing is new: the last entry goes up once more. A gateway that was restored from a backup, or has
            // another history, shows itself within one idle round, and the line is proven.
            events = try book.events(after: from.seq - 1, epoch: from.epoch, limit: 1)
            from.seq -= 1
            from.hash = events.first?.prev ?? from.hash
        }
        guard let first = events.first else { return driver.foundNothing(now: now.monotonicMilliseconds) }
        let fits = SyncBatch.fitting(events, eventsMax: driver.batchEventsMax)
        guard fits > 0 else { return refuse(firstSeq: first.seq, count: 1, now) }
        guard from.seq == 0 || first.prev == from.hash, first.seq == from.seq + 1 else {
            throw .damaged("entry \(first.seq) does not follow what the gateway receipted")
        }
        let cursor = try book.cursor()
        let signed: SyncBatch
        do {
            signed = try SyncBatch.sign(
                Array(events.prefix(fits)), shop: identity.shop, device: identity.device,
                circumstances: SyncCircumstances(
                    bootID: bootID, monotonicMilliseconds: max(0, now.monotonicMilliseconds), wall: now.wall,
                    wallQuality: now.wallQuality,
                    lastReceiptHash: cursor.receipt.isEmpty ? ChainLink.start : Receipt.hash(of: cursor.receipt)),
                key: key)
        } catch { throw .damaged("the entries behind \(from.seq) are no chain") }
        let id = newID(now)
        let batch = OutgoingBatch(
            id: id, traceparent: "00-\(Hex.text(id.bytes))-\(spanID())-01", bytes: signed.bytes,
            epoch: signed.header.epoch, firstSeq: signed.header.firstSeq, lastSeq: signed.header.lastSeq)
        inFlight = (batch, isFull || fits < events.count, now.monotonicMilliseconds)
        driver.sent(id, firstSeq: batch.firstSeq, lastSeq: batch.lastSeq, now: now.monotonicMilliseconds)
        tell(.sent(id, firstSeq: batch.firstSeq, lastSeq: batch.lastSeq, bytes: batch.bytes.count))
        door.send(batch)
    }

    private func start() throws(BookError) -> ChainHead {
        let cursor = try book.cursor()
        return ChainHead(epoch: max(1, cursor.epoch), seq: cursor.seq, hash: cursor.hash)
    }

    /// Events behind a place, enough for one batch; `isFull` when the batch's limit of events was reached.
    private func page(_ from: ChainHead) throws(BookError) -> (events: [StoredEvent], isFull: Bool) {
        var events: [StoredEvent] = []
        let most = driver.batchEventsMax
        while events.count < most {
            let limit = min(Self.pageEvents, most - events.count)
            let more = try book.events(after: events.last?.seq ?? from.seq, epoch: from.epoch, limit: limit)
            events += more
            if more.count < limit || SyncBatch.fitting(events, eventsMax: most) < events.count { break }
        }
        return (events, events.count == most)
    }

    // MARK: Answers

    private func receive(
        _ body: [UInt8], of batch: OutgoingBatch, wasFull: Bool, round: Int64, _ now: SyncMoment
    ) throws(BookError) {
        let receipt: Receipt
        do { receipt = try Receipt.read(body, key: identity.receiptKey) } catch { return fail(.receipt, now) }
        guard receipt.shop == identity.shop, receipt.device == identity.device, receipt.epoch == batch.epoch,
            receipt.throughSeq >= batch.lastSeq
        else { return fail(.receipt, now) }
        guard let own = try ownHash(epoch: receipt.epoch, seq: receipt.throughSeq) else {
            let newest = try book.head().epoch
            guard newest > receipt.epoch else { return stop(.serverAhead) }
            // The gateway holds more of an epoch than this book, which was put back and begins another behind it.
            return go(to: newest, now)
        }
        guard own == receipt.headHash else { return stop(.fork) }
        let cursor = try book.cursor()
        // Never backwards: a restored gateway receipts anew what this book already holds a receipt for.
        let isNews = (receipt.epoch, receipt.throughSeq) > (cursor.epoch, cursor.seq)
        if isNews {
            try book.advance(
                to: SyncCursor(epoch: receipt.epoch, seq: receipt.throughSeq, hash: receipt.headHash, receipt: body))
        }
        place = ChainHead(epoch: receipt.epoch, seq: receipt.throughSeq, hash: receipt.headHash)
        lastReceipt = receipt
        lastFailure = nil
        let head = try book.head()
        driver.receipted(
            hasMore: (head.epoch, head.seq) > (receipt.epoch, receipt.throughSeq), wasFull: wasFull,
            now: now.monotonicMilliseconds)
        tell(
            isNews
                ? .receipted(batch.id, receipt, roundMilliseconds: round)
                : .confirmed(batch.id, receipt, roundMilliseconds: round))
    }

    private func resolve(_ refusal: SyncRefusal, of batch: OutgoingBatch, _ now: SyncMoment) throws(BookError) {
        if refusal.code == "fork", let open = refusal.epoch, open > batch.epoch, try book.head().epoch == open {
            // The owner closed the epoch of these entries and opened the one this book is in: what was never sent of
            // the old one lies at the gateway as evidence, and the new chain goes up from its first entry.
            return go(to: open, now)
        }
        guard refusal.code == "gap" else {
            return refusal.code == "fork" ? stop(.fork) : fail(.unexpected(status: 409), now)
        }
        guard let nextSeq = refusal.nextSeq, nextSeq >= 1, let theirs = refusal.head else {
            return fail(.unexpected(status: 409), now)
        }
        guard let own = try ownHash(epoch: batch.epoch, seq: nextSeq - 1) else { return stop(.serverAhead) }
        guard own == theirs else { return stop(.fork) }
        let cursor = try book.cursor()
        if (batch.epoch, nextSeq - 1) < (cursor.epoch, cursor.seq) {
            tell(.serverRollback(nextSeq: nextSeq, receiptedSeq: cursor.seq))
        }
        place = ChainHead(epoch: batch.epoch, seq: nextSeq - 1, hash: own)
        driver.resumeElsewhere(now: now.monotonicMilliseconds)
        if case .backingOff = driver.phase { tellFailure(.gapAgain, now) }
    }

    /// Goes on at the first entry of an epoch.
    private func go(to epoch: Int64, _ now: SyncMoment) {
        place = ChainHead(epoch: epoch, seq: 0, hash: ChainLink.start)
        driver.resumeElsewhere(now: now.monotonicMilliseconds)
        if case .backingOff = driver.phase { tellFailure(.gapAgain, now) }
    }

    /// This book's hash at a place; nil where it has no entry.
    private func ownHash(epoch: Int64, seq: Int64) throws(BookError) -> [UInt8]? {
        if seq == 0 { return ChainLink.start }
        guard let event = try book.events(after: seq - 1, epoch: epoch, limit: 1).first, event.seq == seq else {
            return nil
        }
        return event.hash
    }

    private func refuse(_ batch: OutgoingBatch, _ now: SyncMoment) {
        refuse(firstSeq: batch.firstSeq, count: Int(batch.lastSeq - batch.firstSeq + 1), now)
    }

    private func refuse(firstSeq: Int64, count: Int, _ now: SyncMoment) {
        if let seq = driver.refused(firstSeq: firstSeq, count: count, now: now.monotonicMilliseconds) {
            tell(.parked(seq: seq))
        }
    }

    private func stop(_ reason: SyncDriver.StopReason) {
        driver.stop(reason)
        tell(.stopped(reason))
    }

    private func fail(_ error: BookError, _ now: SyncMoment) {
        tell(.bookFailed(error))
        fail(.book, now)
    }

    private func fail(_ failure: SyncDriver.Failure, retryAfterSeconds: Int64? = nil, _ now: SyncMoment) {
        driver.failed(failure, retryAfterSeconds: retryAfterSeconds, now: now.monotonicMilliseconds)
        tellFailure(failure, now)
    }

    private func tellFailure(_ failure: SyncDriver.Failure, _ now: SyncMoment) {
        lastFailure = failure
        tell(.failed(failure, retryMilliseconds: (driver.dueMilliseconds ?? 0) - now.monotonicMilliseconds))
    }

    private func newID(_ now: SyncMoment) -> ULID {
        let milliseconds = UInt64(clamping: now.wall.rawValue) & 0xFFFF_FFFF_FFFF
        return ULID(high: milliseconds << 16 | random() & 0xFFFF, low: random())
    }

    /// Eight bytes, not all zero, as trace context wants them.
    private func spanID() -> String {
        let bits = random() | 1
        return Hex.text((0..<8).map { UInt8(truncatingIfNeeded: bits >> (56 - 8 * UInt64($0))) })
    }
}
