import Ledger
import Seals
import Testing

@testable import LedgerSync

/// What is signed must come out of the columns as it went in, whatever it is, and whatever a thief sends must come
/// out as an error.
@Suite struct EventColumnsTests {
    private static func payload(_ bodies: [[UInt8]]) -> [UInt8] {
        bodies.flatMap { body in (0..<4).map { UInt8(truncatingIfNeeded: body.count >> (24 - 8 * $0)) } + body }
    }

    private static func comesBack(_ bodies: [[UInt8]]) throws -> Bool {
        let turned = try #require(EventColumns.turned(bodies))
        let payload = payload(bodies)
        return try EventColumns.restored(turned[...], count: bodies.count, payloadBytes: payload.count) == payload
    }

    private static func value(_ random: inout Seeded, depth: Int = 0) -> CBORValue {
        switch random.below(depth > 3 ? 6 : 8) {
        case 0: return .integer(Int64(bitPattern: UInt64.random(in: 0...UInt64.max, using: &random)))
        case 1: return .integer(Int64(random.below(300)) - 150)
        case 2: return .bytes((0..<random.below(40)).map { _ in UInt8.random(in: 0...255, using: &random) })
        case 3: return .bytes((0..<16).map { _ in UInt8.random(in: 0...255, using: &random) })
        case 4: return .text(["", "udhaar", "उधार", "voice"][random.below(4)])
        case 5: return [.null, .bool(true), .bool(false)][random.below(3)]
        case 6: return .array((0..<random.below(5)).map { _ in value(&random, depth: depth + 1) })
        default:
            return .map(
                .init(
                    (0..<random.below(5)).map { _ in (Int64(random.below(900)) - 300, value(&random, depth: depth + 1))
                    },
                    uniquingKeysWith: { $1 }))
        }
    }

    @Test(arguments: 0..<40)
    func `any canonical events come back byte for byte`(seed: Int) throws {
        var random = Seeded(UInt64(seed) &+ 1)
        let few = (0..<1 + random.below(6)).map { _ in Self.value(&random).encoded }
        // Now and then the same shapes again, as in a book.
        #expect(try Self.comesBack((0..<1 + random.below(60)).map { few[$0 * 7 % few.count] }))
        #expect(try Self.comesBack((0..<1 + random.below(60)).map { _ in Self.value(&random).encoded }))
    }

    @Test func `the ends of what a number can be come back`() throws {
        let numbers: [Int64] = [.min, .max, 0, -1, 1, .min + 1, .max - 1, .min, .max]
        let bodies = numbers.indices.map { index in
            CBORValue.array([
                .integer(numbers[index]), .integer(numbers[(index + 1) % numbers.count]), .integer(.max),
                .integer(numbers[index] / 100 * 100),
            ]).encoded
        }
        #expect(try Self.comesBack(bodies))
    }

    /// An event that is no canonical CBOR is never sent; should a book hold one, the batch travels as before.
    @Test(
        arguments: [[0x18, 0x01], [0xFB, 1, 2], [0x9F, 0xFF], [], [0x01, 0x01], [0xD8, 0x01, 0x01]] as [[UInt8]])
    func `what is not canonical is not turned into something else`(body: [UInt8]) {
        let bodies = [[UInt8]](repeating: body, count: 300)
        let (codec, _) = PayloadCodec.pack(Self.payload(bodies), of: bodies)
        #expect(codec != .columns)
    }

    /// 52 bytes of a payment are random: its name, its turn and the hash of what was said. All else must nearly vanish.
    @Test func `a spoken payment of a real book is 68 bytes on the wire`() throws {
        let key = try SigningKey(seed: KnownEnvelopes.seed)
        let device = DeviceIdentity.deviceID(of: key.verifyingKey)
        let book = try LedgerStore.open(
            path: nil,
            configuration: LedgerConfiguration(
                deviceID: device, shopID: KnownEnvelopes.shop, series: "A01", bootID: KnownEnvelopes.bootID,
                monotonicMilliseconds: { 1 }))
        var random = Seeded(11)
        var clock: Int64 = 1_790_000_000_000
        var people: [CustomerID] = []
        for index in 0..<40 {
            let made = try book.perform(
                .createCustomer(CustomerDetails(name: "Customer \(index)"), opening: Paise(10_000_000)),
                id: ULID(at: WallTime(milliseconds: clock), using: &random),
                evidence: Evidence(confirmedBy: "technician"), at: WallTime(milliseconds: clock))
            if case .customer(let id) = made.outcome { people.append(id) }
        }
        let before = try book.head().seq
        for _ in 0..<600 {
            clock += Int64(40_000 + random.below(260_000))
            let at = WallTime(milliseconds: clock)
            _ = try book.perform(
                .receivePayment(
                    people[random.below(people.count)],
                    [PaymentSplit(amount: Paise(Int64(1 + random.below(1000)) * 100), mode: .cash)]),
                id: ULID(at: at, using: &random),
                evidence: Evidence(
                    turn: ULID(at: WallTime(milliseconds: clock - Int64(random.below(5000))), using: &random),
                    transcriptHash: (0..<32).map { _ in UInt8.random(in: 0...255, using: &random) },
                    confidenceMilli: Int64(700 + random.below(300)), confirmedBy: "voice"),
                at: at)
        }
        let events = try book.events(after: before, epoch: 1, limit: 600)
        let batch = try SyncBatch.sign(
            Array(events.prefix(SyncBatch.fitting(events))), shop: KnownEnvelopes.shop, device: device,
            circumstances: SyncCircumstances(
                bootID: KnownEnvelopes.bootID, monotonicMilliseconds: 1, wall: WallTime(milliseconds: 1),
                wallQuality: 3), key: key)
        #expect(batch.header.codec == .columns)
        #expect(batch.bytes.count <= 68 * batch.entries.count, "\(batch.bytes.count / batch.entries.count)")
        #expect(try SyncBatch.read(batch.bytes, key: key.verifyingKey) == batch)
        #expect(try SyncBatch.stored(batch.bytes).entries == batch.entries)
    }

    @Test func `bent, cut and lengthened columns never come back as the payload`() throws {
        var random = Seeded(3)
        var bodies: [[UInt8]] = []
        for index in 0..<30 {
            let name = (0..<16).map { _ in UInt8.random(in: 0...255, using: &random) }
            let event: [Int64: CBORValue] = [
                0: .bytes(name), 1: .integer(Int64(index) * 7), 2: .text(index % 3 == 0 ? "cash" : "upi"),
                3: index % 5 == 0 ? .null : .integer(9),
            ]
            bodies.append(CBORValue.map(event).encoded)
        }
        let count = bodies.count
        let turned = try #require(EventColumns.turned(bodies))
        let payload = Self.payload(bodies)
        func restored(_ bytes: [UInt8]) -> [UInt8]? {
            try? EventColumns.restored(bytes[...], count: count, payloadBytes: payload.count)
        }
        #expect(restored(turned) == payload)
        for count in turned.indices { #expect(restored(Array(turned.prefix(count))) == nil) }
        #expect(restored(turned + [0]) == nil)
        // A bent bit may give other values (the digest in the signed header finds those), an error, but no crash.
        for place in turned.indices {
            for bit in 0..<8 {
                var bent = turned
                bent[place] ^= 1 << UInt8(bit)
                if let other = restored(bent) { #expect(other.count == payload.count) }
            }
        }
    }

    /// A few bytes that ask for a thousand events of eight thousand fields each.
    @Test func `more fields than the payload has bytes are refused before they are made`() throws {
        let program = [UInt8](repeating: 2, count: 8000)
        var lying: [UInt8] = [1]
        LEB128.write(UInt64(program.count), to: &lying)
        lying += program
        for _ in program { lying += [0, 0, 1, 0] }
        var bytes: [UInt8] = []
        for count in [lying.count, 0, lying.count] { LEB128.write(UInt64(count), to: &bytes) }
        #expect(throws: SyncError.tooLarge("columns")) {
            try EventColumns.restored((bytes + lying)[...], count: 1000, payloadBytes: SyncLimits.payloadBytesMax)
        }
    }
}
