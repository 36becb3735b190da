// libFuzzer's way into what comes over the line: batches, receipts, pages, CBOR, JSON. The first byte says which. Where
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
    switch start[0] % 6 {
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
    default:
        guard let value = try? JSONValue(parsing: bytes) else { return 0 }
        precondition((try? JSONValue(parsing: value.bytes)) == value, "JSON that is not read as it was written")
    }
    return 0
}

/// Two bytes of header length, the header, the rest behind the signature.
private func signed(_ bytes: [UInt8], magic: String, domain: String) -> [UInt8] {
    let length = min((Int(bytes[0]) << 8 | Int(bytes[1])) % (SyncLimits.headerBytesMax + 1), bytes.count - 2)
    let header = Array(bytes[2..<2 + length])
    guard let envelope = try? Envelope.write(magic: magic, header: header, domain: domain, key: key) else { return [] }
    return envelope + bytes[(2 + length)...]
}
