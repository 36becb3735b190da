import JSONText
import Ledger

// People: made, changed, told about, erased.
extension Dialogue {
    // MARK: New

    mutating func newCustomer(_ request: Request, _ turn: inout Turn) throws(BookError) -> Answer {
        guard let name = request.texts["name"], !name.isEmpty else {
            return reply(request, "MISSING_NAME", turn.prompter.say("customer.name"), turn, earcon: .question)
        }
        let keys = Grammar.keys(name)
        if let same = turn.names.customers(named: keys).first {
            let isTold =
                request.texts["landmark"].map {
                    Grammar.keys($0) != turn.names.customer(same)?.details.landmark.map { Grammar.keys($0) }
                } ?? false
            if !isTold {
                return reply(
                    request, "DUPLICATE_FOUND", turn.prompter.say("customer.same", ["near": turn.names.spoken(same)]),
                    turn)
            }
        }
        let match: NameMatcher.Match? =
            switch turn.shelf.matcher.resolve(name) {
            case .none: nil
            case .one(let match): match
            case .several(let matches), .weak(let matches): matches.first
            }
        if let match {
            let near = turn.shelf.customers[match.index].id
            let speech = turn.prompter.say("customer.near", ["near": turn.names.spoken(near), "name": name])
            ask(.newCustomer, request, &turn, speech: speech)
            return reply(request, "DUPLICATE_FOUND", speech, turn, earcon: .question)
        }
        if let amount = request.amount, amount > configuration.askAbove {
            let speech = turn.prompter.say("customer.new.ask", ["name": name, "money": turn.prompter.money(amount)])
            return askYesNo(request, &turn, speech)
        }
        if request.mustAsk {
            return askYesNo(request, &turn, turn.prompter.say("customer.new.heard", ["name": name]))
        }
        return try createCustomer(request, &turn)
    }

    mutating func createCustomer(_ request: Request, _ turn: inout Turn) throws(BookError) -> Answer {
        guard let name = request.texts["name"] else { return again(turn.prompter.say("again"), turn) }
        var details = CustomerDetails(name: name)
        details.phone = request.texts["phone"]
        details.email = request.texts["email"]
        details.landmark = request.texts["landmark"]
        details.nickname = request.texts["nickname"]
        details.notes = request.texts["notes"]
        details.gstin = request.texts["gstin"]
        details.pan = request.texts["pan"]
        let opening = request.amount ?? .zero
        guard opening >= .zero else {
            return reply(request, "MISSING_AMOUNT", turn.prompter.say("again.negative"), turn)
        }
        let fact = try write(.createCustomer(details, opening: opening), &turn)
        if case .customer(let id) = fact.outcome { speakOf(id, turn) }
        let speech =
            opening == .zero
            ? turn.prompter.say("customer.new", ["name": name])
            : turn.prompter.say("customer.new.owes", ["name": name, "money": turn.prompter.money(opening)])
        return reply(request, "OK", speech, turn)
    }

    // MARK: Changes

    private static let fieldNames = [
        "name", "phone", "email", "nickname", "landmark", "area", "address", "gstin", "pan", "notes",
    ]

    mutating func updateCustomer(_ request: Request, _ turn: inout Turn) throws(BookError) -> Answer {
        guard let customer = request.customer, let person = turn.names.customer(customer) else {
            return again(turn.prompter.say("again"), turn)
        }
        let name = turn.names.spoken(customer)
        let fields = Self.fieldNames.filter { request.texts[$0] != nil }
        guard !fields.isEmpty else {
            if request.intent == "UPDATE_CUSTOMER_PHONE" {
                return reply(
                    request, "MISSING_PHONE", turn.prompter.say("customer.phone.missing", ["name": name]), turn,
                    earcon: .question)
            }
            return reply(
                request, "NO_FIELDS_PROVIDED", turn.prompter.say("customer.fields", ["name": name]), turn,
                earcon: .question)
        }
        var details = person.details
        var speech: [String] = []
        for field in fields {
            let value = request.texts[field]!
            switch field {
            case "name": details.name = value
            case "phone": details.phone = value
            case "email": details.email = value
            case "nickname": details.nickname = value
            case "landmark": details.landmark = value
            case "area": details.area = value
            case "address": details.address = value
            case "gstin": details.gstin = value
            case "pan": details.pan = value
            default: details.notes = value
            }
            let spoken = field == "phone" ? turn.prompter.phone(value) : value
            speech.append(
                turn.prompter.say(
                    "customer.updated", ["name": name, "field": turn.prompter.term(field), "value": spoken]))
        }
        _ = try write(.updateCustomer(customer, details), &turn)
        return reply(request, "OK", speech.joined(separator: " "), turn)
    }

    /// An e-mail address said alone belongs to whoever was spoken of; where their bill was just made it is sent there.
    mutating func provideEmail(_ request: Request, _ turn: inout Turn) throws(BookError) -> Answer {
        guard let email = request.texts["email"], SpokenCodes.isEmail(email) else {
            return reply(request, "INVALID_EMAIL", turn.prompter.say("email.invalid"), turn)
        }
        guard let customer = request.customer, let person = turn.names.customer(customer) else {
            return again(turn.prompter.say("again"), turn)
        }
        var details = person.details
        details.email = email
        _ = try write(.updateCustomer(customer, details), &turn)
        let name = turn.names.spoken(customer)
        if let number = state!.lastInvoice,
            let invoice = try book.invoices(of: customer, limit: 5).first(where: { $0.number == number }),
            invoice.status == .confirmed
        {
            _ = try write(
                .send(
                    OutgoingMessage(
                        id: identity(&turn), kind: "invoice", customer: customer, to: email, reference: number)),
                &turn)
            state!.lastInvoice = nil
        }
        return reply(request, "OK", turn.prompter.say("email.saved", ["name": name, "email": email]), turn)
    }

    // MARK: Telling

    func customerInfo(_ request: Request, _ turn: inout Turn) -> Answer {
        guard let customer = request.customer, let person = turn.names.customer(customer) else {
            return again(turn.prompter.say("again"), turn)
        }
        let name = turn.names.spoken(customer)
        let prompter = turn.prompter
        if request.texts["asked"] == "phone" {
            guard let phone = person.details.phone else {
                return reply(request, "NO_PHONE", prompter.say("customer.phone.none", ["name": name]), turn)
            }
            return reply(
                request, "OK", prompter.say("customer.phone", ["name": name, "phone": prompter.phone(phone)]), turn)
        }
        var facts = [prompter.balance(name, person.balance)]
        if let landmark = person.details.landmark {
            facts.append(prompter.say("fact.landmark", ["value": landmark]) + ".")
        }
        if let phone = person.details.phone {
            facts.append(prompter.say("fact.phone", ["value": prompter.phone(phone)]) + ".")
        }
        if let email = person.details.email { facts.append(prompter.say("fact.email", ["value": email]) + ".") }
        if let notes = person.details.notes { facts.append(prompter.say("fact.notes", ["value": notes]) + ".") }
        return reply(
            request, "OK", prompter.say("customer.info", ["name": name, "facts": facts.joined(separator: " ")]), turn)
    }

    /// Entries that are read out.
    private static let historyMax = 5

    func customerHistory(_ request: Request, _ turn: inout Turn) throws(BookError) -> Answer {
        guard let customer = request.customer else { return again(turn.prompter.say("again"), turn) }
        let prompter = turn.prompter
        var lines: [(at: WallTime, text: String)] = []
        for invoice in try book.invoices(of: customer, limit: Self.historyMax) where invoice.status == .confirmed {
            lines.append((invoice.at, prompter.say("history.bill", ["money": prompter.money(invoice.total)])))
        }
        for payment in try book.payments(of: customer, limit: Self.historyMax) where !payment.isReversed {
            lines.append((payment.at, prompter.say("history.payment", ["money": prompter.money(payment.split.amount)])))
        }
        let name = turn.names.spoken(customer)
        guard !lines.isEmpty else { return reply(request, "OK", prompter.say("history.none", ["name": name]), turn) }
        let newest = lines.sorted { $0.at > $1.at }.prefix(Self.historyMax).map(\.text)
        return reply(
            request, "OK", prompter.say("history.some", ["name": name, "list": newest.joined(separator: ", ")]), turn)
    }

    // MARK: Erasure

    /// Wrong PINs before the request ends.
    private static let wrongPINsMax = 3

    mutating func askErasure(_ request: Request, _ turn: inout Turn) -> Answer {
        guard let customer = request.customer else { return again(turn.prompter.say("again"), turn) }
        let speech = turn.prompter.say("delete.ask", ["name": turn.names.spoken(customer)])
        ask(.deletion, request, &turn, speech: speech)
        return reply(request, "UNAUTHORIZED", speech, turn, earcon: .question)
    }

    mutating func takePIN(_ isRight: Bool, _ turn: inout Turn) throws(BookError) -> Answer {
        guard let question = state!.question, question.kind == .deletion else {
            return Answer(intent: nil, code: nil, speech: turn.prompter.say("pin.nothing"), earcon: .failure)
        }
        guard isRight else {
            state!.question!.wrongPINs += 1
            if state!.question!.wrongPINs >= Self.wrongPINsMax {
                state!.question = nil
                return Answer(
                    intent: nil, code: "UNAUTHORIZED", speech: turn.prompter.say("delete.ended"), earcon: .failure)
            }
            return Answer(
                intent: nil, code: "UNAUTHORIZED", speech: turn.prompter.say("delete.wrong"), earcon: .failure)
        }
        if question.hasYes {
            state!.question = nil
            turn.base = question.base
            turn.commands = 0
            turn.evidence.confirmedBy = "keypad"
            return try eraseNow(question.request, &turn)
        }
        state!.question!.hasPIN = true
        let name = question.request.customer.map { turn.names.spoken($0) } ?? ""
        return Answer(
            intent: nil, code: "CONFIRMATION_NEEDED", speech: turn.prompter.say("delete.yes", ["name": name]),
            earcon: .question)
    }

    mutating func eraseNow(_ request: Request, _ turn: inout Turn) throws(BookError) -> Answer {
        guard let customer = request.customer else { return again(turn.prompter.say("again"), turn) }
        let name = turn.names.spoken(customer)
        turn.evidence.confirmedBy = "keypad"
        _ = try write(.eraseCustomer(customer), &turn)
        // Nothing the conversation keeps may name them any more.
        state = DialogueState()
        var answer = reply(request, "OK", turn.prompter.say("delete.done", ["name": name]), turn)
        answer.slots = ["customer": .string(name)]
        return answer
    }
}
