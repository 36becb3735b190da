import Ledger

/// What a counter does next, by chance: the commands of a shop day in about the mix of one.
struct ShopDay {
    enum Step {
        case command(Command)
        /// Several in one transaction, as an import does.
        case bulk([Command])
        case remember(String, [UInt8])
        /// A receipt came for all there is.
        case receipt
    }

    var random: Seeded
    /// False where a real receiver gives them.
    var hasReceipts = true

    init(seed: UInt64) { random = Seeded(seed) }

    /// - Parameter model: what the shop has now; ids in the step are of it.
    mutating func next(_ model: ShopModel) -> Step {
        if model.balances.count < 3 { return .command(newCustomer()) }
        if model.stock.count < 3 { return .command(newProduct(model)) }
        switch random.pick(0...99) {
        case 0..<24: return .command(credit(model))
        case 24..<46: return .command(payment(model))
        case 46..<66: return .command(.commitBill(bill(model), draft: nil))
        case 66..<72: return .command(stock(model))
        case 72..<78:
            guard let taken = model.open.randomElement(using: &random) else { return .command(credit(model)) }
            return .command(.reverse(event: taken.event, reason: "wrong"))
        case 78..<81: return .bulk([credit(model), payment(model), .commitBill(bill(model), draft: nil), stock(model)])
        case 81..<84:
            let draft = Draft(id: id(), bill: bill(model), madeAt: WallTime(milliseconds: 1_768_000_000_000))
            return .command(.saveDraft(draft))
        case 84..<86:
            return .command(
                .saveReminder(
                    Reminder(
                        id: id(), customer: customer(model), amount: amount(),
                        firesAt: WallTime(milliseconds: 1_800_000_000_000), recurrence: nil)))
        case 86..<93: return .remember("gate", random.bytes(random.pick(1...40)))
        case 93..<97: return hasReceipts ? .receipt : .command(payment(model))
        case 97: return .command(newCustomer())
        case 98: return .command(newProduct(model))
        default:
            return .command(.closeDay(CivilDay(number: 20_000 + Int64(random.pick(0...900))), cashCounted: amount()))
        }
    }

    mutating func id() -> ULID { ULID(high: random.next(), low: random.next()) }

    private mutating func amount() -> Paise { Paise(Int64(random.pick(1...200_000))) }

    private mutating func customer(_ model: ShopModel) -> CustomerID {
        CustomerID(rawValue: Int64(random.pick(1...model.balances.count)))
    }

    private mutating func product(_ model: ShopModel) -> ProductID {
        ProductID(rawValue: Int64(random.pick(1...model.stock.count)))
    }

    private mutating func newCustomer() -> Command {
        return .createCustomer(
            CustomerDetails(name: "Customer \(random.next())"), opening: Paise(Int64(random.pick(0...50_000))))
    }

    private mutating func newProduct(_ model: ShopModel) -> Command {
        var details = ProductDetails(name: "Product \(random.next())", unit: "kg", price: amount())
        details.gstRate = BasisPoints([0, 500, 1200, 1800][random.pick(0...3)])
        return .createProduct(details, stock: MilliQuantity(Int64(random.pick(0...90_000))))
    }

    private mutating func credit(_ model: ShopModel) -> Command {
        .giveCredit(customer(model), amount(), note: random.happens(20) ? "note" : nil)
    }

    private mutating func payment(_ model: ShopModel) -> Command {
        var splits = [PaymentSplit(amount: amount(), mode: .cash)]
        if random.happens(20) { splits.append(PaymentSplit(amount: amount(), mode: .upi)) }
        return .receivePayment(customer(model), splits)
    }

    private mutating func stock(_ model: ShopModel) -> Command {
        .moveStock(product(model), MilliQuantity(Int64(random.pick(1...9000)) - 3000 | 1), reason: "count")
    }

    private mutating func bill(_ model: ShopModel) -> Bill {
        let isWalkIn = random.happens(30)
        var bill = Bill(
            customer: isWalkIn ? nil : customer(model),
            lines: (0..<random.pick(1...4)).map { _ in
                BillLine(
                    product: product(model), quantity: MilliQuantity(Int64(random.pick(1...9999))),
                    unitPrice: Paise(Int64(random.pick(100...9999))))
            })
        bill.withGST = random.happens(50)
        if !isWalkIn, random.happens(30) {
            let total = model.total(of: bill)
            if total > 1 { bill.paidNow = [PaymentSplit(amount: Paise(total / 2), mode: .card)] }
        }
        return bill
    }
}
