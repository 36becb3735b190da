import Ledger
import Seals

/// Consecutive events of one device's chain, signed by its ledger key.
///
///     "DLB1" | header length u16 | header (CBOR, keys 1 to 20) | signature(64) | payload
///     payload = one frame an event: length u32 big-endian | event body; as such (codec 0), by Zstandard (1) or
///               in columns (2)
///
/// The signature is over "execora/sync-batch/v1\0" || header; the header binds the payload by the length and SHA-256
/// that it has uncompressed.
public struct SyncBatch: Hashable, Sendable {
    static let magic = "DLB1"
    static let domain = "execora/sync-batch/v1\0"
    static let version: Int64 = 1
    static let algorithmEd25519: Int64 = 1

    public struct Header: Hashable, Sendable {
        /// 16 bytes each.
        public var shop: [UInt8]
        public var device: [UInt8]
        public var epoch: Int64
        public var firstSeq: Int64
        public var count: Int
        /// The hash before the first event, and of the last.
        public var prevHash: [UInt8]
        public var headHash: [UInt8]
        /// Uncompressed.
        public var payloadBytes: Int
        public var codec = PayloadCodec.none
        public var payloadDigest: [UInt8]
        /// `VerifyingKey.keyID` of the ledger key.
        public var keyID: [UInt8]
        public var circumstances: SyncCircumstances

        public var lastSeq: Int64 { firstSeq + Int64(count) - 1 }
    }

    /// One event as it travels.
    public struct Entry: Hashable, Sendable {
        public var seq: Int64
        public var body: [UInt8]
        public var prev: [UInt8]
        public var hash: [UInt8]
    }

    public let header: Header
    public let entries: [Entry]
    /// The envelope as signed and sent. What the gateway stores.
    public let bytes: [UInt8]

    /// How many of these events, from the first, one batch may hold.
    ///
    /// - Returns: 0 when the first alone is too long to be sent.
    public static func fitting(_ events: [StoredEvent], eventsMax: Int = SyncLimits.eventsMax) -> Int {
        var bytes = SyncLimits.fixedBytes + SyncLimits.headerBytesMax
        var count = 0
        for event in events.prefix(min(eventsMax, SyncLimits.eventsMax)) {
            bytes += 4 + event.body.count
            guard event.body.count <= SyncLimits.eventBytesMax, bytes <= SyncLimits.wireBytesMax else { break }
            count += 1
        }
        return count
    }

    /// Signs events into a batch.
    ///
    /// - Parameter events: of one epoch, consecutive, no more than `fitting` allows.
    /// - Throws: `.brokenChain` when what the book gave is not a chain: the book is damaged, nothing is signed.
    public static func sign(
        _ events: [StoredEvent], shop: [UInt8], device: [UInt8], circumstances: SyncCircumstances, key: SigningKey
    ) throws(SyncError) -> SyncBatch {
        precondition(!events.isEmpty && fitting(events) == events.count, "events that do not fit a batch")
        precondition(shop.count == 16 && device.count == 16, "an identity is 16 bytes")
        var prev = events[0].prev
        var payload: [UInt8] = []
        for (event, seq) in zip(events, events[0].seq...) {
            guard event.epoch == events[0].epoch, event.seq == seq, event.prev == prev,
                event.hash
                    == ChainLink.hash(device: device, epoch: event.epoch, seq: seq, prev: prev, body: event.body)
            else { throw .brokenChain(seq: seq) }
            prev = event.hash
            payload += Self.frameLength(event.body.count) + event.body
        }
        let (codec, packed) = PayloadCodec.pack(payload, of: events.map(\.body))
        let header = Header(
            shop: shop, device: device, epoch: events[0].epoch, firstSeq: events[0].seq, count: events.count,
            prevHash: events[0].prev, headHash: prev, payloadBytes: payload.count,
            codec: codec, payloadDigest: SHA256.digest(payload), keyID: key.verifyingKey.keyID,
            circumstances: circumstances)
        let envelope: [UInt8]
        do {
            envelope = try Envelope.write(magic: magic, header: header.encoded, domain: domain, key: key)
        } catch { preconditionFailure("the ledger key does not sign: \(error)") }
        return SyncBatch(
            header: header,
            entries: events.map { Entry(seq: $0.seq, body: $0.body, prev: $0.prev, hash: $0.hash) },
            bytes: envelope + packed)
    }

    /// Reads and checks a batch: form, limits, signature, payload digest, chain from `prevHash` to `headHash`.
    /// Whether `shop` and `device` are who the connection says, and where the chain goes on, is the caller's.
    ///
    /// - Parameter key: the device's ledger key, from its enrolment, never from the batch.
    public static func read(_ bytes: [UInt8], key: VerifyingKey) throws(SyncError) -> SyncBatch {
        guard bytes.count <= SyncLimits.wireBytesMax else { throw .tooLarge("envelope") }
        let envelope = try Envelope.read(bytes, magic: magic)
        // Before anything the sender wrote is looked into.
        guard envelope.isSigned(by: key, domain: domain) else { throw .notAuthentic }
        let header = try Header(envelope.fields(lastKey: 20))
        guard header.keyID == key.keyID else { throw .notAuthentic }
        let payload = try payload(of: envelope, header)
        guard SHA256.digest(payload) == header.payloadDigest else { throw .notAuthentic }
        return SyncBatch(header: header, entries: try entries(of: payload, header), bytes: bytes)
    }

    /// What a batch says of itself; nil for what is no batch. Nothing is verified.
    public static func claim(of bytes: [UInt8]) -> Header? {
        guard bytes.count <= SyncLimits.wireBytesMax, let envelope = try? Envelope.read(bytes, magic: magic),
            let header = try? Header(envelope.fields(lastKey: 20))
        else { return nil }
        return header
    }

    /// Reads a batch that was checked before it was stored: form and chain, not the signature, whose key may have
    /// been replaced since.
    public static func stored(_ bytes: [UInt8]) throws(SyncError) -> SyncBatch {
        let envelope = try Envelope.read(bytes, magic: magic)
        let header = try Header(envelope.fields(lastKey: 20))
        return SyncBatch(header: header, entries: try entries(of: payload(of: envelope, header), header), bytes: bytes)
    }

    private static func payload(of envelope: Envelope, _ header: Header) throws(SyncError) -> [UInt8] {
        try header.codec.unpack(envelope.rest, count: header.count, payloadBytes: header.payloadBytes)
    }

    private static func entries(of payload: [UInt8], _ header: Header) throws(SyncError) -> [Entry] {
        var entries: [Entry] = []
        entries.reserveCapacity(header.count)
        var at = 0
        var prev = header.prevHash
        for seq in header.firstSeq...header.lastSeq {
            guard payload.count - at >= 4 else { throw .malformed("payload ends in a frame") }
            let length = payload[at..<at + 4].reduce(0) { $0 << 8 | Int($1) }
            at += 4
            guard length <= SyncLimits.eventBytesMax else { throw .tooLarge("event") }
            guard payload.count - at >= length else { throw .malformed("payload ends in a frame") }
            let body = Array(payload[at..<at + length])
            at += length
            // An event is canonical CBOR, so that no two encodings of one event exist.
            guard CBORValue.isCanonical(body) else { throw .malformed("event \(seq) is not canonical CBOR") }
            let hash = ChainLink.hash(
                device: header.device, epoch: header.epoch, seq: seq, prev: prev, body: body)
            entries.append(Entry(seq: seq, body: body, prev: prev, hash: hash))
            prev = hash
        }
        guard at == payload.count else { throw .malformed("bytes behind the last frame") }
        guard prev == header.headHash else { throw .brokenChain(seq: header.lastSeq) }
        return entries
    }

    private static func frameLength(_ count: Int) -> [UInt8] {
        [UInt8(count >> 24), UInt8(count >> 16 & 0xFF), UInt8(count >> 8 & 0xFF), UInt8(count & 0xFF)]
    }
}

/// What the device knew when it signed: clocks, boot, what it last heard. Evidence for the server, never order.
public struct SyncCircumstances: Hashable, Sendable {
    /// 16 bytes; changes at every start of the kernel.
    public var bootID: [UInt8]
    public var monotonicMilliseconds: Int64
    public var wall: WallTime
    /// 0 unknown, 1 floor, 2 battery clock, 3 NTP, 4 attested by the server.
    public var wallQuality: Int64
    /// SHA-256 of the last receipt's envelope; 32 zero bytes before the first.
    public var lastReceiptHash: [UInt8]
    /// How far the shop's log of the server was applied; 0 when none was.
    public var lastServerSeq: Int64
    /// 0 unknown, 1 plenty, 2 below 15 %, 3 below 10 %, 4 below 5 %, 5 below 2 %.
    public var freeDiskClass: Int64

    public init(
        bootID: [UInt8], monotonicMilliseconds: Int64, wall: WallTime, wallQuality: Int64,
        lastReceiptHash: [UInt8] = ChainLink.start, lastServerSeq: Int64 = 0, freeDiskClass: Int64 = 0
    ) {
        precondition(bootID.count == 16 && lastReceiptHash.count == 32, "circumstances of another shape")
        self.bootID = bootID
        self.monotonicMilliseconds = monotonicMilliseconds
        self.wall = wall
        self.wallQuality = wallQuality
        self.lastReceiptHash = lastReceiptHash
        self.lastServerSeq = lastServerSeq
        self.freeDiskClass = freeDiskClass
    }
}
