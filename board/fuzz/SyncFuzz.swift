// libFuzzer's way into what comes over the line: batches, receipts, pages, the shop's log, CBOR, JSON. The first byte says which. Where
// a signature stands before what is read, the harness signs, as a thief with a device's key would.
import Glibc
import JSONText
import Seals

@testable import Ledger
@testable import LedgerSync

private let key: SigningKey = {
    guard let key = try? SigningKey(seed: [UInt8](repeating: 7, count: 32)) else { preconditionFailure("no key") }
    return key
}()

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzSync(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let start, count > 3 else { return 0 }
    let bytes = Array(UnsafeBufferPointer(start: start + 1, count: count - 1))
    switch start[0] % 10 {
    case 0: _ = try? SyncBatch.read(bytes, key: key.verifyingKey)
    case 1:
        let envelope = signed(bytes, magic: SyncBatch.magic, domain: SyncBatch.domain)
        guard let batch = try? SyncBatch.read(envelope, key: key.verifyingKey) else { return 0 }
        precondition(batch.entries.count == batch.header.count, "another number of entries than signed")
        precondition(batch.entries.last?.hash == batch.header.headHash, "a chain that does not come to its head")
        guard let again = try? SyncBatch.stored(batch.bytes) else { preconditionFailure("stored and not read again") }
        precondition(again.entries == batch.entries, "read otherwise the second time")
    case 2:
        let envelope = signed(bytes, magic: Receipt.magic, domain: Receipt.domain)
        guard let receipt = try? Receipt.read(envelope, key: key.verifyingKey) else { return 0 }
        precondition((try? receipt.signed(by: key)) == envelope, "two encodings of one receipt")
    case 3:
        guard let held = try? HeldBatches.read(bytes) else { return 0 }
        precondition(held.isEmpty || HeldBatches.page(held).count <= max(bytes.count, HeldBatches.pageBytesMax))
    case 4:
        guard let value = try? CBORValue(decoding: bytes) else { return 0 }
        precondition(value.encoded == bytes, "two encodings of one value")
    case 5:
        let envelope = signed(bytes, magic: ShopDelta.magic, domain: ShopDelta.domain)
        guard let delta = try? ShopDelta.read(envelope, key: key.verifyingKey) else { return 0 }
        precondition(delta.body.map { $0.count == delta.bodyBytes } ?? true, "a body of another length than signed")
        precondition((try? delta.signed(by: key).hash) == delta.hash, "two encodings of one entry of the log")
    case 6:
        guard let entries = try? ShopLogPage.read(bytes) else { return 0 }
        precondition(entries.isEmpty || ShopLogPage.page(entries).count <= max(bytes.count, ShopLogPage.bytesMax))
        var reader = ShopLogReader(identity: identity, counters: [])
        precondition((try? reader.read(bytes)) == nil || entries.isEmpty || isSigned(entries))
    case 7:
        let kind = Int64(bytes[0] % 8)
        guard let change = ShopChange(kind: kind, body: Array(bytes[1...])), let coded = change.coded else { return 0 }
        precondition(ShopChange(kind: coded.kind, body: coded.body) == change, "a change that is read otherwise")
    case 8:
        guard let json = try? JSONValue(parsing: bytes), let handover = KeyHandover(json: json) else { return 0 }
        precondition(KeyHandover(json: handover.json) == handover, "two readings of one handover")
        _ = handover.holds
    default:
        guard let value = try? JSONValue(parsing: bytes) else { return 0 }
        precondition((try? JSONValue(parsing: value.bytes)) == value, "JSON that is not read as it was written")
    }
    return 0
}

private let identity = DeviceIdentity(
    device: [UInt8](repeating: 1, count: 16), shop: [UInt8](repeating: 2, count: 16), series: "A01",
    receiptKey: key.verifyingKey)

private func isSigned(_ entries: [[UInt8]]) -> Bool {
    entries.allSatisfy { (try? ShopDelta.read($0, key: key.verifyingKey)) != nil }
}

/// Two bytes of header length, the header, the rest behind the signature.
private func signed(_ bytes: [UInt8], magic: String, domain: String) -> [UInt8] {
    let length = min((Int(bytes[0]) << 8 | Int(bytes[1])) % (SyncLimits.headerBytesMax + 1), bytes.count - 2)
    let header = Array(bytes[2..<2 + length])
    guard let envelope = try? Envelope.write(magic: magic, header: header, domain: domain, key: key) else { return [] }
    return envelope + bytes[(2 + length)...]
}
