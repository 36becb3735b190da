import Ledger

/// How a customer is referred to: the full name, with the landmark where two share it.
struct PeopleNames {
    private let customers: [Customer]

    init(_ customers: [Customer]) { self.customers = customers }

    func customer(_ id: CustomerID) -> Customer? { customers.first { $0.id == id } }

    /// Those whose full name or nickname is written with these words.
    func customers(named keys: [String]) -> [CustomerID] {
        customers.filter { Grammar.keys($0.details.name) == keys }.map(\.id)
    }

    /// Full name, or `name (landmark)` where two customers share the name.
    func reference(_ id: CustomerID) -> String {
        guard let customer = customer(id) else { return "" }
        let key = Grammar.keys(customer.details.name)
        let isShared = customers.contains { $0.id != id && Grammar.keys($0.details.name) == key }
        guard isShared, let landmark = customer.details.landmark else { return customer.details.name }
        return "\(customer.details.name) (\(landmark))"
    }

    /// As spoken: the same, the landmark without brackets.
    func spoken(_ id: CustomerID) -> String {
        reference(id).filter { $0 != "(" && $0 != ")" }
    }

    /// What tells this one from the others in a question: landmark, else the last digits of the phone.
    func telling(_ id: CustomerID) -> String {
        guard let customer = customer(id) else { return "" }
        let name = customer.details.name
        if let landmark = customer.details.landmark { return "\(name), \(landmark)" }
        if let phone = customer.details.phone {
            return name + ", " + phone.suffix(4).map { String($0) }.joined(separator: " ")
        }
        return name
    }
}
