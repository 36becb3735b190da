import JSONText
import Ledger

// Drafts read back, changed and cancelled; committed bills cancelled and sent.
extension Dialogue {
    // MARK: Looking

    /// The draft that is meant: the customer's, else the only one, else the one last read back.
    private func draft(_ request: Request, _ turn: Turn) throws(BookError) -> Draft? {
        let drafts = try book.drafts(now: turn.now)
        if let customer = request.customer { return drafts.first { $0.bill.customer == customer } }
        if let ordinal = request.ordinal, !drafts.isEmpty, request.intent != "MODIFY_INVOICE_ITEM" {
            return ordinal < 0 ? drafts.last : drafts[min(ordinal, drafts.count - 1)]
        }
        if drafts.count == 1 { return drafts[0] }
        return drafts.first { $0.id == state!.lastDraft && !isLapsed(state!.lastDraftAt, turn.now) }
    }

    mutating func showInvoice(_ request: Request, _ turn: inout Turn) throws(BookError) -> Answer {
        guard let draft = try draft(request, turn) else {
            let drafts = try book.drafts(now: turn.now)
            if drafts.count > 1, request.customer == nil { return try askWhich(request, drafts, &turn) }
            return reply(request, "NO_PENDING_INVOICE", turn.prompter.say("bill.none"), turn)
        }
        var request = request
        request.customer = draft.bill.customer
        return try readBack(draft, request, &turn)
    }

    private mutating func readBack(_ draft: Draft, _ request: Request, _ turn: inout Turn) throws(BookError) -> Answer {
        state!.lastDraft = draft.id
        state!.lastDraftAt = turn.now
        let total = try PricedBill(draft.bill, products: details(turn)).total
        var fields = ["list": spokenLines(draft.bill, turn), "money": turn.prompter.money(total)]
        fields["name"] = draft.bill.customer.map { turn.names.spoken($0) }
        let suffix = draft.bill.customer == nil ? ".walkin" : ""
        let speech = shortages(draft.bill, turn) + turn.prompter.say("bill.draft" + suffix, fields)
        return reply(request, "OK", speech, turn, earcon: .question, gate: .draft)
    }

    /// Stores a changed draft under its own id and place in time.
    private mutating func keep(_ draft: Draft, _ turn: inout Turn) throws(BookError) -> Paise {
        let total = try PricedBill(draft.bill, products: details(turn)).total
        _ = try write(.saveDraft(draft), &turn)
        state!.lastDraft = draft.id
        state!.lastDraftAt = turn.now
        return total
    }

    mutating func modifyItems(_ request: Request, _ turn: inout Turn) throws(BookError) -> Answer {
        guard var draft = try draft(request, turn) else {
            let drafts = try book.drafts(now: turn.now)
            if drafts.count > 1 { return try askWhich(request, drafts, &turn) }
            return reply(request, "NO_PENDING_INVOICE", turn.prompter.say("bill.none"), turn)
        }
        var request = request
        request.customer = draft.bill.customer
        if let answer = try unknownItem(request, &turn) { return answer }
        // A sum or a price said with the change is not put aside.
        if request.amount != nil || request.items.contains(where: { otherwisePriced($0, turn) }) {
            return again(turn.prompter.say("again.many"), turn)
        }
        for item in request.items {
            guard let product = product(item.product, turn) else { continue }
            guard let quantity = Measure.own(item.quantity, item.unit, of: product.details), quantity > .zero else {
                return unknownUnit(item, product, request, turn)
            }
            let at = draft.bill.lines.firstIndex { $0.product == product.id }
            if request.ordinal != nil {
                guard let at else { return itemMissing(product.details.name, request, turn) }
                if item.isCounted, draft.bill.lines[at].quantity > quantity {
                    draft.bill.lines[at].quantity = draft.bill.lines[at].quantity - quantity
                } else {
                    draft.bill.lines.remove(at: at)
                }
            } else if let at {
                draft.bill.lines[at].quantity =
                    request.isAll ? quantity : draft.bill.lines[at].quantity + quantity
            } else {
                draft.bill.lines.append(
                    BillLine(product: product.id, quantity: quantity, unitPrice: product.details.price))
            }
        }
        guard !draft.bill.lines.isEmpty else { return try drop([draft], &turn) }
        _ = try keep(draft, &turn)
        return try readBack(draft, request, &turn)
    }

    private func otherwisePriced(_ item: Request.Item, _ turn: Turn) -> Bool {
        guard let price = item.price, let product = product(item.product, turn) else { return false }
        return product.details.price != price
    }

    private func unknownItem(_ request: Request, _ turn: inout Turn) throws(BookError) -> Answer? {
        guard let item = request.items.first(where: { $0.product == nil }) else { return nil }
        return reply(
            request, "PRODUCT_NOT_FOUND", turn.prompter.say("stock.unknown", ["product": Naming.written(item.spoken)]),
            turn)
    }

    private func itemMissing(_ product: String, _ request: Request, _ turn: Turn) -> Answer {
        reply(request, "ITEM_NOT_FOUND", turn.prompter.say("bill.item.missing", ["product": product]), turn)
    }

    /// GST, place of supply, discount, price tier: the draft is priced anew and read back.
    mutating func changeTerms(_ request: Request, _ turn: inout Turn) throws(BookError) -> Answer {
        guard var draft = try draft(request, turn) else {
            let drafts = try book.drafts(now: turn.now)
            if drafts.count > 1 { return try askWhich(request, drafts, &turn) }
            let line = request.intent == "SET_PRICE_TIER" ? "bill.tier.none" : "bill.none"
            return reply(request, "NO_PENDING_INVOICE", turn.prompter.say(line), turn)
        }
        let prompter = turn.prompter
        var line = ""
        var fields: [String: String] = [:]
        switch request.intent {
        case "TOGGLE_GST":
            draft.bill.withGST = request.withGST ?? true
            line = draft.bill.withGST ? "bill.gst.on" : "bill.gst.off"
        case "SET_SUPPLY_TYPE":
            draft.bill.isInterState = request.isInterState ?? true
            // IGST asked for is GST asked for.
            if draft.bill.isInterState { draft.bill.withGST = true }
            line = draft.bill.isInterState ? "bill.igst.on" : "bill.igst.off"
        case "SET_PRICE_TIER":
            let tier = request.tier ?? 0
            draft.bill.priceTier = tier
            for index in draft.bill.lines.indices {
                guard let product = product(draft.bill.lines[index].product, turn) else { continue }
                draft.bill.lines[index].unitPrice = product.details.tierPrices[tier] ?? product.details.price
            }
            line = "bill.tier"
            fields["tier"] = prompter.term("tier.\(tier)")
        default:
            guard let discount = request.discount else {
                return reply(
                    request, "MISSING_DISCOUNT", prompter.say("bill.discount.missing"), turn, earcon: .question)
            }
            if let item = request.product ?? (request.spokenProduct == nil ? nil : ProductID(rawValue: -1)) {
                guard let at = draft.bill.lines.firstIndex(where: { $0.product == item }) else {
                    let name = product(request.product, turn)?.details.name ?? request.spokenProduct ?? ""
                    return itemMissing(name, request, turn)
                }
                draft.bill.lines[at].discount = discount
            } else {
                draft.bill.discount = discount
            }
            line = "bill.discount"
            switch discount {
            case .share(let share): fields["discount"] = prompter.percent(share)
            case .amount(let told): fields["discount"] = prompter.money(told)
            }
        }
        let total = try keep(draft, &turn)
        fields["money"] = prompter.money(total)
        return reply(request, "OK", prompter.say(line, fields), turn, earcon: .question, gate: .draft)
    }

    // MARK: Cancelling

    mutating func cancelInvoice(_ request: Request, _ turn: inout Turn) throws(BookError) -> Answer {
        let drafts = try book.drafts(now: turn.now)
        if request.isAll {
            guard !drafts.isEmpty else {
                return reply(request, "NO_PENDING_INVOICE", turn.prompter.say("bill.none"), turn)
            }
            let speech = turn.prompter.say("bill.cancel.ask.all", ["count": "\(drafts.count)"])
            return askYesNo(request, &turn, speech) { $0.drafts = drafts.map(\.id) }
        }
        if request.customer == nil, request.ordinal == nil, drafts.count > 1 {
            return try askCancelWhich(request, drafts, &turn)
        }
        if let draft = try draft(request, turn) {
            let total = try PricedBill(draft.bill, products: details(turn)).total
            var request = request
            request.customer = draft.bill.customer
            let speech = cancelQuestion(draft.bill.customer, total, turn)
            return askYesNo(request, &turn, speech) { $0.drafts = [draft.id] }
        }
        let newest = try book.invoices(of: request.customer, limit: 20).first { $0.status == .confirmed }
        guard let invoice = newest else {
            let line =
                request.customer.map { turn.prompter.say("bill.none.of", ["name": turn.names.spoken($0)]) }
                ?? turn.prompter.say("bill.none")
            return reply(request, "NO_INVOICE", line, turn)
        }
        var request = request
        request.customer = invoice.bill.customer
        let speech = cancelQuestion(invoice.bill.customer, invoice.total, turn)
        return askYesNo(request, &turn, speech) { $0.invoice = invoice.number }
    }

    private mutating func askCancelWhich(_ request: Request, _ drafts: [Draft], _ turn: inout Turn) throws(BookError)
        -> Answer
    {
        let customers = drafts.compactMap { $0.bill.customer }
        let speech = turn.prompter.say("who.several", ["list": tellApart(customers, turn)])
        ask(.which, request, &turn, speech: speech) { $0.options = customers }
        return reply(request, "MULTIPLE_PENDING_INVOICES", speech, turn, earcon: .question)
    }

    private func cancelQuestion(_ customer: CustomerID?, _ total: Paise, _ turn: Turn) -> String {
        let money = turn.prompter.money(total)
        guard let customer else { return turn.prompter.say("bill.cancel.ask.walkin", ["money": money]) }
        return turn.prompter.say("bill.cancel.ask", ["name": turn.names.spoken(customer), "money": money])
    }

    mutating func cancelNow(_ question: OpenQuestion, _ turn: inout Turn) throws(BookError) -> Answer {
        if let number = question.invoice {
            let fact = try write(.cancelInvoice(number: number), &turn)
            guard case .cancelled(_, let total, _) = fact.outcome, let customer = question.request.customer else {
                let total = try book.invoices(of: nil, limit: 50).first { $0.number == number }?.total ?? .zero
                let speech = turn.prompter.say("bill.cancelled.walkin", ["money": turn.prompter.money(total)])
                return reply(question.request, "OK", speech, turn)
            }
            let rest = turn.prompter.rest(try after(fact, customer))
            let speech = turn.prompter.say(
                "bill.cancelled",
                ["name": turn.names.spoken(customer), "money": turn.prompter.money(total), "rest": rest])
            return reply(question.request, "OK", speech, turn)
        }
        let drafts = try book.drafts(now: turn.now).filter { question.drafts.contains($0.id) }
        return try drop(drafts, &turn, isAll: question.request.isAll)
    }

    mutating func drop(_ drafts: [Draft], _ turn: inout Turn, isAll: Bool = false) throws(BookError) -> Answer {
        var request = Request(intent: "CANCEL_INVOICE")
        request.isAll = isAll
        guard let first = drafts.first else {
            return reply(request, "NO_PENDING_INVOICE", turn.prompter.say("bill.none"), turn)
        }
        for draft in drafts { _ = try write(.dropDraft(draft.id), &turn) }
        state!.lastDraft = nil
        if isAll { return reply(request, "OK", turn.prompter.say("bill.dropped.all"), turn) }
        request.customer = first.bill.customer
        let line =
            first.bill.customer.map { turn.prompter.say("bill.dropped", ["name": turn.names.spoken($0)]) }
            ?? turn.prompter.say("bill.dropped.walkin")
        return reply(request, "OK", line, turn)
    }

    // MARK: Sending

    /// Asks the gateway to send the last bill; where the address is not known it is asked for.
    mutating func sendInvoice(_ request: Request, _ turn: inout Turn) throws(BookError) -> Answer {
        guard let customer = request.customer, let person = turn.names.customer(customer) else {
            return again(turn.prompter.say("again"), turn)
        }
        let name = turn.names.spoken(customer)
        guard let invoice = try book.invoices(of: customer, limit: 20).first(where: { $0.status == .confirmed }) else {
            return reply(request, "NO_INVOICE", turn.prompter.say("bill.none.of", ["name": name]), turn)
        }
        let channel = request.texts["channel"] ?? (person.details.email != nil ? "email" : "whatsapp")
        guard let to = channel == "email" ? person.details.email : person.details.phone else {
            let code = channel == "email" ? "INVALID_EMAIL" : "NO_PHONE"
            state!.lastInvoice = invoice.number
            let speech = turn.prompter.say("bill.send.missing", ["name": name, "channel": turn.prompter.term(channel)])
            return reply(request, code, speech, turn, earcon: .question)
        }
        _ = try write(
            .send(
                OutgoingMessage(
                    id: identity(&turn), kind: "invoice", customer: customer, to: to, reference: invoice.number)),
            &turn)
        let spoken = channel == "email" ? to : turn.prompter.term(channel)
        return reply(request, "OK", turn.prompter.say("bill.sent", ["name": name, "to": spoken]), turn)
    }
}
