import Ledger
import Seals

/// One entry of a shop's log as the gateway signs it. Entries count up by one and each names the one before by its
/// hash, so that none can be left out, put in or exchanged unseen.
///
///     "DLD1" | header length u16 | header (CBOR, keys 1 to 9) | signature(64) over "execora/shop-log/v1\0" || header
///     | body, bound by its length and SHA-256
///
/// The body of facts is the batch as the other counter signed it, and the gateway cannot make one. A counter's own
/// batches come to it without their body.
public struct ShopDelta: Hashable, Sendable {
    static let magic = "DLD1"
    static let domain = "execora/shop-log/v1\0"
    static let version: Int64 = 1
    static let bodyBytesMax = SyncLimits.wireBytesMax

    /// 16 bytes.
    public var shop: [UInt8]
    public var seq: Int64
    /// `hash` of the entry before; 32 zero bytes before the first.
    public var prev: [UInt8]
    /// `ShopChange.Kind`; kinds of newer gateways are read as well.
    public var kind: Int64
    public var server: WallTime
    /// The counter it is about, 16 bytes; zero bytes for none.
    public var device: [UInt8]
    public var bodyBytes: Int
    public var bodyDigest: [UInt8]
    /// SHA-256 of the header's bytes.
    public private(set) var hash: [UInt8] = []
    /// Nil when it came without.
    public private(set) var body: [UInt8]?

    public static let nobody = [UInt8](repeating: 0, count: 16)

    /// - Parameter body: at most 96 kB; what is stored and sent behind the head.
    public init(
        shop: [UInt8], seq: Int64, prev: [UInt8], kind: Int64, server: WallTime, device: [UInt8], body: [UInt8]
    ) {
        precondition(shop.count == 16 && device.count == 16 && prev.count == SHA256.byteCount, "of another shape")
        precondition(body.count <= Self.bodyBytesMax, "a body of \(body.count) bytes")
        self.shop = shop
        self.seq = seq
        self.prev = prev
        self.kind = kind
        self.server = server
        self.device = device
        bodyBytes = body.count
        bodyDigest = SHA256.digest(body)
        self.body = body
    }

    private var header: [UInt8] {
        CBORValue.map([
            1: .integer(Self.version), 2: .bytes(shop), 3: .integer(seq), 4: .bytes(prev), 5: .integer(kind),
            6: .integer(server.rawValue), 7: .bytes(device), 8: .integer(Int64(bodyBytes)), 9: .bytes(bodyDigest),
        ]).encoded
    }

    /// The envelope without the body, and the hash that the next entry names.
    public func signed(by key: SigningKey) throws(SealError) -> (head: [UInt8], hash: [UInt8]) {
        let header = header
        return (
            try Envelope.write(magic: Self.magic, header: header, domain: Self.domain, key: key),
            SHA256.digest(header)
        )
    }

    /// - Parameter key: the pinned receipt key.
    public static func read(_ bytes: [UInt8], key: VerifyingKey) throws(SyncError) -> ShopDelta {
        guard bytes.count <= ShopLogPage.entryBytesMax else { throw .tooLarge("entry") }
        let envelope = try Envelope.read(bytes, magic: magic)
        guard envelope.isSigned(by: key, domain: domain) else { throw .notAuthentic }
        let fields = try envelope.fields(lastKey: 9)
        _ = try fields.number(1, in: version...version)
        let length = try fields.number(8, in: 0...Int64(bodyBytesMax))
        let body = Array(envelope.rest)
        guard body.count <= bodyBytesMax else { throw .tooLarge("body") }
        var delta = ShopDelta(
            shop: try fields.bytes(2, count: 16), seq: try fields.number(3, in: 1...Int64.max),
            prev: try fields.bytes(4, count: 32), kind: try fields.number(5, in: 1...Int64.max),
            server: WallTime(milliseconds: try fields.number(6, in: 0...Int64.max)),
            device: try fields.bytes(7, count: 16), body: body)
        let digest = try fields.bytes(9, count: SHA256.byteCount)
        if body.isEmpty, length > 0 {
            delta.body = nil
            delta.bodyBytes = Int(length)
            delta.bodyDigest = digest
        } else {
            guard delta.bodyBytes == length, delta.bodyDigest == digest else { throw .notAuthentic }
        }
        delta.hash = SHA256.digest(envelope.header)
        return delta
    }
}

/// A page of a shop's log as it goes down: entry after entry, each behind its length (u32 big-endian).
public enum ShopLogPage {
    /// When full: the page ends; the next is asked for behind its last entry. One entry always fits.
    public static let bytesMax = 64 * 1024
    static let entryBytesMax = SyncLimits.fixedBytes + SyncLimits.headerBytesMax + ShopDelta.bodyBytesMax
    /// Entries of one page at most, so that one transaction of the device stays short.
    public static let entriesMax = 64

    public static func page(_ entries: [[UInt8]]) -> [UInt8] {
        var page: [UInt8] = []
        for entry in entries.prefix(entriesMax) {
            guard page.isEmpty || page.count + 4 + entry.count <= bytesMax else { break }
            page += withUnsafeBytes(of: UInt32(entry.count).bigEndian) { Array($0) } + entry
        }
        return page
    }

    public static func read(_ page: [UInt8]) throws(SyncError) -> [[UInt8]] {
        var entries: [[UInt8]] = []
        var at = 0
        while at < page.count {
            guard page.count - at >= 4 else { throw .malformed("page ends in a frame") }
            let length = page[at..<at + 4].reduce(0) { $0 << 8 | Int($1) }
            guard length <= entryBytesMax else { throw .tooLarge("entry") }
            guard page.count - at - 4 >= length else { throw .malformed("page ends in a frame") }
            guard entries.count < entriesMax else { throw .tooLarge("page") }
            entries.append(Array(page[at + 4..<at + 4 + length]))
            at += 4 + length
        }
        return entries
    }
}
