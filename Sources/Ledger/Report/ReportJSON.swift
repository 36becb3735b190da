import JSONText
import Seals

// Reports as JSON: the same fields whether a file is read or the daemon answers. Amounts are paise, quantities
// thousandths, days ISO 8601. Personal: for the shop's own people.

extension AgedBalance {
    var json: JSONValue {
        [
            "customer": .integer(customer.rawValue), "name": .string(name), "balance_paise": .integer(balance.rawValue),
            "up_to_30_paise": .integer(upTo30.rawValue), "up_to_60_paise": .integer(upTo60.rawValue),
            "older_paise": .integer(older.rawValue), "oldest": JSONValue(oldest?.text),
        ]
    }
}

extension Statement {
    var json: JSONValue {
        [
            "customer": .integer(customer.rawValue), "name": .string(name), "from": .string(from.text),
            "through": .string(through.text), "opening_paise": .integer(opening.rawValue),
            "lines": .array(
                lines.map {
                    [
                        "day": .string($0.day.text), "event": .string($0.event.description), "kind": .string($0.kind),
                        "number": JSONValue($0.number), "amount_paise": .integer($0.amount.rawValue),
                        "balance_paise": .integer($0.balance.rawValue),
                    ]
                }), "closing_paise": .integer(closing.rawValue),
        ]
    }
}

extension DailySummary {
    var json: JSONValue {
        [
            "day": .string(day.text), "bills": .integer(Int64(invoiceCount)), "sales_paise": .integer(sales.rawValue),
            "received_paise": .object(
                PaymentMode.allCases.map { .init($0.rawValue, .integer((payments[$0] ?? .zero).rawValue)) }),
            "udhaar_given_paise": .integer(udhaarGiven.rawValue),
            "udhaar_recovered_paise": .integer(udhaarRecovered.rawValue),
        ]
    }
}

extension Hold {
    var json: JSONValue {
        let kind =
            switch entry {
            case .credit: "credit"
            case .payment: "payment"
            case .bill: "bill"
            }
        return [
            "hold": .string(event.description), "kind": .string(kind), "customer": JSONValue(entry.customer?.rawValue),
            "amount_paise": .integer(total.rawValue), "at_ms": .integer(at.rawValue),
            "until_ms": .integer(until.rawValue),
        ]
    }
}

extension LineTax {
    fileprivate var members: [JSONValue.Member] {
        [
            .init("cgst_paise", .integer(cgst.rawValue)), .init("sgst_paise", .integer(sgst.rawValue)),
            .init("igst_paise", .integer(igst.rawValue)), .init("cess_paise", .integer(cess.rawValue)),
        ]
    }
}

extension GSTReturn.Amounts {
    fileprivate var members: [JSONValue.Member] { [.init("taxable_paise", .integer(taxable.rawValue))] + tax.members }
}

extension GSTReturn.Document {
    fileprivate var json: JSONValue {
        .object([
            .init("number", .string(number)), .init("day", .string(day.text)), .init("gstin", JSONValue(buyerGSTIN)),
            // The first two digits of a GSTIN are its state: the place of supply.
            .init("place", JSONValue(buyerGSTIN.map { String($0.prefix(2)) })), .init("bill", JSONValue(invoice)),
            .init("inter_state", .bool(isInterState)), .init("value_paise", .integer(value.rawValue)),
            .init(
                "rates",
                .array(
                    byRate.sorted { $0.key < $1.key }.map {
                        .object([.init("rate_bps", .integer($0.key.rawValue))] + $0.value.members)
                    })),
        ])
    }
}

extension GSTReturn {
    public var json: JSONValue {
        [
            "year": .integer(year), "month": .integer(month), "b2b": .array(registered.map(\.json)),
            "b2cl": .array(largeConsumer.map(\.json)),
            "b2cs": .array(
                consumer.sorted { $0.key < $1.key }.map {
                    .object(
                        [
                            .init("inter_state", .bool($0.key.isInterState)),
                            .init("rate_bps", .integer($0.key.rate.rawValue)),
                        ] + $0.value.members)
                }), "credit_notes": .array(creditNotes.map(\.json)), "exempt_paise": .integer(exempt.rawValue),
            "without_gst_paise": .integer(withoutGST.rawValue),
            "hsn": .array(
                hsn.sorted { $0.key < $1.key }.map {
                    .object(
                        [
                            .init("registered", .bool($0.key.isRegistered)), .init("hsn", .string($0.key.hsn)),
                            .init("unit", .string($0.key.unit)), .init("rate_bps", .integer($0.key.rate.rawValue)),
                            .init("quantity_milli", .integer($0.value.quantity.rawValue)),
                        ] + $0.value.amounts.members)
                }),
            "documents": .array(
                documents.map {
                    [
                        "kind": .string($0.kind == .invoice ? "invoice" : "credit note"), "from": .string($0.first),
                        "to": .string($0.last), "issued": .integer(Int64($0.issued)),
                        "cancelled": .integer(Int64($0.cancelled)),
                        "net": .integer(Int64($0.issued - $0.cancelled)),
                    ]
                }),
        ]
    }
}

extension JournalEntry {
    /// One event for another program: nothing personal is in it.
    func exported(at place: Place, body: [UInt8], hash: [UInt8]) -> JSONValue {
        func pairs(_ pairs: [(Int64, Int64)]) -> JSONValue {
            .array(pairs.map { .array([.integer($0.0), .integer($0.1)]) })
        }
        var members: [JSONValue.Member] = [
            .init("epoch", .integer(place.epoch)), .init("seq", .integer(place.seq)),
            .init("id", .string(id.description)), .init("type", .integer(type)), .init("at_ms", .integer(at.rawValue)),
            .init("day", .string(day.text)), .init("wall_quality", .integer(wallQuality)),
            .init("confirmed_by", .string(evidence.confirmedBy)),
            .init("postings", pairs(postings.map { ($0.account.rawValue, $0.amount.rawValue) })),
            .init("moves", pairs(moves.map { ($0.product.rawValue, $0.quantity.rawValue) })),
        ]
        switch outcome {
        case .invoice(let number, let total, _), .cancelled(let number, let total, _),
            .credited(let number, let total, _):
            members += [.init("number", .string(number)), .init("total_paise", .integer(total.rawValue))]
        case .customer(let id): members.append(.init("customer", .integer(id.rawValue)))
        case .product(let id): members.append(.init("product", .integer(id.rawValue)))
        case .done, .balance, .held: break
        }
        if type == Command.Code.mergeCustomer || type == Command.Code.unmergeCustomer
            || type == Command.Code.eraseCustomer
        {
            members.append(.init("of", .array(arguments.compactMap(\.integer).map { .integer($0) })))
        }
        if let reverses { members.append(.init("reverses", .string(reverses.description))) }
        if let settles { members.append(.init("settles", .string(settles.description))) }
        members += [.init("hash", .string(Hex.text(hash))), .init("body", .string(Hex.text(body)))]
        return .object(members)
    }
}
