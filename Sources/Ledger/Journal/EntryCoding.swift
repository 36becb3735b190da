// The parts of an event's body that are neither the command nor a number: evidence, outcome, figures of a bill.

extension Evidence {
    var cbor: CBORValue {
        .array([.optional(turn?.bytes), .optional(transcriptHash), .optional(confidenceMilli), .text(confirmedBy)])
    }

    init?(_ cbor: CBORValue?) {
        guard let fields = cbor?.array, fields.count == 4, let by = fields[3].text else { return nil }
        let turn = fields[0].bytes.flatMap { ULID(bytes: $0) }
        guard turn != nil || fields[0] == .null, fields[1].bytes != nil || fields[1] == .null,
            fields[2].integer != nil || fields[2] == .null
        else { return nil }
        self.init(
            turn: turn, transcriptHash: fields[1].bytes, confidenceMilli: fields[2].integer, confirmedBy: by)
    }
}

extension Committed.Outcome {
    var cbor: CBORValue {
        switch self {
        case .done: .array([.integer(0)])
        case .customer(let id): .array([.integer(1), .integer(id.rawValue)])
        case .product(let id): .array([.integer(2), .integer(id.rawValue)])
        case .balance(let amount): .array([.integer(3), .integer(amount.rawValue)])
        case .invoice(let number, let total, let balance):
            .array([.integer(4), .text(number), .integer(total.rawValue), .optional(balance?.rawValue)])
        case .cancelled(let number, let total, let balance):
            .array([.integer(5), .text(number), .integer(total.rawValue), .optional(balance?.rawValue)])
        case .credited(let number, let total, let balance):
            .array([.integer(6), .text(number), .integer(total.rawValue), .optional(balance?.rawValue)])
        case .held(let until): .array([.integer(7), .integer(until.rawValue)])
        }
    }

    /// Nothing stored is `.done`.
    init?(_ cbor: CBORValue?) {
        guard let cbor else {
            self = .done
            return
        }
        guard let fields = cbor.array, let kind = fields.first?.integer else { return nil }
        switch (kind, fields.count) {
        case (1, 2), (2, 2), (3, 2):
            guard let number = fields[1].integer else { return nil }
            self =
                kind == 1
                ? .customer(CustomerID(rawValue: number))
                : kind == 2 ? .product(ProductID(rawValue: number)) : .balance(Paise(number))
        case (7, 2):
            guard let until = fields[1].integer else { return nil }
            self = .held(until: WallTime(milliseconds: until))
        case (4, 4), (5, 4), (6, 4):
            guard let number = fields[1].text, let total = fields[2].integer,
                fields[3].integer != nil || fields[3] == .null
            else { return nil }
            let balance = fields[3].integer.map { Paise($0) }
            self =
                switch kind {
                case 4: .invoice(number: number, total: Paise(total), balance: balance)
                case 5: .cancelled(number: number, total: Paise(total), balance: balance)
                default: .credited(number: number, total: Paise(total), balance: balance)
                }
        default: return nil
        }
    }
}

extension LineTax {
    var cbor: [CBORValue] { [cgst, sgst, igst, cess].map { .integer($0.rawValue) } }

    init?(_ fields: some Collection<CBORValue>) {
        let amounts = fields.compactMap(\.integer).map { Paise($0) }
        guard amounts.count == 4, fields.count == 4 else { return nil }
        self.init(cgst: amounts[0], sgst: amounts[1], igst: amounts[2], cess: amounts[3])
    }
}

extension PricedBill {
    /// [subtotal, discount, total, tax x4, [taxable, tax x4, rate?, hsn?] ...]; the last two of bills with GST, since
    /// schema version 2.
    var cbor: CBORValue {
        .array(
            [.integer(subtotal.rawValue), .integer(discount.rawValue), .integer(total.rawValue)] + tax.cbor
                + lines.map { line in
                    var fields = [.integer(line.taxable.rawValue)] + line.tax.cbor
                    if let rate = line.rate { fields += [.integer(rate.rawValue), .optional(line.hsn)] }
                    return .array(fields)
                })
    }

    init?(_ cbor: CBORValue) {
        guard let fields = cbor.array, fields.count >= 7, let subtotal = fields[0].integer,
            let discount = fields[1].integer, let total = fields[2].integer, let tax = LineTax(fields[3..<7])
        else { return nil }
        var lines: [Line] = []
        for field in fields[7...] {
            guard let line = field.array, line.count == 5 || line.count == 7, let taxable = line[0].integer,
                let own = LineTax(line[1..<5])
            else { return nil }
            var rate: BasisPoints?
            if line.count == 7 {
                guard let told = line[5].integer, line[6].text != nil || line[6] == .null else { return nil }
                rate = BasisPoints(told)
            }
            lines.append(
                Line(taxable: Paise(taxable), tax: own, rate: rate, hsn: line.count == 7 ? line[6].text : nil))
        }
        self.init(
            lines: lines, subtotal: Paise(subtotal), discount: Paise(discount), tax: tax, total: Paise(total))
    }
}
