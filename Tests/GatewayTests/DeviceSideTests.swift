import CloudLink
import Conversation
import Foundation
import Ledger
import LedgerSync
import Seals
import Synchronization
import Testing

@testable import execora_gateway

/// The device's own rooms against the gateway: both sides of every wire are the real ones.
@Suite struct DeviceSideTests {
    @Test func `a device enrols, keeps its line, speaks and renews`() async throws {
        try await GatewayRig.run(speech: RecordingSpeech(["do sau"])) { rig in
            let device = try await RealDevice.enrolled(at: rig)
            defer { device.remove() }
            let delivery = try await device.turn(try CounterDouble.tone(frames: 30).packets)
            #expect(delivery.reply.transcripts.map(\.text) == ["do sau"])
            #expect(rig.speech.clips.map(\.samples.count) == [30 * 320])
            let before = try PrivateFile.read(device.folder.chainPath, secret: false)
            try await device.renew()
            #expect(try PrivateFile.read(device.folder.chainPath, secret: false) != before)
            #expect(try await device.turn([]).reply.verdict == .heard)
        }
    }

    /// The book's own entries, signed by the device's driver, receipted by the gateway, verified by the device.
    @Test func `a book reaches the gateway and its cursor follows`() async throws {
        try await GatewayRig.run { rig in
            let device = try await RealDevice.enrolled(at: rig)
            defer { device.remove() }
            let (head, cursor) = try await device.syncBook(entries: 120)
            #expect(head.seq >= 120)
            #expect(cursor.seq == head.seq && cursor.hash == head.hash)
            #expect(try await rig.store.heads().map(\.hash) == [head.hash])
            let receipt = try Receipt.read(cursor.receipt, key: device.identity.receiptKey)
            let storeID = try await rig.store.storeID()
            #expect(receipt.throughSeq == head.seq && receipt.storeID == storeID)
        }
    }

    @Test func `a revoked device learns that it is revoked`() async throws {
        try await GatewayRig.run { rig in
            let device = try await RealDevice.enrolled(at: rig)
            defer { device.remove() }
            _ = try await rig.store.revoke(device: device.identity.device, nowMilliseconds: 1)
            do {
                _ = try await device.turn([])
                Issue.record("the turn was taken")
            } catch LinkError.rejected(let rejection) {
                #expect(rejection.status == 403 && rejection.code == "revoked")
            }
        }
    }
}

/// Identity folder, link and book of one device.
final class RealDevice: Sendable {
    let folder: IdentityFolder
    let identity: DeviceIdentity
    let link: GatewayLink

    static func enrolled(at rig: GatewayRig) async throws -> RealDevice {
        var template = Array("/tmp/execora-device-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        let folder = IdentityFolder(
            path: String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self))
        let code = try await rig.code()
        let identity = try await onOwnThread {
            try Enrolment.enrol(
                gateway: "https://localhost:\(rig.ports.enrol)", trustPath: rig.folder.rootCertificate, code: code,
                into: folder)
        }
        let (events, tell) = AsyncStream.makeStream(of: LinkEvent.self)
        let device = try again(folder: folder, identity: identity, at: rig) { tell.yield($0) }
        for await event in events where event == .up { break }
        return device
    }

    /// The same device at another gateway's port.
    static func again(
        folder: IdentityFolder, identity: DeviceIdentity, at rig: GatewayRig,
        tell: @escaping @Sendable (LinkEvent) -> Void = { _ in }
    ) throws -> RealDevice {
        let link = try GatewayLink.start(
            .init(
                url: "https://localhost:\(rig.ports.device)", trustPath: folder.trustPath,
                chainPath: folder.chainPath, keyPath: folder.tlsKeyPath, connectTimeout: .seconds(10)), event: tell)
        return RealDevice(folder: folder, identity: identity, link: link)
    }

    init(folder: IdentityFolder, identity: DeviceIdentity, link: GatewayLink) {
        self.folder = folder
        self.identity = identity
        self.link = link
    }

    /// Ends the line; the device's files stay.
    func leave() { link.stop() }

    func remove() {
        link.stop()
        try? FileManager.default.removeItem(atPath: folder.path)
    }

    /// - Parameter ends: false leaves the turn open, as while the shopkeeper still speaks.
    func turn(
        _ packets: [[UInt8]], hello: TurnHello = CounterDouble.hello(), ends: Bool = true
    ) async throws -> TurnDelivery {
        let (opened, open) = AsyncStream.makeStream(of: TurnUpload.self)
        // While it is open, sound comes on as a microphone gives it.
        let speaking = Task {
            guard !ends, let upload = await opened.first(where: { _ in true }), let last = packets.last else { return }
            for index in packets.count..<packets.count + 1000 where !Task.isCancelled {
                let isTaken = upload.send(
                    .init(seq: UInt32(index), sampleOffset: UInt32(index * 320), packet: last))
                guard isTaken else { return }
                try? await Task.sleep(for: .milliseconds(20))
            }
        }
        defer { speaking.cancel() }
        return try await withCheckedThrowingContinuation { continuation in
            let upload = link.openTurn(hello) { continuation.resume(with: $0) }
            for (index, packet) in packets.enumerated() {
                upload.send(.init(seq: UInt32(index), sampleOffset: UInt32(index * 320), packet: packet))
            }
            if ends { upload.end() } else { open.yield(upload) }
        }
    }

    func renew() async throws {
        try await withCheckedThrowingContinuation { continuation in
            Renewal(folder: folder, device: identity.device).renew(over: link) { continuation.resume(with: $0) }
        }
    }

    /// Writes entries into a new book and drives sync until the gateway holds all of them.
    func syncBook(entries: Int) async throws -> (head: ChainHead, cursor: SyncCursor) {
        try await onOwnThread { [self] in
            let book = try openBook(nil)
            try write(1...entries, into: book)
            try sync(book)
            return (try book.head(), try book.cursor())
        }
    }

    static let bootID = [UInt8](repeating: 1, count: 16)

    func openBook(_ path: String?) throws -> LedgerStore {
        try LedgerStore.open(
            path: path,
            configuration: LedgerConfiguration(
                deviceID: identity.device, shopID: identity.shop, series: identity.series, bootID: Self.bootID,
                monotonicMilliseconds: { 1 }, wallQuality: { 3 }, randomBytes: { Randomness.bytes($0) },
                wrappingKey: nil))
    }

    /// New customers and cash sales to them, numbered.
    func write(_ numbers: ClosedRange<Int>, into book: LedgerStore) throws {
        for index in numbers {
            _ = try book.perform(
                .createCustomer(CustomerDetails(name: "Customer \(index)"), opening: Paise(Int64(index) * 100)),
                id: ULID(high: 5, low: UInt64(index)),
                evidence: Evidence(confirmedBy: "keypad"), at: WallTime(milliseconds: 1))
        }
    }

    /// Rounds until the gateway has receipted the book's head, sync stops, or 60 rounds are over.
    @discardableResult
    func sync(_ book: LedgerStore, eventsMax: Int = 50, tell: @escaping (SyncEvent) -> Void = { _ in }) throws
        -> SyncDriver.Phase
    {
        let door = LinkDoor(link)
        var configuration = SyncConfiguration()
        configuration.eventsMax = eventsMax
        var clock: Int64 = 0
        let moment = { SyncMoment(monotonicMilliseconds: clock, wall: WallTime(milliseconds: 1), wallQuality: 3) }
        let runner = SyncRunner(
            book: book, door: door, identity: identity, key: try folder.ledgerKey(), bootID: Self.bootID,
            configuration: configuration, random: { UInt64.random(in: 0...UInt64.max) }, now: moment(), tell: tell)
        let head = try book.head()
        for _ in 0..<60 {
            runner.hurry(now: moment())
            clock = max(clock, runner.dueMilliseconds ?? clock)
            runner.run(now: moment())
            guard let (id, answer) = door.answer() else { break }
            runner.answered(answer, to: id, now: moment())
            if case .stopped = runner.driver.phase { break }
            if let last = runner.lastReceipt, last.throughSeq == head.seq, last.epoch == head.epoch { break }
            clock += 1
        }
        return runner.driver.phase
    }

    /// A page of the gateway's copy.
    func get(_ path: String) throws -> [UInt8] { try ask(LinkRequest(kind: .sync, path: path)) }

    func post(_ path: String, _ body: [UInt8]) throws -> [UInt8] {
        try ask(LinkRequest(kind: .sync, path: path, contentType: "application/json", body: body))
    }

    private func ask(_ request: LinkRequest) throws -> [UInt8] {
        let (keep, arrived) = (ReplyBox(), DispatchSemaphore(value: 0))
        link.request(request) { result in
            keep.reply.withLock { $0 = result }
            arrived.signal()
        }
        guard arrived.wait(timeout: .now() + 30) == .success else { throw LinkError.cancelled }
        return try keep.reply.withLock { $0! }.get().accepted()
    }
}

private final class ReplyBox: Sendable {
    let reply = Mutex<Result<LinkResponse, LinkError>?>(nil)
}

/// What the daemon does with batches: each is a request over the link.
private final class LinkDoor: SyncDoor {
    private let link: GatewayLink
    private let arrived = DispatchSemaphore(value: 0)
    private let box = AnswerBox()

    init(_ link: GatewayLink) { self.link = link }

    func send(_ batch: OutgoingBatch) {
        let (box, arrived, id) = (box, arrived, batch.id)
        link.request(
            LinkRequest(
                kind: .sync, path: "/v1/sync", contentType: OutgoingBatch.contentType, body: batch.bytes,
                traceparent: batch.traceparent)
        ) { result in
            switch result {
            case .success(let response):
                box.put(
                    id,
                    .answered(
                        status: response.status, body: response.body,
                        retryAfterSeconds: response.retryAfterSeconds.map(Int64.init)))
            case .failure: box.put(id, .lost)
            }
            arrived.signal()
        }
    }

    /// The next answer; nil after 30 s.
    func answer() -> (ULID, SyncAnswer)? {
        guard arrived.wait(timeout: .now() + 30) == .success else { return nil }
        return box.take()
    }
}

private final class AnswerBox: Sendable {
    private let held = Mutex<(ULID, SyncAnswer)?>(nil)

    func put(_ id: ULID, _ answer: SyncAnswer) { held.withLock { $0 = (id, answer) } }
    func take() -> (ULID, SyncAnswer)? { held.withLock { $0 } }
}

/// For what blocks or belongs to one thread.
func onOwnThread<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: .init(catching: body)) }
    }
}
