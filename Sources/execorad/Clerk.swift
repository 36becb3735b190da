import Conversation
import JSONText
import Ledger
import Seals

/// Keeps the book at the counter: words enter, the dialogue decides, entries are made, an answer leaves.
///
/// Everything here runs on the book's desk, one job after the other; SQLite's fsync hurts nobody else there.
final class Clerk: @unchecked Sendable {
    // @unchecked: `book` and `dialogue` are only touched in jobs of `desk`.

    /// What the clerk asks of the rest of the house. Called on the book's desk.
    struct Doors: Sendable {
        /// Says an answer of a turn aloud, then opens the ear where told so.
        var say: @Sendable (ULID, Answer) -> Void
        /// Entries were made: the sync may have something to send.
        var entriesMade: @Sendable () -> Void
        /// A spooled turn has been asked about: its audio is not needed any more.
        var settled: @Sendable (ULID) -> Void
    }

    let desk: Desk
    private let book: LedgerStore
    private var dialogue: Dialogue
    private let register: TurnRegister
    private let log: EventLog
    private let doors: Doors
    private let wallClock: @Sendable () -> WallTime

    init(
        desk: Desk, book: LedgerStore, dialogue: Dialogue, register: TurnRegister, log: EventLog, doors: Doors,
        wallClock: @escaping @Sendable () -> WallTime
    ) {
        self.desk = desk
        self.book = book
        self.dialogue = dialogue
        self.register = register
        self.log = log
        self.doors = doors
        self.wallClock = wallClock
    }

    /// What speech recognition made of a turn. `isLate`: it comes from the spool.
    func heard(_ reply: TurnReply, isLate: Bool) {
        let posted = desk.post { [self] in
            let arrived = Moment.monotonicMilliseconds()
            register.update(reply.turn) { trace in
                trace.transcriptAt = arrived
                trace.verdict = reply.verdict.rawValue
                trace.transcripts = reply.transcripts.map {
                    ($0.text, $0.confidenceMilli, $0.engine, $0.model, $0.milliseconds)
                }
            }
            guard reply.verdict != .rejected else {
                // Not meant for the counter: it stays quiet.
                register.drop(reply.turn)
                if isLate { doors.settled(reply.turn) }
                return
            }
            answer(Utterance(reply, isLate: isLate), turn: reply.turn)
            if isLate { doors.settled(reply.turn) }
        }
        if !posted { overloaded(reply.turn) }
    }

    /// A transcript typed by a technician: enters where speech recognition's would. The answer is given back too.
    func typed(_ text: String, done: @escaping @Sendable (Answer, ULID) -> Void) -> Bool {
        desk.post { [self] in
            var random = SystemRandomNumberGenerator()
            let turn = ULID(at: wallClock(), using: &random)
            var trace = TurnTrace(turn: turn, opening: .typed)
            trace.startedAt = Moment.monotonicMilliseconds()
            trace.transcriptAt = trace.startedAt
            trace.transcripts = [(text, 1000, "typed", "", 0)]
            register.open(trace)
            let answer = answer(Utterance(text: text, turn: turn), turn: turn)
            done(answer, turn)
        }
    }

    /// Says something that is no answer of the dialogue: the line is down, the disk is full.
    func tell(_ turn: ULID, _ line: Line) {
        let posted = desk.post { [self] in
            let speech = line.text(language: (try? book.shop().language) ?? "hi-en")
            let answer = Answer(
                intent: nil, code: line.rawValue, speech: speech, gate: .none,
                earcon: line == .keptForLater || line == .serviceOpen ? .done : .failure)
            register.update(turn) { trace in
                trace.code = line.rawValue
                trace.answer = answer.speech
            }
            doors.say(turn, answer)
        }
        if !posted { overloaded(turn) }
    }

    /// Lines the house says by itself.
    enum Line: String, CaseIterable, Sendable {
        case keptForLater = "KEPT_FOR_LATER"
        case notUnderstood = "NOT_UNDERSTOOD"
        case cannotKeep = "CANNOT_KEEP"
        case serviceOpen = "SERVICE_OPEN"

        func text(language: String) -> String {
            switch (self, language) {
            case (.keptForLater, "en"): "No network. I have kept it and will ask you later."
            case (.keptForLater, "hi"): "नेटवर्क नहीं है। बात रख ली है, बाद में पूछूंगा।"
            case (.keptForLater, _): "Network nahi hai. Baat rakh li hai, baad mein poochunga."
            case (.notUnderstood, "en"): "The speech service did not answer. Please say it again."
            case (.notUnderstood, "hi"): "समझने वाली सेवा ने जवाब नहीं दिया। फिर से बोलिए।"
            case (.notUnderstood, _): "Samajhne wali service ne jawab nahi diya. Phir se boliye."
            case (.cannotKeep, "en"): "No network, and no space to keep it. Please write it down."
            case (.cannotKeep, "hi"): "नेटवर्क नहीं है और जगह भी नहीं है। कृपया लिख लीजिए।"
            case (.cannotKeep, _): "Network nahi hai, aur rakhne ki jagah bhi nahi. Kripya likh lijiye."
            case (.serviceOpen, "en"): "Service is open for the technician, for fifteen minutes."
            case (.serviceOpen, "hi"): "तकनीशियन के लिए सर्विस पंद्रह मिनट खुली है।"
            case (.serviceOpen, _): "Technician ke liye service pandrah minute khuli hai."
            }
        }
    }

    @discardableResult
    private func answer(_ utterance: Utterance, turn: ULID) -> Answer {
        heal()
        var utterance = utterance
        utterance.transcriptHash = SHA256.digest(Array(utterance.text.utf8))
        let answer = dialogue.hear(utterance, now: wallClock())
        let committedAt = Moment.monotonicMilliseconds()
        register.update(turn) { trace in
            trace.intent = answer.intent
            trace.slots = answer.slots
            trace.code = answer.code
            trace.gate = answer.gate.rawValue
            trace.confidenceMilli = answer.confidenceMilli
            trace.answer = answer.speech
            trace.entries = answer.committed.map { ($0.epoch, $0.seq, $0.hash) }
            if !answer.committed.isEmpty { trace.committedAt = committedAt }
        }
        for fact in answer.committed {
            log.info(
                "entry written", .init("turn", .string(turn.description)),
                .init("event", .string(fact.event.description)),
                .init("epoch", .integer(fact.epoch)), .init("seq", .integer(fact.seq)))
        }
        // The answer first: what the entries mean for sync and recognition can wait a moment, the person cannot.
        doors.say(turn, answer)
        if !answer.committed.isEmpty { doors.entriesMade() }
        return answer
    }

    /// After a failed write or sync the book is opened anew before the next turn; until that succeeds each turn is
    /// refused aloud, and each tries again.
    private func heal() {
        guard book.mustReopen else { return }
        do {
            try book.reopen()
            log.notice("the book was opened anew after a failed write, and is in order")
        } catch {
            log.error("the book cannot be opened anew", .init("why", .string(House.words(error))))
        }
    }

    private func overloaded(_ turn: ULID) {
        log.error("the book's desk is full; a turn was not answered", .init("turn", .string(turn.description)))
        register.finish(turn)
    }

    // What the technician's socket asks --------------------------------------------------------------------------

    /// Does a job with the book, on its desk. False when the desk is full.
    @discardableResult
    func withBook(_ job: @escaping @Sendable (LedgerStore) -> Void) -> Bool {
        desk.post { [self] in job(book) }
    }

    /// The same for a job that makes an entry: the sync is told.
    func changeBook(_ job: @escaping @Sendable (LedgerStore) -> Void) -> Bool {
        desk.post { [self] in
            job(book)
            doors.entriesMade()
        }
    }

    /// On the book's desk only.
    func withBookNow(_ job: (LedgerStore) -> Void) { job(book) }

    /// A customer was erased at the socket. On the book's desk only.
    func forget() { dialogue.forget() }

    /// Makes void what waited a day to be confirmed. On the book's desk only.
    func voidLapsedHolds() {
        do {
            let lapsed = try book.voidLapsedHolds(now: wallClock())
            guard !lapsed.isEmpty else { return }
            log.warning(
                "entries nobody confirmed in 24 h are void", .init("count", .integer(Int64(lapsed.count))))
            doors.entriesMade()
        } catch {
            log.error("held entries could not be looked at", .init("why", .string(House.words(error))))
        }
    }

    /// Puts due reminders into the outbox. On the book's desk only.
    func fireReminders() {
        let now = wallClock()
        do {
            let fired = try book.fireReminders(now: now) { recurrence, first in
                Recurrence(recurrence)?.next(after: now, first: first)
            }
            guard !fired.isEmpty else { return }
            log.notice("reminders are due", .init("count", .integer(Int64(fired.count))))
            doors.entriesMade()
        } catch {
            log.error("reminders could not be looked at", .init("why", .string(House.words(error))))
        }
    }

    /// On the book's desk only.
    var isQuestionOpen: Bool { dialogue.isQuestionOpen(now: wallClock()) }
}
