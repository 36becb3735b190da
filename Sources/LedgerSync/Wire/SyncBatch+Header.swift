import Ledger
import Seals

extension SyncBatch.Header {
    /// The deterministic CBOR map that is signed. Keys as in the design of sync, C.2.
    var encoded: [UInt8] {
        CBORValue.map([
            1: .integer(SyncBatch.version), 2: .bytes(shop), 3: .bytes(device), 4: .integer(epoch),
            5: .integer(firstSeq), 6: .integer(Int64(count)), 7: .bytes(prevHash), 8: .bytes(headHash),
            9: .integer(Int64(payloadBytes)), 10: .bytes(payloadDigest),
            11: .integer(codec.rawValue),
            12: .integer(SyncBatch.algorithmEd25519), 13: .bytes(keyID), 14: .bytes(circumstances.bootID),
            15: .integer(circumstances.monotonicMilliseconds), 16: .integer(circumstances.wall.rawValue),
            17: .integer(circumstances.wallQuality), 18: .bytes(circumstances.lastReceiptHash),
            19: .integer(circumstances.lastServerSeq), 20: .integer(circumstances.freeDiskClass),
        ]).encoded
    }

    init(_ fields: HeaderFields) throws(SyncError) {
        let natural = 0...Int64.max
        _ = try fields.number(1, in: SyncBatch.version...SyncBatch.version)
        shop = try fields.bytes(2, count: 16)
        device = try fields.bytes(3, count: 16)
        epoch = try fields.number(4, in: 1...Int64.max)
        // Room for `count` more without overflow.
        firstSeq = try fields.number(5, in: 1...Int64.max - Int64(SyncLimits.eventsMax))
        let count = try fields.number(6, in: 1...Int64.max)
        guard count <= SyncLimits.eventsMax else { throw .tooLarge("events") }
        self.count = Int(count)
        prevHash = try fields.bytes(7, count: SHA256.byteCount)
        headHash = try fields.bytes(8, count: SHA256.byteCount)
        let payloadBytes = try fields.number(9, in: natural)
        guard payloadBytes <= SyncLimits.payloadBytesMax else { throw .tooLarge("payload") }
        self.payloadBytes = Int(payloadBytes)
        payloadDigest = try fields.bytes(10, count: SHA256.byteCount)
        guard let codec = PayloadCodec(rawValue: try fields.number(11, in: natural)) else {
            throw .malformed("header field 11")
        }
        self.codec = codec
        _ = try fields.number(12, in: SyncBatch.algorithmEd25519...SyncBatch.algorithmEd25519)
        keyID = try fields.bytes(13, count: 8)
        circumstances = SyncCircumstances(
            bootID: try fields.bytes(14, count: 16), monotonicMilliseconds: try fields.number(15, in: natural),
            wall: WallTime(milliseconds: try fields.number(16, in: Int64.min...Int64.max)),
            wallQuality: try fields.number(17, in: 0...4),
            lastReceiptHash: try fields.bytes(18, count: SHA256.byteCount),
            lastServerSeq: try fields.number(19, in: natural), freeDiskClass: try fields.number(20, in: 0...5))
    }
}
