import CloudLink
import Foundation
import Ledger
import LedgerSync
import Seals
import Testing

@testable import execora_gateway

/// The drills: each side is lost in turn and made again from the other, down to the same bytes.
@Suite struct RestoreDrillTests {
    /// The device's disk is gone, its keys were saved: the book comes back from the gateway, byte for byte, and goes on.
    @Test(arguments: TestStore.allCases)
    func `a device that lost its book gets it back from the gateway`(kind: TestStore) async throws {
        try await GatewayRig.run(places: try await kind.places()) { rig in
            let device = try await RealDevice.enrolled(at: rig)
            defer { device.remove() }
            try await onOwnThread {
                let first = try device.openBook(device.folder.path + "/book.sqlite")
                try device.write(1...230, into: first)
                try device.sync(first)
                let lost = try device.openBook(device.folder.path + "/again.sqlite")
                let restorer = BookRestorer(
                    book: lost, identity: device.identity, keys: try device.folder.identity().keys)
                var taken = 0
                while case let page = try device.get(try restorer.path()), !page.isEmpty {
                    taken += try restorer.take(page)
                }
                #expect(taken == 230)
                #expect(try Self.journal(lost) == Self.journal(first))
                #expect(try lost.head() == first.head() && lost.cursor() == first.cursor())
                #expect(try lost.verify().valid)
                #expect(try lost.amount(of: .opening) == first.amount(of: .opening))
                // It goes on where it was, in the same epoch.
                try device.write(231...240, into: lost)
                try device.sync(lost)
                #expect(try lost.cursor().seq == 240)
            }
            #expect(try await rig.store.heads().map(\.seq) == [240])
        }
    }

    /// An old image of the flash: its book is behind what the gateway receipted. It says so at the first contact, and
    /// what it lacks comes back.
    @Test func `a book put back from an old image is noticed and made whole`() async throws {
        try await GatewayRig.run { rig in
            let device = try await RealDevice.enrolled(at: rig)
            defer { device.remove() }
            try await onOwnThread {
                let path = device.folder.path + "/book.sqlite"
                do {
                    let book = try device.openBook(path)
                    try device.write(1...40, into: book)
                    try device.sync(book)
                    _ = try book.backup(to: device.folder.path + "/old.sqlite")
                    try device.write(41...90, into: book)
                    try device.sync(book)
                }
                let old = try device.openBook(device.folder.path + "/old.sqlite")
                #expect(try old.head().seq == 40)
                #expect(try device.sync(old) == .stopped(.serverAhead))
                let restorer = BookRestorer(
                    book: old, identity: device.identity, keys: try device.folder.identity().keys)
                #expect(try restorer.take(try device.get(try restorer.path())) == 50)
                #expect(try Self.journal(old) == Self.journal(try device.openBook(path)))
                // A book that sold in between has another history: nothing is put over it.
                let sold = try device.openBook(device.folder.path + "/sold.sqlite")
                try device.write(500...503, into: sold)
                let fork = BookRestorer(
                    book: sold, identity: device.identity, keys: try device.folder.identity().keys)
                let page = try device.get(try fork.path())
                #expect(throws: RestoreError.fork(seq: 4)) { try fork.take(page) }
                #expect(try sold.head().seq == 4)
            }
        }
    }

    /// The gateway's database is gone, its keys are there: devices show who they are and send all of it again.
    @Test(arguments: TestStore.allCases)
    func `a gateway that lost its store is filled again by its devices`(kind: TestStore) async throws {
        let place = TemporaryFolder()
        let path = place.path + "/gateway"
        let before = try await kind.places()
        // The device's line needs the port of the second gateway, so it is made anew for the same identity.
        let (folder, identity, envelopes) = try await GatewayRig.run(path: path, places: before) { rig in
            let device = try await RealDevice.enrolled(at: rig)
            defer { device.leave() }
            try await onOwnThread {
                let book = try device.openBook(device.folder.path + "/book.sqlite")
                try device.write(1...120, into: book)
                try device.sync(book)
            }
            let record = try #require(try await rig.record(of: device))
            return (
                device.folder, device.identity,
                try await rig.store.held(of: record, epoch: 1, after: 0).flatMap(Self.bodies)
            )
        }
        if kind == .embedded { for end in ["", "-wal", "-shm"] { unlink(path + "/gateway.sqlite" + end) } }
        let after = try await kind.places()

        try await GatewayRig.run(path: path, places: after) { rig in
            // Without the operator's word nobody is taken in.
            let device = try RealDevice.again(folder: folder, identity: identity, at: rig)
            defer { device.leave() }
            try await onOwnThread {
                let book = try device.openBook(folder.path + "/book.sqlite")
                #expect(try device.sync(book) != .resting)
            }
            #expect(try await rig.store.heads().isEmpty)
        }
        try await GatewayRig.run(path: path, places: after, isReadmitting: true) { rig in
            let device = try RealDevice.again(folder: folder, identity: identity, at: rig)
            defer { device.remove() }
            let head = try await onOwnThread {
                let book = try device.openBook(folder.path + "/book.sqlite")
                var rollbacks = 0
                try device.sync(book) { if case .serverRollback = $0 { rollbacks += 1 } }
                #expect(rollbacks == 1)
                return try book.head()
            }
            #expect(try await rig.store.heads().map(\.hash) == [head.hash])
            let record = try #require(try await rig.record(of: device))
            #expect(record.series == identity.series && record.shop == identity.shop)
            let again = try await rig.store.held(of: record, epoch: 1, after: 0).flatMap(Self.bodies)
            #expect(again == envelopes && again.count == 120)
            // A new counter of the shop gets the next series, not the readmitted one's.
            #expect(try await CounterDouble.enrolled(at: rig).series == "A02")
        }
    }

    /// The key is changed in the middle of the chain: both sides go on, and all of it comes back, signed by either.
    @Test(arguments: TestStore.allCases)
    func `a ledger key is changed at its own word, and what both keys signed comes back`(kind: TestStore) async throws {
        try await GatewayRig.run(places: try await kind.places()) { rig in
            let device = try await RealDevice.enrolled(at: rig)
            defer { device.remove() }
            let path = device.folder.path + "/book.sqlite"
            let (old, next) = (try device.folder.ledgerKey(), try device.folder.nextLedgerKeyMadeIfMissing())
            let handover = try await onOwnThread {
                let book = try device.openBook(path)
                try device.write(1...30, into: book)
                try device.sync(book)
                return try KeyHandover(device: device.identity.device, from: old, to: next, epoch: 1, fromSeq: 31)
            }
            // A handover that is not signed by both, or steps behind what is held, is not taken.
            let stranger = try SigningKey.generate()
            let forged = {
                var forged = handover
                forged.new = stranger.verifyingKey
                return forged
            }()
            #expect(try await onOwnThread { try? device.post("/v1/ledger-key", forged.json.bytes) } == nil)
            let behind = try KeyHandover(device: device.identity.device, from: old, to: next, epoch: 1, fromSeq: 20)
            #expect(try await onOwnThread { try? device.post("/v1/ledger-key", behind.json.bytes) } == nil)
            let wrong = try KeyHandover(
                device: device.identity.device, from: stranger, to: next, epoch: 1, fromSeq: 31)
            #expect(try await onOwnThread { try? device.post("/v1/ledger-key", wrong.json.bytes) } == nil)

            try await onOwnThread {
                // The answer was lost: the same once more.
                _ = try device.post("/v1/ledger-key", handover.json.bytes)
                _ = try device.post("/v1/ledger-key", handover.json.bytes)
                try device.folder.change(to: next, by: handover)
                let identity = try device.folder.identity()
                #expect(
                    identity.keys == [old.verifyingKey, next.verifyingKey] && identity.device == device.identity.device)
                let again = RealDevice(folder: device.folder, identity: identity, link: device.link)
                let book = try again.openBook(path)
                try again.write(31...60, into: book)
                #expect(try again.sync(book) == .resting)
                #expect(try book.cursor().seq == 60)
                let lost = try again.openBook(device.folder.path + "/again.sqlite")
                let restorer = BookRestorer(book: lost, identity: identity, keys: identity.keys)
                while case let page = try again.get(try restorer.path()), !page.isEmpty { _ = try restorer.take(page) }
                #expect(try Self.journal(lost) == Self.journal(book))
            }
            // The old key signs no more.
            let renewed = try #require(try await rig.record(of: device))
            #expect(renewed.ledgerKey == next.verifyingKey.bytes)
        }
    }

    private static func journal(_ book: LedgerStore) throws -> [[UInt8]] {
        try book.events(after: 0, epoch: 1, limit: 10_000).map { $0.body + $0.hash }
    }

    private static func bodies(_ held: HeldBatches.Held) throws -> [[UInt8]] {
        try SyncBatch.stored(held.envelope).entries.map { $0.body + $0.hash }
    }
}
