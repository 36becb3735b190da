import JSONText
import Ledger

// From an utterance to what is done with it: the vote, the open question, several commands in one breath.
extension Dialogue {
    mutating func answer(_ utterance: Utterance, _ turn: inout Turn) throws(BookError) -> Answer {
        guard utterance.confidenceMilli >= configuration.repeatBelowMilli else {
            return again(turn.prompter.say("again.unsure"), turn)
        }
        let interpreter = Interpreter(
            grammar: grammar, shelf: turn.shelf, context: try context(turn.now), now: turn.now)
        guard utterance.text.unicodeScalars.count <= Utterance.scalarsMax else {
            return again(turn.prompter.say("again"), turn)
        }
        let ballots = ballots(utterance, interpreter)
        var heard = vote(ballots, utterance, turn)
        heard.request.mustAsk = heard.request.mustAsk || turn.isLate
        turn.confidenceMilli = min(turn.confidenceMilli, heard.confidenceMilli)

        if turn.isLate {
            // A question that is open belongs to the person at the counter; the late one waits outside.
            guard state!.question == nil else { return again(turn.prompter.say("open.still", ["question": ""]), turn) }
            turn.evidence.confirmedBy = "late"
            return try perform(heard.request, heard, &turn)
        }
        if let question = state!.question, let answer = try settle(question, heard, interpreter, &turn) {
            return answer
        }
        if let answer = try answerDraft(heard, &turn) { return answer }
        if let answer = try correct(heard, interpreter, &turn) { return answer }
        if heard.isBareCancel, heard.rule == nil, let last = state!.lastEntry, !isLapsed(last.at, turn.now) {
            return try perform(Request(intent: "UNDO_LAST"), heard, &turn)
        }
        if let answer = try several(heard, ballots, utterance.origin, interpreter, &turn) { return answer }
        return try perform(heard.request, heard, &turn)
    }

    /// Facts of the moment the intents ask for.
    private func context(_ now: WallTime) throws(BookError) -> Set<String> {
        var out: Set<String> = []
        let drafts = try book.drafts(now: now)
        if !drafts.isEmpty { out.insert("ctx.draft") }
        if drafts.count > 1 { out.insert("ctx.drafts") }
        if try !book.invoices(of: nil, limit: 1).isEmpty { out.insert("ctx.invoice") }
        if try !book.reminders().isEmpty { out.insert("ctx.reminder") }
        return out
    }

    // MARK: Not understood

    func again(_ speech: String, _ turn: Turn, code: String = "UNKNOWN_INTENT") -> Answer {
        Answer(
            intent: "UNKNOWN", code: code, speech: speech, confidenceMilli: turn.confidenceMilli, gate: .again,
            earcon: .failure)
    }

    // MARK: A bare yes or no

    /// Yes and no to a bill that was read back, when no question is open.
    private mutating func answerDraft(_ heard: Interpretation, _ turn: inout Turn) throws(BookError) -> Answer? {
        let isCommand = heard.rule != nil && heard.request.intent != "CONFIRM_INVOICE"
        if heard.isYes, !isCommand {
            var request = Request(intent: "CONFIRM_INVOICE")
            request.ordinal = heard.request.ordinal
            return try perform(request, heard, &turn)
        }
        guard heard.isNo, heard.amounts.isEmpty, heard.people.isEmpty,
            heard.rule == nil || heard.request.intent == "CANCEL_INVOICE",
            heard.request.ordinal == nil, !heard.request.isAll
        else { return nil }
        let drafts = try book.drafts(now: turn.now)
        if let last = drafts.first(where: { $0.id == state!.lastDraft }), !isLapsed(state!.lastDraftAt, turn.now),
            heard.reading.pieces.count <= 4
        {
            return try drop([last], &turn)
        }
        if heard.rule == nil,
            heard.reading.pieces.allSatisfy({ $0.has("no") || $0.has("negation") || $0.has("filler") || $0.has("do") })
        {
            return Answer(
                intent: "UNKNOWN", code: "UNKNOWN_INTENT", speech: turn.prompter.say("no.nothing"),
                confidenceMilli: heard.confidenceMilli)
        }
        return nil
    }

    // MARK: "Nahi, teen sau"

    /// A no with a sum and nothing else corrects the last entry made here: asked about, then reversed and rewritten.
    private mutating func correct(_ heard: Interpretation, _ interpreter: Interpreter, _ turn: inout Turn)
        throws(BookError) -> Answer?
    {
        guard heard.isNo, heard.rule == nil, heard.amounts.count == 1, heard.amounts[0] > .zero,
            let last = state!.lastEntry, !isLapsed(last.at, turn.now), let old = last.request.amount,
            let customer = last.request.customer, heard.people.isEmpty,
            heard.reading.pieces.allSatisfy({ isCorrectionWord($0) })
        else { return nil }
        var request = last.request
        request.amount = heard.amounts[0]
        let speech = turn.prompter.say(
            "correct.ask",
            [
                "name": turn.names.spoken(customer), "old": turn.prompter.money(old),
                "new": turn.prompter.money(request.amount!),
            ])
        ask(.correction, request, &turn, speech: speech) { $0.event = last.event }
        return reply(request, "CONFIRMATION_NEEDED", speech, turn)
    }

    func isCorrectionWord(_ piece: Reading.Piece) -> Bool {
        if piece.kind == .number { return true }
        return ["no", "negation", "rupee", "money", "filler", "do", "write", "is", "ji", "wait"].contains {
            piece.has($0)
        }
    }

    // MARK: Several in one breath

    /// "Rahul ne 200 diye aur Priya ka 100 likh do": where every part is a command whole in itself, each is done in
    /// order; where one of them would have to be asked about, none is.
    private mutating func several(
        _ heard: Interpretation, _ ballots: [Ballot], _ origin: Utterance.Origin, _ interpreter: Interpreter,
        _ turn: inout Turn
    ) throws(BookError) -> Answer? {
        let isWhole = heard.rule != nil && heard.people.count <= 1 && heard.unread == 0 && heard.amounts.count <= 1
        guard !isWhole, !heard.isBlocked, heard.rule == nil || heard.people.count > 1 || heard.amounts.count > 1,
            heard.request.intent != "RECORD_MIXED_PAYMENT"
        else { return nil }
        let parts = split(heard.reading, interpreter)
        guard parts.count > 1, parts.allSatisfy({ isPosting($0.request) || isQuery($0.request) }) else { return nil }
        let heardByOthers = ballots.map { split($0.hearings[0].heard.reading, interpreter).map(\.request) }
        if parts.contains(where: { isPosting($0.request) }),
            !isAgreed(parts.map(\.request), among: heardByOthers, origin, turn)
        {
            return try one(turn)
        }
        var requests: [Request] = []
        for part in parts {
            var request = part.request
            guard !request.mustAsk else { return try one(turn) }
            if request.spokenName != nil {
                guard case .one(let match) = turn.shelf.matcher.resolve(request.spokenName!) else {
                    return try one(turn)
                }
                request.customer = turn.shelf.customers[match.index].id
            } else if let last = requests.last?.customer {
                request.customer = last
            } else {
                return try one(turn)
            }
            if isPosting(request) {
                let total = request.amount ?? request.splits.reduce(.zero) { $0 + $1.amount }
                guard total > .zero, total <= configuration.askAbove else { return try one(turn) }
            }
            requests.append(request)
        }
        var last: Answer?
        var speech: [String] = []
        for (request, part) in zip(requests, parts) {
            let answer = try perform(request, part, &turn)
            speech.append(answer.speech)
            last = answer
            guard answer.code == "OK" else { break }
        }
        let line = speech.joined(separator: " ")
        last?.speech = line
        last?.spoken = line
        return last
    }

    private func one(_ turn: Turn) throws(BookError) -> Answer { again(turn.prompter.say("again.many"), turn) }

    private func isQuery(_ request: Request) -> Bool {
        ["CHECK_BALANCE", "GET_CUSTOMER_INFO", "CUSTOMER_HISTORY"].contains(request.intent)
    }

    /// The parts between "aur", commas and full stops, joined where one alone means nothing.
    private func split(_ reading: Reading, _ interpreter: Interpreter) -> [Interpretation] {
        let pieces = reading.pieces
        guard !pieces.isEmpty else { return [] }
        var starts = [0]
        for index in pieces.indices.dropFirst() where pieces[index].has("and") || pieces[index].gap >= .comma {
            starts.append(index)
        }
        var out: [Interpretation] = []
        var from = 0
        for end in starts.dropFirst() + [pieces.count] {
            let first = pieces[from].has("and") ? from + 1 : from
            guard first < end else { continue }
            let part = interpreter.interpret(reading.part(first..<end))
            if part.rule != nil || end == pieces.count {
                out.append(part)
                from = end
            }
        }
        return out.allSatisfy { $0.rule != nil && $0.unread == 0 && !$0.isBlocked } ? out : []
    }
}
