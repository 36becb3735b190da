/// The figures a day's summary is made of, kept as running sums.
enum DayFigure: Hashable {
    case invoiceCount
    case sales
    case udhaarGiven
    case udhaarRecovered
    case received(PaymentMode)

    /// Stable: stored in `day_figure`.
    var rawValue: Int64 {
        switch self {
        case .invoiceCount: 0
        case .sales: 1
        case .udhaarGiven: 2
        case .udhaarRecovered: 3
        case .received(.cash): 10
        case .received(.upi): 11
        case .received(.card): 12
        case .received(.other): 13
        }
    }
}

extension JournalEntry {
    /// What this entry adds to its day. A bill paid in part gives udhaar for the rest; what is paid with a bill
    /// recovers nothing old.
    var dayFigures: [(figure: DayFigure, amount: Int64)] {
        var udhaar: Int64 = 0
        var received: [(figure: DayFigure, amount: Int64)] = []
        for posting in postings {
            if posting.account.customer != nil { udhaar += posting.amount.rawValue }
            if let mode = posting.account.mode { received.append((.received(mode), posting.amount.rawValue)) }
        }
        switch type {
        case Command.Code.giveCredit: return [(.udhaarGiven, udhaar)]
        case Command.Code.receivePayment: return received + [(.udhaarRecovered, -udhaar)]
        case Command.Code.commitBill:
            let given: [(figure: DayFigure, amount: Int64)] = udhaar > 0 ? [(.udhaarGiven, udhaar)] : []
            return [(.invoiceCount, 1), (.sales, pricing?.total.rawValue ?? 0)] + received + given
        case Command.Code.creditNote: return [(.sales, -(pricing?.total.rawValue ?? 0))] + received
        default: return []
        }
    }
}
