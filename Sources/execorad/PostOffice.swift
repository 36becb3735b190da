import CloudLink
import Conversation
import Ledger
import OpusCoding
import Synchronization

/// Takes turns to the gateway while they are spoken; keeps them sealed in the spool while the line is down and
/// takes them there later. What comes back goes to the clerk.
final class PostOffice: @unchecked Sendable {
    // @unchecked: `spool` is only touched in jobs of `desk`; the rest is immutable, atomic or behind `state`.

    /// What the post office asks of the house. Any thread.
    struct Doors: Sendable {
        var heard: @Sendable (_ reply: TurnReply, _ isLate: Bool) -> Void
        var tell: @Sendable (ULID, Clerk.Line) -> Void
        /// True when nobody speaks, nothing is being heard and no question is open. On the book's desk.
        var isQuiet: @Sendable () -> Bool
    }

    private struct State {
        var vocabulary: [String] = []
        /// So many of them are people.
        var people = 0
        var language = "hi-en"
        /// A yes or a no is awaited: the shop's names would only tempt the recogniser.
        var expectsYesNo = false
        /// The spooled turn under way to the gateway.
        var late: ULID?
        /// Not before this moment (monotonic ms) is a late turn tried again.
        var lateFrom: Int64 = 0
        /// How much space the disk has for turns.
        var disk = DiskLevel.ample
    }

    /// What answers a yes-or-no question, in both languages of the counter. Measured with Whisper base: with these alone
    /// "no, cancel it" is heard, with names and products before them it is "no, can't solid".
    static let answerWords = ["yes", "no", "haan", "nahi", "confirm", "cancel", "theek hai"]

    /// Between two tries of late turns after a failed one.
    static let lateRetryMilliseconds: Int64 = 5_000

    private let link: GatewayLink?
    private let line: Line
    private let spool: AudioSpool?
    private let desk: Desk
    private let register: TurnRegister
    private let log: EventLog
    private let doors: Doors
    private let wallClock: @Sendable () -> WallTime
    private let state = Mutex(State())
    /// Turns waiting in the spool, for the status.
    let waiting = Atomic<Int>(0)

    init(
        link: GatewayLink?, line: Line, spool: AudioSpool?, desk: Desk, register: TurnRegister, log: EventLog,
        doors: Doors,
        wallClock: @escaping @Sendable () -> WallTime
    ) {
        self.link = link
        self.line = line
        self.spool = spool
        self.desk = desk
        self.register = register
        self.log = log
        self.doors = doors
        self.wallClock = wallClock
        waiting.store(spool?.figures.count ?? 0, ordering: .relaxed)
    }

    /// Words of the shop that help recognition: sent with each turn.
    func know(vocabulary: [String], people: Int, language: String) {
        state.withLock { state in
            state.vocabulary = vocabulary
            state.people = people
            state.language = language
        }
    }

    /// What the counter has just asked, for the recognition of the answer.
    func expect(_ gate: Answer.Gate) {
        state.withLock { $0.expectsYesNo = gate == .yesNo || gate == .draft }
    }

    /// Opens a turn on the wire, or on paper where the line is down. The listening thread; does not block.
    func begin(_ opened: Ear.OpenedTurn) -> PostedTurn {
        let (vocabulary, people, language) = state.withLock { state in
            opened.opening == .followUp && state.expectsYesNo
                ? (Self.answerWords, 0, state.language) : (state.vocabulary, state.people, state.language)
        }
        let hello = TurnHello(
            turn: opened.turn, wake: opened.wake, firstSampleIndex: opened.firstSample, isLate: false,
            spokenAt: wallClock(), vocabulary: vocabulary, people: people, language: language)
        let posted = PostedTurn(hello: hello, keep: { [weak self] turn in self?.keep(turn) })
        if let link, line.isUp {
            posted.take(
                // The callback owns the turn: the ear lets go of it at its end, long before the answer.
                link.openTurn(hello) { [weak self] result in self?.arrived(result, for: posted) })
        }
        return posted
    }

    private func arrived(_ result: Result<TurnDelivery, LinkError>, for posted: PostedTurn) {
        let turn = posted.hello.turn
        switch result {
        case .success(let delivery):
            posted.settle()
            note(delivery, of: turn)
            doors.heard(delivery.reply, false)
        case .failure(.cancelled): posted.settle()
        case .failure(let error):
            log.warning(
                "a turn did not get through", .init("turn", .string(turn.description)),
                .init("why", .string(error.code)))
            if error.isWorthKeeping {
                posted.lineFailed()
            } else {
                posted.settle()
                doors.tell(turn, .notUnderstood)
            }
        }
    }

    private func note(_ delivery: TurnDelivery, of turn: ULID) {
        register.update(turn) { trace in
            trace.bytesSent = Int64(delivery.bytesSent)
            trace.lastByteAt = delivery.lastByteAtMilliseconds
        }
    }

    /// Puts a whole turn into the spool. Any thread; the disk is touched on the book's desk.
    private func keep(_ posted: PostedTurn) {
        let (hello, packets) = posted.content
        let turn = hello.turn
        let taken = desk.post { [self] in
            guard let spool, state.withLock({ $0.disk }) < .low else {
                doors.tell(turn, .cannotKeep)
                return
            }
            do {
                let dropped = try spool.store(SpooledTurn(hello: hello, packets: packets), at: wallClock())
                if dropped > 0 {
                    log.warning("old turns left the full spool", .init("count", .integer(Int64(dropped))))
                }
                register.update(turn) { $0.isSpooled = true }
                log.notice("turn spooled", .init("turn", .string(turn.description)))
                waiting.store(spool.figures.count, ordering: .relaxed)
                doors.tell(turn, .keptForLater)
            } catch {
                log.error("a turn could not be spooled", .init("why", .string("\(error)")))
                doors.tell(turn, .cannotKeep)
            }
        }
        if !taken {
            log.error("the book's desk is full; a turn was not kept", .init("turn", .string(turn.description)))
            register.finish(turn)
        }
    }

    /// How long the oldest spooled turn has waited, milliseconds; nil when none waits. Any thread.
    var oldestWaitMilliseconds: Int64? {
        guard let age = spool?.oldestAge(at: wallClock()) else { return nil }
        return age.components.seconds * 1000 + age.components.attoseconds / 1_000_000_000_000_000
    }

    /// The disk has so much space now: kept turns give way to the book. On the book's desk.
    func make(room level: DiskLevel) {
        state.withLock { $0.disk = level }
        guard let spool, level >= .tight else { return }
        do {
            let dropped = try spool.shrink(toBytes: level == .tight ? spool.figures.bytes / 2 : 0)
            if dropped > 0 {
                log.warning(
                    "the disk is nearly full: kept turns were dropped", .init("count", .integer(Int64(dropped))))
            }
        } catch {
            log.error("kept turns could not be dropped", .init("why", .string("\(error)")))
        }
        waiting.store(spool.figures.count, ordering: .relaxed)
    }

    // Late turns ---------------------------------------------------------------------------------------------------

    /// Takes the oldest spooled turn to the gateway when there is a line and a quiet moment. On the book's desk.
    func takeLateTurn() {
        guard let link, let spool, line.isUp, spool.figures.count > 0 else { return }
        let now = Moment.monotonicMilliseconds()
        guard state.withLock({ $0.late == nil && now >= $0.lateFrom }), doors.isQuiet() else { return }
        do {
            let aged = try spool.dropAged(at: wallClock())
            if aged > 0 {
                log.warning("turns too old to ask about were dropped", .init("count", .integer(Int64(aged))))
            }
            if let oldest = spool.oldest() { send(late: try spool.load(oldest), by: link, at: now) }
        } catch {
            // Damaged files were set aside by the spool; the next one is tried at the next quiet moment.
            log.error("a spooled turn could not be read", .init("why", .string("\(error)")))
        }
        waiting.store(spool.figures.count, ordering: .relaxed)
    }

    private func send(late spooled: SpooledTurn, by link: GatewayLink, at now: Int64) {
        let (hello, records) = spooled.late
        let turn = hello.turn
        state.withLock { $0.late = turn }
        var trace = TurnTrace(turn: turn, opening: .late)
        trace.wake = hello.wake.map { ($0.model, $0.scoreMilli, $0.cutoffMilli) }
        trace.startedAt = now
        trace.packets = Int64(records.count)
        register.open(trace)
        let upload = link.openTurn(hello) { [weak self] result in self?.lateArrived(result, turn: turn) }
        for record in records { upload.send(record) }
        upload.end()
    }

    private func lateArrived(_ result: Result<TurnDelivery, LinkError>, turn: ULID) {
        switch result {
        case .success(let delivery):
            note(delivery, of: turn)
            doors.heard(delivery.reply, true)
        case .failure(let error):
            log.warning("a late turn did not get through", .init("why", .string(error.code)))
            register.drop(turn)
            if error.isWorthKeeping {
                state.withLock { state in
                    state.late = nil
                    state.lateFrom = Moment.monotonicMilliseconds() + Self.lateRetryMilliseconds
                }
            } else {
                // The gateway will never take it: keeping it would stop all behind it.
                settled(turn)
            }
        }
    }

    /// A late turn has been asked about: its audio goes. Any thread.
    func settled(_ turn: ULID) {
        desk.post { [self] in
            do { try spool?.remove(turn) } catch {
                log.error("a settled turn could not be removed", .init("why", .string("\(error)")))
            }
            waiting.store(spool?.figures.count ?? 0, ordering: .relaxed)
            state.withLock { if $0.late == turn { $0.late = nil } }
        }
    }
}
