import Conversation
import Ledger
import NIOCore
import OpusCoding
import Testing

@testable import execora_gateway

@Suite struct TurnTests {
    /// The whole of it: Opus goes up in pieces, the provider hears the sound in both forms, the words come back.
    @Test func `a turn comes back with its words`() async throws {
        let speech = RecordingSpeech(["rahul ne do sau diye", "rahul ne the sau diye"])
        try await GatewayRig.run(speech: speech) { rig in
            let counter = try await CounterDouble.enrolled(at: rig)
            let hello = CounterDouble.hello(vocabulary: ["Rahul", "doodh"])
            let (packets, sound) = try CounterDouble.tone(frames: 75)
            let answer = try await counter.turn(
                [TurnFraming.head(hello)] + CounterDouble.records(packets), to: rig,
                headers: [("x-execora-turn", hello.turn.description), ("traceparent", hello.traceparent)])
            #expect(answer.status == 200)
            let reply = try TurnReply(json: answer.json)
            #expect(reply.turn == hello.turn && reply.verdict == .heard)
            #expect(reply.transcripts.map(\.text) == ["rahul ne do sau diye", "rahul ne the sau diye"])
            #expect(answer.headers["x-execora-turn"] == hello.turn.description)
            #expect(answer.headers["traceparent"] == hello.traceparent)

            let clip = try #require(speech.clips.first)
            #expect(clip.samples.count == sound.count && clip.turn == hello.turn)
            #expect(clip.vocabulary == ["Rahul", "doodh"] && clip.language == "hi-en")
            #expect(Self.likeness(clip.samples, sound) > 0.9)
            let file = try OggOpusReader.read(clip.oggOpus)
            #expect(file.isWhole && file.packets.map(\.bytes) == packets)
        }
    }

    /// TCP keeps no boundaries: any cutting of the same bytes is the same turn.
    @Test(arguments: [1, 7, 1000])
    func `a turn may arrive in pieces of any size`(pieceBytes: Int) async throws {
        let speech = RecordingSpeech(["haan"])
        try await GatewayRig.run(speech: speech) { rig in
            let counter = try await CounterDouble.enrolled(at: rig)
            let (packets, _) = try CounterDouble.tone(frames: 10)
            let whole = TurnFraming.head(CounterDouble.hello()) + CounterDouble.records(packets).joined()
            let pieces = stride(from: 0, to: whole.count, by: pieceBytes).map {
                Array(whole[$0..<min($0 + pieceBytes, whole.count)])
            }
            #expect(try await counter.turn(pieces, to: rig).status == 200)
            #expect(speech.clips.map(\.samples.count) == [3200])
        }
    }

    @Test func `a turn from the spool is answered late, with its words`() async throws {
        try await GatewayRig.run(speech: RecordingSpeech(["haan"])) { rig in
            let counter = try await CounterDouble.enrolled(at: rig)
            let answer = try await counter.turn(
                [TurnFraming.head(CounterDouble.hello(isLate: true))]
                    + CounterDouble.records(try CounterDouble.tone(frames: 5).packets), to: rig)
            let reply = try TurnReply(json: answer.json)
            #expect(reply.verdict == .late && reply.transcripts.map(\.text) == ["haan"])
        }
    }

    @Test func `a cancelled turn is not recognised`() async throws {
        let speech = RecordingSpeech(["haan"])
        try await GatewayRig.run(speech: speech) { rig in
            let counter = try await CounterDouble.enrolled(at: rig)
            let answer = try await counter.turn(
                [TurnFraming.head(CounterDouble.hello())]
                    + CounterDouble.records(try CounterDouble.tone(frames: 5).packets, last: .cancel), to: rig)
            #expect(try TurnReply(json: answer.json).verdict == .rejected)
            #expect(speech.clips.isEmpty)
        }
    }

    @Test func `a provider that fails gives the verdict failed`() async throws {
        try await GatewayRig.run(speech: RecordingSpeech(failing: .timedOut)) { rig in
            let counter = try await CounterDouble.enrolled(at: rig)
            let answer = try await counter.turn(
                [TurnFraming.head(CounterDouble.hello())]
                    + CounterDouble.records(try CounterDouble.tone(frames: 5).packets), to: rig)
            #expect(answer.status == 200)
            #expect(try TurnReply(json: answer.json).verdict == .failed)
        }
    }

    /// So the spool keeps the turn and sends it again.
    @Test func `a provider that is busy gives 503 and when to come back`() async throws {
        try await GatewayRig.run(speech: RecordingSpeech(failing: .busy)) { rig in
            let counter = try await CounterDouble.enrolled(at: rig)
            let answer = try await counter.turn(
                [TurnFraming.head(CounterDouble.hello())]
                    + CounterDouble.records(try CounterDouble.tone(frames: 5).packets), to: rig)
            #expect(answer.status == 503 && answer.headers["retry-after"] == "2")
        }
    }

    struct Bad: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var status: Int
        var pieces: @Sendable () throws -> [[UInt8]]
    }

    static let bad: [Bad] = [
        Bad(testDescription: "garbage", status: 400) { [(0..<5000).map { UInt8(truncatingIfNeeded: $0 &* 31) }] },
        Bad(testDescription: "empty", status: 400) { [] },
        Bad(testDescription: "no end", status: 400) {
            [TurnFraming.head(CounterDouble.hello())]
                + CounterDouble.records(try CounterDouble.tone(frames: 5).packets).dropLast()
        },
        Bad(testDescription: "a packet that is no Opus", status: 400) {
            [TurnFraming.head(CounterDouble.hello())] + CounterDouble.records([[0xFF, 0xFF, 0xFF]])
        },
        Bad(testDescription: "a hole in the sequence", status: 400) {
            var records = CounterDouble.records(try CounterDouble.tone(frames: 5).packets)
            records.remove(at: 2)
            return [TurnFraming.head(CounterDouble.hello())] + records
        },
        Bad(testDescription: "a wrong sample offset", status: 400) {
            let packet = try CounterDouble.tone(frames: 1).packets[0]
            return [
                TurnFraming.head(CounterDouble.hello()),
                TurnFraming.bytes(of: .init(seq: 0, sampleOffset: 320, flags: .end, packet: packet)),
            ]
        },
        Bad(testDescription: "bytes behind the end", status: 400) {
            let records = CounterDouble.records(try CounterDouble.tone(frames: 2).packets)
            return [
                Array(([TurnFraming.head(CounterDouble.hello())] + records + [Array(repeating: 0, count: 12)]).joined())
            ]
        },
        Bad(testDescription: "a hello over its maximum", status: 413) {
            [TurnFraming.magic + [0xFF, 0xFF, 0, 0] + Array(repeating: 0x20, count: 70_000)]
        },
        Bad(testDescription: "more packets than a turn may have", status: 413) {
            let packet = try CounterDouble.tone(frames: 1).packets[0]
            return [TurnFraming.head(CounterDouble.hello())]
                + CounterDouble.records(Array(repeating: packet, count: TurnFraming.packetsMax + 1))
        },
    ]

    @Test(arguments: bad)
    func `an unreadable turn is refused and never recognised`(bad: Bad) async throws {
        let speech = RecordingSpeech(["haan"])
        try await GatewayRig.run(speech: speech) { rig in
            let counter = try await CounterDouble.enrolled(at: rig)
            let answer = try await counter.turn(try bad.pieces(), to: rig)
            #expect(answer.status == bad.status)
            #expect(answer.errorCode == (bad.status == 400 ? "malformed" : "too_large"))
            #expect(speech.clips.isEmpty)
            // The device is served as before.
            let next = try await counter.turn(
                [TurnFraming.head(CounterDouble.hello())]
                    + CounterDouble.records(try CounterDouble.tone(frames: 2).packets), to: rig)
            #expect(next.status == 200)
        }
    }

    @Test func `a turn of another content type, or named two ways, is refused`() async throws {
        try await GatewayRig.run { rig in
            let counter = try await CounterDouble.enrolled(at: rig)
            let body = TurnFraming.head(CounterDouble.hello()) + CounterDouble.records([]).joined()
            let typed = try await counter.send(
                "POST", "/v1/turns", to: rig, headers: [("content-type", "audio/ogg")],
                body: .bytes(ByteBuffer(bytes: body)))
            #expect(typed.status == 415)
            let named = try await counter.turn(
                [body], to: rig, headers: [("x-execora-turn", ULID(high: 1, low: 1).description)])
            #expect(named.status == 400)
        }
    }

    /// A body that never ends is cut at the connection, before it fills memory.
    @Test func `an endless body is cut off`() async throws {
        try await GatewayRig.run { rig in
            let counter = try await CounterDouble.enrolled(at: rig)
            let junk = [UInt8](repeating: 0, count: 65_536)
            let pieces = [[UInt8]](repeating: junk, count: ConnectionGuard.bodyBytesMax / junk.count + 16)
            // 400 when the answer is read in time, else the connection breaks under the sender.
            let answer = try? await counter.turn(pieces, to: rig)
            #expect(answer == nil || answer?.status == 400)
            #expect(try await eventually { rig.refusals("oversized_body") == 1 })
        }
    }

    /// While one turn hangs on a quiet line the shopkeeper speaks again.
    @Test func `a live turn takes the place of an older one, a late one waits`() async throws {
        try await GatewayRig.run(speech: RecordingSpeech(["haan"])) { rig in
            let counter = try await CounterDouble.enrolled(at: rig)
            let records = CounterDouble.records(try CounterDouble.tone(frames: 3).packets)
            let (open, feed) = AsyncStream.makeStream(of: ByteBuffer.self)
            feed.yield(ByteBuffer(bytes: TurnFraming.head(CounterDouble.hello()) + records[0]))
            let hanging = Task {
                try await counter.send(
                    "POST", "/v1/turns", to: rig, headers: [("content-type", TurnRoute.contentType)],
                    body: .stream(open, length: .unknown))
            }

            let late = CounterDouble.hello(turn: ULID(high: 2, low: 2), isLate: true)
            #expect(
                try await eventually {
                    // Until the hanging turn is seated, a late one may be seated itself and be pushed out by it.
                    (try? await counter.turn([TurnFraming.head(late)] + records, to: rig))?.status == 429
                })
            let live = CounterDouble.hello(turn: ULID(high: 3, low: 3))
            let answer = try await counter.turn([TurnFraming.head(live)] + records, to: rig)
            #expect(try TurnReply(json: answer.json).turn == live.turn)
            await #expect(throws: (any Error).self) { try await hanging.value }
            feed.finish()
            #expect(try await counter.turn([TurnFraming.head(late)] + records, to: rig).status == 200)
        }
    }

    /// Normalised correlation of two sounds, best over Opus' delay of a few milliseconds.
    static func likeness(_ left: [Int16], _ right: [Int16]) -> Double {
        (0..<200).map { delay in
            var (product, one, other) = (0.0, 0.0, 0.0)
            for index in 2000..<right.count - 2000 {
                let (a, b) = (Double(left[index + delay]), Double(right[index]))
                product += a * b
                one += a * a
                other += b * b
            }
            return product / (one * other).squareRoot()
        }.max() ?? 0
    }
}
