import CloudLink
import Foundation
import JSONText
import Ledger
import LedgerSync
import Seals
import Testing

@testable import execora_gateway

/// The owner opens a new epoch and the device follows: a new chain, a new invoice series, on both sides.
@Suite struct NewEpochTests {
    /// A clone sold under this device's keys; its chain was stored first. The true counter's is a fork, until the owner
    /// decides.
    @Test(arguments: TestStore.allCases)
    func `a counter whose chain was taken begins another, with bills of another series`(kind: TestStore) async throws {
        try await GatewayRig.run(places: try await kind.places()) { rig in
            let device = try await RealDevice.enrolled(at: rig)
            defer { device.remove() }
            let path = device.folder.path + "/book.sqlite"
            let now = WallTime(milliseconds: 1_790_000_000_000)
            try await onOwnThread {
                let clone = try device.openBook(nil)
                try device.write(900...905, into: clone)
                #expect(try device.sync(clone) == .resting)
                let book = try device.openBook(path)
                try device.write(1...4, into: book)
                #expect(try device.sync(book) == .stopped(.fork))
                // Nobody has decided: a restart forks again.
                #expect(try device.sync(book) == .stopped(.fork))
            }
            #expect(try await device.epoch() == (1, 7, "A01"))
            #expect(try await rig.fleet.openEpoch(device: device.identity.device, nowMilliseconds: 1) == 2)
            #expect(try await device.epoch() == (2, 1, "A02"))

            try await onOwnThread {
                do {
                    let book = try device.openBook(path)
                    try book.beginEpoch(series: "A02", at: now, id: ULID(high: 9, low: 9))
                    // It is closed until it is opened under the new series.
                    #expect(throws: BookError.self) { try device.write(5...5, into: book) }
                }
                // A cut between the book and the identity: the book says which series it is in.
                #expect(try LedgerStore.series(of: path) == "A02")
                #expect(throws: BookError.self) { try device.openBook(path) }
                try device.folder.adopt(series: "A02")
                let again = RealDevice(
                    folder: device.folder, identity: try device.folder.identity(), link: device.link)
                let book = try again.openBook(path)
                #expect(try book.head().epoch == 2 && book.head().seq == 1)
                _ = try again.perform(
                    .createProduct(ProductDetails(name: "Milk", unit: "l", price: Paise(6000)), stock: .zero), in: book)
                let sold = try book.perform(
                    .commitBill(
                        Bill(
                            customer: nil,
                            lines: [
                                BillLine(
                                    product: ProductID(rawValue: 1), quantity: MilliQuantity(1000),
                                    unitPrice: Paise(6000))
                            ]), draft: nil), id: ULID(high: 9, low: 10), evidence: Evidence(confirmedBy: "yes"), at: now
                )
                guard case .invoice(let number, _, _) = sold.outcome else {
                    Issue.record("no bill")
                    return
                }
                #expect(number.hasPrefix("A02/"))
                // What was never sent of epoch 1 stays behind; the new chain goes up.
                #expect(try again.sync(book) == .resting)
                let cursor = try book.cursor()
                #expect(cursor.epoch == 2 && cursor.seq == 3)
                #expect(try book.verify().valid)
                #expect(throws: BookError.self) {
                    try book.beginEpoch(series: "A02", at: now, id: ULID(high: 9, low: 11))
                }
                #expect(try again.sync(book) == .resting)
            }
            #expect(try await rig.store.heads().map(\.epoch) == [2])
            #expect(try await rig.store.quarantined() >= 1)
            // The next counter gets a series that nobody had.
            #expect(try await CounterDouble.enrolled(at: rig).series == "A03")
        }
    }

    /// Other counters follow too: what the old chain said and the new one disowns is not owed any more.
    @Test func `another counter's sums follow the new epoch`() async throws {
        try await GatewayRig.run { rig in
            let (a, b) = (try await RealDevice.enrolled(at: rig), try await RealDevice.enrolled(at: rig))
            defer {
                a.remove()
                b.remove()
            }
            let now = WallTime(milliseconds: 1_790_000_000_000)
            let path = a.folder.path + "/book.sqlite"
            _ = try await rig.store.tell(
                .merge(
                    SharedCustomer(device: a.identity.device, customer: CustomerID(rawValue: 1)),
                    into: SharedCustomer(device: b.identity.device, customer: CustomerID(rawValue: 1))),
                to: a.identity.shop, nowMilliseconds: 1, key: try rig.folder.receiptKey())
            try await onOwnThread {
                let bookB = try b.openBook(b.folder.path + "/book.sqlite")
                try b.write(1...1, into: bookB)
                let book = try a.openBook(path)
                try a.write(1...2, into: book)
                _ = try book.backup(to: a.folder.path + "/old.sqlite")
                _ = try a.perform(.giveCredit(CustomerID(rawValue: 1), Paise(7000), note: nil), in: book)
                try a.sync(book)
                try b.readLog(into: bookB)
                #expect(try bookB.balance(of: CustomerID(rawValue: 1)) == Paise(7200))
            }
            #expect(try await rig.fleet.openEpoch(device: a.identity.device, nowMilliseconds: 1) == 2)
            try await onOwnThread {
                // The book is put back to the copy, and the loss accepted.
                do {
                    let old = try a.openBook(a.folder.path + "/old.sqlite")
                    try old.beginEpoch(series: "A03", at: now, id: ULID(high: 9, low: 9))
                }
                try a.folder.adopt(series: "A03")
                let again = RealDevice(folder: a.folder, identity: try a.folder.identity(), link: a.link)
                let book = try again.openBook(a.folder.path + "/old.sqlite")
                #expect(try again.sync(book) == .resting)
                let bookB = try b.openBook(b.folder.path + "/book.sqlite")
                try b.readLog(into: bookB)
                #expect(try bookB.balance(of: CustomerID(rawValue: 1)) == Paise(200))
                let standing = try #require(try bookB.counters().first { $0.details.device == a.identity.device })
                #expect(standing.details.series == "A03" && standing.epoch == 2)
            }
        }
    }
}

extension RealDevice {
    /// What the gateway says of this device's chain.
    func epoch() async throws -> (Int64, Int64, String) {
        let json = try await onOwnThread { try JSONValue(parsing: try self.get("/v1/epoch")) }
        return (json["epoch"]?.integer ?? 0, json["next_seq"]?.integer ?? 0, json["series"]?.string ?? "")
    }
}
