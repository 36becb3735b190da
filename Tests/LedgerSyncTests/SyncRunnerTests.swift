import JSONText
import Ledger
import LedgerSync
import Seals
import Testing

/// The runner against a gateway in memory, one story a test.
@Suite struct SyncRunnerTests {
    @Test func `entries go up, the receipt comes down, the cursor moves`() throws {
        let counter = try Counter()
        counter.sell(3)
        counter.pass()
        #expect(counter.outbox.count == 1)
        let batch = try #require(counter.outbox.first)
        #expect((batch.epoch, batch.firstSeq, batch.lastSeq) == (1, 1, 3))
        #expect(batch.traceparent.hasPrefix("00-\(Hex.text(batch.id.bytes))-"))
        #expect(batch.traceparent.utf8.count == 55)
        counter.carry()
        let cursor = try counter.book.cursor()
        #expect(cursor.seq == 3 && cursor.hash == counter.book.stored[2].hash)
        #expect(try Receipt.read(cursor.receipt, key: counter.receiptKey.verifyingKey) == counter.receipts.first)
        #expect(counter.receipts.map(\.throughSeq) == [3])
        // The next batch names the receipt it knows.
        counter.sell()
        counter.pass()
        let next = try SyncBatch.read(#require(counter.outbox.first).bytes, key: counter.key.verifyingKey)
        #expect(next.header.circumstances.lastReceiptHash == Receipt.hash(of: cursor.receipt))
        #expect(next.header.firstSeq == 4 && next.header.prevHash == cursor.hash)
    }

    @Test func `two batches are never out together`() throws {
        let counter = try Counter()
        counter.sell()
        counter.pass()
        counter.sell(5)
        counter.runner.hurry(now: counter.moment)
        counter.runner.run(now: counter.moment)
        #expect(counter.outbox.count == 1)
        counter.carry()
        counter.pass()
        #expect(counter.outbox.map(\.lastSeq) == [6])
    }

    @Test func `a lost receipt costs one more round and nothing else`() throws {
        let counter = try Counter()
        counter.sell(2)
        counter.pass()
        _ = counter.gateway.answer(counter.outbox.removeFirst().bytes)
        counter.pass()
        #expect(counter.runner.driver.phase == .backingOff(failures: 1))
        counter.sell(2)
        counter.settle()
        #expect(try counter.book.cursor().seq == 4)
        #expect(counter.gateway.stored.map(\.body) == counter.book.stored.map(\.body))
        #expect(counter.gateway.applied.values.allSatisfy { $0 == 1 })
    }

    @Test func `a late answer to a try given up changes nothing`() throws {
        let counter = try Counter()
        counter.sell()
        counter.pass()
        let batch = counter.outbox.removeFirst()
        let answer = counter.gateway.answer(batch.bytes)
        counter.pass()
        counter.runner.answered(answer, to: batch.id, now: counter.moment)
        #expect(try counter.book.cursor().seq == 0)
        counter.runner.answered(answer, to: ULID(high: 4, low: 4), now: counter.moment)
        counter.settle()
        #expect(try counter.book.cursor().seq == 1)
    }

    @Test func `a backlog drains without waiting between batches`() throws {
        let counter = try Counter { $0.eventsMax = 50 }
        counter.sell(500)
        let start = counter.now
        counter.settle()
        #expect(try counter.book.cursor().seq == 500)
        #expect(counter.gateway.batchesSeen == 10)
        #expect(counter.now - start <= 5000)
    }

    @Test func `a gateway restored from a backup is told again, and the cursor never goes back`() throws {
        let counter = try Counter { $0.eventsMax = 4 }
        counter.sell(12)
        counter.settle()
        counter.gateway.restore(through: 4)
        counter.sell()
        counter.settle()
        #expect(counter.told.contains(.serverRollback(nextSeq: 5, receiptedSeq: 12)))
        #expect(try counter.book.cursor().seq == 13)
        #expect(counter.gateway.stored.map(\.body) == counter.book.stored.map(\.body))
        #expect(counter.runner.driver.phase == .resting)
    }

    /// Faults programme 9: seen within one sync interval, though the shop sells nothing.
    @Test func `a quiet shop finds out too that the gateway was restored`() throws {
        let counter = try Counter { $0.eventsMax = 4 }
        counter.sell(12)
        counter.settle()
        counter.gateway.restore(through: 4)
        let start = counter.now
        let lost = SyncEvent.serverRollback(nextSeq: 5, receiptedSeq: 12)
        for _ in 0..<10 where !counter.told.contains(lost) {
            counter.pass()
            counter.carry()
        }
        #expect(counter.told.contains(lost) && counter.now - start <= 360_000)
        for _ in 0..<4 {
            counter.pass()
            counter.carry()
        }
        #expect(counter.gateway.stored.map(\.body) == counter.book.stored.map(\.body))
        let found = counter.told.contains { if case .confirmed = $0 { true } else { false } }
        #expect(found && counter.receipts.map(\.throughSeq) == [4, 8, 12], "what is known is not news")
    }

    @Test func `an empty book sends nothing`() throws {
        let counter = try Counter()
        for _ in 0..<5 { counter.pass() }
        #expect(counter.outbox.isEmpty && counter.told.isEmpty)
        #expect(counter.runner.driver.phase == .resting)
    }

    /// An old image of the flash: the book lacks what the gateway stored under its name.
    @Test func `a book older than the gateway's copy stops`() throws {
        let counter = try Counter()
        counter.sell(10)
        let old = MemoryBook(copying: counter.book, through: 6)
        counter.settle()
        counter.book = old
        counter.start()
        counter.pass()
        counter.carry()
        #expect(counter.told.last == .stopped(.serverAhead))
        #expect(counter.runner.dueMilliseconds == nil)
        #expect(try counter.book.cursor().seq == 0)
    }

    /// The same, after it sold something else: two histories under one name.
    @Test func `another history under the same name stops`() throws {
        let counter = try Counter()
        counter.sell(10)
        let old = MemoryBook(copying: counter.book, through: 6)
        counter.settle()
        counter.book = old
        for _ in 0..<6 { old.append(bodyBytes: 50) }
        counter.start()
        counter.pass()
        counter.carry()
        #expect(counter.told.last == .stopped(.fork))
        // Selling goes on; sync stays silent.
        counter.sell()
        counter.pass()
        #expect(counter.outbox.isEmpty)
        #expect(try counter.runner.report(now: counter.moment)["reason"] == "fork")
    }

    @Test func `a gap whose head is not ours stops`() throws {
        let counter = try Counter()
        counter.sell(3)
        counter.pass()
        let batch = counter.outbox.removeFirst()
        let text = #"{"error":{"code":"gap","next_seq":3,"head":"\#(String(repeating: "ab", count: 32))"}}"#
        counter.runner.answered(
            .answered(status: 409, body: Array(text.utf8), retryAfterSeconds: nil), to: batch.id, now: counter.moment)
        #expect(counter.told.last == .stopped(.fork))
    }

    @Test(arguments: [
        "", "{", "[]", #"{"error":{"code":"gap"}}"#, #"{"error":{"code":"gap","next_seq":0,"head":"00"}}"#,
        #"{"error":{"code":"gap","next_seq":-9223372036854775808,"head":""}}"#, #"{"error":"gap"}"#,
        #"{"error":{"code":"other"}}"#,
    ])
    func `a 409 that says nothing usable is a failure to be tried again`(body: String) throws {
        let counter = try Counter()
        counter.sell()
        counter.pass()
        let batch = counter.outbox.removeFirst()
        counter.runner.answered(
            .answered(status: 409, body: Array(body.utf8), retryAfterSeconds: nil), to: batch.id, now: counter.moment)
        #expect(counter.runner.driver.phase == .backingOff(failures: 1))
        counter.settle()
        #expect(try counter.book.cursor().seq == 1)
    }

    @Test func `the same gap again and again ends in back-off, not in a loop`() throws {
        let counter = try Counter()
        counter.sell(3)
        let start = Hex.text(ChainLink.start)
        let text = #"{"error":{"code":"gap","next_seq":1,"head":"\#(start)"}}"#
        counter.gateway.override = .answered(status: 409, body: Array(text.utf8), retryAfterSeconds: nil)
        for _ in 0..<3 {
            counter.pass()
            counter.carry()
        }
        #expect(counter.runner.lastFailure == .gapAgain)
        counter.gateway.override = nil
        counter.settle()
        #expect(try counter.book.cursor().seq == 3)
    }

    @Test func `one bad entry is isolated, those before it arrive, selling goes on`() throws {
        let counter = try Counter()
        counter.sell(20)
        counter.gateway.poisonedSeq = 14
        for _ in 0..<40 where counter.runner.driver.parkedSeq == nil {
            counter.pass()
            counter.carry()
        }
        #expect(counter.told.contains(.parked(seq: 14)))
        #expect(try counter.book.cursor().seq == 13)
        counter.sell(5)
        // The gateway's mistake is mended one day: everything follows by itself.
        counter.gateway.poisonedSeq = nil
        counter.settle()
        #expect(try counter.book.cursor().seq == 25)
        #expect(counter.runner.driver.parkedSeq == nil)
        #expect(counter.told.filter { $0 == .parked(seq: 14) }.count == 1)
    }

    @Test func `an entry too long to be sent is parked and not sent`() throws {
        let counter = try Counter()
        counter.sell(2)
        counter.sell(1, bodyBytes: SyncLimits.eventBytesMax + 1)
        for _ in 0..<6 {
            counter.pass()
            counter.carry()
        }
        #expect(counter.told.contains(.parked(seq: 3)))
        #expect(try counter.book.cursor().seq == 2)
    }

    @Test(
        arguments: [
            (429, 7, SyncDriver.Failure.busy(status: 429)), (503, nil, .busy(status: 503)),
            (500, nil, .busy(status: 500)),
            (404, nil, .unexpected(status: 404)), (302, nil, .unexpected(status: 302)),
            (204, nil, .unexpected(status: 204)),
            (401, nil, .identity(code: "")), (403, nil, .identity(code: "")),
        ] as [(Int, Int64?, SyncDriver.Failure)])
    func `other answers are tried again`(status: Int, retryAfter: Int64?, failure: SyncDriver.Failure) throws {
        let counter = try Counter()
        counter.sell()
        counter.gateway.override = .answered(status: status, body: [], retryAfterSeconds: retryAfter)
        counter.pass()
        counter.carry()
        #expect(counter.runner.lastFailure == failure)
        let wait = (counter.runner.dueMilliseconds ?? -1) - counter.now
        #expect(wait >= (retryAfter ?? 0) * 1000 && wait <= 900_000)
        counter.gateway.override = nil
        counter.settle()
        #expect(try counter.book.cursor().seq == 1)
    }

    private static func notice(of device: [UInt8], by key: SigningKey) throws -> [UInt8] {
        let signature = try RevocationNotice.make(device: device, serverMilliseconds: 5, key: key)
        return Array(
            #"{"error":{"code":"revoked","message":"","ms":5,"signature":"\#(Hex.text(signature))"}}"#.utf8)
    }

    /// Whoever sits between device and gateway can say "revoked"; only the gateway can sign it.
    @Test func `an unsigned or foreign revocation is a failure like another, and sync goes on`() throws {
        let counter = try Counter()
        counter.sell()
        counter.pass()
        let stranger = try SigningKey(seed: [UInt8](repeating: 9, count: 32))
        let bodies = [
            Array(#"{"error":{"code":"revoked","message":""}}"#.utf8),
            try Self.notice(of: counter.identity.device, by: stranger),
            try Self.notice(of: [UInt8](repeating: 3, count: 16), by: counter.receiptKey),
        ]
        for body in bodies {
            counter.runner.answered(
                .answered(status: 403, body: body, retryAfterSeconds: nil), to: try #require(counter.outbox.last).id,
                now: counter.moment)
            #expect(counter.runner.dueMilliseconds != nil)
            #expect(counter.runner.lastFailure == .identity(code: "revoked"))
            counter.pass()
        }
    }

    @Test func `a revoked device stops`() throws {
        let counter = try Counter()
        counter.sell()
        counter.gateway.override = .answered(
            status: 403, body: try Self.notice(of: counter.identity.device, by: counter.receiptKey),
            retryAfterSeconds: nil)
        counter.pass()
        counter.carry()
        #expect(counter.told.last == .stopped(.revoked))
    }

    /// A receipt counts only when the pinned key signed it for this device, this shop, this batch and this chain.
    @Test(arguments: ["other key", "other shop", "other device", "too little", "garbage", "other epoch"])
    func `a receipt that does not hold moves nothing`(fault: String) throws {
        let counter = try Counter()
        counter.sell(3)
        counter.pass()
        let batch = counter.outbox.removeFirst()
        var receipt = Receipt(
            shop: counter.identity.shop, device: counter.identity.device, epoch: 1, throughSeq: 3,
            headHash: counter.book.stored[2].hash, server: WallTime(milliseconds: 1), storeID: KnownEnvelopes.storeID,
            number: 1, previousReceiptHash: ChainLink.start)
        var key = counter.receiptKey
        switch fault {
        case "other key": key = counter.key
        case "other shop": receipt.shop[0] ^= 1
        case "other device": receipt.device[0] ^= 1
        case "too little":
            receipt.throughSeq = 2
            receipt.headHash = counter.book.stored[1].hash
        case "other epoch": receipt.epoch = 2
        default: break
        }
        let body = fault == "garbage" ? Array("ok".utf8) : try receipt.signed(by: key)
        counter.runner.answered(
            .answered(status: 200, body: body, retryAfterSeconds: nil), to: batch.id, now: counter.moment)
        #expect(counter.runner.lastFailure == .receipt)
        #expect(try counter.book.cursor().seq == 0)
        counter.settle()
        #expect(try counter.book.cursor().seq == 3)
    }

    @Test func `a receipt over another chain stops`() throws {
        let counter = try Counter()
        counter.sell(3)
        counter.pass()
        let batch = counter.outbox.removeFirst()
        let receipt = Receipt(
            shop: counter.identity.shop, device: counter.identity.device, epoch: 1, throughSeq: 3,
            headHash: [UInt8](repeating: 1, count: 32), server: WallTime(milliseconds: 1),
            storeID: KnownEnvelopes.storeID, number: 1, previousReceiptHash: ChainLink.start)
        counter.runner.answered(
            .answered(status: 200, body: try receipt.signed(by: counter.receiptKey), retryAfterSeconds: nil),
            to: batch.id, now: counter.moment)
        #expect(counter.told.last == .stopped(.fork))
        #expect(try counter.book.cursor().seq == 0)
    }

    @Test func `a book that fails is told and asked again`() throws {
        let counter = try Counter()
        counter.sell()
        counter.book.failure = .storage(code: 10, operation: "read")
        counter.pass()
        #expect(counter.told.contains(.bookFailed(.storage(code: 10, operation: "read"))))
        #expect(counter.runner.lastFailure == .book)
        counter.book.failure = nil
        counter.settle()
        #expect(try counter.book.cursor().seq == 1)
    }

    @Test func `a damaged book is not signed and not sent`() throws {
        let counter = try Counter()
        counter.sell(4)
        counter.book.damage(seq: 2)
        counter.pass()
        #expect(counter.outbox.isEmpty)
        #expect(counter.told.contains(.bookFailed(.damaged("the entries behind 0 are no chain"))))
    }

    @Test func `a new epoch follows when the old one is receipted`() throws {
        let counter = try Counter { $0.eventsMax = 3 }
        counter.sell(4, epoch: 1)
        counter.sell(2, epoch: 2)
        counter.settle()
        #expect(counter.gateway.stored.map(\.epoch) == [1, 1, 1, 1, 2, 2])
        let cursor = try counter.book.cursor()
        #expect(cursor.epoch == 2 && cursor.seq == 2)
    }

    @Test func `the report tells where sync stands`() throws {
        let counter = try Counter()
        counter.sell(3)
        counter.settle()
        counter.sell(2)
        let report = try counter.runner.report(now: counter.moment)
        #expect(report["phase"] == "resting" && report["head_seq"] == 5 && report["receipted_seq"] == 3)
        #expect(report["pending"] == 2 && report["receipt_no"] == 1 && report["failure"] == .null)
    }
}
