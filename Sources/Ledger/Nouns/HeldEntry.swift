/// A money entry that may be held: known, not posted, in no balance.
public enum HeldEntry: Hashable, Sendable {
    case credit(CustomerID, Paise, note: String?)
    case payment(CustomerID, [PaymentSplit])
    case bill(Bill, draft: ULID?)

    /// The command that posts it.
    var command: Command {
        switch self {
        case .credit(let customer, let amount, let note): .giveCredit(customer, amount, note: note)
        case .payment(let customer, let splits): .receivePayment(customer, splits)
        case .bill(let bill, let draft): .commitBill(bill, draft: draft)
        }
    }

    /// Nil for a command that cannot be held.
    init?(_ command: Command) {
        switch command {
        case .giveCredit(let customer, let amount, let note): self = .credit(customer, amount, note: note)
        case .receivePayment(let customer, let splits): self = .payment(customer, splits)
        case .commitBill(let bill, let draft): self = .bill(bill, draft: draft)
        default: return nil
        }
    }

    public var customer: CustomerID? {
        switch self {
        case .credit(let customer, _, _), .payment(let customer, _): customer
        case .bill(let bill, _): bill.customer
        }
    }

    /// How long a held entry waits for somebody to confirm it (design B.1.7).
    static let seconds: Int64 = 24 * 3600
}

/// A held entry as the book shows it.
public struct Hold: Hashable, Sendable {
    /// The event that holds it: what `settle` and `void` name.
    public var event: ULID
    public var entry: HeldEntry
    public var total: Paise
    public var at: WallTime
    /// Void after this moment.
    public var until: WallTime
}
