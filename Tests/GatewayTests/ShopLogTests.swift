import CloudLink
import Foundation
import Ledger
import LedgerSync
import Seals
import Synchronization
import Testing

@testable import execora_gateway

/// Several counters of one shop: two devices with books of their own, real TLS, the real gateway between them.
@Suite struct ShopLogTests {
    @Test(arguments: TestStore.allCases)
    func `a payment at one counter reaches the other, with a new price and a merge`(kind: TestStore) async throws {
        try await GatewayRig.run(places: try await kind.places()) { rig in
            let (a, b) = (try await RealDevice.enrolled(at: rig), try await RealDevice.enrolled(at: rig))
            defer {
                a.remove()
                b.remove()
            }
            let key = try rig.folder.receiptKey()
            let (one, other) = (
                SharedCustomer(device: a.identity.device, customer: CustomerID(rawValue: 2)),
                SharedCustomer(device: b.identity.device, customer: CustomerID(rawValue: 1))
            )
            let catalogue = ShopChange.catalogue([
                CatalogueItem(ProductDetails(name: "Milk", unit: "litre", price: Paise(6600)))
            ])
            for change in [catalogue, .merge(one, into: other)] {
                _ = try await rig.store.tell(
                    change, to: a.identity.shop, nowMilliseconds: rig.clock.milliseconds, key: key)
            }
            try await onOwnThread {
                let (bookA, bookB) = (
                    try a.openBook(a.folder.path + "/book.sqlite"), try b.openBook(b.folder.path + "/book.sqlite")
                )
                try a.write(1...3, into: bookA)
                try b.write(1...1, into: bookB)
                // A's customer 2 owes 200, B's customer 1 owes 100, and they are one.
                _ = try a.perform(
                    .receivePayment(CustomerID(rawValue: 2), [PaymentSplit(amount: Paise(50), mode: .cash)]), in: bookA)
                try a.sync(bookA)
                try a.readLog(into: bookA)
                try b.readLog(into: bookB)
                #expect(try bookB.balance(of: CustomerID(rawValue: 1)) == Paise(100 + 200 - 50))
                #expect(try bookB.products().map(\.details.price) == [Paise(6600)])
                #expect(try bookA.products().map(\.details.price) == [Paise(6600)])
                // B's opening is not at the gateway yet.
                #expect(try bookA.balance(of: CustomerID(rawValue: 2)) == Paise(150))
                try b.sync(bookB)
                try a.readLog(into: bookA)
                #expect(try bookA.balance(of: CustomerID(rawValue: 2)) == Paise(250))
                #expect(try bookA.counters().map(\.details.series) == ["A01", "A02"])
                #expect(try bookA.counters()[1].asOf != nil)
                // Both journals are their own, and whole; what the log caused is in them and goes up again.
                for (device, book) in [(a, bookA), (b, bookB)] {
                    #expect(try book.verify().valid)
                    try device.sync(book)
                    #expect(try book.cursor().seq == book.head().seq)
                }
            }
            #expect(rig.metrics.value("execora_shop_log_entries_total") > 0)
        }
    }

    /// A counter that joins after years gets all there was, page after page; one shop never sees another's.
    @Test func `a late counter reads the whole log, a stranger none of it`() async throws {
        try await GatewayRig.run { rig in
            let a = try await RealDevice.enrolled(at: rig)
            defer { a.remove() }
            try await onOwnThread {
                let book = try a.openBook(a.folder.path + "/book.sqlite")
                for start in stride(from: 1, through: 600, by: 6) {
                    try a.write(start...start + 5, into: book)
                    try a.sync(book)
                }
            }
            #expect(try await rig.logLength(of: a) == 0)
            let b = try await RealDevice.enrolled(at: rig)
            defer { b.remove() }
            let record = try #require(try await rig.record(of: b))
            let stranger = try await CounterDouble.enrolled(at: rig, shop: "another shop")
            try await onOwnThread {
                let book = try b.openBook(b.folder.path + "/book.sqlite")
                let pages = try b.readLog(into: book)
                #expect(pages > 1)
                let counter = try #require(try book.counters().first)
                #expect(counter.seq == 600 && counter.details.device == a.identity.device)
                // Nothing is new.
                #expect(try b.readLog(into: book) == 0)
            }
            let length = try await rig.logLength(of: b)
            #expect(length == 102)
            let answer = try await stranger.send(
                "GET", "/v1/shop-log?after=0&hash=\(String(repeating: "0", count: 64))", to: rig)
            #expect(answer.status == 200)
            let strange = try ShopLogPage.read(answer.bytes).map {
                try ShopDelta.read($0, key: try rig.folder.receiptKey().verifyingKey)
            }
            // Alone in its shop and told nothing: its log is empty.
            #expect(strange.isEmpty)
            _ = record
        }
    }

    @Test func `a revoked counter is told to the others, and what it said stays`() async throws {
        try await GatewayRig.run { rig in
            let (a, b) = (try await RealDevice.enrolled(at: rig), try await RealDevice.enrolled(at: rig))
            defer {
                a.remove()
                b.remove()
            }
            try await onOwnThread {
                let book = try a.openBook(nil)
                try a.write(1...5, into: book)
                try a.sync(book)
            }
            _ = try await rig.store.revoke(device: a.identity.device, nowMilliseconds: 1)
            try await onOwnThread {
                let book = try b.openBook(nil)
                try b.readLog(into: book)
                let counter = try #require(
                    try book.counters().first { $0.details.device == a.identity.device })
                #expect(counter.details.isRevoked && counter.seq == 5)
            }
        }
    }

    /// The store comes back from an old backup: its log is another one. Counters let go of theirs and read it anew; the
    /// facts are the same, since they come from the counters.
    @Test func `counters follow a gateway that lost days of its log`() async throws {
        let place = TemporaryFolder()
        let path = place.path + "/gateway"
        let (folders, identities) = try await GatewayRig.run(path: path) { rig in
            let (a, b) = (try await RealDevice.enrolled(at: rig), try await RealDevice.enrolled(at: rig))
            defer {
                a.leave()
                b.leave()
            }
            return ([a.folder, b.folder], [a.identity, b.identity])
        }
        for end in ["", "-wal", "-shm"] {
            try? FileManager.default.copyItem(
                atPath: path + "/gateway.sqlite" + end, toPath: place.path + "/gateway.sqlite" + end)
        }
        @Sendable func drill(_ rig: GatewayRig, _ numbers: ClosedRange<Int>, _ told: Int64) async throws -> Int {
            let a = try RealDevice.again(folder: folders[0], identity: identities[0], at: rig)
            let b = try RealDevice.again(folder: folders[1], identity: identities[1], at: rig)
            defer {
                a.leave()
                b.leave()
            }
            _ = try await rig.store.tell(
                .merge(
                    SharedCustomer(device: a.identity.device, customer: CustomerID(rawValue: 1)),
                    into: SharedCustomer(device: b.identity.device, customer: CustomerID(rawValue: 1))),
                to: a.identity.shop, nowMilliseconds: told, key: try rig.folder.receiptKey())
            return try await onOwnThread {
                let (bookA, bookB) = (
                    try a.openBook(a.folder.path + "/book.sqlite"), try b.openBook(b.folder.path + "/book.sqlite")
                )
                if try bookB.head().seq == 0 { try b.write(1...1, into: bookB) }
                try a.write(numbers, into: bookA)
                try a.sync(bookA)
                var anew = 0
                try b.readLog(into: bookB) { if $0 == .startedAnew { anew += 1 } }
                #expect(try bookB.balance(of: CustomerID(rawValue: 1)) == Paise(200))
                let counter = try #require(
                    try bookB.counters().first { $0.details.device == a.identity.device })
                #expect(counter.seq == Int64(numbers.upperBound))
                #expect(try bookB.verify().valid)
                return anew
            }
        }
        #expect(try await GatewayRig.run(path: path) { rig in try await drill(rig, 1...70, 1) } == 0)
        for end in ["", "-wal", "-shm"] {
            unlink(path + "/gateway.sqlite" + end)
            try? FileManager.default.moveItem(
                atPath: place.path + "/gateway.sqlite" + end, toPath: path + "/gateway.sqlite" + end)
        }
        #expect(try await GatewayRig.run(path: path) { rig in try await drill(rig, 71...80, 2) } == 1)
        for folder in folders { try? FileManager.default.removeItem(atPath: folder.path) }
    }

    @Test(arguments: [
        "/v1/shop-log", "/v1/shop-log?after=-1&hash=00", "/v1/shop-log?after=x&hash=00", "/v1/shop-log?after=1&hash=zz",
    ])
    func `a question of another form is refused`(path: String) async throws {
        try await GatewayRig.run { rig in
            let counter = try await CounterDouble.enrolled(at: rig)
            let answer = try await counter.send("GET", path, to: rig)
            #expect(answer.status == 400 && answer.errorCode == "malformed")
        }
    }

    /// Two gateways on one PostgreSQL are asked at once: one chain, nothing twice.
    @Test func `two gateways make one log`() async throws {
        let places = try await TestStore.postgres.places()
        let place = TemporaryFolder()
        let path = place.path + "/gateway"
        try await GatewayRig.run(path: path, places: places) { first in
            let (a, b) = (try await RealDevice.enrolled(at: first), try await RealDevice.enrolled(at: first))
            defer {
                a.remove()
                b.remove()
            }
            try await GatewayRig.run(path: path, places: places) { second in
                try await onOwnThread {
                    let book = try a.openBook(nil)
                    for start in stride(from: 1, through: 90, by: 3) {
                        try a.write(start...start + 2, into: book)
                        try a.sync(book)
                    }
                }
                let record = try #require(try await first.record(of: b))
                let key = try first.folder.receiptKey()
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for index in 0..<8 {
                        let store = index % 2 == 0 ? first.store : second.store
                        group.addTask {
                            _ = try await store.shopLog(
                                for: record, after: 0, hash: .init(repeating: 0, count: 32), nowMilliseconds: 5,
                                key: key)
                        }
                    }
                    try await group.waitForAll()
                }
                #expect(try await first.logLength(of: b) == 32)
                try await onOwnThread {
                    let book = try b.openBook(nil)
                    try b.readLog(into: book)
                    #expect(try book.counters().first { $0.details.series == "A01" }?.seq == 90)
                }
            }
        }
    }
}

extension GatewayRig {
    /// Entries in the log of a device's shop.
    func logLength(of device: RealDevice) async throws -> Int64 {
        try await fleet.store(of: device.identity.shop).logLength(of: device.identity.shop)
    }
}

extension FleetStore {
    fileprivate func logLength(of shop: [UInt8]) throws(GatewayError) -> Int64 {
        try database.integer("SELECT count(*) FROM shop_log WHERE shop_id = ?", .blob(shop)) ?? 0
    }
}

extension RealDevice {
    func perform(_ command: Command, in book: LedgerStore) throws -> Committed {
        try book.perform(
            command, id: ULID(high: 6, low: UInt64.random(in: 0...UInt64.max)),
            evidence: Evidence(confirmedBy: "keypad"), at: WallTime(milliseconds: 1))
    }

    /// Reads the shop's log until nothing is new, with the runner that the daemon has.
    ///
    /// - Returns: pages that held something.
    @discardableResult
    func readLog(into book: LedgerStore, tell: @escaping (ShopLogEvent) -> Void = { _ in }) throws -> Int {
        let door = LogDoor(link)
        var clock: Int64 = 0
        let moment = { SyncMoment(monotonicMilliseconds: clock, wall: WallTime(milliseconds: 1), wallQuality: 3) }
        var pages = 0
        let runner = ShopLogRunner(
            book: book, door: door, identity: identity, seed: 1, now: moment(),
            tell: { event in
                if case .taken = event { pages += 1 }
                if case .failed(let why, _) = event { Issue.record("the log was not read: \(why)") }
                tell(event)
            })
        for _ in 0..<60 {
            let before = runner.dueMilliseconds
            clock = max(clock, before)
            runner.run(now: moment())
            guard let (number, answer) = door.answer() else { break }
            runner.answered(answer, to: number, now: moment())
            // It rests.
            if runner.dueMilliseconds > clock { break }
        }
        return pages
    }
}

/// What the daemon does with questions for the log.
private final class LogDoor: ShopLogDoor {
    private let link: GatewayLink
    private let arrived = DispatchSemaphore(value: 0)
    private let box = LogBox()

    init(_ link: GatewayLink) { self.link = link }

    func ask(_ path: String, number: Int64) {
        let (box, arrived) = (box, arrived)
        link.request(LinkRequest(kind: .log, path: path)) { result in
            box.held.withLock { held in
                switch result {
                case .success(let response):
                    held = (
                        number,
                        .answered(
                            status: response.status, body: response.body,
                            retryAfterSeconds: response.retryAfterSeconds.map(Int64.init))
                    )
                case .failure: held = (number, .lost)
                }
            }
            arrived.signal()
        }
    }

    func answer() -> (Int64, SyncAnswer)? {
        guard arrived.wait(timeout: .now() + 30) == .success else { return nil }
        return box.held.withLock { $0 }
    }
}

private final class LogBox: Sendable {
    let held = Mutex<(Int64, SyncAnswer)?>(nil)
}
