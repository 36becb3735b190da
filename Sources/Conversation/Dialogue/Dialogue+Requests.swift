import JSONText
import Ledger

// From a request to the deed: who is meant, whether it has to be asked about, and the answer's form.
extension Dialogue {
    mutating func perform(_ request: Request, _ heard: Interpretation, _ turn: inout Turn) throws(BookError) -> Answer {
        var request = request
        if request.intent == "UNKNOWN" {
            guard let followed = followUp(heard, turn) else {
                guard heard.isBlocked else { return again(turn.prompter.say("again"), turn) }
                // Understood, and nothing to do: the ear stays closed.
                var answer = again(turn.prompter.say("again.blocked"), turn)
                answer.gate = .none
                return answer
            }
            request = followed
        }
        if turn.isLate, !isPosting(request), !Self.questions.contains(request.intent),
            request.intent != "CREATE_INVOICE"
        {
            return again(turn.prompter.say("again.unsure"), turn)
        }
        if heard.people.count > 1, Self.takesCustomer.contains(request.intent), request.customer == nil,
            !["CREATE_CUSTOMER", "UPDATE_CUSTOMER", "UPDATE_CUSTOMER_PHONE", "PROVIDE_EMAIL"].contains(request.intent)
        {
            if request.intent == "CHECK_BALANCE", let answer = try balances(of: heard, request, &turn) { return answer }
            let list = turn.prompter.list(heard.people.map { heard.reading.text($0) })
            return reply(
                request, "AMBIGUOUS_CUSTOMER", turn.prompter.say("who.two", ["list": list]), turn, earcon: .failure)
        }
        if request.texts["who"] == "both", request.intent == "CHECK_BALANCE", state!.people.count > 1 {
            return tellBalances(Array(state!.people.prefix(2)), request, turn)
        }
        if Self.takesCustomer.contains(request.intent), request.customer == nil {
            switch resolve(&request, &turn) {
            case .found: break
            case .asked(let answer): return answer
            case .nobody:
                if !Self.goesWithoutCustomer.contains(request.intent) {
                    return askSlot(
                        "customer", request, &turn, code: "NO_ACTIVE_CUSTOMER", turn.prompter.say("who.missing"))
                }
            }
        }
        if let customer = request.customer { speakOf(customer, turn) }
        state!.lastIntent = request.intent
        // A correction ("nahi, teen sau") is no surer than a command.
        if heard.isDoubtful, isPosting(request) { request.mustAsk = true }
        if heard.isDoubtful, let speech = try doubt(request, turn) { return askYesNo(request, &turn, speech) }
        return try execute(request, &turn)
    }

    /// The question before a deed that asks none of its own, where the words were repaired: a bystander's talk must not
    /// commit the bill that waits. Nil for everything else.
    private func doubt(_ request: Request, _ turn: Turn) throws(BookError) -> String? {
        let name = request.customer.map { turn.names.spoken($0) } ?? ""
        switch request.intent {
        case "CONFIRM_INVOICE":
            guard try !book.drafts(now: turn.now).isEmpty else { return nil }
            return turn.prompter.say(name.isEmpty ? "doubt.bill" : "doubt.bill.of", ["name": name])
        case "SEND_INVOICE": return turn.prompter.say("doubt.send", ["name": name])
        case "UPDATE_CUSTOMER_PHONE" where request.texts["phone"] != nil:
            let phone = turn.prompter.phone(request.texts["phone"]!)
            return turn.prompter.say("doubt.phone", ["name": name, "phone": phone])
        case "UPDATE_CUSTOMER", "PROVIDE_EMAIL": return turn.prompter.say("doubt.customer", ["name": name])
        case "SET_PRICE" where request.product != nil && request.amount != nil:
            return turn.prompter.say("doubt.price", ["money": turn.prompter.money(request.amount!)])
        case "CREATE_REMINDER" where request.amount != nil, "MODIFY_REMINDER":
            return turn.prompter.say("doubt.reminder", ["name": name])
        default: return nil
        }
    }

    /// Intents that concern one customer.
    static let takesCustomer: Set<String> = [
        "ADD_CREDIT", "RECORD_PAYMENT", "RECORD_MIXED_PAYMENT", "CHECK_BALANCE", "GET_CUSTOMER_INFO",
        "CUSTOMER_HISTORY", "CREATE_INVOICE", "CONFIRM_INVOICE", "SHOW_PENDING_INVOICE", "CANCEL_INVOICE",
        "SEND_INVOICE", "PROVIDE_EMAIL", "UPDATE_CUSTOMER", "UPDATE_CUSTOMER_PHONE", "DELETE_CUSTOMER_DATA",
        "CREATE_REMINDER", "MODIFY_REMINDER", "CANCEL_REMINDER", "MODIFY_INVOICE_ITEM", "TOGGLE_GST", "ADD_DISCOUNT",
        "SET_SUPPLY_TYPE", "SET_PRICE_TIER",
    ]
    /// What is said of a bill without a name goes by the drafts, not by who was spoken of.
    static let goesByDraft: Set<String> = [
        "CONFIRM_INVOICE", "SHOW_PENDING_INVOICE", "CANCEL_INVOICE", "MODIFY_INVOICE_ITEM", "TOGGLE_GST",
        "ADD_DISCOUNT", "SET_SUPPLY_TYPE", "SET_PRICE_TIER",
    ]
    /// Those that have a meaning without one.
    static let goesWithoutCustomer: Set<String> = goesByDraft.union(["CREATE_INVOICE"])
    /// Those that change nothing.
    static let questions: Set<String> = [
        "CHECK_BALANCE", "GET_CUSTOMER_INFO", "CUSTOMER_HISTORY", "LIST_CUSTOMER_BALANCES", "TOTAL_PENDING_AMOUNT",
        "CHECK_STOCK", "CHECK_PRICE", "DAILY_SUMMARY", "SHOW_PENDING_INVOICE", "LIST_REMINDERS", "HELP", "REPEAT",
    ]

    /// "Aur Priya ka?" asks of Priya what was just asked of Rahul. Only questions are carried over, never postings.
    private func followUp(_ heard: Interpretation, _ turn: Turn) -> Request? {
        guard let last = state!.lastIntent, ["CHECK_BALANCE", "GET_CUSTOMER_INFO", "CUSTOMER_HISTORY"].contains(last),
            heard.people.count == 1, heard.amounts.isEmpty,
            heard.reading.pieces.allSatisfy({ piece in
                piece.kind == .person || piece.kind == .unknown
                    || ["and", "ka", "filler", "also", "tell", "show", "what", "for"].contains(where: piece.has)
            })
        else { return nil }
        var request = Request(intent: last)
        request.spokenName = heard.reading.text(heard.people[0])
        return request
    }

    // MARK: Who

    private enum Resolved {
        case found
        case nobody
        case asked(Answer)
    }

    private mutating func resolve(_ request: inout Request, _ turn: inout Turn) -> Resolved {
        guard let said = request.spokenName else {
            if request.isAll { return .nobody }
            if Self.goesByDraft.contains(request.intent), !request.isPronoun { return .nobody }
            if request.texts["who"] == "previous" {
                guard state!.people.count > 1, turn.names.customer(state!.people[1]) != nil else { return .nobody }
                request.customer = state!.people[1]
                return .found
            }
            guard let active = state!.people.first, turn.names.customer(active) != nil else { return .nobody }
            if state!.isTogether, state!.people.count > 1 {
                let options = Array(state!.people.prefix(2))
                let speech = turn.prompter.say("who.several", ["list": tellApart(options, turn)])
                ask(.which, request, &turn, speech: speech) { $0.options = options }
                return .asked(reply(request, "AMBIGUOUS_CUSTOMER", speech, turn, earcon: .question))
            }
            request.customer = active
            return .found
        }
        switch heardAs(said, request.rivals, turn) {
        case .one(let match):
            request.customer = turn.shelf.customers[match.index].id
            return .found
        case .several(let matches):
            let options = matches.map { turn.shelf.customers[$0.index].id }
            let speech = turn.prompter.say("who.several", ["list": tellApart(options, turn)])
            ask(.which, request, &turn, speech: speech) { $0.options = options }
            return .asked(reply(request, "MULTIPLE_CUSTOMERS", speech, turn, earcon: .question))
        case .weak(let matches):
            let options = matches.map { turn.shelf.customers[$0.index].id }
            if options.count == 1 {
                let speech = turn.prompter.say(
                    "who.near", ["name": Naming.written(said), "near": turn.names.spoken(options[0])])
                ask(.isIt, request, &turn, speech: speech) { $0.options = options }
                return .asked(reply(request, "CONFIRMATION_NEEDED", speech, turn, earcon: .question))
            }
            let speech = turn.prompter.say("who.several", ["list": tellApart(options, turn)])
            ask(.which, request, &turn, speech: speech) { $0.options = options }
            return .asked(reply(request, "AMBIGUOUS_CUSTOMER", speech, turn, earcon: .question))
        case .none:
            let speech = turn.prompter.say("who.unknown", ["name": Naming.written(said)])
            ask(.slot, request, &turn, speech: speech) { $0.slot = "customer" }
            return .asked(reply(request, "CUSTOMER_NOT_FOUND", speech, turn, earcon: .failure))
        }
    }

    /// Who is meant, with those whose names sound nearly the same as what was heard.
    private func heardAs(_ said: String, _ rivals: [String], _ turn: Turn) -> NameMatcher.Answer {
        let answer = turn.shelf.matcher.resolve(said)
        guard case .one(let match) = answer else { return answer }
        var all = [match]
        for rival in rivals {
            if case .one(let other) = turn.shelf.matcher.resolve(rival),
                !all.contains(where: { $0.index == other.index })
            {
                all.append(other)
            }
        }
        return all.count == 1 ? answer : .several(Array(all.prefix(NameMatcher.askedMax)))
    }

    func tellApart(_ options: [CustomerID], _ turn: Turn) -> String {
        turn.prompter.list(options.map { turn.names.telling($0) })
    }

    // MARK: Doing

    /// The request with everything settled. Asks where the law says so, else writes.
    mutating func execute(_ request: Request, _ turn: inout Turn) throws(BookError) -> Answer {
        switch request.intent {
        case "ADD_CREDIT": try addCredit(request, &turn, isConfirmed: false)
        case "RECORD_PAYMENT", "RECORD_MIXED_PAYMENT": try recordPayment(request, &turn, isConfirmed: false)
        case "CHECK_BALANCE": try checkBalance(request, &turn)
        case "TOTAL_PENDING_AMOUNT": try totalPending(request, &turn)
        case "LIST_CUSTOMER_BALANCES": try listBalances(request, &turn)
        case "GET_CUSTOMER_INFO": customerInfo(request, &turn)
        case "CUSTOMER_HISTORY": try customerHistory(request, &turn)
        case "CREATE_INVOICE": try createInvoice(request, &turn)
        case "CONFIRM_INVOICE": try confirmInvoice(request, &turn)
        case "SHOW_PENDING_INVOICE": try showInvoice(request, &turn)
        case "MODIFY_INVOICE_ITEM": try modifyItems(request, &turn)
        case "CANCEL_INVOICE": try cancelInvoice(request, &turn)
        case "TOGGLE_GST", "SET_SUPPLY_TYPE", "ADD_DISCOUNT", "SET_PRICE_TIER": try changeTerms(request, &turn)
        case "SEND_INVOICE": try sendInvoice(request, &turn)
        case "PROVIDE_EMAIL": try provideEmail(request, &turn)
        case "CREATE_CUSTOMER": try newCustomer(request, &turn)
        case "UPDATE_CUSTOMER", "UPDATE_CUSTOMER_PHONE": try updateCustomer(request, &turn)
        case "DELETE_CUSTOMER_DATA": askErasure(request, &turn)
        case "CREATE_REMINDER": try createReminder(request, &turn, isConfirmed: false)
        case "MODIFY_REMINDER": try modifyReminder(request, &turn)
        case "CANCEL_REMINDER": try cancelReminder(request, &turn)
        case "LIST_REMINDERS": try listReminders(request, &turn)
        case "CHECK_STOCK": try checkStock(request, &turn)
        case "UPDATE_STOCK": try updateStock(request, &turn, isConfirmed: false)
        case "SET_PRICE": try setPrice(request, &turn)
        case "CHECK_PRICE": try checkPrice(request, &turn)
        case "DAILY_SUMMARY": try dailySummary(request, &turn)
        case "CASH_CLOSE": try closeCash(request, &turn, isConfirmed: false)
        case "SWITCH_LANGUAGE": try switchLanguage(request, &turn)
        case "START_RECORDING", "STOP_RECORDING":
            reply(request, "OK", turn.prompter.say("recording.none"), turn, earcon: .failure)
        case "EXPORT_GSTR1", "EXPORT_PNL": try export(request, &turn)
        case "REPEAT": reply(request, "OK", state!.lastSpeech ?? turn.prompter.say("repeat.none"), turn)
        case "HELP": reply(request, "OK", turn.prompter.say("help"), turn)
        case "UNDO_LAST": try undoLast(request, &turn)
        default: again(turn.prompter.say("again"), turn)
        }
    }

    /// The yes came.
    mutating func executeConfirmed(_ question: OpenQuestion, _ turn: inout Turn) throws(BookError) -> Answer {
        let request = question.request
        return switch request.intent {
        case "ADD_CREDIT": try addCredit(request, &turn, isConfirmed: true)
        case "RECORD_PAYMENT", "RECORD_MIXED_PAYMENT": try recordPayment(request, &turn, isConfirmed: true)
        case "CREATE_INVOICE": try commitDrafts(question, &turn)
        case "CANCEL_INVOICE": try cancelNow(question, &turn)
        case "CANCEL_REMINDER": try cancelReminderNow(question, &turn)
        case "CREATE_REMINDER": try createReminder(request, &turn, isConfirmed: true)
        case "CREATE_CUSTOMER": try createCustomer(request, &turn)
        case "UPDATE_STOCK": try updateStock(request, &turn, isConfirmed: true)
        case "CASH_CLOSE": try closeCash(request, &turn, isConfirmed: true)
        case "UNDO_LAST": try undoNow(question, &turn)
        default: try execute(request, &turn)
        }
    }

    // MARK: Answering

    /// The answer in its common form: slots of the request, what is open after it.
    func reply(
        _ request: Request, _ code: String, _ speech: String, _ turn: Turn, earcon: Answer.Earcon? = nil,
        gate: Answer.Gate = .none
    ) -> Answer {
        var speech = speech
        if turn.isLate {
            let line = Self.questions.contains(request.intent) ? "late.query" : "late"
            speech = turn.prompter.say(line, ["line": speech])
        }
        let sound: Answer.Earcon =
            earcon ?? (code == "OK" ? .done : code == "CONFIRMATION_NEEDED" ? .question : .failure)
        return Answer(
            intent: request.intent, slots: slots(of: request, turn), code: code, speech: speech,
            confidenceMilli: turn.confidenceMilli, gate: gate, earcon: sound)
    }

    mutating func askSlot(_ slot: String, _ request: Request, _ turn: inout Turn, code: String, _ speech: String)
        -> Answer
    {
        ask(.slot, request, &turn, speech: speech) { $0.slot = slot }
        return reply(request, code, speech, turn, earcon: .question)
    }

    mutating func askYesNo(
        _ request: Request, _ turn: inout Turn, _ speech: String, with change: (inout OpenQuestion) -> Void = { _ in }
    ) -> Answer {
        ask(.yesNo, request, &turn, speech: speech, with: change)
        return reply(request, "CONFIRMATION_NEEDED", speech, turn)
    }

    /// The slots as they are reported: names resolved, amounts in paise, quantities in the product's own unit.
    func slots(of request: Request, _ turn: Turn) -> JSONValue {
        var members: [JSONValue.Member] = []
        func put(_ name: String, _ value: JSONValue?) { if let value { members.append(.init(name, value)) } }
        if Self.takesCustomer.contains(request.intent) {
            put("customer", JSONValue(request.customer.map { turn.names.reference($0) }))
        }
        put("amountPaise", request.amount.map { .integer($0.rawValue) })
        if !request.splits.isEmpty {
            put(
                "splits",
                .array(
                    request.splits.map {
                        ["amountPaise": .integer($0.amount.rawValue), "mode": .string($0.mode.rawValue)]
                    }))
        }
        if request.intent == "RECORD_PAYMENT" { put("mode", .string((request.mode ?? .cash).rawValue)) }
        put("description", request.description.map { .string($0) })
        if ["CREATE_INVOICE", "MODIFY_INVOICE_ITEM"].contains(request.intent) {
            put("items", .array(request.items.map { itemSlots($0, turn) }))
        }
        put("withGst", request.withGST.map { .bool($0) })
        put("interState", request.isInterState.map { .bool($0) })
        switch request.discount {
        case .share(let share): put("discountBps", .integer(share.rawValue))
        case .amount(let told): put("discountPaise", .integer(told.rawValue))
        case nil: break
        }
        if let product = request.product.flatMap({ id in turn.shelf.products.first { $0.id == id } }) {
            put("product", .string(product.details.name))
            if ["CHECK_STOCK", "UPDATE_STOCK"].contains(request.intent) {
                if let quantity = request.quantity, let own = Measure.own(quantity, request.unit, of: product.details) {
                    put("quantityMilli", .integer(own.rawValue))
                }
                put("unit", .string(product.details.unit))
            }
        }
        if request.intent == "CANCEL_INVOICE" { put("cancelAll", .bool(request.isAll)) }
        put("tier", request.tier.map { .integer(Int64($0)) })
        if ["CREATE_REMINDER", "MODIFY_REMINDER", "CANCEL_REMINDER"].contains(request.intent) {
            put("firesAt", request.firesAt.map { .string($0.iso8601Kolkata) })
            put("recurrence", JSONValue(request.texts["recurrence"]))
        }
        for (name, value) in request.texts.sorted(by: { $0.key < $1.key })
        where !["recurrence", "asked", "invalid", "who", "prices"].contains(name) {
            put(name, .string(value))
        }
        return .object(members)
    }

    private func itemSlots(_ item: Request.Item, _ turn: Turn) -> JSONValue {
        guard let product = item.product.flatMap({ id in turn.shelf.products.first { $0.id == id } }) else {
            return [
                "product": nil, "spoken": .string(item.spoken), "quantityMilli": .integer(item.quantity.rawValue),
                "unit": JSONValue(item.unit),
            ]
        }
        let own = Measure.own(item.quantity, item.unit, of: product.details)
        return [
            "product": .string(product.details.name), "quantityMilli": JSONValue(own?.rawValue),
            "unit": .string(product.details.unit),
        ]
    }
}
