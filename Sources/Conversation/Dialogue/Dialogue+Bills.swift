import JSONText
import Ledger

// Drafts and bills. A draft writes nothing to the accounts; what is quoted is what is charged.
extension Dialogue {
    // MARK: Making

    mutating func createInvoice(_ request: Request, _ turn: inout Turn) throws(BookError) -> Answer {
        let name = request.customer.map { turn.names.spoken($0) }
        guard !request.items.isEmpty else {
            let line =
                name.map { turn.prompter.say("bill.items", ["name": $0]) } ?? turn.prompter.say("bill.items.walkin")
            return askSlot("items", request, &turn, code: "MISSING_ITEMS", line)
        }
        var request = request
        if let answer = try unpriced(request, &turn) { return answer }
        if let answer = otherPrice(request, &turn) { return answer }
        var lines: [BillLine] = []
        for item in request.items {
            guard let product = product(item.product, turn) else { return again(turn.prompter.say("again"), turn) }
            guard let quantity = Measure.own(item.quantity, item.unit, of: product.details), quantity > .zero else {
                return unknownUnit(item, product, request, turn)
            }
            lines.append(
                BillLine(product: product.id, quantity: quantity, unitPrice: item.price ?? product.details.price))
        }
        // A walk-in sale by "bina naam" is for nobody, whoever was spoken of before.
        if request.isAll { request.customer = nil }
        var bill = Bill(customer: request.customer, lines: lines)
        bill.withGST = request.withGST ?? false
        bill.isInterState = request.isInterState ?? false
        bill.buyerGSTIN = request.texts["gstin"]
        bill.roundsToRupee = try book.shop().rules.roundsBills
        let total = try PricedBill(bill, products: details(turn)).total
        bill.paidNow = request.splits
        if let paid = request.splits.first?.amount, request.customer == nil, paid > total {
            return reply(request, "MISSING_AMOUNT", turn.prompter.say("bill.paid.more"), turn, earcon: .question)
        }
        let draft = Draft(id: identity(&turn), bill: bill, madeAt: turn.now)
        if request.autoSend, !turn.isLate, !request.mustAsk, total <= configuration.askAbove {
            return try commit(draft, request, &turn, isStored: false)
        }
        _ = try write(.saveDraft(draft), &turn)
        state!.lastDraft = draft.id
        state!.lastDraftAt = turn.now
        let list = spokenLines(bill, turn)
        var fields = ["list": list, "money": turn.prompter.money(total)]
        fields["name"] = name
        let suffix = request.customer == nil ? ".walkin" : ""
        var warnings = shortages(bill, turn)
        if let sum = request.amount {
            warnings += turn.prompter.say("bill.sum.unread", ["money": turn.prompter.money(sum)]) + " "
        }
        for split in bill.paidNow {
            warnings += turn.prompter.say("bill.paid", paidFields(split, turn)) + " "
        }
        if request.autoSend || turn.isLate || request.mustAsk {
            let speech = warnings + turn.prompter.say("bill.ask" + suffix, fields)
            return askYesNo(request, &turn, speech) { $0.drafts = [draft.id] }
        }
        let speech = warnings + turn.prompter.say("bill.draft" + suffix, fields)
        return reply(request, "OK", speech, turn, earcon: .question, gate: .draft)
    }

    private func paidFields(_ split: PaymentSplit, _ turn: Turn) -> [String: String] {
        ["money": turn.prompter.money(split.amount), "mode": turn.prompter.mode(split.mode)]
    }

    /// A kind was named by a price the book does not have for it: never put aside, never taken without a yes.
    private mutating func otherPrice(_ request: Request, _ turn: inout Turn) -> Answer? {
        guard request.texts["prices"] == nil else { return nil }
        for item in request.items {
            guard let said = item.price, let product = product(item.product, turn), product.details.price != said
            else { continue }
            let speech = turn.prompter.say(
                "bill.price.other",
                [
                    "product": product.details.name, "own": turn.prompter.money(product.details.price),
                    "money": turn.prompter.money(said),
                ])
            var agreed = request
            agreed.texts["prices"] = "said"
            ask(.yesNo, agreed, &turn, speech: speech)
            return reply(request, "CONFIRMATION_NEEDED", speech, turn)
        }
        return nil
    }

    func product(_ id: ProductID?, _ turn: Turn) -> Product? {
        id.flatMap { id in turn.shelf.products.first { $0.id == id } }
    }

    /// As they are taxed today: what is quoted is what the book charges.
    func details(_ turn: Turn) -> [ProductID: ProductDetails] {
        let today = CivilTime(turn.now).day
        return Dictionary(
            turn.shelf.products.map { ($0.id, $0.details.asOf(today)) }, uniquingKeysWith: { first, _ in first })
    }

    /// A product nobody knows has no price: no part of the bill is made until it is known.
    private mutating func unpriced(_ request: Request, _ turn: inout Turn) throws(BookError) -> Answer? {
        guard let item = request.items.first(where: { $0.product == nil }) else { return nil }
        let speech = turn.prompter.say("bill.price", ["product": Naming.written(item.spoken)])
        ask(.price, request, &turn, speech: speech) { $0.slot = "price" }
        return reply(request, "PRODUCT_NOT_FOUND", speech, turn, earcon: .question)
    }

    /// The price was said: the product is made, the bill goes on.
    mutating func priceKnown(_ request: Request, _ question: OpenQuestion, _ turn: inout Turn) throws(BookError)
        -> Answer
    {
        var request = request
        guard let price = request.amount, let at = request.items.firstIndex(where: { $0.product == nil }) else {
            return again(turn.prompter.say("again"), turn)
        }
        request.amount = nil
        let item = request.items[at]
        // "Biscuit" is more than one thing here, and the price says which.
        let keys = Grammar.keys(item.spoken)
        if let known = keys.isEmpty ? nil : turn.shelf.product(keys, at: 0, upTo: keys.count),
            known.length == keys.count,
            let fitting = known.products.first(where: { turn.shelf.products[$0].details.price == price })
        {
            request.items[at].product = turn.shelf.products[fitting].id
            return try createInvoice(request, &turn)
        }
        let details = ProductDetails(name: Naming.written(item.spoken), unit: item.unit ?? "piece", price: price)
        let fact = try write(.createProduct(details, stock: .zero), &turn)
        guard case .product(let id) = fact.outcome else { return again(turn.prompter.say("again"), turn) }
        for index in request.items.indices
        where request.items[index].product == nil && request.items[index].spoken == item.spoken {
            request.items[index].product = id
        }
        turn.shelf.products.append(Product(id: id, details: details))
        return try createInvoice(request, &turn)
    }

    func unknownUnit(_ item: Request.Item, _ product: Product, _ request: Request, _ turn: Turn) -> Answer {
        let speech = turn.prompter.say(
            "bill.unit",
            [
                "product": product.details.name, "unit": item.unit ?? product.details.unit,
                "own": turn.prompter.term(product.details.unit),
            ])
        return reply(request, "MISSING_QUANTITY", speech, turn, earcon: .question)
    }

    func spokenLines(_ bill: Bill, _ turn: Turn) -> String {
        let prompter = turn.prompter
        return prompter.list(
            bill.lines.map { line in
                let product = product(line.product, turn)
                return prompter.say(
                    "bill.item",
                    [
                        "quantity": prompter.quantity(line.quantity, unit: product?.details.unit ?? ""),
                        "product": product?.details.name ?? "",
                    ])
            })
    }

    func shortages(_ bill: Bill, _ turn: Turn) -> String {
        var needed: [ProductID: MilliQuantity] = [:]
        for line in bill.lines { needed[line.product, default: .zero] += line.quantity }
        var out = ""
        for product in turn.shelf.products {
            guard let wanted = needed[product.id], wanted > product.stock else { continue }
            out +=
                turn.prompter.say(
                    "bill.short",
                    [
                        "product": product.details.name,
                        "quantity": turn.prompter.quantity(product.stock, unit: product.details.unit),
                    ]) + " "
        }
        return out
    }

    // MARK: Committing

    private mutating func commit(_ draft: Draft, _ request: Request, _ turn: inout Turn, isStored: Bool)
        throws(BookError)
        -> Answer
    {
        // Named by the draft: the same draft is one invoice, however often a yes is heard.
        let id = ULID(high: draft.id.high, low: draft.id.low ^ 0x636F_6D6D_6974)
        let fact: Committed
        do throws(BookError) {
            fact = try book.perform(
                .commitBill(draft.bill, draft: isStored ? draft.id : nil), id: id, evidence: turn.evidence,
                at: turn.now)
        } catch {
            guard error == .refused(.clockUntrusted), let day = try book.dateToConfirm(at: turn.now) else {
                throw error
            }
            return try askDate(day, for: draft, isStored: isStored, request, &turn)
        }
        turn.committed.append(fact)
        var request = request
        request.customer = draft.bill.customer
        state!.lastDraft = nil
        state!.lastEntry = nil
        let total = try PricedBill(draft.bill, products: details(turn)).total
        if let answer = held(fact, request, turn.prompter.money(total), turn) { return answer }
        guard case .invoice(let number, let total, let balance) = fact.outcome else {
            return reply(request, "OK", turn.prompter.say("no.nothing"), turn)
        }
        state!.lastInvoice = number
        guard let customer = draft.bill.customer else {
            return reply(
                request, "OK", turn.prompter.say("bill.done.walkin", ["money": turn.prompter.money(total)]), turn)
        }
        speakOf(customer, turn)
        if let email = turn.names.customer(customer)?.details.email {
            _ = try write(
                .send(
                    OutgoingMessage(
                        id: identity(&turn), kind: "invoice", customer: customer, to: email, reference: number)),
                &turn)
        }
        let owed = if let balance { balance } else { try book.balance(of: customer) }
        let rest = turn.prompter.rest(owed) + overLimit(customer, owed, turn)
        let speech = turn.prompter.say(
            "bill.done", ["name": turn.names.spoken(customer), "money": turn.prompter.money(total), "rest": rest])
        return reply(request, "OK", speech, turn)
    }

    /// The yes to bills that were asked about whole.
    mutating func commitDrafts(_ question: OpenQuestion, _ turn: inout Turn) throws(BookError) -> Answer {
        let drafts = try book.drafts(now: turn.now)
        // The price was asked about before there was a draft.
        if question.drafts.isEmpty, question.request.texts["prices"] != nil {
            return try createInvoice(question.request, &turn)
        }
        guard let draft = drafts.first(where: { question.drafts.contains($0.id) }) else {
            return reply(question.request, "NO_PENDING_INVOICE", turn.prompter.say("bill.none"), turn)
        }
        var request = question.request
        request.intent = "CONFIRM_INVOICE"
        return try commit(draft, request, &turn, isStored: true)
    }

    mutating func confirmInvoice(_ request: Request, _ turn: inout Turn) throws(BookError) -> Answer {
        let drafts = try book.drafts(now: turn.now)
        guard !drafts.isEmpty else {
            return reply(request, "NO_PENDING_INVOICE", turn.prompter.say("bill.none"), turn)
        }
        if let customer = request.customer {
            guard let draft = drafts.first(where: { $0.bill.customer == customer }) else {
                let speech = turn.prompter.say("bill.none.of", ["name": turn.names.spoken(customer)])
                return reply(request, "NO_PENDING_INVOICE", speech, turn)
            }
            return try commit(draft, request, &turn, isStored: true)
        }
        if request.isAll, let draft = drafts.first(where: { $0.bill.customer == nil }) {
            return try commit(draft, request, &turn, isStored: true)
        }
        if let ordinal = request.ordinal {
            return try commit(
                ordinal < 0 ? drafts.last! : drafts[min(ordinal, drafts.count - 1)], request, &turn, isStored: true)
        }
        guard drafts.count == 1 else { return try askWhich(request, drafts, &turn) }
        return try commit(drafts[0], request, &turn, isStored: true)
    }

    mutating func askWhich(_ request: Request, _ drafts: [Draft], _ turn: inout Turn) throws(BookError)
        -> Answer
    {
        let prompter = turn.prompter
        let products = details(turn)
        var items: [String] = []
        for draft in drafts {
            let total = try PricedBill(draft.bill, products: products).total
            let name = draft.bill.customer.map { turn.names.spoken($0) } ?? prompter.term("walkin")
            items.append(prompter.say("bill.which.item", ["name": name, "money": prompter.money(total)]))
        }
        let speech = prompter.say("bill.which", ["list": prompter.list(items)])
        ask(.whichDraft, request, &turn, speech: speech) { $0.drafts = drafts.map(\.id) }
        return reply(request, "MULTIPLE_PENDING_INVOICES", speech, turn, earcon: .question)
    }
}
