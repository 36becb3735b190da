import JSONText
import Ledger
import Testing

/// Who tested, changed or took something at the counter stands in the same chain as the money.
@Suite struct TechnicianCallTests {
    private let call = TechnicianCall(
        method: "audio.record", level: "service", uid: 1_001, token: "00ff00ff00ff00ff", result: "ok", times: 3)

    @Test func `a technician's call is an entry like any other, and moves no money`() throws {
        let counter = try Counter()
        let rahul = try counter.customer("Rahul", opening: 50_000)
        let fact = try counter.does(.recordCall(call), by: "technician")
        #expect(fact.outcome == .done)
        #expect(try counter.book.balance(of: rahul) == Paise(50_000))
        #expect(try counter.book.verify().valid)
        #expect(try counter.book.rebuild() == fact.seq)
        let told = try counter.book.technicianCalls(limit: 10)
        #expect(told.map(\.call) == [call] && told.first?.at == counter.now)
        // It cannot be taken back: what was done was done.
        #expect(throws: BookError.refused(.notReversible)) {
            try counter.does(.reverse(event: fact.event, reason: "no"))
        }
        #expect(try counter.book.lastReversible()?.command != "other")
    }

    @Test func `the same record twice is written once, and another under its id is refused`() throws {
        let counter = try Counter()
        let id = counter.id()
        let first = try counter.does(.recordCall(call), id: id)
        #expect(try counter.does(.recordCall(call), id: id).hash == first.hash)
        var other = call
        other.result = "refused"
        #expect(throws: BookError.refused(.identityReused)) { try counter.does(.recordCall(other), id: id) }
    }

    @Test func `what is too long or happened no time is refused`() throws {
        let counter = try Counter()
        let head = try counter.book.head()
        var long = call
        long.method = String(repeating: "x", count: TechnicianCall.textBytesMax + 1)
        #expect(throws: BookError.refused(.tooLarge)) { try counter.does(.recordCall(long)) }
        var never = call
        never.times = 0
        #expect(throws: BookError.refused(.amountOutOfRange)) { try counter.does(.recordCall(never)) }
        #expect(try counter.book.head() == head)
    }

    @Test func `the report lists them newest first, and so many as were asked for`() throws {
        let counter = try Counter()
        for number in 1...5 {
            var one = call
            one.times = Int64(number)
            _ = try counter.does(.recordCall(one))
            _ = try counter.customer("Customer \(number)")
        }
        let job = try #require(BookJob.named("calls"))
        let circumstances = BookJob.Circumstances(now: counter.now, by: "technician", makeID: { counter.id() })
        let answer = try job.run(counter.book, ["count": 2], circumstances)
        #expect(answer["calls"]?.array?.map { $0["times"] } == [5, 4])
        #expect(answer["calls"]?[0]?["method"] == "audio.record" && answer["calls"]?[0]?["token"] == "00ff00ff00ff00ff")
        #expect(throws: JobError.self) { try job.run(counter.book, ["count": 0], circumstances) }
    }
}
