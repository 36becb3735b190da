import Ledger
import Testing

@testable import struct Ledger.Place

@Suite struct ChainTests {
    /// Computed with Python's hashlib and struct from the formula in the design, not with this code.
    @Test func `the chain's hashes are those of the formula`() {
        let device: [UInt8] = (0..<16).map { $0 }
        let first = ChainLink.hash(device: device, epoch: 1, seq: 1, prev: ChainLink.start, body: [0xA1, 0x00, 0xF6])
        #expect(first.hex == "8a6611dcd7355b29c98cd12618f61fdf737f1d531d8a21daca8f78468ab13f85")
        let second = ChainLink.hash(device: device, epoch: 1, seq: 2, prev: first, body: [])
        #expect(second.hex == "521d7cca16a3e4883aa9e1029eebe8f884b25e7f04283718f57ff6b408e6354a")
        let far = ChainLink.hash(
            device: device, epoch: 3, seq: 1 << 40 - 1, prev: second, body: (0...255).map { UInt8($0) })
        #expect(far.hex == "8f637e7b1546e8d2fd5bb0f8cc577dc88858f6638c9f0083e250963cf7a72228")
    }

    @Test(arguments: [(1, 0), (1, 1), (2, 0), (7, 1 << 40 - 1)] as [(Int64, Int64)])
    func `a place gives back its epoch and number, and orders epochs before numbers`(epoch: Int64, seq: Int64) {
        let place = Place(epoch: epoch, seq: seq)
        #expect(place.epoch == epoch && place.seq == seq)
        #expect(place < Place(epoch: epoch + 1, seq: 0))
    }

    @Test func `events leave as stored, in order, and each follows the one before`() throws {
        let counter = try Counter()
        let rahul = try counter.customer("Rahul")
        for paise in 1...20 { try counter.does(.giveCredit(rahul, Paise(Int64(paise)), note: nil)) }
        let all = try counter.book.events(after: 0, epoch: 1, limit: 1000)
        #expect(all.map(\.seq) == Array(1...21))
        #expect(all[0].prev == ChainLink.start)
        for (before, after) in zip(all, all.dropFirst()) { #expect(after.prev == before.hash) }
        for event in all {
            #expect(
                event.hash
                    == ChainLink.hash(
                        device: LedgerConfiguration.testDevice, epoch: 1, seq: event.seq, prev: event.prev,
                        body: event.body))
            let entry = try JournalEntry(decoding: event.body)
            #expect(entry.id == event.id && entry.type == event.type && entry.encoded == event.body)
        }
        #expect(try counter.book.events(after: 5, epoch: 1, limit: 3) == Array(all[5..<8]))
        #expect(try counter.book.events(after: 21, epoch: 1, limit: 3).isEmpty)
        #expect(try counter.book.events(after: 0, epoch: 2, limit: 3).isEmpty)
        let head = try counter.book.head()
        #expect(head == ChainHead(epoch: 1, seq: 21, hash: all[20].hash))
    }

    @Test func `the boot is named by the first event of a run alone`() throws {
        let folder = Folder()
        for seed in 1...2 as ClosedRange<UInt64> {
            let counter = try Counter(path: folder.book, seed: seed)
            for name in ["A", "B"] { _ = try counter.customer("\(name)\(seed)") }
        }
        let book = try LedgerStore.inspect(path: folder.book)
        let boots = try book.events(after: 0, epoch: 1, limit: 9).map {
            try JournalEntry(decoding: $0.body).bootID != nil
        }
        #expect(boots == [true, false, true, false])
    }

    @Test func `a receipt moves the cursor forward only, and only for what the book holds`() throws {
        let folder = Folder()
        var counter: Counter! = try Counter(path: folder.book)
        #expect(try counter.book.cursor() == SyncCursor(epoch: 1, seq: 0, hash: ChainLink.start, receipt: []))
        for name in ["A", "B", "C"] { _ = try counter.customer(name) }
        let events = try counter.book.events(after: 0, epoch: 1, limit: 3)
        let second = SyncCursor(epoch: 1, seq: 2, hash: events[1].hash, receipt: [1, 2])
        try counter.book.advance(to: second)
        try counter.book.advance(to: SyncCursor(epoch: 1, seq: 1, hash: events[0].hash, receipt: [3]))
        #expect(try counter.book.cursor() == second)
        for wrong in [
            SyncCursor(epoch: 1, seq: 3, hash: events[0].hash, receipt: []),
            SyncCursor(epoch: 1, seq: 4, hash: events[2].hash, receipt: []),
            SyncCursor(epoch: 2, seq: 3, hash: events[2].hash, receipt: []),
        ] {
            #expect(throws: BookError.refused(.unknownEvent)) { try counter.book.advance(to: wrong) }
        }
        counter = nil
        counter = try Counter(path: folder.book)
        #expect(try counter.book.cursor() == second)
        #expect(try counter.book.facts().waiting == 1)
    }
}

extension [UInt8] {
    var hex: String {
        let digits = [UInt8]("0123456789abcdef".utf8)
        return String(decoding: flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
