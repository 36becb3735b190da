import JSONText
import Ledger

// What is heard while a question is open.
extension Dialogue {
    /// - Returns: nil when the utterance is no answer but a command of its own: the question is dropped then.
    mutating func settle(
        _ question: OpenQuestion, _ heard: Interpretation, _ interpreter: Interpreter, _ turn: inout Turn
    ) throws(BookError) -> Answer? {
        // A command that is whole replaces the question; "cancel" and "confirm" alone are answers.
        let isAnswerWord =
            ["CANCEL_INVOICE", "CONFIRM_INVOICE", "UNKNOWN"].contains(heard.request.intent)
            && heard.people.isEmpty && heard.amounts.isEmpty
        if heard.rule != nil, !isAnswerWord, !isFragment(heard, of: question) {
            state!.question = nil
            return nil
        }
        switch question.kind {
        case .which: return try settleWhich(question, heard, &turn)
        case .whichDraft: return try settleWhichDraft(question, heard, &turn)
        case .slot, .price: return try settleSlot(question, heard, &turn)
        default: return try settleYesNo(question, heard, &turn)
        }
    }

    /// "Priya wala confirm karo" after "which bill?", "2 milk" after "what shall I write?": commands by themselves,
    /// answers here.
    private func isFragment(_ heard: Interpretation, of question: OpenQuestion) -> Bool {
        switch question.kind {
        case .whichDraft: return heard.request.intent == "CONFIRM_INVOICE"
        case .slot where question.slot == "items":
            return ["CREATE_INVOICE", "MODIFY_INVOICE_ITEM"].contains(heard.request.intent) && heard.people.isEmpty
        default: return false
        }
    }

    // MARK: Yes or no

    private mutating func settleYesNo(_ question: OpenQuestion, _ heard: Interpretation, _ turn: inout Turn)
        throws(BookError) -> Answer?
    {
        let isCancel = heard.isBareCancel || (heard.request.intent == "CANCEL_INVOICE" && heard.rule != nil)
        if heard.isNo || (isCancel && !isCancelling(question)) {
            if let corrected = heard.amounts.first, heard.amounts.count == 1, corrected > .zero,
                isPosting(question.request),
                heard.reading.pieces.allSatisfy({ isCorrectionWord($0) })
            {
                var request = question.request
                request.amount = corrected
                request.mustAsk = false
                state!.question = nil
                return try perform(request, heard, &turn)
            }
            return try refuse(question, &turn)
        }
        // A yes is taken in its own words: what only sounds like one is somebody's talk, and the question stays.
        if heard.isYes || isCancel, !heard.isDoubtful {
            if question.kind == .deletion, !question.hasPIN {
                state!.question!.hasYes = true
                return reply(question.request, "UNAUTHORIZED", turn.prompter.say("delete.pin"), turn, earcon: .question)
            }
            return try accept(question, heard, &turn)
        }
        // Unclear: the question stays, and its clock runs on.
        let speech = turn.prompter.say("open.still", ["question": question.speech])
        var answer = again(speech, turn)
        answer.gate = .yesNo
        answer.earcon = .question
        return answer
    }

    private func isCancelling(_ question: OpenQuestion) -> Bool {
        ["CANCEL_INVOICE", "CANCEL_REMINDER", "DELETE_CUSTOMER_DATA", "UNDO_LAST"].contains(question.request.intent)
    }

    private mutating func refuse(_ question: OpenQuestion, _ turn: inout Turn) throws(BookError) -> Answer {
        state!.question = nil
        // The clock is wrong; the bill waits as a draft until somebody has set it.
        if question.kind == .date { return reply(question.request, "OK", turn.prompter.say("date.no"), turn) }
        // A bill that was asked about whole is gone with the no: a later yes must not commit it.
        if question.request.intent == "CREATE_INVOICE" {
            let drafts = try book.drafts(now: turn.now).filter { question.drafts.contains($0.id) }
            for draft in drafts { _ = try write(.dropDraft(draft.id), &turn) }
            state!.lastDraft = nil
        }
        let line = question.kind == .isIt || question.kind == .newCustomer ? "no.nothing" : "no.done"
        return reply(question.request, "OK", turn.prompter.say(line), turn)
    }

    private mutating func accept(_ question: OpenQuestion, _ heard: Interpretation, _ turn: inout Turn)
        throws(BookError) -> Answer
    {
        state!.question = nil
        turn.base = question.base
        turn.commands = 0
        turn.evidence.confirmedBy = "yes"
        switch question.kind {
        case .isIt:
            var request = question.request
            request.customer = question.options.first
            try learn(question, &turn)
            return try perform(request, heard, &turn)
        case .correction:
            if let event = question.event { _ = try write(.reverse(event: event, reason: "corrected"), &turn) }
            return try execute(question.request, &turn)
        case .deletion: return try eraseNow(question.request, &turn)
        case .newCustomer:
            return try createCustomer(question.request, &turn)
        case .date: return try dateIsRight(question, &turn)
        default: return try executeConfirmed(question, &turn)
        }
    }

    /// A confirmed "Bharat?" becomes a name of Bharat, in the journal.
    private mutating func learn(_ question: OpenQuestion, _ turn: inout Turn) throws(BookError) {
        guard let customer = question.options.first, let said = question.request.spokenName,
            let known = turn.names.customer(customer), known.aliases.count < Self.aliasesMax
        else { return }
        let alias = Naming.written(said)
        guard !alias.isEmpty, alias.utf8.count <= 60 else { return }
        _ = try write(.addAlias(customer, alias), &turn)
    }

    /// Learned names of one customer; beyond it nothing more is learned.
    static let aliasesMax = 12

    // MARK: Which one

    private mutating func settleWhich(_ question: OpenQuestion, _ heard: Interpretation, _ turn: inout Turn)
        throws(BookError) -> Answer?
    {
        if heard.isNo || heard.isBareCancel, heard.people.isEmpty { return try refuse(question, &turn) }
        let options = question.options.compactMap { turn.names.customer($0) }
        var chosen: CustomerID?
        let classes = heard.reading.classes
        if classes.contains("first"), options.count > 0 {
            chosen = options[0].id
        } else if classes.contains("last"), options.count > 1 {
            chosen = options[options.count == 2 ? 1 : options.count - 1].id
        } else {
            let matcher = NameMatcher(
                options.map {
                    NameMatcher.Candidate(
                        names: [$0.details.name] + [$0.details.nickname].compactMap { $0 } + $0.aliases,
                        landmark: $0.details.landmark, phone: $0.details.phone)
                })
            let tokens = heard.reading.pieces.filter { !$0.has("ka") && !$0.has("yes") && !$0.has("is") }
                .flatMap { heard.reading.tokens[$0.range] }
            if case .one(let match) = matcher.resolve(tokens) { chosen = options[match.index].id }
        }
        guard let chosen else {
            var answer = again(turn.prompter.say("who.several", ["list": tellApart(question.options, turn)]), turn)
            answer.gate = .which
            answer.earcon = .question
            return answer
        }
        state!.question = nil
        turn.base = question.base
        turn.commands = 0
        var request = question.request
        request.customer = chosen
        return try perform(request, heard, &turn)
    }

    private mutating func settleWhichDraft(_ question: OpenQuestion, _ heard: Interpretation, _ turn: inout Turn)
        throws(BookError) -> Answer?
    {
        if heard.isNo || heard.isBareCancel, heard.people.isEmpty { return try refuse(question, &turn) }
        var request = Request(intent: "CONFIRM_INVOICE")
        let classes = heard.reading.classes
        if classes.contains("first") { request.ordinal = 0 }
        if classes.contains("last") { request.ordinal = -1 }
        if classes.contains("nameless") { request.isAll = true }
        request.spokenName = heard.people.first.map { heard.reading.text($0) }
        guard request.ordinal != nil || request.spokenName != nil || request.isAll else {
            if heard.isYes { return try perform(request, heard, &turn) }
            var answer = again(turn.prompter.say("again"), turn)
            answer.gate = .which
            return answer
        }
        state!.question = nil
        return try perform(request, heard, &turn)
    }

    // MARK: What was missing

    private mutating func settleSlot(_ question: OpenQuestion, _ heard: Interpretation, _ turn: inout Turn)
        throws(BookError) -> Answer?
    {
        if heard.isNo || heard.isBareCancel, heard.amounts.isEmpty, heard.people.isEmpty {
            return try refuse(question, &turn)
        }
        var request = question.request
        var isFilled = false
        let isPlain = !heard.isBlocked
        switch question.slot {
        case "amount", "price":
            if isPlain, heard.amounts.count == 1, heard.amounts[0] > .zero, heard.people.isEmpty,
                heard.reading.pieces.allSatisfy({
                    isCorrectionWord($0) || $0.has("mode") || $0.has("ka") || $0.has("add")
                })
            {
                request.amount = heard.amounts[0]
                if let mode = heard.reading.value(of: "mode").flatMap({ PaymentMode(rawValue: $0) }) {
                    request.mode = mode
                }
                isFilled = true
            }
        case "customer":
            if isPlain, heard.people.count == 1, heard.amounts.isEmpty {
                request.spokenName = heard.reading.text(heard.people[0])
                isFilled = true
            } else if isPlain, heard.reading.pieces.count == 1, heard.reading.pieces[0].kind == .unknown {
                request.spokenName = heard.reading.text(heard.reading.pieces[0].range)
                isFilled = true
            }
        case "items":
            if isPlain, !heard.items.isEmpty, heard.people.isEmpty, heard.amounts.isEmpty {
                request.items = heard.items
                isFilled = true
            }
        default: break
        }
        if isFilled {
            state!.question = nil
            turn.base = question.base
            turn.commands = 0
            if question.kind == .price { return try priceKnown(request, question, &turn) }
            return try perform(request, heard, &turn)
        }
        // Nothing that fits: a yes has nothing to confirm here, anything else is read as if nothing had been asked.
        if heard.isYes {
            var answer = again(turn.prompter.say("again"), turn)
            answer.gate = .slot
            return answer
        }
        state!.question = nil
        return nil
    }
}
