import AudioIO
import Conversation
import Glibc
import Ledger
import OpusCoding
import Synchronization
import Testing
import WakeWord

@testable import execorad

/// The ear with its real models on real (synthesised) speech, driven faster than time.
@Suite(.serialized)
struct EarTests {
    @Test func `a wake and a line become one turn, whole, in order, with its pre-roll`() throws {
        let rig = try Rig()
        rig.hear(try Said.samples("check the balance"), trailing: 2)
        let turn = try #require(rig.turns.first)
        #expect(rig.turns.count == 1)
        #expect(turn.opened.opening == .wake)
        let wake = try #require(turn.opened.wake)
        #expect(turn.opened.firstSample + 8_000 <= wake.startSampleIndex + 320)
        let records = turn.records
        #expect(records.map(\.seq) == (0..<UInt32(records.count)).map { $0 })
        #expect(records.last?.flags == .end)
        #expect(records.dropLast().allSatisfy { $0.flags.isEmpty && !$0.packet.isEmpty })
        #expect(zip(records, records.dropFirst()).dropLast().allSatisfy { $1.sampleOffset == $0.sampleOffset + 320 })
        #expect(!turn.isCancelled)
        #expect(rig.earcons == [.wake])
        // The sound that left is the sound that came: speech behind the wake word is in the packets.
        var decoder = try OpusSpeechDecoder.open()
        var decoded: [Int16] = []
        for record in records.dropLast() { decoded += try decoder.decode(record.packet) }
        #expect(decoded.count == (records.count - 1) * 320)
        #expect(decoded.contains { abs(Int($0)) > 2_000 })
    }

    @Test func `a wake with nothing behind it is cancelled and told softly`() throws {
        let rig = try Rig()
        rig.hear(try Said.samples(nil), trailing: 6)
        #expect(rig.turns.count == 1)
        #expect(rig.turns.first?.isCancelled == true)
        #expect(rig.cancelled == [.wake])
        #expect(!rig.ear.isInTurn)
    }

    @Test func `talk without the wake word opens nothing`() throws {
        let rig = try Rig()
        rig.hear(try Said.samples("what a hot day, the cricket match starts at nine", wake: false), trailing: 2)
        #expect(rig.turns.isEmpty)
    }

    @Test func `while the counter speaks its own words wake nobody`() throws {
        let rig = try Rig()
        rig.ear.order(.speaking(true))
        rig.hear(try Said.samples("check the balance"), trailing: 1)
        #expect(rig.turns.isEmpty)
        rig.ear.order(.speaking(false))
        rig.hear([], trailing: 1)
        rig.hear(try Said.samples("check the balance"), trailing: 2)
        #expect(rig.turns.count == 1)
    }

    @Test func `a question opens the ear without a wake word, and closes it when nobody answers`() throws {
        let rig = try Rig()
        rig.hear([], trailing: 2)
        rig.ear.order(.expectAnswer)
        rig.hear(try Said.samples("yes, confirm", wake: false), trailing: 2)
        #expect(rig.turns.count == 1)
        #expect(rig.turns.first?.opened.opening == .followUp)
        #expect(rig.turns.first?.records.last?.flags == .end)
        rig.ear.order(.expectAnswer)
        rig.hear([], trailing: 7)
        #expect(rig.turns.count == 2)
        #expect(rig.turns.last?.isCancelled == true)
        #expect(rig.cancelled == [.followUp])
    }

    @Test func `the wake word begins anew where an answer was expected`() throws {
        let rig = try Rig()
        rig.hear([], trailing: 2)
        rig.ear.order(.expectAnswer)
        rig.hear([], trailing: 0.5)
        rig.hear(try Said.samples("check the balance"), trailing: 2)
        #expect(rig.turns.map(\.opened.opening) == [.followUp, .wake])
        #expect(rig.turns.first?.isCancelled == true)
        #expect(rig.turns.last?.records.last?.flags == .end)
    }

    @Test func `mute gives the turn up`() throws {
        let rig = try Rig()
        rig.hear(try Said.samples(nil), trailing: 0.5)
        #expect(rig.ear.isInTurn)
        rig.ear.order(.muted)
        rig.hear([], trailing: 0.1)
        #expect(!rig.ear.isInTurn)
        #expect(rig.turns.first?.isCancelled == true)
    }

    // The talk button ------------------------------------------------------------------------------------------

    @Test func `held, the button takes everything from before the press to its release`() throws {
        let rig = try Rig()
        let line = try Said.samples("check the balance", wake: false)
        rig.hear(Array(line[..<4_000]), trailing: 0)
        let pressedAt = rig.ring.end
        rig.ear.order(.talk)
        // A pause far beyond the hangover ends nothing while the button is held.
        rig.hear(Array(line[4_000...]), trailing: 1.5)
        #expect(rig.ear.isInTurn)
        rig.ear.order(.finish)
        rig.hear([], trailing: 0.1)
        let turn = try #require(rig.turns.first)
        #expect(rig.turns.count == 1)
        #expect(turn.opened.opening == .button && turn.opened.wake == nil)
        // People speak early: 300 ms from before the press are in it.
        #expect(turn.opened.firstSample <= pressedAt - 4_000)
        #expect(turn.records.last?.flags == .end)
        #expect(UInt64(turn.records.count - 1) * 320 >= UInt64(line.count) + 23_000)
        #expect(!rig.ear.isInTurn)
    }

    /// The technician's sign; whoever dictates for as long does not give it.
    @Test func `held for long without a word it is the technician's sign, with words a turn`() throws {
        let rig = try Rig()
        rig.ear.order(.talk)
        rig.hear([], trailing: 10.5)
        rig.ear.order(.finishLong)
        rig.hear([], trailing: 0.1)
        #expect(rig.signs == 1 && rig.turns.first?.isCancelled == true && !rig.ear.isInTurn)
        rig.ear.order(.talk)
        rig.hear(try Said.samples("check the balance", wake: false), trailing: 8)
        rig.ear.order(.finishLong)
        rig.hear([], trailing: 0.1)
        #expect(rig.signs == 1 && rig.turns.last?.records.last?.flags == .end && !rig.ear.isInTurn)
        // A closed microphone opens no turn; the sign counts all the same.
        rig.ear.order(.finishLong)
        rig.hear([], trailing: 0.1)
        #expect(rig.signs == 2 && rig.turns.count == 2)
    }

    /// What `config.set wake.cutoff_milli` does.
    @Test func `a cutoff that was moved is the one a wake is measured against`() throws {
        let rig = try Rig()
        for shift in [Int64(0), -100, 0] {
            rig.ear.order(.shiftCutoff(shift))
            rig.hear(try Said.samples("check the balance"), trailing: 2)
        }
        let cutoffs = rig.turns.compactMap { $0.opened.wake?.cutoffMilli }
        #expect(cutoffs.count == 3 && cutoffs[0] == cutoffs[2] && abs(cutoffs[0] - 100 - cutoffs[1]) <= 1, "\(cutoffs)")
    }

    @Test func `tapped, the button opens a turn that the words end`() throws {
        let rig = try Rig()
        rig.ear.order(.talk)
        rig.hear([], trailing: 0.2)
        rig.ear.order(.leaveOpen)
        rig.hear(try Said.samples("check the balance", wake: false), trailing: 2)
        let turn = try #require(rig.turns.first)
        #expect(turn.records.last?.flags == .end && !turn.isCancelled)
        #expect(!rig.ear.isInTurn)
    }

    @Test func `tapped by mistake, the button costs four seconds and nothing else`() throws {
        let rig = try Rig()
        rig.ear.order(.talk)
        rig.hear([], trailing: 0.2)
        rig.ear.order(.leaveOpen)
        rig.hear([], trailing: 4.5)
        #expect(rig.turns.first?.isCancelled == true)
        #expect(rig.cancelled == [.button])
    }

    /// F4: it cannot be talked over, so the button must always work.
    @Test func `the button silences the counter and is heard at once, also where the ear is deaf`() throws {
        let rig = try Rig()
        rig.ear.order(.speaking(true))
        rig.hear(try Said.samples("the balance is two hundred rupees", wake: false), trailing: 0)
        rig.ear.order(.talk)
        rig.hear([], trailing: 0.1)
        #expect(rig.interruptions == 1)
        #expect(rig.ear.isInTurn)
        rig.ear.order(.speaking(false))
        // What the speaker still holds is no speech of the shopkeeper's.
        rig.hear([], trailing: 0.3)
        rig.hear(try Said.samples("check the balance", wake: false), trailing: 0.5)
        rig.ear.order(.finish)
        rig.hear([], trailing: 0.1)
        #expect(rig.turns.first?.records.last?.flags == .end)
    }

    @Test func `a press where an answer was expected begins anew`() throws {
        let rig = try Rig()
        rig.ear.order(.expectAnswer)
        rig.hear([], trailing: 0.5)
        rig.ear.order(.talk)
        rig.hear(try Said.samples("check the balance", wake: false), trailing: 0.2)
        rig.ear.order(.finish)
        rig.hear([], trailing: 0.1)
        #expect(rig.turns.map(\.opened.opening) == [.followUp, .button])
        #expect(rig.turns.first?.isCancelled == true)
    }

    // Barge-in and the stop word ---------------------------------------------------------------------------------

    @Test func `where its own voice is taken out, the wake word interrupts it`() throws {
        let rig = try Rig { $0.echo = .speex }
        rig.ear.order(.speaking(true))
        rig.hear(try Said.samples("check the balance"), trailing: 2)
        #expect(rig.interruptions == 1)
        #expect(rig.turns.map(\.opened.opening) == [.wake])
        #expect(rig.turns.first?.records.last?.flags == .end)
    }

    @Test func `a wake that was its own voice interrupts nothing`() throws {
        let rig = try Rig { $0.echo = .speex }
        rig.hearsItself = true
        rig.ear.order(.speaking(true))
        rig.hear(try Said.samples(nil), trailing: 1)
        #expect(rig.interruptions == 0)
        #expect(rig.turns.isEmpty)
        rig.ear.order(.speaking(false))
        rig.hear([], trailing: 1)
        rig.hear(try Said.samples("check the balance"), trailing: 2)
        #expect(rig.turns.count == 1, "and after its own words the ear is as open as before")
    }

    @Test func `half-duplex, no voice interrupts the counter`() throws {
        let rig = try Rig { $0.echo = .halfDuplex }
        rig.ear.order(.speaking(true))
        rig.hear(try Said.samples("check the balance"), trailing: 1)
        #expect(rig.interruptions == 0 && rig.turns.isEmpty)
    }

    /// F4. No stop model may be shipped here, so another wake word stands for it.
    @Test func `the stop word silences the counter and gives an open turn up`() throws {
        let rig = try Rig(stop: "alexa") { $0.echo = .speex }
        rig.ear.order(.speaking(true))
        rig.hear(try Said.word("alexa"), trailing: 1)
        #expect(rig.interruptions == 1)
        #expect(rig.turns.isEmpty, "silence is all that was asked for")
        rig.ear.order(.speaking(false))
        rig.hear([], trailing: 1)
        rig.hear(try Said.samples(nil), trailing: 0.9)
        #expect(rig.ear.isInTurn)
        rig.hear(try Said.word("alexa"), trailing: 0.5)
        #expect(!rig.ear.isInTurn)
        #expect(rig.turns.first?.isCancelled == true)
    }

    /// F7: no state without an exit. The samples that would end a turn do not come any more.
    @Test func `a microphone that is lost gives the turn up`() throws {
        let rig = try Rig()
        rig.hear(try Said.samples(nil), trailing: 0.5)
        #expect(rig.ear.isInTurn)
        rig.ear.order(.lost)
        rig.ear.listen()
        #expect(!rig.ear.isInTurn)
        #expect(rig.turns.first?.isCancelled == true)
    }

    /// F15: where the time of a turn goes is marked on the capture clock, in every trace.
    @Test func `a turn's marks are in order and on the clock of its samples`() throws {
        let rig = try Rig()
        rig.hear(try Said.samples("check the balance"), trailing: 2)
        let trace = try #require(rig.register.trace(of: ULID(high: 0, low: 1)))
        let (first, woke) = (try #require(trace.firstSample), try #require(trace.wakeEndSample))
        let (start, end) = (try #require(trace.speechStartSample), try #require(trace.speechEndSample))
        #expect(first < woke && woke <= start + 16_000 && start < end && end <= rig.ring.end)
        let (spoke, endpoint) = (try #require(trace.speechEndedAt), try #require(trace.endpointAt))
        #expect((300...1_500).contains(endpoint - spoke), "the hangover, and it is told apart from the rest")
        #expect(trace.endReason == "silence")
        #expect(trace.packets == Int64(rig.turns[0].records.count - 1))
    }

    /// Complaint F1 of voice satellites: the first word is lost when one speaks straight on. The speech mark the ear
    /// sets must not lie behind the line's first loud sample.
    @Test(arguments: ["Rahul gave two hundred rupees", "check the balance", "bill for Priya", "note fifty rupees"])
    func `straight through the wake word no first word is lost`(line: String) throws {
        for gapMilliseconds in [0, 60, 150, 400] {
            let rig = try Rig()
            let wake = try Said.samples(nil)
            let words = try Said.samples(line, wake: false)
            rig.hear([], trailing: 2)
            let lineStart = rig.ring.end + UInt64(wake.count + gapMilliseconds * 16)
            rig.hear(wake + [Int16](repeating: 0, count: gapMilliseconds * 16) + words, trailing: 2)
            let turn = try #require(rig.turns.first, "no turn with a gap of \(gapMilliseconds) ms")
            #expect(turn.opened.firstSample <= lineStart, "gap \(gapMilliseconds) ms")
            let sent = UInt64(turn.records.count - 1) * 320
            #expect(
                turn.opened.firstSample + sent >= lineStart + UInt64(words.count) - 3_200,
                "gap \(gapMilliseconds) ms: cut early")
            #expect(turn.records.last?.flags == .end)
        }
    }
}

/// Speech made on the spot: the wake word in one voice, the line in another.
private enum Said {
    enum Failure: Error { case tool(Int32) }

    static func samples(_ line: String?, wake: Bool = true) throws -> [Int16] {
        var all: [Int16] = []
        if wake { all += try flite("okay nabu", voice: "rms") }
        if let line { all += try flite(line, voice: "slt") }
        return all
    }

    static func word(_ text: String) throws -> [Int16] { try flite(text, voice: "slt") }

    private static func flite(_ text: String, voice: String) throws -> [Int16] {
        let path = "/tmp/execora-said-\(getpid())-\(UInt32.random(in: 0...UInt32.max)).wav"
        defer { unlink(path) }
        let status = system("flite -voice \(voice) -t '\(text)' -o \(path)")
        guard status == 0 else { throw Failure.tool(status) }
        return try WAVReader.samples(path: path, secondsMax: 30)
    }
}

private final class Rig {
    final class Recorded: OutgoingTurn, @unchecked Sendable {
        // @unchecked: used by the test's one thread.
        let opened: Ear.OpenedTurn
        var records: [TurnFraming.Record] = []
        var isCancelled = false

        init(_ opened: Ear.OpenedTurn) { self.opened = opened }
        func send(_ record: TurnFraming.Record) { records.append(record) }
        func cancel() { isCancelled = true }
    }

    let ring = SampleRing()
    let ear: Ear
    private let notes = Notes()
    var turns: [Recorded] { notes.state.withLock { $0.turns } }
    var cancelled: [TurnTrace.Opening] { notes.state.withLock { $0.cancelled } }
    var earcons: [Earcon] { notes.state.withLock { $0.earcons } }
    var interruptions: Int { notes.state.withLock { $0.interruptions } }
    /// How often somebody stood at the box.
    var signs: Int { notes.state.withLock { $0.signs } }
    /// What the echo stage would say of a wake.
    var hearsItself: Bool {
        get { notes.state.withLock { $0.hearsItself } }
        set { notes.state.withLock { $0.hearsItself = newValue } }
    }
    let register = TurnRegister()

    private final class Notes: Sendable {
        struct State {
            var turns: [Recorded] = []
            var cancelled: [TurnTrace.Opening] = []
            var earcons: [Earcon] = []
            var ids: UInt64 = 0
            var interruptions = 0
            var signs = 0
            var hearsItself = false
        }
        let state = Mutex(State())
    }

    init(stop: String? = nil, _ change: (inout ApplianceConfiguration) -> Void = { _ in }) throws {
        var configuration = ApplianceConfiguration()
        change(&configuration)
        let cache =
            getenv("EXECORA_CACHE").map { String(cString: $0) } ?? String(cString: getenv("HOME")) + "/.cache/execora"
        let shelf = ModelShelf(folder: getenv("EXECORA_MODELS").map { String(cString: $0) } ?? cache + "/models")
        let listener = WakeListener(
            wake: [try shelf.model("okay_nabu")], voice: try shelf.model("vad"),
            stop: try stop.map { try shelf.model($0) }, isQuick: configuration.isWakeQuick)
        let notes = notes
        ear = Ear(
            ring: ring, reader: ring.reader()!, listener: listener, encoder: try .open(),
            settings: Ear.Settings(configuration), register: register,
            log: EventLog(level: .error, format: .text),
            doors: .init(
                begin: { opened in
                    let turn = Recorded(opened)
                    notes.state.withLock { $0.turns.append(turn) }
                    return turn
                },
                cancelled: { _, opening in notes.state.withLock { $0.cancelled.append(opening) } }, lamp: { _ in },
                earcon: { earcon in notes.state.withLock { $0.earcons.append(earcon) } },
                interrupt: { notes.state.withLock { $0.interruptions += 1 } },
                isOwnVoice: { notes.state.withLock { $0.hearsItself } },
                heldInSilence: { notes.state.withLock { $0.signs += 1 } }),
            makeID: {
                notes.state.withLock { state in
                    state.ids += 1
                    return ULID(high: 0, low: state.ids)
                }
            })
        // The frontend ignores its first 0.74 s; a room has been there for long.
        hear([], trailing: 2)
    }

    func hear(_ samples: [Int16], trailing seconds: Double) {
        let all = samples + [Int16](repeating: 0, count: Int(seconds * 16_000))
        var at = 0
        while at < all.count {
            let count = min(640, all.count - at)
            all.withUnsafeBufferPointer { ring.append(UnsafeBufferPointer(rebasing: $0[at..<at + count])) }
            ear.listen()
            at += count
        }
    }
}
