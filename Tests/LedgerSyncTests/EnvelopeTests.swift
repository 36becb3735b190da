import Ledger
import LedgerSync
import Seals
import Testing

@Suite struct EnvelopeTests {
    private let key: SigningKey
    private let book: MemoryBook

    init() throws {
        key = try SigningKey(seed: KnownEnvelopes.seed)
        book = MemoryBook(device: DeviceIdentity.deviceID(of: key.verifyingKey))
    }

    private func circumstances() -> SyncCircumstances {
        SyncCircumstances(
            bootID: KnownEnvelopes.bootID, monotonicMilliseconds: 123_456,
            wall: WallTime(milliseconds: 1_790_000_000_000), wallQuality: 3, freeDiskClass: 1)
    }

    private func sign(_ events: [StoredEvent]) throws -> SyncBatch {
        try SyncBatch.sign(
            events, shop: KnownEnvelopes.shop, device: book.device, circumstances: circumstances(), key: key)
    }

    /// Deterministic CBOR, the chain and Ed25519 leave no freedom: both implementations give the same bytes.
    @Test func `a batch is byte for byte what the other implementation makes`() throws {
        let bodies = [
            CBORValue.map([1: .integer(7), 2: .text("udhaar")]).encoded,
            CBORValue.map([1: .integer(8), 2: .integer(-250), 3: .bytes([UInt8](repeating: 0, count: 300))]).encoded,
        ]
        var prev = ChainLink.start
        var events: [StoredEvent] = []
        for (seq, body) in zip(Int64(1)..., bodies) {
            let hash = ChainLink.hash(device: book.device, epoch: 1, seq: seq, prev: prev, body: body)
            events.append(
                StoredEvent(
                    epoch: 1, seq: seq, id: ULID(high: 0, low: UInt64(seq)), type: 1, body: body, prev: prev, hash: hash
                ))
            prev = hash
        }
        #expect(events.map(\.hash) == KnownEnvelopes.hashes)
        #expect(Hex.text(try sign(events).bytes) == Hex.text(KnownEnvelopes.batch))
    }

    @Test func `the other implementation's batch is read`() throws {
        let batch = try SyncBatch.read(KnownEnvelopes.batch, key: key.verifyingKey)
        #expect(batch.header.shop == KnownEnvelopes.shop)
        #expect(batch.header.device == book.device)
        #expect(batch.header.epoch == 1 && batch.header.firstSeq == 1 && batch.header.lastSeq == 2)
        #expect(batch.header.circumstances == circumstances())
        #expect(batch.entries.map(\.hash) == KnownEnvelopes.hashes)
        #expect(batch.bytes == KnownEnvelopes.batch)
    }

    @Test func `a receipt is byte for byte what the other implementation makes`() throws {
        let receipt = try Receipt.read(KnownEnvelopes.receipt, key: key.verifyingKey)
        #expect(
            receipt
                == Receipt(
                    shop: KnownEnvelopes.shop, device: book.device, epoch: 1, throughSeq: 2,
                    headHash: KnownEnvelopes.hashes[1], server: WallTime(milliseconds: 1_790_000_000_123),
                    storeID: KnownEnvelopes.storeID, number: 1, previousReceiptHash: ChainLink.start))
        #expect(try receipt.signed(by: key) == KnownEnvelopes.receipt)
    }

    /// The signature is over the header and the header binds the payload: no bit of either is free.
    @Test func `no bit of a batch can change`() {
        for place in KnownEnvelopes.batch.indices {
            for bit in 0..<8 {
                var bent = KnownEnvelopes.batch
                bent[place] ^= 1 << UInt8(bit)
                #expect(throws: SyncError.self, "byte \(place) bit \(bit)") {
                    try SyncBatch.read(bent, key: key.verifyingKey)
                }
            }
        }
    }

    @Test func `no bit of a receipt can change`() {
        for place in KnownEnvelopes.receipt.indices {
            for bit in 0..<8 {
                var bent = KnownEnvelopes.receipt
                bent[place] ^= 1 << UInt8(bit)
                #expect(throws: SyncError.self, "byte \(place) bit \(bit)") {
                    try Receipt.read(bent, key: key.verifyingKey)
                }
            }
        }
    }

    @Test func `a cut or lengthened envelope is refused`() {
        for count in 0..<KnownEnvelopes.batch.count {
            #expect(throws: SyncError.self) {
                try SyncBatch.read(Array(KnownEnvelopes.batch.prefix(count)), key: key.verifyingKey)
            }
        }
        for count in 0..<KnownEnvelopes.receipt.count {
            #expect(throws: SyncError.self) {
                try Receipt.read(Array(KnownEnvelopes.receipt.prefix(count)), key: key.verifyingKey)
            }
        }
        #expect(throws: SyncError.self) { try SyncBatch.read(KnownEnvelopes.batch + [0], key: key.verifyingKey) }
        #expect(throws: SyncError.self) { try Receipt.read(KnownEnvelopes.receipt + [0], key: key.verifyingKey) }
    }

    @Test func `random bytes behind a good start are refused`() {
        var random = Seeded(7)
        for _ in 0..<2000 {
            let start = Array(KnownEnvelopes.batch.prefix(random.below(80)))
            let bytes = start + (0..<random.below(600)).map { _ in UInt8.random(in: 0...255, using: &random) }
            #expect(throws: SyncError.self) { try SyncBatch.read(bytes, key: key.verifyingKey) }
            let receipt = Array(KnownEnvelopes.receipt.prefix(random.below(80))) + bytes
            #expect(throws: SyncError.self) { try Receipt.read(receipt, key: key.verifyingKey) }
        }
    }

    @Test func `another key's signature is refused`() throws {
        let other = try SigningKey(seed: [UInt8](repeating: 9, count: 32))
        #expect(throws: SyncError.notAuthentic) {
            try SyncBatch.read(KnownEnvelopes.batch, key: other.verifyingKey)
        }
        #expect(throws: SyncError.notAuthentic) { try Receipt.read(KnownEnvelopes.receipt, key: other.verifyingKey) }
    }

    /// A receipt cannot pass for a batch of the same key, nor the other way: the domain is in the signature.
    @Test func `a signature of one kind is none of the other`() throws {
        var asReceipt = Array("DLR1".utf8) + KnownEnvelopes.batch.dropFirst(4)
        asReceipt.removeLast(asReceipt.count - 6 - 243 - 64)
        #expect(throws: SyncError.notAuthentic) { try Receipt.read(asReceipt, key: key.verifyingKey) }
        let asBatch = Array("DLB1".utf8) + KnownEnvelopes.receipt.dropFirst(4)
        #expect(throws: SyncError.notAuthentic) { try SyncBatch.read(asBatch, key: key.verifyingKey) }
    }

    @Test func `what is signed is read back, at every count up to the limit`() throws {
        for _ in 0..<1001 { book.append(bodyBytes: 10) }
        for count in [1, 2, 63, 64, 65, 999, 1000] {
            let batch = try sign(Array(book.stored.prefix(count)))
            let again = try SyncBatch.read(batch.bytes, key: key.verifyingKey)
            #expect(again == batch)
            #expect(again.entries.map(\.body) == book.stored.prefix(count).map(\.body))
        }
        #expect(SyncBatch.fitting(book.stored) == 1000)
        #expect(SyncBatch.fitting(book.stored, eventsMax: 3) == 3)
    }

    @Test func `a batch never passes the limit of the wire`() throws {
        for _ in 0..<40 { book.append(bodyBytes: 7000) }
        let fits = SyncBatch.fitting(book.stored)
        #expect(fits == 13)
        #expect(try sign(Array(book.stored.prefix(fits))).bytes.count <= SyncLimits.wireBytesMax)
        #expect(throws: SyncError.tooLarge("envelope")) {
            try SyncBatch.read([UInt8](repeating: 0, count: SyncLimits.wireBytesMax + 1), key: key.verifyingKey)
        }
        let long = MemoryBook(device: book.device)
        long.append(bodyBytes: SyncLimits.eventBytesMax)
        #expect(SyncBatch.fitting(long.stored) == 0)
    }

    /// A damaged book must not be signed: the chain is checked before writing as it is after reading.
    @Test func `a book that is no chain is not signed`() throws {
        for _ in 0..<5 { book.append() }
        book.damage(seq: 3)
        #expect(throws: SyncError.brokenChain(seq: 3)) { try sign(book.stored) }
        var gap = book.stored
        gap.remove(at: 1)
        #expect(throws: SyncError.brokenChain(seq: 2)) { try sign(gap) }
    }

    @Test(arguments: [
        (SyncError.malformed("x"), 400), (.tooLarge("x"), 413), (.notAuthentic, 422), (.brokenChain(seq: 1), 422),
    ])
    func `each refusal has its status`(error: SyncError, status: Int) { #expect(error.httpStatus == status) }
}
