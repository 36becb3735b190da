import JSONText
import Ledger
import Seals

/// What the shop's log asks of the book. `LedgerStore` is the one on SQLite.
public protocol ShopLogBook: AnyObject {
    func shopLogPlace() throws(BookError) -> ShopLogPlace
    func counters() throws(BookError) -> [CounterStanding]
    func shopPollSeconds() throws(BookError) -> Int64?
    func takeShopLog(_ entries: [ShopLogEntry], at: WallTime) throws(BookError) -> ShopLogReport
    func forgetShopLog() throws(BookError)
}

extension LedgerStore: ShopLogBook {}

/// Checks a page of the shop's log and makes of it what the book can apply: the gateway's signature over each entry,
/// the other counter's over its facts, by the key that the log itself named before.
struct ShopLogReader {
    let identity: DeviceIdentity
    /// Ledger keys of counters as the log has named them so far.
    private var keys: [[UInt8]: VerifyingKey] = [:]

    init(identity: DeviceIdentity, counters: [CounterStanding]) {
        self.identity = identity
        for counter in counters { keys[counter.details.device] = try? VerifyingKey(bytes: counter.details.ledgerKey) }
    }

    mutating func read(_ page: [UInt8]) throws(SyncError) -> [ShopLogEntry] {
        var entries: [ShopLogEntry] = []
        for bytes in try ShopLogPage.read(page) {
            let delta = try ShopDelta.read(bytes, key: identity.receiptKey)
            guard delta.shop == identity.shop else { throw .notAuthentic }
            entries.append(
                ShopLogEntry(
                    seq: delta.seq, prev: delta.prev, hash: delta.hash, server: delta.server, change: try change(delta))
            )
        }
        return entries
    }

    private mutating func change(_ delta: ShopDelta) throws(SyncError) -> ShopChange {
        if delta.kind == ShopChange.Kind.facts {
            if delta.device == identity.device { return .ownFacts }
            guard let key = keys[delta.device], let body = delta.body else {
                throw .malformed("facts of a counter the log has not named")
            }
            let batch = try SyncBatch.read(body, key: key)
            guard batch.header.device == delta.device, batch.header.shop == identity.shop else { throw .notAuthentic }
            return .facts(
                CounterFacts(
                    device: delta.device, epoch: batch.header.epoch, firstSeq: batch.header.firstSeq,
                    prev: batch.header.prevHash, bodies: batch.entries.map(\.body)))
        }
        guard let body = delta.body, let change = ShopChange(kind: delta.kind, body: body) else {
            throw .malformed("an entry of kind \(delta.kind)")
        }
        if case .counter(let counter) = change {
            guard let key = try? VerifyingKey(bytes: counter.ledgerKey) else { throw .malformed("a counter's key") }
            // A key that is known is followed by another at its own word alone.
            if let known = keys[counter.device], known != key {
                guard let json = counter.handover.flatMap({ try? JSONValue(parsing: $0) }),
                    let handover = KeyHandover(json: json), handover.device == counter.device, handover.old == known,
                    handover.new == key, handover.holds
                else { throw .notAuthentic }
            }
            keys[counter.device] = key
        }
        return change
    }
}
