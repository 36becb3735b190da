import Ledger

/// The shop's sums done a second time, with dictionaries and without the book's code: what it says, the book must say.
struct ShopModel {
    struct Effect {
        var customer: Int64?
        var receivable: Int64 = 0
        var stock: [Int64: Int64] = [:]
        var isBill = false
    }

    var balances: [Int64: Int64] = [:]
    var stock: [Int64: Int64] = [:]
    /// Rate of tax by product, in basis points.
    var rates: [Int64: Int64] = [:]
    var numbers: [Int64: Int64] = [:]
    /// What can still be taken back, in order of events.
    var open: [(event: ULID, effect: Effect)] = []
    var events = 0

    /// a/b rounded half away from zero.
    static func divide(_ value: Int64, _ by: Int64) -> Int64 {
        let sign: Int64 = value < 0 ? -1 : 1
        return sign * ((2 * Int64(value.magnitude) + by) / (2 * by))
    }

    func total(of bill: Bill) -> Int64 {
        var sum: Int64 = 0
        for line in bill.lines {
            let taxable = Self.divide(line.quantity.rawValue * line.unitPrice.rawValue, 1000)
            sum += taxable
            guard bill.withGST else { continue }
            sum += 2 * Self.divide(Self.divide(taxable * rates[line.product.rawValue, default: 0], 10_000), 2)
        }
        return sum
    }

    /// The book has committed it.
    mutating func apply(_ command: Command, _ event: ULID, at: WallTime) {
        events += 1
        switch command {
        case .createCustomer(_, let opening): balances[Int64(balances.count) + 1] = opening.rawValue
        case .createProduct(let details, let quantity):
            let number = Int64(stock.count) + 1
            stock[number] = quantity.rawValue
            rates[number] = details.gstRate.rawValue
        case .giveCredit(let customer, let amount, _):
            post(event, Effect(customer: customer.rawValue, receivable: amount.rawValue))
        case .receivePayment(let customer, let splits):
            let paid = splits.reduce(0) { $0 + $1.amount.rawValue }
            post(event, Effect(customer: customer.rawValue, receivable: -paid))
        case .moveStock(let product, let quantity, _):
            post(event, Effect(stock: [product.rawValue: quantity.rawValue]))
        case .commitBill(let bill, _):
            let paid = bill.paidNow.reduce(0) { $0 + $1.amount.rawValue }
            var effect = Effect(isBill: true)
            if let customer = bill.customer {
                effect.customer = customer.rawValue
                effect.receivable = total(of: bill) - paid
            }
            for line in bill.lines { effect.stock[line.product.rawValue, default: 0] -= line.quantity.rawValue }
            post(event, effect)
            numbers[CivilTime(at).day.financialYear, default: 0] += 1
        case .reverse(let taken, _):
            guard let index = open.firstIndex(where: { $0.event == taken }) else { return }
            let effect = open.remove(at: index).effect
            change(effect, sign: -1)
        default: break
        }
    }

    private mutating func post(_ event: ULID, _ effect: Effect) {
        change(effect, sign: 1)
        open.append((event, effect))
    }

    private mutating func change(_ effect: Effect, sign: Int64) {
        if let customer = effect.customer { balances[customer, default: 0] += sign * effect.receivable }
        for (product, quantity) in effect.stock { stock[product, default: 0] += sign * quantity }
    }
}
