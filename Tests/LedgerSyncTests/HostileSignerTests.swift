import Ledger
import Seals
import Testing

@testable import LedgerSync

/// A device in a thief's hands signs what it likes: the signature is good, the content is not. Nothing of it may be
/// taken, nothing may crash the gateway.
@Suite struct HostileSignerTests {
    private let key: SigningKey
    private let device: [UInt8]
    private let body = CBORValue.map([1: .integer(7), 2: .text("udhaar")]).encoded

    init() throws {
        key = try SigningKey(seed: KnownEnvelopes.seed)
        device = DeviceIdentity.deviceID(of: key.verifyingKey)
    }

    private func envelope(_ header: [UInt8], _ payload: [UInt8]) throws -> [UInt8] {
        Array("DLB1".utf8) + [UInt8(header.count >> 8), UInt8(header.count & 0xFF)] + header
            + (try key.sign(Array("execora/sync-batch/v1\0".utf8) + header)) + payload
    }

    private func frame(_ body: [UInt8], length: Int? = nil) -> [UInt8] {
        let length = length ?? body.count
        return (0..<4).map { UInt8(length >> (24 - 8 * $0) & 0xFF) } + body
    }

    /// A good header over a payload of one event, with some fields replaced or (nil) left out.
    private func header(_ payload: [UInt8], _ changes: [Int64: CBORValue?] = [:]) -> [UInt8] {
        var fields: [Int64: CBORValue] = [
            1: .integer(1), 2: .bytes(KnownEnvelopes.shop), 3: .bytes(device), 4: .integer(1), 5: .integer(1),
            6: .integer(1), 7: .bytes(ChainLink.start),
            8: .bytes(ChainLink.hash(device: device, epoch: 1, seq: 1, prev: ChainLink.start, body: body)),
            9: .integer(Int64(payload.count)), 10: .bytes(SHA256.digest(payload)), 11: .integer(0), 12: .integer(1),
            13: .bytes(key.verifyingKey.keyID), 14: .bytes(KnownEnvelopes.bootID), 15: .integer(5), 16: .integer(6),
            17: .integer(3), 18: .bytes(ChainLink.start), 19: .integer(0), 20: .integer(1),
        ]
        for (key, value) in changes { fields[key] = value }
        return CBORValue.map(fields).encoded
    }

    @Test func `the unchanged envelope is taken, so each refusal below is for its own reason`() throws {
        let payload = frame(body)
        let batch = try SyncBatch.read(envelope(header(payload), payload), key: key.verifyingKey)
        #expect(batch.entries.map(\.body) == [body])
        #expect(batch.header.encoded == header(payload))
    }

    @Test(
        arguments: [
            ([1: .integer(2)], SyncError.malformed("header field 1")),
            ([2: .bytes([1])], .malformed("header field 2")),
            ([2: .text("0123456789abcdef")], .malformed("header field 2")),
            ([4: .integer(0)], .malformed("header field 4")), ([4: .integer(-1)], .malformed("header field 4")),
            ([5: .integer(0)], .malformed("header field 5")), ([5: .integer(.max)], .malformed("header field 5")),
            ([6: .integer(0)], .malformed("header field 6")), ([6: .integer(-5)], .malformed("header field 6")),
            ([6: .integer(1001)], .tooLarge("events")), ([6: .integer(.max)], .tooLarge("events")),
            ([6: .integer(2)], .malformed("payload ends in a frame")),
            ([7: .bytes([UInt8](repeating: 1, count: 32))], .brokenChain(seq: 1)),
            ([8: .bytes([UInt8](repeating: 1, count: 32))], .brokenChain(seq: 1)),
            ([5: .integer(2)], .brokenChain(seq: 2)), ([4: .integer(2)], .brokenChain(seq: 1)),
            ([9: .integer(3)], .malformed("payload of another length")), ([9: .integer(300_000)], .tooLarge("payload")),
            ([9: .integer(-1)], .malformed("header field 9")),
            ([10: .bytes([UInt8](repeating: 1, count: 32))], .notAuthentic),
            ([11: .integer(3)], .malformed("header field 11")),
            ([11: .integer(2)], .malformed("payload does not expand")),
            ([11: .integer(1)], .malformed("payload does not expand")),
            ([9: .integer(90_000), 11: .integer(1)], .tooLarge("payload")),
            ([12: .integer(2)], .malformed("header field 12")),
            ([13: .bytes([UInt8](repeating: 1, count: 8))], .notAuthentic),
            ([15: .integer(-1)], .malformed("header field 15")), ([17: .integer(9)], .malformed("header field 17")),
            ([20: .null], .malformed("header field 20")), ([20: nil], .malformed("header has other fields")),
            ([21: .integer(1)], .malformed("header has other fields")),
            ([20: nil, 21: .integer(1)], .malformed("header has other fields")),
        ] as [([Int64: CBORValue?], SyncError)])
    func `a signed header that says something else is refused`(changes: [Int64: CBORValue?], error: SyncError) throws {
        let payload = frame(body)
        let bytes = try envelope(header(payload, changes), payload)
        #expect(throws: error) { try SyncBatch.read(bytes, key: key.verifyingKey) }
    }

    @Test func `a signed payload that is no row of frames is refused`() throws {
        let table: [(payload: [UInt8], error: SyncError)] = [
            ([], .malformed("payload ends in a frame")), ([0, 0, 0], .malformed("payload ends in a frame")),
            (frame(body, length: body.count + 1), .malformed("payload ends in a frame")),
            (frame(body, length: body.count - 1), .malformed("event 1 is not canonical CBOR")),
            (frame(body, length: 0xFFFF_FFFF), .tooLarge("event")), (frame(body, length: 8193), .tooLarge("event")),
            (frame(body) + [0], .malformed("bytes behind the last frame")),
            (frame(body) + frame(body), .malformed("bytes behind the last frame")),
            // 24 in two bytes, a map with its keys the other way, a float.
            (frame([0x19, 0x00, 0x18]), .malformed("event 1 is not canonical CBOR")),
            (frame([0xA2, 0x02, 0x00, 0x01, 0x00]), .malformed("event 1 is not canonical CBOR")),
            (frame([0xF9, 0x00, 0x00]), .malformed("event 1 is not canonical CBOR")),
        ]
        for (payload, error) in table {
            let bytes = try envelope(header(payload), payload)
            #expect(throws: error) { try SyncBatch.read(bytes, key: key.verifyingKey) }
        }
    }

    @Test(arguments: [[], [0xA0], [0x01], [0xFF], [0xBF, 0xFF], [UInt8](repeating: 0x81, count: 400)] as [[UInt8]])
    func `a signed header that is no such map is refused`(header: [UInt8]) throws {
        let bytes = try envelope(header, [])
        #expect(throws: SyncError.self) { try SyncBatch.read(bytes, key: key.verifyingKey) }
    }

    @Test func `a header past its limit is refused before it is read`() throws {
        let bytes = try envelope([UInt8](repeating: 0, count: 513), [])
        #expect(throws: SyncError.tooLarge("header")) { try SyncBatch.read(bytes, key: key.verifyingKey) }
    }

    /// Whatever is done to a header and signed again: it is refused, or it is the one encoding of what was read.
    @Test func `a bent header signed again is refused or canonical`() throws {
        var random = Seeded(11)
        let payload = frame(body)
        let good = header(payload)
        var taken = 0
        for _ in 0..<4000 {
            var bent = good
            for _ in 0...random.below(3) {
                switch random.below(4) {
                case 0: bent.remove(at: random.below(bent.count))
                case 1: bent.insert(UInt8(random.below(256)), at: random.below(bent.count))
                default: bent[random.below(bent.count)] = UInt8(random.below(256))
                }
            }
            guard let batch = try? SyncBatch.read(envelope(bent, payload), key: key.verifyingKey) else { continue }
            taken += 1
            #expect(batch.header.encoded == bent)
        }
        #expect(taken > 50 && taken < 2000, "\(taken): both ways are walked")
    }
}
