import Ledger
import Seals

/// The gateway's signed word that it stored a device's chain up to a place. What the shopkeeper can show.
///
///     "DLR1" | header length u16 | header (CBOR, keys 1 to 10) | signature(64) over "execora/receipt/v1\0" || header
public struct Receipt: Hashable, Sendable {
    static let magic = "DLR1"
    static let domain = "execora/receipt/v1\0"
    static let version: Int64 = 1

    /// 16 bytes each.
    public var shop: [UInt8]
    public var device: [UInt8]
    public var epoch: Int64
    /// Every event up to this one is stored.
    public var throughSeq: Int64
    /// The hash of that event.
    public var headHash: [UInt8]
    /// The server's clock, milliseconds since 1970.
    public var server: WallTime
    /// 16 bytes; names the server's store. Another value: another store, or one restored as new.
    public var storeID: [UInt8]
    /// Counts up by one in a device's chain of receipts.
    public var number: Int64
    /// `hash(of:)` of the device's receipt before; 32 zero bytes for the first.
    public var previousReceiptHash: [UInt8]

    public init(
        shop: [UInt8], device: [UInt8], epoch: Int64, throughSeq: Int64, headHash: [UInt8], server: WallTime,
        storeID: [UInt8], number: Int64, previousReceiptHash: [UInt8]
    ) {
        precondition(shop.count == 16 && device.count == 16 && storeID.count == 16, "an identity is 16 bytes")
        precondition(headHash.count == 32 && previousReceiptHash.count == 32, "a hash is 32 bytes")
        self.shop = shop
        self.device = device
        self.epoch = epoch
        self.throughSeq = throughSeq
        self.headHash = headHash
        self.server = server
        self.storeID = storeID
        self.number = number
        self.previousReceiptHash = previousReceiptHash
    }

    /// The envelope's bytes. Sign once, after the commit, and store what this gives: a replay is answered with the
    /// same bytes.
    public func signed(by key: SigningKey) throws(SealError) -> [UInt8] {
        let header = CBORValue.map([
            1: .integer(Self.version), 2: .bytes(shop), 3: .bytes(device), 4: .integer(epoch),
            5: .integer(throughSeq), 6: .bytes(headHash), 7: .integer(server.rawValue), 8: .bytes(storeID),
            9: .integer(number), 10: .bytes(previousReceiptHash),
        ]).encoded
        return try Envelope.write(magic: Self.magic, header: header, domain: Self.domain, key: key)
    }

    /// - Parameter key: the pinned receipt key.
    public static func read(_ bytes: [UInt8], key: VerifyingKey) throws(SyncError) -> Receipt {
        guard bytes.count <= SyncLimits.receiptBytesMax else { throw .tooLarge("receipt") }
        let envelope = try Envelope.read(bytes, magic: magic)
        guard envelope.rest.isEmpty else { throw .malformed("bytes behind the receipt") }
        guard envelope.isSigned(by: key, domain: domain) else { throw .notAuthentic }
        let fields = try envelope.fields(lastKey: 10)
        _ = try fields.number(1, in: version...version)
        return Receipt(
            shop: try fields.bytes(2, count: 16), device: try fields.bytes(3, count: 16),
            epoch: try fields.number(4, in: 1...Int64.max), throughSeq: try fields.number(5, in: 0...Int64.max),
            headHash: try fields.bytes(6, count: 32),
            server: WallTime(milliseconds: try fields.number(7, in: 0...Int64.max)),
            storeID: try fields.bytes(8, count: 16), number: try fields.number(9, in: 1...Int64.max),
            previousReceiptHash: try fields.bytes(10, count: 32))
    }

    /// What the next receipt, and the next batch, name as the one before.
    public static func hash(of envelope: [UInt8]) -> [UInt8] { SHA256.digest(envelope) }
}
