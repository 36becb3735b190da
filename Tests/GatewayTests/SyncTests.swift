import JSONText
import Ledger
import LedgerSync
import Seals
import Testing

@testable import execora_gateway

@Suite struct SyncTests {
    @Test(arguments: TestStore.allCases)
    func `entries are stored and receipted`(kind: TestStore) async throws {
        try await GatewayRig.run(places: try await kind.places()) { rig in
            let counter = try await CounterDouble.enrolled(at: rig)
            let chain = counter.chain(5)
            let answer = try await counter.sync(counter.batch(chain), to: rig)
            #expect(answer.status == 200)
            let receipt = try Receipt.read(answer.bytes, key: #require(counter.receiptKey))
            #expect(receipt.shop == counter.shop && receipt.device == counter.device && receipt.epoch == 1)
            #expect(receipt.throughSeq == 5 && receipt.headHash == chain[4].hash)
            #expect(receipt.number == 1 && receipt.previousReceiptHash == [UInt8](repeating: 0, count: 32))
            #expect(try await rig.store.storeID() == receipt.storeID)
            #expect(
                try await rig.store.heads() == [
                    DeviceHead(shop: counter.shop, device: counter.device, epoch: 1, seq: 5, hash: chain[4].hash)
                ])
        }
    }

    /// Receipts are a chain of their own: none can be taken out without the next one telling.
    @Test(arguments: TestStore.allCases)
    func `each receipt names the one before`(kind: TestStore) async throws {
        try await GatewayRig.run(places: try await kind.places()) { rig in
            let counter = try await CounterDouble.enrolled(at: rig)
            let chain = counter.chain(3)
            let key = try #require(counter.receiptKey)
            var previous = [UInt8](repeating: 0, count: 32)
            for index in 0..<3 {
                let answer = try await counter.sync(counter.batch(chain[index...index]), to: rig)
                let receipt = try Receipt.read(answer.bytes, key: key)
                #expect(receipt.number == Int64(index + 1) && receipt.previousReceiptHash == previous)
                previous = Receipt.hash(of: answer.bytes)
            }
        }
    }

    /// The receipt was lost on the way; the clock has moved on meanwhile.
    @Test(arguments: TestStore.allCases)
    func `a replay gets the stored receipt, byte for byte`(kind: TestStore) async throws {
        try await GatewayRig.run(places: try await kind.places()) { rig in
            let counter = try await CounterDouble.enrolled(at: rig)
            let chain = counter.chain(6)
            let first = try await counter.sync(counter.batch(chain[..<3]), to: rig)
            rig.clock.advance(.seconds(3600))
            let again = try await counter.sync(counter.batch(chain[..<3]), to: rig)
            #expect(first.status == 200 && first.bytes == again.bytes)
            // A part of a stored batch is covered by the receipt of the whole.
            #expect(try await counter.sync(counter.batch(chain[1..<2]), to: rig).bytes == first.bytes)
            let newest = try await counter.sync(counter.batch(chain[3...]), to: rig)
            // Who is behind what is held learns it at once: the newest receipt names an entry it does not have.
            #expect(try await counter.sync(counter.batch(chain[..<3]), to: rig).bytes == newest.bytes)
            #expect(try await counter.sync(counter.batch(chain[1..<2]), to: rig).bytes == newest.bytes)
            #expect(try await rig.store.heads().map(\.seq) == [6])
        }
    }

    @Test(arguments: TestStore.allCases)
    func `an overlap appends only what is new`(kind: TestStore) async throws {
        try await GatewayRig.run(places: try await kind.places()) { rig in
            let counter = try await CounterDouble.enrolled(at: rig)
            let chain = counter.chain(8)
            _ = try await counter.sync(counter.batch(chain[..<4]), to: rig)
            let answer = try await counter.sync(counter.batch(chain[2...]), to: rig)
            #expect(try Receipt.read(answer.bytes, key: #require(counter.receiptKey)).throughSeq == 8)
            #expect(rig.metrics.value("execora_sync_entries_total") == 8)
            #expect(try await rig.store.heads().map(\.hash) == [chain[7].hash])
        }
    }

    @Test(arguments: TestStore.allCases)
    func `a gap is answered with where to go on`(kind: TestStore) async throws {
        try await GatewayRig.run(places: try await kind.places()) { rig in
            let counter = try await CounterDouble.enrolled(at: rig)
            let chain = counter.chain(8)
            _ = try await counter.sync(counter.batch(chain[..<2]), to: rig)
            let answer = try await counter.sync(counter.batch(chain[5...]), to: rig)
            #expect(answer.status == 409 && answer.errorCode == "gap")
            #expect(answer.json["error"]?["next_seq"]?.integer == 3)
            #expect(answer.json["error"]?["head"]?.string == Hex.text(chain[1].hash))
            #expect(try await counter.sync(counter.batch(chain[2...]), to: rig).status == 200)
        }
    }

    /// A restored flash image or a cloned device: another history under the same numbers.
    @Test(arguments: TestStore.allCases, [0..<3, 1..<3, 1..<6, 3..<6])
    func `another history is a fork, quarantined and never taken`(kind: TestStore, range: Range<Int>) async throws {
        try await GatewayRig.run(places: try await kind.places()) { rig in
            let counter = try await CounterDouble.enrolled(at: rig)
            let chain = counter.chain(3)
            _ = try await counter.sync(counter.batch(chain), to: rig)
            let other = counter.chain(6, flavour: "other")
            let answer = try await counter.sync(counter.batch(other[range]), to: rig)
            #expect(answer.status == 409 && answer.errorCode == "fork")
            #expect(answer.json["error"]?["next_seq"]?.integer == 4)
            #expect(try await rig.store.quarantined() == 1)
            #expect(try await rig.store.heads().map(\.hash) == [chain[2].hash])
            // The true history goes on.
            #expect(try await counter.sync(counter.batch(counter.chain(1, after: chain)[3...]), to: rig).status == 200)
        }
    }

    @Test(arguments: TestStore.allCases)
    func `quarantine is bounded`(kind: TestStore) async throws {
        try await GatewayRig.run(places: try await kind.places()) { rig in
            let counter = try await CounterDouble.enrolled(at: rig)
            _ = try await counter.sync(counter.batch(counter.chain(1)), to: rig)
            let device = try #require(try await rig.device(counter))
            let other = counter.chain(1, flavour: "other")
            for index in 0..<FleetStore.quarantineMax + 5 {
                let outcomes = try await rig.store.append(
                    [
                        BatchArrival(
                            batch: VerifiedBatch(
                                epoch: 1, firstSeq: 1, previousHash: ChainLink.start, hashes: other.map(\.hash),
                                envelope: [UInt8(index)], trace: ""), device: device)
                    ], nowMilliseconds: 1, sign: SyncRoute.sign(try rig.folder.receiptKey()))
                guard case .success(.fork) = outcomes[0] else {
                    Issue.record("no fork")
                    return
                }
            }
            #expect(try await rig.store.quarantined() == Int64(FleetStore.quarantineMax))
        }
    }

    /// A new epoch follows a re-flash and needs the owner's word.
    @Test(arguments: TestStore.allCases)
    func `an epoch nobody approved is a fork`(kind: TestStore) async throws {
        try await GatewayRig.run(places: try await kind.places()) { rig in
            let counter = try await CounterDouble.enrolled(at: rig)
            let body = CBORValue.integer(1).encoded
            let hash = ChainLink.hash(device: counter.device, epoch: 2, seq: 1, prev: ChainLink.start, body: body)
            let event = StoredEvent(
                epoch: 2, seq: 1, id: ULID(high: 1, low: 1), type: 1, body: body, prev: ChainLink.start, hash: hash)
            let answer = try await counter.sync(counter.batch([event]), to: rig)
            #expect(answer.status == 409 && answer.errorCode == "fork")
        }
    }

    /// The owner's word opens the next epoch: its chain begins anew, the old one stays what it was.
    @Test(arguments: TestStore.allCases)
    func `a new epoch begins with the owner's word`(kind: TestStore) async throws {
        try await GatewayRig.run(places: try await kind.places()) { rig in
            let counter = try await CounterDouble.enrolled(at: rig)
            let old = counter.chain(3)
            let first = try await counter.sync(counter.batch(old), to: rig)
            let new = counter.chain(4, flavour: "after the re-flash", epoch: 2)
            #expect(try await counter.sync(counter.batch(new), to: rig).errorCode == "fork")
            #expect(try await rig.fleet.openEpoch(device: counter.device, nowMilliseconds: 1) == 2)
            #expect(try await rig.fleet.openEpoch(device: counter.device, nowMilliseconds: 2) == 2)
            let answer = try await counter.sync(counter.batch(new), to: rig)
            let receipt = try Receipt.read(answer.bytes, key: #require(counter.receiptKey))
            #expect(receipt.epoch == 2 && receipt.throughSeq == 4 && receipt.number == 2)
            #expect(receipt.previousReceiptHash == Receipt.hash(of: first.bytes))
            // A late batch of the old epoch: what is held is confirmed, more is another history.
            #expect(try await counter.sync(counter.batch(old), to: rig).bytes == first.bytes)
            let more = counter.chain(1, after: old)[3...]
            #expect(try await counter.sync(counter.batch(more), to: rig).errorCode == "fork")
            #expect(try await rig.store.heads().map(\.seq) == [4])
        }
    }

    @Test(arguments: TestStore.allCases)
    func `a batch signed by another key is refused`(kind: TestStore) async throws {
        try await GatewayRig.run(places: try await kind.places()) { rig in
            let counter = try await CounterDouble.enrolled(at: rig)
            let answer = try await counter.sync(counter.batch(counter.chain(2), key: .generate()), to: rig)
            // It may be a key this store has forgotten: the device shows how it came by it, if it can.
            #expect(answer.status == 403 && answer.errorCode == "ledger_key")
            #expect(try await rig.store.heads().map(\.seq) == [0])
        }
    }

    /// One flipped bit anywhere: never a receipt.
    @Test(arguments: TestStore.allCases)
    func `a damaged batch is refused`(kind: TestStore) async throws {
        try await GatewayRig.run(places: try await kind.places()) { rig in
            let counter = try await CounterDouble.enrolled(at: rig)
            let batch = try counter.batch(counter.chain(2))
            for index in stride(from: 0, to: batch.count, by: 37) {
                var damaged = batch
                damaged[index] ^= 0x10
                #expect([400, 413, 422].contains(try await counter.sync(damaged, to: rig).status))
            }
            #expect(try await counter.sync([], to: rig).status == 400)
            #expect(try await counter.sync(Array(batch.dropLast()), to: rig).status != 200)
            #expect(try await rig.store.heads().map(\.seq) == [0])
        }
    }

    /// The thief of one device's certificate has another device's batch.
    @Test(arguments: TestStore.allCases)
    func `a batch of another device or shop is refused`(kind: TestStore) async throws {
        try await GatewayRig.run(places: try await kind.places()) { rig in
            let counter = try await CounterDouble.enrolled(at: rig)
            let neighbour = try await CounterDouble.enrolled(at: rig)
            let stolen = try await counter.sync(neighbour.batch(neighbour.chain(1)), to: rig)
            #expect(stolen.status == 422)
            let strange = try await counter.sync(
                counter.batch(counter.chain(1), shop: .init(repeating: 9, count: 16)), to: rig)
            #expect(strange.status == 403 && strange.errorCode == "identity")
            #expect(try await rig.store.heads().map(\.seq) == [0, 0])
        }
    }

    @Test(arguments: TestStore.allCases)
    func `an oversized batch is refused`(kind: TestStore) async throws {
        try await GatewayRig.run(places: try await kind.places()) { rig in
            let counter = try await CounterDouble.enrolled(at: rig)
            let answer = try await counter.sync(.init(repeating: 0, count: SyncLimits.wireBytesMax + 1), to: rig)
            #expect(answer.status == 413)
        }
    }

    @Test(arguments: TestStore.allCases)
    func `heads and receipts outlive a restart`(kind: TestStore) async throws {
        let place = TemporaryFolder()
        let path = place.path + "/gateway"
        let places = try await kind.places()
        let (counter, chain, first) = try await GatewayRig.run(path: path, places: places) { rig in
            let counter = try await CounterDouble.enrolled(at: rig)
            let chain = counter.chain(4)
            return (counter, chain, try await counter.sync(counter.batch(chain[..<2]), to: rig).bytes)
        }
        try await GatewayRig.run(path: path, places: places) { rig in
            #expect(try await rig.store.heads().map(\.hash) == [chain[1].hash])
            #expect(try await counter.sync(counter.batch(chain[..<2]), to: rig).bytes == first)
            let next = try await counter.sync(counter.batch(chain[2...]), to: rig)
            let receipt = try Receipt.read(next.bytes, key: #require(counter.receiptKey))
            #expect(receipt.number == 2 && receipt.previousReceiptHash == Receipt.hash(of: first))
        }
    }

    @Test(arguments: TestStore.allCases)
    func `too many batches are told when to come back`(kind: TestStore) async throws {
        try await GatewayRig.run(places: try await kind.places(), pace: SyncPace(burst: 2, perMinute: 6)) { rig in
            let counter = try await CounterDouble.enrolled(at: rig)
            let chain = counter.chain(3)
            for index in 0..<2 {
                #expect(try await counter.sync(counter.batch(chain[index...index]), to: rig).status == 200)
            }
            let over = try await counter.sync(counter.batch(chain[2...]), to: rig)
            #expect(
                over.status == 429
                    && over.headers["retry-after"].flatMap(Int.init).map { (1...10).contains($0) } == true)
            rig.clock.advance(.seconds(11))
            #expect(try await counter.sync(counter.batch(chain[2...]), to: rig).status == 200)
        }
    }

    /// One COMMIT serves many: a batch that cannot be stored takes nothing of its neighbours along.
    @Test(arguments: TestStore.allCases)
    func `batches of one transaction succeed and fail alone`(kind: TestStore) async throws {
        try await GatewayRig.run(places: try await kind.places()) { rig in
            var devices: [(CounterDouble, DeviceRecord)] = []
            for _ in 0..<3 {
                let counter = try await CounterDouble.enrolled(at: rig)
                devices.append((counter, try #require(try await rig.device(counter))))
            }
            let failing = devices[1].1.device
            let sign = SyncRoute.sign(try rig.folder.receiptKey())
            let results = try await rig.store.append(
                devices.map { counter, device in
                    BatchArrival(
                        batch: VerifiedBatch(
                            epoch: 1, firstSeq: 1, previousHash: ChainLink.start,
                            hashes: counter.chain(3).map(\.hash), envelope: [1], trace: ""), device: device)
                }, nowMilliseconds: 1
            ) { content throws(GatewayError) in
                if content.device == failing { throw .state(problem: "no", hint: "no") }
                return try sign(content)
            }
            #expect(results.map { (try? $0.get()) != nil } == [true, false, true])
            let heads = try await rig.store.heads()
            for (counter, _) in devices {
                #expect(heads.first { $0.device == counter.device }?.seq == (counter.device == failing ? 0 : 3))
            }
        }
    }

    /// Many counters at once: every one gets its own receipt, nothing is mixed up.
    @Test(arguments: TestStore.allCases)
    func `thirty counters sync at the same time`(kind: TestStore) async throws {
        try await GatewayRig.run(places: try await kind.places()) { rig in
            let counters = try await withThrowingTaskGroup(of: CounterDouble.self) { group in
                for _ in 0..<30 { group.addTask { try await CounterDouble.enrolled(at: rig) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(Set(counters.map(\.series)).count == 30)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for counter in counters {
                    group.addTask {
                        let chain = counter.chain(4)
                        for batch in [chain[..<2], chain[2...]] {
                            let answer = try await counter.sync(counter.batch(batch), to: rig)
                            let receipt = try Receipt.read(answer.bytes, key: #require(counter.receiptKey))
                            #expect(receipt.device == counter.device && receipt.headHash == batch.last?.hash)
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(rig.metrics.value("execora_sync_entries_total") == 120)
        }
    }

    /// Two requests of one device at the same time: one chain, each entry once.
    @Test(arguments: TestStore.allCases)
    func `the same batch sent twice at once is stored once`(kind: TestStore) async throws {
        try await GatewayRig.run(places: try await kind.places()) { rig in
            let counter = try await CounterDouble.enrolled(at: rig)
            let batch = try counter.batch(counter.chain(20))
            let answers = try await withThrowingTaskGroup(of: [UInt8].self) { group in
                for _ in 0..<6 { group.addTask { try await counter.sync(batch, to: rig).bytes } }
                return try await group.reduce(into: Set<[UInt8]>()) { $0.insert($1) }
            }
            #expect(answers.count == 1)
            #expect(rig.metrics.value("execora_sync_entries_total") == 20)
        }
    }
}

extension GatewayRig {
    func device(_ counter: CounterDouble) async throws -> DeviceRecord? {
        let leaf = try Seals.Certificate.read(pem: Array(counter.chainPEM.utf8))
        return try await fleet.device(shop: counter.shop, fingerprint: try leaf.fingerprint)
    }
}

extension GatewayRig {
    /// What the store knows of an enrolled device.
    func record(of device: RealDevice) async throws -> DeviceRecord? {
        try await fleet.device(
            shop: device.identity.shop, fingerprint: try device.folder.certificate().fingerprint)
    }
}
