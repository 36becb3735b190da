import JSONText

/// A name somebody is called by that the counter learned from a yes ("Bharat?"): shown to a technician, and taken back.
public struct LearnedName: Equatable, Sendable {
    public var customer: CustomerID
    /// As the book shows the customer.
    public var of: String
    public var alias: String

    public var json: JSONValue {
        ["customer": .integer(customer.rawValue), "name": .string(of), "alias": .string(alias)]
    }
}

extension Book {
    /// All learned names, by customer, oldest first. Personal: for the shop's own people.
    public func learnedNames() throws(BookError) -> [LearnedName] {
        try customers().flatMap { customer in
            customer.aliases.map { LearnedName(customer: customer.id, of: customer.details.name, alias: $0) }
        }
    }

    /// Takes a learned name back, as an entry of the journal.
    ///
    /// - Parameter id: made by the caller; the same id takes back once.
    /// - Returns: false where that customer has no such name.
    public func forgetLearned(_ alias: String, of customer: CustomerID, id: ULID, at now: WallTime) throws(BookError)
        -> Bool
    {
        guard try learnedNames().contains(where: { $0.customer == customer && $0.alias == alias }) else {
            return false
        }
        _ = try perform(
            .removeAlias(customer, alias), id: id, evidence: Evidence(confirmedBy: "technician"), at: now)
        return try !learnedNames().contains { $0.customer == customer && $0.alias == alias }
    }
}
