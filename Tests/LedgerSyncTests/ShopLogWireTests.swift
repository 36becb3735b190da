import Ledger
import Seals
import Testing

@testable import LedgerSync

/// The shop's log on the wire: signed, numbered, chained; nothing else is taken.
@Suite struct ShopLogWireTests {
    private let gateway: SigningKey
    private let counter: SigningKey
    private let identity: DeviceIdentity
    private let other: [UInt8]

    init() throws {
        gateway = try SigningKey(seed: .init(repeating: 5, count: 32))
        counter = try SigningKey(seed: .init(repeating: 6, count: 32))
        identity = DeviceIdentity(
            device: .init(repeating: 0xA, count: 16), shop: KnownEnvelopes.shop, series: "A01",
            receiptKey: gateway.verifyingKey)
        other = DeviceIdentity.deviceID(of: counter.verifyingKey)
    }

    private func entry(
        _ seq: Int64, after prev: [UInt8] = ChainLink.start, kind: Int64, body: [UInt8], device: [UInt8]? = nil,
        shop: [UInt8] = KnownEnvelopes.shop, withBody: Bool = true, key: SigningKey? = nil
    ) throws -> (bytes: [UInt8], hash: [UInt8]) {
        let delta = ShopDelta(
            shop: shop, seq: seq, prev: prev, kind: kind, server: WallTime(milliseconds: 5),
            device: device ?? ShopDelta.nobody, body: body)
        let signed = try delta.signed(by: key ?? gateway)
        return (signed.head + (withBody ? body : []), signed.hash)
    }

    private func names(_ device: [UInt8], key: [UInt8]) -> (kind: Int64, body: [UInt8]) {
        ShopChange.counter(CounterDetails(device: device, series: "A02", ledgerKey: key, isRevoked: false)).coded!
    }

    private func batch(signedBy key: SigningKey? = nil, device: [UInt8]? = nil) throws -> [UInt8] {
        let (device, body) = (device ?? other, CBORValue.map([1: .integer(7)]).encoded)
        let hash = ChainLink.hash(device: device, epoch: 1, seq: 1, prev: ChainLink.start, body: body)
        return try SyncBatch.sign(
            [
                StoredEvent(
                    epoch: 1, seq: 1, id: ULID(high: 1, low: 1), type: 1, body: body, prev: ChainLink.start, hash: hash)
            ], shop: KnownEnvelopes.shop, device: device,
            circumstances: SyncCircumstances(
                bootID: KnownEnvelopes.bootID, monotonicMilliseconds: 1, wall: WallTime(milliseconds: 1),
                wallQuality: 3), key: key ?? counter
        ).bytes
    }

    private func read(_ entries: [UInt8]...) throws(SyncError) -> [ShopLogEntry] {
        var reader = ShopLogReader(identity: identity, counters: [])
        return try reader.read(ShopLogPage.page(entries))
    }

    @Test func `facts carry the other counter's own signature, under the key the log has named`() throws {
        let roster = names(other, key: counter.verifyingKey.bytes)
        let first = try entry(1, kind: roster.kind, body: roster.body, device: other)
        let second = try entry(
            2, after: first.hash, kind: ShopChange.Kind.facts, body: try batch(), device: other)
        let read = try read(first.bytes, second.bytes)
        #expect(read.map(\.seq) == [1, 2] && read[1].prev == read[0].hash && read[0].hash == first.hash)
        guard case .facts(let facts) = read[1].change else {
            Issue.record("no facts")
            return
        }
        #expect(facts.device == other && facts.bodies.count == 1 && facts.prev == ChainLink.start)
        // The gateway's signature alone makes no facts.
        let forged = try entry(
            2, after: first.hash, kind: ShopChange.Kind.facts, body: try batch(signedBy: gateway), device: other)
        #expect(throws: SyncError.notAuthentic) { try self.read(first.bytes, forged.bytes) }
        #expect(throws: SyncError.malformed("facts of a counter the log has not named")) { try self.read(second.bytes) }
    }

    @Test func `own facts come without their body, others' never`() throws {
        let own = try entry(
            1, kind: ShopChange.Kind.facts, body: try batch(), device: identity.device, withBody: false)
        #expect(try read(own.bytes).map(\.change) == [.ownFacts])
        let bare = try entry(1, kind: ShopChange.Kind.facts, body: try batch(), device: other, withBody: false)
        #expect(throws: SyncError.malformed("facts of a counter the log has not named")) { try read(bare.bytes) }
        let roster = names(other, key: counter.verifyingKey.bytes)
        let without = try entry(1, kind: roster.kind, body: roster.body, withBody: false)
        #expect(throws: SyncError.malformed("an entry of kind 1")) { try read(without.bytes) }
    }

    @Test func `an entry of another key, another shop or another body is not taken`() throws {
        let roster = names(other, key: counter.verifyingKey.bytes)
        let stranger = try entry(1, kind: roster.kind, body: roster.body, key: counter)
        #expect(throws: SyncError.notAuthentic) { try read(stranger.bytes) }
        let elsewhere = try entry(
            1, kind: roster.kind, body: roster.body, shop: .init(repeating: 3, count: 16))
        #expect(throws: SyncError.notAuthentic) { try read(elsewhere.bytes) }
        let good = try entry(1, kind: roster.kind, body: roster.body)
        #expect(try read(good.bytes).count == 1)
        #expect(throws: SyncError.self) { try read(good.bytes + [0]) }
        // Every byte is bound.
        for index in good.bytes.indices {
            var bent = good.bytes
            bent[index] ^= 1
            #expect(throws: SyncError.self, "byte \(index)") { try read(bent) }
        }
        for length in 0..<good.bytes.count where length != good.bytes.count - roster.body.count {
            #expect(throws: SyncError.self) { try read(Array(good.bytes[..<length])) }
        }
    }

    @Test func `a kind of a newer gateway is passed over, a body of another form is not`() throws {
        #expect(try read(entry(1, kind: 88, body: [1, 2]).bytes).map(\.change) == [.unknown(kind: 88)])
        for kind in [ShopChange.Kind.counter, 3, 4, 5, 6] {
            let odd = try entry(1, kind: kind, body: CBORValue.array([.integer(1)]).encoded)
            #expect(throws: SyncError.malformed("an entry of kind \(kind)")) { try read(odd.bytes) }
        }
    }

    /// A short run of what `make fuzz` does for longer: bytes at random behind a good signature, pages cut anywhere.
    @Test func `what a gateway gone mad signs is refused, never a crash`() throws {
        var random = Seeded(11)
        let counters = [
            CounterStanding(
                details: CounterDetails(
                    device: other, series: "A02", ledgerKey: counter.verifyingKey.bytes, isRevoked: false), epoch: 1,
                seq: 0, asOf: nil)
        ]
        let seeds = try [
            names(other, key: counter.verifyingKey.bytes).body, batch(),
            ShopChange.catalogue([CatalogueItem(ProductDetails(name: "M", unit: "kg", price: Paise(1)))]).coded!.body,
        ]
        var taken = 0
        for _ in 0..<3000 {
            var body = seeds[Int(random.next() % 3)]
            for _ in 0..<random.next() % 4 where !body.isEmpty {
                body[Int(random.next() % UInt64(body.count))] = UInt8(truncatingIfNeeded: random.next())
            }
            if random.next() % 5 == 0 { body.removeLast(Int(random.next() % UInt64(body.count + 1))) }
            let made = try entry(
                Int64(random.next() % 3 + 1), kind: Int64(random.next() % 8 + 1), body: body,
                device: random.next() % 2 == 0 ? other : identity.device)
            var page = ShopLogPage.page([made.bytes, made.bytes])
            if random.next() % 4 == 0 { page.removeLast(Int(random.next() % UInt64(page.count))) }
            var reader = ShopLogReader(identity: identity, counters: counters)
            if let entries = try? reader.read(page) { taken += entries.count }
        }
        #expect(taken > 0)
    }

    @Test func `a page ends before 64 kB, one long entry always fits`() throws {
        let small = [UInt8](repeating: 1, count: 30_000)
        #expect(try ShopLogPage.read(ShopLogPage.page([small, small, small])).count == 2)
        let long = [UInt8](repeating: 1, count: 90_000)
        #expect(try ShopLogPage.read(ShopLogPage.page([long, small])) == [long])
        #expect(ShopLogPage.page(.init(repeating: [1], count: 100)).count == ShopLogPage.entriesMax * 5)
    }
}

/// Asks, applies, asks again; whatever comes back, there is a next time.
@Suite struct ShopLogRunnerTests {
    private final class Rig: ShopLogDoor, ShopLogBook {
        var asked: [(path: String, number: Int64)] = []
        var events: [ShopLogEvent] = []
        var place = ShopLogPlace.start
        var standings: [CounterStanding] = []
        var pollSeconds: Int64?
        var stopped: String?
        var forgotten = 0
        var now: Int64 = 1000
        private(set) var runner: ShopLogRunner!
        let gateway: SigningKey

        init() throws {
            gateway = try SigningKey(seed: .init(repeating: 5, count: 32))
            runner = ShopLogRunner(
                book: self, door: self,
                identity: DeviceIdentity(
                    device: .init(repeating: 0xA, count: 16), shop: KnownEnvelopes.shop, series: "A01",
                    receiptKey: gateway.verifyingKey), seed: 1, now: moment,
                tell: { [unowned self] in events.append($0) })
        }

        var moment: SyncMoment {
            SyncMoment(monotonicMilliseconds: now, wall: WallTime(milliseconds: now), wallQuality: 3)
        }

        func ask(_ path: String, number: Int64) { asked.append((path, number)) }
        func shopLogPlace() -> ShopLogPlace { place }
        func counters() -> [CounterStanding] { standings }
        func shopPollSeconds() -> Int64? { pollSeconds }
        func forgetShopLog() {
            place = .start
            forgotten += 1
        }

        func takeShopLog(_ entries: [ShopLogEntry], at: WallTime) -> ShopLogReport {
            var report = ShopLogReport()
            if let stopped {
                report.stopped = stopped
                return report
            }
            for entry in entries where entry.seq == place.seq + 1 && entry.prev == place.hash {
                place = ShopLogPlace(seq: entry.seq, hash: entry.hash)
                report.taken += 1
            }
            return report
        }

        func page(_ seq: Int64) throws -> [UInt8] {
            let delta = ShopDelta(
                shop: KnownEnvelopes.shop, seq: seq, prev: place.hash, kind: 99, server: WallTime(milliseconds: 1),
                device: ShopDelta.nobody, body: [])
            return ShopLogPage.page([try delta.signed(by: gateway).head])
        }

        func pass() {
            now = max(now, runner.dueMilliseconds)
            runner.run(now: moment)
        }

        func answer(_ status: Int, _ body: [UInt8] = [], retryAfter: Int64? = nil) {
            guard let last = asked.last else { return }
            runner.answered(
                .answered(status: status, body: body, retryAfterSeconds: retryAfter), to: last.number, now: moment)
        }
    }

    @Test func `pages are read to the last and then the log rests`() throws {
        let rig = try Rig()
        rig.pass()
        rig.answer(200, try rig.page(1))
        #expect(rig.place.seq == 1)
        rig.pass()
        #expect(rig.asked.last?.path == "/v1/shop-log?after=1&hash=\(Hex.text(rig.place.hash))")
        rig.answer(200)
        #expect((240_000...360_000).contains(rig.runner.dueMilliseconds - rig.now))
        rig.standings = ["A01", "A02"].map {
            CounterStanding(
                details: CounterDetails(device: Array($0.utf8), series: $0, ledgerKey: [], isRevoked: false), epoch: 1,
                seq: 0, asOf: nil)
        }
        rig.pass()
        rig.answer(200)
        #expect((12_000...18_000).contains(rig.runner.dueMilliseconds - rig.now))
        rig.pollSeconds = 5
        rig.pass()
        rig.answer(200)
        #expect((4000...6000).contains(rig.runner.dueMilliseconds - rig.now))
    }

    @Test func `another log at the gateway is read from its beginning`() throws {
        let rig = try Rig()
        rig.pass()
        rig.answer(200, try rig.page(1))
        rig.pass()
        rig.answer(409, Array(#"{"error":{"code":"shop_log","message":""}}"#.utf8))
        #expect(rig.forgotten == 1 && rig.events.contains(.startedAnew))
        rig.pass()
        #expect(rig.asked.last?.path.hasPrefix("/v1/shop-log?after=0&") == true)
    }

    @Test(arguments: ["line", "500", "404", "403", "409", "garbage", "entry", "silence"])
    func `whatever goes wrong is tried again, later and later`(what: String) throws {
        let rig = try Rig()
        var waits: [Int64] = []
        for _ in 0..<30 {
            rig.pass()
            let number = try #require(rig.asked.last?.number)
            switch what {
            case "line": rig.runner.answered(.lost, to: number, now: rig.moment)
            case "garbage": rig.answer(200, [1, 2, 3])
            case "entry":
                rig.stopped = "newer programs"
                rig.answer(200, try rig.page(1))
            case "silence": rig.pass()
            default: rig.answer(Int(what)!)
            }
            waits.append(rig.runner.dueMilliseconds - rig.now)
            // Nothing of an answer that comes late is taken.
            rig.runner.answered(.answered(status: 200, body: [], retryAfterSeconds: nil), to: number, now: rig.moment)
            #expect(rig.runner.dueMilliseconds - rig.now == waits.last)
        }
        #expect(waits.allSatisfy { $0 > 0 && $0 <= 900_000 } && waits.max()! > 60_000)
        #expect(rig.place == .start)
    }

    @Test func `a gateway that asks for patience gets an hour of it at most`() throws {
        let rig = try Rig()
        rig.pass()
        rig.answer(503, retryAfter: 90_000)
        #expect(rig.runner.dueMilliseconds - rig.now == 3_600_000)
        rig.runner.hurry(now: rig.moment)
        #expect(rig.runner.dueMilliseconds == rig.now)
    }
}
