import JSONText
import Ledger

/// All of a small book as JSON: what the acceptance suite compares after a case.
struct BookState {
    private let store: LedgerStore
    private let now: WallTime
    private let since: WallTime

    init(_ store: LedgerStore, opening: Set<CustomerID>, since: WallTime, now: WallTime) throws(BookError) {
        self.store = store
        self.since = since
        self.now = now
    }

    func json(pendingGate: Bool) throws(BookError) -> JSONValue {
        let customers = try store.customers()
        let names = PeopleNames(customers)
        func reference(_ id: CustomerID?) -> JSONValue { JSONValue(id.map { names.reference($0) }) }
        let products = try store.products()
        let details = Dictionary(products.map { ($0.id, $0.details) }, uniquingKeysWith: { first, _ in first })
        var balances: [JSONValue.Member] = []
        for customer in customers {
            balances.append(.init(names.reference(customer.id), .integer(try store.balance(of: customer.id).rawValue)))
        }
        var drafts: [JSONValue] = []
        for draft in try store.drafts(now: now) {
            let total = try PricedBill(draft.bill, products: details).total
            drafts.append(["customer": reference(draft.bill.customer), "totalPaise": .integer(total.rawValue)])
        }
        let invoices: [JSONValue] = try store.invoices(of: nil, limit: 1000).reversed().map {
            [
                "customer": reference($0.bill.customer), "totalPaise": .integer($0.total.rawValue),
                "status": .string($0.status.rawValue),
            ]
        }
        let payments: [JSONValue] = try store.payments(of: nil, limit: 1000).reversed().filter { !$0.isReversed }.map {
            [
                "customer": reference($0.customer), "amountPaise": .integer($0.split.amount.rawValue),
                "mode": .string($0.split.mode.rawValue),
            ]
        }
        let reminders: [JSONValue] = try store.reminders().map {
            [
                "customer": reference($0.customer), "amountPaise": .integer($0.amount.rawValue),
                "firesAt": .string($0.firesAt.iso8601Kolkata), "recurrence": JSONValue($0.recurrence),
            ]
        }
        let people: [JSONValue] = customers.map { customer in
            let person = customer.details
            return [
                "name": .string(person.name), "nickname": JSONValue(person.nickname),
                "landmark": JSONValue(person.landmark), "area": JSONValue(person.area),
                "address": JSONValue(person.address), "phone": JSONValue(person.phone),
                "email": JSONValue(person.email), "gstin": JSONValue(person.gstin), "pan": JSONValue(person.pan),
                "notes": JSONValue(person.notes),
            ]
        }
        let outgoing: [JSONValue] = try store.outgoing().map {
            ["kind": .string($0.kind), "customer": reference($0.customer), "to": .string($0.to)]
        }
        return [
            "balancesPaise": .object(balances),
            "stockMilli": .object(products.map { .init($0.details.name, .integer($0.stock.rawValue)) }),
            "openDrafts": .array(drafts), "invoices": .array(invoices), "payments": .array(payments),
            "reminders": .array(reminders), "pendingGate": .bool(pendingGate),
            "language": .string(try store.shop().language), "customers": .array(people),
            "outgoing": .array(outgoing), "journalValid": .bool(try store.verify().valid),
        ]
    }
}
