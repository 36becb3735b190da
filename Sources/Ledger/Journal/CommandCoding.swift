// Commands as CBOR: what an event's body holds and what idempotency compares. Personal data never enters a body;
// where a command carries some, the body has a salted commitment and the sealed side table has the data.

extension Command {
    /// Stable numbers: an event written today is read for ever.
    enum Code {
        static let openShop: Int64 = 1
        static let setLanguage: Int64 = 2
        static let setRules: Int64 = 3
        static let resume: Int64 = 4
        static let createCustomer: Int64 = 10
        static let updateCustomer: Int64 = 11
        static let addAlias: Int64 = 12
        static let removeAlias: Int64 = 13
        static let mergeCustomer: Int64 = 14
        static let unmergeCustomer: Int64 = 15
        static let eraseCustomer: Int64 = 16
        static let createProduct: Int64 = 20
        static let updateProduct: Int64 = 21
        static let moveStock: Int64 = 22
        static let receiveBatch: Int64 = 23
        static let giveCredit: Int64 = 30
        static let receivePayment: Int64 = 31
        static let saveDraft: Int64 = 40
        static let dropDraft: Int64 = 41
        static let commitBill: Int64 = 42
        static let cancelInvoice: Int64 = 43
        static let reverse: Int64 = 44
        static let creditNote: Int64 = 45
        static let hold: Int64 = 46
        static let void: Int64 = 47
        static let saveReminder: Int64 = 50
        static let cancelReminder: Int64 = 51
        static let send: Int64 = 52
        static let fireReminder: Int64 = 53
        static let closeDay: Int64 = 60
        static let confirmDate: Int64 = 61
        static let recordCall: Int64 = 70

        /// How many arguments each has; what is not here is not known. `hold` has one more than what it holds.
        static let argumentCounts: [Int64: Int] = [
            openShop: 3, setLanguage: 1, setRules: 3, resume: 4, createCustomer: 2, updateCustomer: 2, addAlias: 2,
            removeAlias: 2,
            mergeCustomer: 2, unmergeCustomer: 1, eraseCustomer: 1, createProduct: 2, updateProduct: 2, moveStock: 3,
            receiveBatch: 4,
            giveCredit: 3, receivePayment: 2, saveDraft: 3, dropDraft: 1, commitBill: 2, cancelInvoice: 1, reverse: 2,
            creditNote: 4, void: 2, saveReminder: 5, cancelReminder: 1, send: 5, fireReminder: 3, closeDay: 2,
            confirmDate: 1, recordCall: 6,
        ]
    }

    var code: Int64 {
        switch self {
        case .openShop: Code.openShop
        case .setLanguage: Code.setLanguage
        case .setRules: Code.setRules
        case .resume: Code.resume
        case .confirmDate: Code.confirmDate
        case .createCustomer: Code.createCustomer
        case .updateCustomer: Code.updateCustomer
        case .addAlias: Code.addAlias
        case .removeAlias: Code.removeAlias
        case .mergeCustomer: Code.mergeCustomer
        case .unmergeCustomer: Code.unmergeCustomer
        case .eraseCustomer: Code.eraseCustomer
        case .createProduct: Code.createProduct
        case .updateProduct: Code.updateProduct
        case .moveStock: Code.moveStock
        case .receiveBatch: Code.receiveBatch
        case .giveCredit: Code.giveCredit
        case .receivePayment: Code.receivePayment
        case .saveDraft: Code.saveDraft
        case .dropDraft: Code.dropDraft
        case .commitBill: Code.commitBill
        case .cancelInvoice: Code.cancelInvoice
        case .reverse: Code.reverse
        case .creditNote: Code.creditNote
        case .hold: Code.hold
        case .void: Code.void
        // Never stored: what it posts is written as the command that was held, naming the hold.
        case .settle: 0
        case .saveReminder: Code.saveReminder
        case .cancelReminder: Code.cancelReminder
        case .fireReminder: Code.fireReminder
        case .send: Code.send
        case .closeDay: Code.closeDay
        case .recordCall: Code.recordCall
        }
    }

    /// Name for logs and `lastReversible`.
    static func word(_ code: Int64) -> String {
        switch code {
        case Code.giveCredit: "credit"
        case Code.receivePayment: "payment"
        case Code.commitBill: "bill"
        case Code.moveStock, Code.receiveBatch: "stock"
        case Code.creditNote: "return"
        default: "other"
        }
    }

    /// The arguments that may stand in the journal for ever.
    func arguments(commitment: [UInt8]?) -> [CBORValue] {
        switch self {
        case .openShop(let shop): [.text(shop.name), .text(shop.state), .text(shop.language)]
        case .setLanguage(let language): [.text(language)]
        case .setRules(let rules):
            [.bool(rules.roundsBills), .optional(rules.holdAbove?.rawValue), .optional(rules.holdBelowMilli)]
        case .resume(let after, let retired):
            [.integer(after.epoch), .integer(after.seq), .bytes(after.hash), .text(retired)]
        case .confirmDate(let day): [.integer(day.number)]
        case .createCustomer(_, let opening): [.optional(commitment), .integer(opening.rawValue)]
        case .updateCustomer(let id, _), .addAlias(let id, _), .removeAlias(let id, _):
            [.integer(id.rawValue), .optional(commitment)]
        case .mergeCustomer(let id, let into): [.integer(id.rawValue), .integer(into.rawValue)]
        case .unmergeCustomer(let id), .eraseCustomer(let id): [.integer(id.rawValue)]
        case .createProduct(let details, let stock): [details.cbor, .integer(stock.rawValue)]
        case .updateProduct(let id, let details): [.integer(id.rawValue), details.cbor]
        case .moveStock(let id, let quantity, let reason):
            [.integer(id.rawValue), .integer(quantity.rawValue), .text(reason)]
        case .receiveBatch(let id, let quantity, let batch):
            [
                .integer(id.rawValue), .integer(quantity.rawValue), .text(batch.number),
                .optional(batch.expires?.number),
            ]
        case .giveCredit(let id, let amount, _):
            [.integer(id.rawValue), .integer(amount.rawValue), .optional(commitment)]
        case .receivePayment(let id, let splits): [.integer(id.rawValue), .array(splits.map(\.cbor))]
        case .saveDraft(let draft): [.bytes(draft.id.bytes), draft.bill.cbor, .integer(draft.madeAt.rawValue)]
        case .dropDraft(let id): [.bytes(id.bytes)]
        case .commitBill(let bill, let draft): [bill.cbor, .optional(draft?.bytes)]
        case .cancelInvoice(let number): [.text(number)]
        case .reverse(let event, let reason): [.bytes(event.bytes), .text(reason)]
        case .creditNote(let note):
            [
                .text(note.invoice),
                .array(note.returns.flatMap { [.integer(Int64($0.line)), .integer($0.quantity.rawValue)] }),
                .array(note.refund.map(\.cbor)), .text(note.reason),
            ]
        case .hold(let held): [.integer(held.command.code)] + held.command.arguments(commitment: commitment)
        case .settle: []
        case .void(let hold, let reason): [.bytes(hold.bytes), .text(reason)]
        case .saveReminder(let reminder):
            [
                .bytes(reminder.id.bytes), .integer(reminder.customer.rawValue), .integer(reminder.amount.rawValue),
                .integer(reminder.firesAt.rawValue), .optional(reminder.recurrence),
            ]
        case .cancelReminder(let id): [.bytes(id.bytes)]
        case .fireReminder(let id, let due, let next):
            [.bytes(id.bytes), .integer(due.rawValue), .optional(next?.rawValue)]
        case .send(let message):
            [
                .bytes(message.id.bytes), .text(message.kind), .optional(message.customer?.rawValue),
                .optional(commitment), .optional(message.reference),
            ]
        case .closeDay(let day, let cash): [.integer(day.number), .integer(cash.rawValue)]
        case .recordCall(let call):
            [
                .text(call.method), .text(call.level), .integer(call.uid), .optional(call.token), .text(call.result),
                .integer(call.times),
            ]
        }
    }

    /// The personal part, to be sealed; nil where there is none.
    var personal: CBORValue? {
        switch self {
        case .createCustomer(let details, _), .updateCustomer(_, let details): details.cbor
        case .addAlias(_, let alias), .removeAlias(_, let alias): .text(alias)
        case .giveCredit(_, _, let note): note.map { .text($0) }
        case .hold(let held): held.command.personal
        case .send(let message): .text(message.to)
        default: nil
        }
    }
}

extension CustomerDetails {
    var cbor: CBORValue {
        .array([
            .text(name), .optional(nickname), .optional(landmark), .optional(phone), .optional(email), .optional(area),
            .optional(address), .optional(gstin), .optional(pan), .optional(notes), .optional(creditLimit?.rawValue),
        ])
    }

    init?(_ cbor: CBORValue?) {
        guard let fields = cbor?.array, fields.count == 11, let name = fields[0].text else { return nil }
        self.init(name: name)
        nickname = fields[1].text
        landmark = fields[2].text
        phone = fields[3].text
        email = fields[4].text
        area = fields[5].text
        address = fields[6].text
        gstin = fields[7].text
        pan = fields[8].text
        notes = fields[9].text
        creditLimit = fields[10].integer.map { Paise($0) }
    }
}

extension ProductDetails {
    var cbor: CBORValue {
        var fields: [CBORValue] = [
            .text(name), .array(aliases.map { .text($0) }), .text(unit), .integer(price.rawValue),
            .map(Dictionary(uniqueKeysWithValues: tierPrices.map { (Int64($0.key), .integer($0.value.rawValue)) })),
            .integer(gstRate.rawValue), .integer(cessRate.rawValue), .bool(isExempt), .optional(hsn),
            .array(
                conversions.sorted { $0.key < $1.key }.map { .array([.text($0.key), .integer($0.value.rawValue)]) }),
        ]
        if !rateChanges.isEmpty {
            fields.append(
                .array(
                    rateChanges.flatMap {
                        [.integer($0.from.number), .integer($0.gstRate.rawValue), .integer($0.cessRate.rawValue)]
                    }))
        }
        return .array(fields)
    }

    init?(_ cbor: CBORValue?) {
        guard let fields = cbor?.array, (10...11).contains(fields.count), let name = fields[0].text,
            let unit = fields[2].text,
            let price = fields[3].integer, let gst = fields[5].integer, let cess = fields[6].integer
        else { return nil }
        self.init(name: name, unit: unit, price: Paise(price))
        aliases = fields[1].array?.compactMap(\.text) ?? []
        for (tier, amount) in fields[4].map ?? [:] { tierPrices[Int(tier)] = amount.integer.map { Paise($0) } }
        gstRate = BasisPoints(gst)
        cessRate = BasisPoints(cess)
        isExempt = fields[7].bool ?? false
        hsn = fields[8].text
        for pair in fields[9].array ?? [] {
            if let unit = pair.array?[0].text { conversions[unit] = pair.array?[1].integer.map { MilliQuantity($0) } }
        }
        guard fields.count == 11 else { return }
        let numbers = (fields[10].array ?? []).compactMap(\.integer)
        guard !numbers.isEmpty, numbers.count % 3 == 0 else { return nil }
        for at in stride(from: 0, to: numbers.count, by: 3) {
            rateChanges.append(
                RateChange(
                    from: CivilDay(number: numbers[at]), gstRate: BasisPoints(numbers[at + 1]),
                    cessRate: BasisPoints(numbers[at + 2])))
        }
    }
}

extension PaymentSplit {
    var cbor: CBORValue { .array([.integer(amount.rawValue), .text(mode.rawValue)]) }

    init?(_ cbor: CBORValue) {
        guard let fields = cbor.array, fields.count == 2, let amount = fields[0].integer,
            let mode = fields[1].text.flatMap({ PaymentMode(rawValue: $0) })
        else { return nil }
        self.init(amount: Paise(amount), mode: mode)
    }
}

extension Discount {
    var cbor: CBORValue {
        switch self {
        case .share(let share): .array([.integer(0), .integer(share.rawValue)])
        case .amount(let amount): .array([.integer(1), .integer(amount.rawValue)])
        }
    }

    init?(_ cbor: CBORValue) {
        guard let fields = cbor.array, fields.count == 2, let value = fields[1].integer else { return nil }
        self = fields[0].integer == 0 ? .share(BasisPoints(value)) : .amount(Paise(value))
    }
}

extension Bill {
    var cbor: CBORValue {
        .array(
            [
                .optional(customer?.rawValue),
                .array(
                    lines.map {
                        .array([
                            .integer($0.product.rawValue), .integer($0.quantity.rawValue),
                            .integer($0.unitPrice.rawValue),
                            $0.discount?.cbor ?? .null,
                        ])
                    }),
                discount?.cbor ?? .null, .bool(withGST), .bool(isInterState), .integer(Int64(priceTier)),
                .optional(buyerGSTIN), .array(paidNow.map(\.cbor)),
            ] + (roundsToRupee ? [.bool(true)] : []))
    }

    init?(_ cbor: CBORValue?) {
        guard let fields = cbor?.array, (8...9).contains(fields.count), let list = fields[1].array else { return nil }
        var lines: [BillLine] = []
        for item in list {
            guard let line = item.array, line.count == 4, let product = line[0].integer, let quantity = line[1].integer,
                let price = line[2].integer
            else { return nil }
            lines.append(
                BillLine(
                    product: ProductID(rawValue: product), quantity: MilliQuantity(quantity), unitPrice: Paise(price),
                    discount: Discount(line[3])))
        }
        self.init(customer: fields[0].integer.map { CustomerID(rawValue: $0) }, lines: lines)
        discount = Discount(fields[2])
        withGST = fields[3].bool ?? false
        isInterState = fields[4].bool ?? false
        priceTier = Int(fields[5].integer ?? 0)
        buyerGSTIN = fields[6].text
        paidNow = fields[7].array?.compactMap { PaymentSplit($0) } ?? []
        if fields.count == 9 {
            guard fields[8] == .bool(true) else { return nil }
            roundsToRupee = true
        }
    }
}

extension HeldEntry {
    /// - Parameter note: the sealed part, opened; nil where there is none or it cannot be opened.
    init?(_ arguments: [CBORValue], note: String?) {
        guard let code = arguments.first?.integer, arguments.count - 1 == Command.Code.argumentCounts[code] else {
            return nil
        }
        func customer() -> CustomerID? { arguments[1].integer.map { CustomerID(rawValue: $0) } }
        switch code {
        case Command.Code.giveCredit:
            guard let id = customer(), let amount = arguments[2].integer else { return nil }
            self = .credit(id, Paise(amount), note: note)
        case Command.Code.receivePayment:
            guard let id = customer(), let splits = arguments[2].array else { return nil }
            self = .payment(id, splits.compactMap { PaymentSplit($0) })
        case Command.Code.commitBill:
            guard let bill = Bill(arguments[1]) else { return nil }
            self = .bill(bill, draft: arguments[2].bytes.flatMap { ULID(bytes: $0) })
        default: return nil
        }
    }
}

extension CreditNote {
    init?(_ arguments: [CBORValue]) {
        guard arguments.count == 4, let invoice = arguments[0].text, let pairs = arguments[1].array,
            pairs.count % 2 == 0, let refund = arguments[2].array, let reason = arguments[3].text
        else { return nil }
        let numbers = pairs.compactMap(\.integer)
        guard numbers.count == pairs.count else { return nil }
        self.init(
            invoice: invoice,
            returns: stride(from: 0, to: numbers.count, by: 2).map {
                Return(line: Int(numbers[$0]), quantity: MilliQuantity(numbers[$0 + 1]))
            }, refund: refund.compactMap { PaymentSplit($0) }, reason: reason)
    }
}
