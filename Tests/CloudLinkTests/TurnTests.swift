import CloudLink
import Conversation
import Glibc
import JSONText
import Seals
import Testing

@testable import CloudLink

typealias Answers = Mailbox<Result<TurnDelivery, LinkError>>

extension TestLink {
    func open(_ hello: TurnHello, _ answers: Answers) -> TurnUpload { link.openTurn(hello) { answers.put($0) } }

    /// A short turn from start to answer.
    func say(_ number: UInt64 = 1, records: Int = 6) throws -> Result<TurnDelivery, LinkError> {
        let answers = Answers()
        let upload = open(Spoken.hello(number), answers)
        for seq in 0..<records { upload.send(Spoken.record(seq)) }
        upload.end()
        let answer = try answers.first()
        // A second answer would come at once or never.
        usleep(20_000)
        #expect(answers.all.count == 1)
        return answer
    }
}

extension OverTheLine {
    /// The point of the whole: sound is at the gateway before the shopkeeper has ended.
    @Test func `sound arrives while it is still spoken`() throws {
        let gateway = try TestGateway()
        let line = try TestLink(port: gateway.port)
        let answers = Answers()
        let hello = Spoken.hello()
        var body = TurnFraming.head(hello)
        let upload = line.open(hello, answers)
        for seq in 0..<30 {
            let record = Spoken.record(seq)
            body += TurnFraming.bytes(of: record)
            upload.send(record)
            // The gateway has it all before the next is spoken, whenever a message is full.
            guard seq % 9 == 0 else { continue }
            let total = Int64(body.count)
            _ = try gateway.event("chunk") { $0["total"]?.integer == total }
        }
        #expect(answers.all.isEmpty)
        upload.end()
        let delivery = try answers.first().get()
        body += TurnFraming.bytes(of: .init(seq: 30, sampleOffset: 30 * 320, flags: .end, packet: []))
        let arrived = try gateway.event("body")
        #expect(arrived["sha256"]?.string == Hex.text(SHA256.digest(body)))
        #expect(delivery.bytesSent == body.count)
        #expect(delivery.reply.transcripts.first?.text == "Rahul ne do sau diye")
        #expect(delivery.lastByteAtMilliseconds <= LinkClock.system.milliseconds())
    }

    @Test func `the turn's id goes along in both headers`() throws {
        let gateway = try TestGateway()
        let line = try TestLink(port: gateway.port)
        _ = try line.say(77).get()
        let request = try gateway.event("request") { $0["path"]?.string == "/v1/turns" }
        let hello = Spoken.hello(77)
        #expect(request["headers"]?["x-execora-turn"]?.string == hello.turn.description)
        #expect(request["headers"]?["traceparent"]?.string == hello.traceparent)
        #expect(request["headers"]?["content-type"]?.string == "application/x-execora-turn")
        #expect(request["headers"]?["expect"] == nil)
    }

    /// One handshake serves the ping, two turns and a batch.
    @Test func `one warm connection serves them all`() throws {
        let gateway = try TestGateway()
        let line = try TestLink(port: gateway.port)
        try line.up()
        _ = try line.say(1).get()
        _ = try line.say(2).get()
        _ = try line.ask(LinkRequest(kind: .sync, path: "/echo", body: [1, 2, 3])).get()
        #expect(gateway.count("connection") == 1)
        #expect(gateway.events.all.contains { $0["version"]?.string == "TLSv1.3" })
        #expect(line.events.all == [.up])
    }

    @Test(arguments: [
        ("garbage", LinkError.malformedReply("not HTTP/1.1")),
        ("not-json", .malformedReply("turn")),
        ("other-turn", .malformedReply("another turn")),
        ("large", .tooLarge("reply")),
        ("revoked", .rejected(.init(status: 403, code: "revoked", message: "this device is revoked"))),
        ("refuse", .rejected(.init(status: 403, code: "revoked", message: "this device is revoked"))),
    ])
    func `a bad answer is told as what it is`(how: String, error: LinkError) throws {
        let gateway = try TestGateway([("turns", .string(how))])
        let line = try TestLink(port: gateway.port)
        #expect(try line.say() == .failure(error))
    }

    @Test func `a gateway without an answer is given up in time`() throws {
        let gateway = try TestGateway([("turns", "hang")])
        let line = try TestLink(port: gateway.port, reply: .milliseconds(200))
        try line.up()
        #expect(try line.say() == .failure(.timedOut(.reply)))
        // The line itself is well: a ping over a new connection says so, and no event tells of a change.
        _ = try gateway.event("request") { $0["path"]?.string == "/v1/time" && $0["connection"]?.integer != 1 }
        #expect(!line.events.all.contains { $0 != .up })
    }

    @Test func `a slow gateway is waited for`() throws {
        let gateway = try TestGateway([("turns", "slow"), ("seconds", 0.4)])
        let line = try TestLink(port: gateway.port)
        #expect(try line.say().get().reply.verdict == .heard)
    }

    @Test func `a gateway gone amid the turn is told once`() throws {
        let gateway = try TestGateway([("drop_after", 1)])
        let line = try TestLink(port: gateway.port)
        try line.up()
        let answers = Answers()
        let upload = line.open(Spoken.hello(), answers)
        var seq = 0
        // People go on speaking when the line breaks; the next packets find out.
        while answers.all.isEmpty, seq < 1_000 {
            upload.send(Spoken.record(seq))
            seq += 1
            usleep(2_000)
        }
        upload.end()
        #expect(try answers.first() == .failure(.unreachable(.closed)))
        #expect(!upload.send(Spoken.record(seq)))
        usleep(20_000)
        #expect(answers.all.count == 1)
    }

    /// A gateway was started anew while the line was idle: the turn finds the old connection dead and goes over a new
    /// one, whole.
    @Test func `a turn outlives a stale connection`() throws {
        let first = try TestGateway()
        let line = try TestLink(port: first.port)
        try line.up()
        first.stop()
        let second = try TestGateway([("port", .integer(first.port))])
        let answers = Answers()
        let upload = line.open(Spoken.hello(), answers)
        var body = TurnFraming.head(Spoken.hello())
        for seq in 0..<9 {
            upload.send(Spoken.record(seq))
            body += TurnFraming.bytes(of: Spoken.record(seq))
        }
        upload.end()
        body += TurnFraming.bytes(of: .init(seq: 9, sampleOffset: 9 * 320, flags: .end, packet: []))
        _ = try answers.first().get()
        #expect(try second.event("body")["sha256"]?.string == Hex.text(SHA256.digest(body)))
    }

    @Test func `a cancelled turn is told to both sides`() throws {
        let gateway = try TestGateway()
        let line = try TestLink(port: gateway.port)
        let answers = Answers()
        let upload = line.open(Spoken.hello(), answers)
        upload.send(Spoken.record(0))
        _ = try gateway.event("chunk")
        upload.cancel()
        upload.cancel()
        upload.end()
        #expect(try answers.first() == .failure(.cancelled))
        let body = try gateway.event("body")
        #expect(body["last_flags"]?.integer == Int64(TurnFraming.Flags.cancel.rawValue))
        // The connection is as good as before.
        _ = try line.say(2).get()
        #expect(answers.all.count == 1)
    }

    @Test func `stopping answers everything once`() throws {
        let gateway = try TestGateway([("turns", "hang")])
        let line = try TestLink(port: gateway.port)
        try line.up()
        let answers = Answers()
        let upload = line.open(Spoken.hello(1), answers)
        upload.send(Spoken.record(0))
        upload.end()
        _ = line.open(Spoken.hello(2), answers)
        let others = Mailbox<Result<LinkResponse, LinkError>>()
        line.link.request(LinkRequest(kind: .sync, path: "/hang", body: [1])) { others.put($0) }
        line.link.request(LinkRequest(kind: .renew, path: "/hang", body: [1])) { others.put($0) }
        _ = try gateway.event("body")
        line.link.stop()
        #expect(answers.all == [.failure(.cancelled), .failure(.cancelled)])
        #expect(others.all == [.failure(.cancelled), .failure(.cancelled)])
        // After the end there is no thread to answer on; the caller hears at once.
        let late = line.open(Spoken.hello(3), answers)
        #expect(!late.send(Spoken.record(0)))
        #expect(answers.all.count == 3)
    }

    @Test func `a fifth turn at once is refused`() throws {
        let gateway = try TestGateway()
        let line = try TestLink(port: gateway.port)
        let answers = (0..<5).map { _ in Answers() }
        let uploads = (0..<5).map { line.open(Spoken.hello(UInt64($0)), answers[$0]) }
        #expect(try answers[4].first() == .failure(.busy))
        for upload in uploads { upload.end() }
        for index in 0..<4 { _ = try answers[index].first().get() }
    }

    /// The turn is not cut: too much of it is none of it.
    @Test func `a turn over its maximum fails whole`() throws {
        let gateway = try TestGateway()
        let line = try TestLink(port: gateway.port)
        let answers = Answers()
        let upload = line.open(Spoken.hello(), answers)
        var seq = 0
        while seq < 2_000, upload.send(Spoken.record(seq)) { seq += 1 }
        #expect(seq == TurnFraming.packetsMax - 1)
        #expect(try answers.first() == .failure(.tooLarge("turn")))
        #expect(gateway.count("body") == 0)
    }
}

/// Three packets share one message: seen at the door, without a network.
@Test func `the uplink is woken for the first packet, then for every third`() {
    let wakes = Mailbox<Int>()
    let upload = TurnUpload(Spoken.hello(), clock: .system) { wakes.put(0) }
    let counts = (0..<8).map { seq in
        upload.send(Spoken.record(seq))
        return wakes.all.count
    }
    #expect(counts == [1, 1, 1, 2, 2, 2, 3, 3])
    upload.end()
    #expect(wakes.all.count == 4)
    upload.end()
    #expect(wakes.all.count == 4)
}

@Test func `what was sent before a rewind is sent again`() {
    let upload = TurnUpload(Spoken.hello(), clock: LinkClock { 42 }) {}
    upload.send(Spoken.record(0))
    func all() -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: 100)
        var bytes: [UInt8] = []
        while case .bytes(let count) = buffer.withUnsafeMutableBytes({ upload.take(into: $0) }) {
            bytes += buffer[..<count]
        }
        return bytes
    }
    let first = all()
    #expect(first == TurnFraming.head(Spoken.hello()) + TurnFraming.bytes(of: Spoken.record(0)))
    #expect(!upload.hasMore && upload.lastByteAt == nil)
    upload.rewind()
    upload.end()
    let second = all()
    #expect(second.starts(with: first) && second.count == first.count + 12)
    #expect(upload.lastByteAt == 42 && upload.bytesTaken == second.count)
}

/// A shop with long names still speaks.
@Test func `a hello over its maximum leaves vocabulary out`() throws {
    var hello = Spoken.hello()
    hello.vocabulary = (0..<200).map { String(repeating: "क", count: 60) + "\($0)" }
    #expect(hello.json.bytes.count > TurnFraming.helloBytesMax)
    let fitting = hello.fitting
    #expect(fitting.json.bytes.count <= TurnFraming.helloBytesMax)
    #expect(fitting.vocabulary.count > 50 && hello.vocabulary.starts(with: fitting.vocabulary))
    #expect(Spoken.hello().fitting == Spoken.hello())
    let upload = TurnUpload(hello, clock: .system) {}
    #expect(upload.send(Spoken.record(0)))
}
