import JSONText
import Ledger

// Udhaar, payments, balances.
extension Dialogue {
    private func mustAsk(_ request: Request, _ total: Paise, isConfirmed: Bool) -> Bool {
        !isConfirmed && (request.mustAsk || total > configuration.askAbove)
    }

    mutating func addCredit(_ request: Request, _ turn: inout Turn, isConfirmed: Bool) throws(BookError) -> Answer {
        guard let customer = request.customer else { return again(turn.prompter.say("again"), turn) }
        let name = turn.names.spoken(customer)
        guard let amount = request.amount else {
            return askSlot(
                "amount", request, &turn, code: "MISSING_AMOUNT", turn.prompter.say("amount.missing", ["name": name]))
        }
        guard amount > .zero else { return negative(request, turn) }
        let money = turn.prompter.money(amount)
        if mustAsk(request, amount, isConfirmed: isConfirmed) {
            return askYesNo(request, &turn, turn.prompter.say("credit.ask", ["name": name, "money": money]))
        }
        let fact = try write(.giveCredit(customer, amount, note: request.description), &turn)
        if let answer = held(fact, request, money, turn) { return answer }
        remember(fact, request, turn)
        let balance = try after(fact, customer)
        let rest = turn.prompter.rest(balance) + overLimit(customer, balance, turn)
        return reply(
            request, "OK", turn.prompter.say("credit.done", ["name": name, "money": money, "rest": rest]), turn)
    }

    mutating func recordPayment(_ request: Request, _ turn: inout Turn, isConfirmed: Bool) throws(BookError) -> Answer {
        guard let customer = request.customer else { return again(turn.prompter.say("again"), turn) }
        let name = turn.names.spoken(customer)
        var splits = request.splits
        var request = request
        if request.isAll, request.amount == nil {
            // "Sab clear kar diya": all that is owed, and always asked about.
            let balance = try book.balance(of: customer)
            guard balance > .zero else {
                return reply(request, "MISSING_AMOUNT", turn.prompter.balance(name, balance), turn)
            }
            request.amount = balance
            request.mustAsk = true
        }
        if request.intent == "RECORD_PAYMENT" {
            guard let amount = request.amount else {
                return askSlot(
                    "amount", request, &turn, code: "MISSING_AMOUNT",
                    turn.prompter.say("amount.missing", ["name": name]))
            }
            splits = [PaymentSplit(amount: amount, mode: request.mode ?? .cash)]
        }
        guard !splits.isEmpty else {
            return reply(request, "MISSING_SPLITS", turn.prompter.say("amount.missing", ["name": name]), turn)
        }
        guard splits.allSatisfy({ $0.amount > .zero }) else { return negative(request, turn) }
        var total = Paise.zero
        for split in splits { total = try total.adding(split.amount) }
        let prompter = turn.prompter
        let list = prompter.list(
            splits.map { prompter.say("split", ["money": prompter.money($0.amount), "mode": prompter.mode($0.mode)]) })
        let fields = [
            "name": name, "money": turn.prompter.money(splits[0].amount), "mode": turn.prompter.mode(splits[0].mode),
            "list": list,
        ]
        let line = splits.count == 1 ? "payment" : "mixed"
        if mustAsk(request, total, isConfirmed: isConfirmed) {
            return askYesNo(request, &turn, turn.prompter.say(line + ".ask", fields))
        }
        let fact = try write(.receivePayment(customer, splits), &turn)
        if let answer = held(fact, request, turn.prompter.money(total), turn) { return answer }
        remember(fact, request, turn)
        let rest = turn.prompter.rest(try after(fact, customer))
        return reply(request, "OK", turn.prompter.say(line + ".done", fields.merging(["rest": rest]) { $1 }), turn)
    }

    private func negative(_ request: Request, _ turn: Turn) -> Answer {
        reply(request, "MISSING_AMOUNT", turn.prompter.say("again.negative"), turn)
    }

    /// The balance after a fact; from the fact where it tells, so that a replayed one says the same again.
    func after(_ fact: Committed, _ customer: CustomerID) throws(BookError) -> Paise {
        switch fact.outcome {
        case .balance(let balance): balance
        case .invoice(_, _, let balance?), .cancelled(_, _, let balance?): balance
        default: try book.balance(of: customer)
        }
    }

    /// What "nahi, teen sau" would correct.
    mutating func remember(_ fact: Committed, _ request: Request, _ turn: Turn) {
        state!.lastEntry = DialogueState.Entry(event: fact.event, request: request, at: turn.now)
    }

    // MARK: Balances

    func checkBalance(_ request: Request, _ turn: inout Turn) throws(BookError) -> Answer {
        guard let customer = request.customer else { return again(turn.prompter.say("again"), turn) }
        let balance = try book.balance(of: customer)
        return reply(request, "OK", turn.prompter.balance(turn.names.spoken(customer), balance), turn)
    }

    /// "Rahul aur Priya ka balance": each of them, where each is somebody.
    mutating func balances(of heard: Interpretation, _ request: Request, _ turn: inout Turn) throws(BookError)
        -> Answer?
    {
        var customers: [CustomerID] = []
        for range in heard.people {
            guard case .one(let match) = turn.shelf.matcher.resolve(heard.reading.text(range)) else { return nil }
            customers.append(turn.shelf.customers[match.index].id)
        }
        for customer in customers.reversed() { speakOf(customer, turn) }
        state!.lastIntent = request.intent
        return tellBalances(customers, request, turn)
    }

    mutating func tellBalances(_ customers: [CustomerID], _ request: Request, _ turn: Turn) -> Answer {
        var request = request
        request.customer = customers.first
        state!.isTogether = true
        let lines = customers.compactMap { id in
            turn.names.customer(id).map { turn.prompter.balance(turn.names.spoken(id), $0.balance) }
        }
        return reply(request, "OK", lines.joined(separator: " "), turn)
    }

    /// Who owes, most first.
    private func owing(_ turn: Turn) -> [Customer] {
        turn.shelf.customers.filter { $0.balance > .zero }.sorted { ($1.balance, $0.id) < ($0.balance, $1.id) }
    }

    func totalPending(_ request: Request, _ turn: inout Turn) throws(BookError) -> Answer {
        let owing = owing(turn)
        guard !owing.isEmpty else { return reply(request, "OK", turn.prompter.say("total.none"), turn) }
        var total = Paise.zero
        for customer in owing { total = try total.adding(customer.balance) }
        return reply(
            request, "OK",
            turn.prompter.say("total.some", ["money": turn.prompter.money(total), "count": "\(owing.count)"]), turn)
    }

    /// Names that are spoken in one list; the rest is counted.
    static let spokenNamesMax = 8

    func listBalances(_ request: Request, _ turn: inout Turn) throws(BookError) -> Answer {
        let owing = owing(turn)
        guard !owing.isEmpty else { return reply(request, "OK", turn.prompter.say("list.none"), turn) }
        var total = Paise.zero
        for customer in owing { total = try total.adding(customer.balance) }
        let prompter = turn.prompter
        let names = turn.names
        var items = owing.prefix(Self.spokenNamesMax).map {
            prompter.say("list.item", ["name": names.spoken($0.id), "money": prompter.money($0.balance)])
        }
        if owing.count > Self.spokenNamesMax {
            items.append(prompter.say("list.more", ["count": "\(owing.count - Self.spokenNamesMax)"]))
        }
        let list = items.joined(separator: ", ")
        return reply(request, "OK", prompter.say("list.some", ["list": list, "money": prompter.money(total)]), turn)
    }

    // MARK: Taking back

    mutating func undoLast(_ request: Request, _ turn: inout Turn) throws(BookError) -> Answer {
        guard let last = try book.lastReversible() else {
            return reply(request, "NO_INVOICE", turn.prompter.say("undo.none"), turn)
        }
        let fields = [
            "name": last.customer.map { turn.names.spoken($0) } ?? "", "money": turn.prompter.money(last.amount),
        ]
        let what: String =
            switch last.command {
            case "credit": turn.prompter.say("undo.credit", fields)
            case "payment": turn.prompter.say("undo.payment", fields)
            case "bill": turn.prompter.say("undo.bill", fields)
            default: turn.prompter.say("undo.stock")
            }
        var request = request
        request.customer = last.customer
        return askYesNo(request, &turn, turn.prompter.say("undo.ask", ["line": what])) { $0.event = last.event }
    }

    mutating func undoNow(_ question: OpenQuestion, _ turn: inout Turn) throws(BookError) -> Answer {
        guard let event = question.event else { return again(turn.prompter.say("again"), turn) }
        let fact = try write(.reverse(event: event, reason: "undone"), &turn)
        state!.lastEntry = nil
        let rest: String
        if let customer = question.request.customer {
            rest = turn.prompter.rest(try after(fact, customer))
        } else {
            rest = ""
        }
        return reply(question.request, "OK", turn.prompter.say("undo.done", ["rest": rest]), turn)
    }
}
