import Ledger
import Seals

/// What taking a book back asks of it. `LedgerStore` is the one on SQLite.
public protocol RestorableBook: SyncBook {
    func takeBack(_ bodies: [[UInt8]], to head: ChainHead) throws(BookError)
}

extension LedgerStore: RestorableBook {}

/// Why a book is not taken back.
public enum RestoreError: Error, Equatable {
    /// What came is not what this device signed or the gateway receipted: nothing of the page was taken.
    case notProven(String)
    /// The book holds entries the gateway's copy contradicts: another history. The technician.
    case fork(seq: Int64)
    case book(BookError)
}

/// Makes a book again from the gateway's copy of its journal. Every entry is proven by this device's own signature,
/// so the gateway cannot slip one in; every receipt by the gateway's.
///
/// Belongs to the book's thread.
public struct BookRestorer {
    private let book: any RestorableBook
    private let identity: DeviceIdentity
    private let keys: [VerifyingKey]

    /// - Parameter keys: all this device ever signed with.
    public init(book: any RestorableBook, identity: DeviceIdentity, keys: [VerifyingKey]) {
        self.book = book
        self.identity = identity
        self.keys = keys
    }

    /// Where the next page is to begin behind.
    public func place() throws(RestoreError) -> (epoch: Int64, seq: Int64) {
        do throws(BookError) {
            let head = try book.head()
            return (max(1, head.epoch), head.seq)
        } catch { throw .book(error) }
    }

    public func path() throws(RestoreError) -> String {
        let place = try place()
        return "/v1/entries?epoch=\(place.epoch)&after=\(place.seq)"
    }

    /// Takes one page.
    ///
    /// - Returns: how many entries were new; 0 when the copy holds nothing behind the book.
    public func take(_ page: [UInt8]) throws(RestoreError) -> Int {
        let held: [HeldBatches.Held]
        do { held = try HeldBatches.read(page) } catch { throw .notProven("the page is no page: \(error)") }
        var taken = 0
        for one in held { taken += try take(one) }
        return taken
    }

    private func read(_ envelope: [UInt8]) throws(SyncError) -> SyncBatch {
        for key in keys.reversed() {
            do throws(SyncError) { return try SyncBatch.read(envelope, key: key) } catch {
                // Signed by another of the keys, perhaps; any other fault is a fault.
                guard error == .notAuthentic else { throw error }
            }
        }
        throw .notAuthentic
    }

    private func take(_ held: HeldBatches.Held) throws(RestoreError) -> Int {
        let (batch, receipt): (SyncBatch, Receipt)
        do throws(SyncError) {
            batch = try read(held.envelope)
            receipt = try Receipt.read(held.receipt, key: identity.receiptKey)
        } catch { throw .notProven("a batch or its receipt does not verify: \(error)") }
        guard batch.header.device == identity.device, batch.header.shop == identity.shop,
            receipt.device == identity.device, receipt.epoch == batch.header.epoch,
            receipt.throughSeq == batch.header.lastSeq, receipt.headHash == batch.header.headHash
        else { throw .notProven("a batch of another device, or a receipt of another batch") }
        var head: ChainHead
        do throws(BookError) { head = try book.head() } catch { throw .book(error) }
        if head.seq == 0 { head = ChainHead(epoch: batch.header.epoch, seq: 0, hash: ChainLink.start) }
        let new = batch.entries.filter { $0.seq > head.seq }
        guard let first = new.first else { return 0 }
        guard first.seq == head.seq + 1 else { throw .notProven("the page leaves entries out") }
        guard first.prev == head.hash else { throw .fork(seq: head.seq) }
        do throws(BookError) {
            try book.takeBack(
                new.map(\.body),
                to: ChainHead(epoch: batch.header.epoch, seq: batch.header.lastSeq, hash: batch.header.headHash))
            try book.advance(
                to: SyncCursor(
                    epoch: receipt.epoch, seq: receipt.throughSeq, hash: receipt.headHash, receipt: held.receipt))
        } catch { throw .book(error) }
        return new.count
    }
}
