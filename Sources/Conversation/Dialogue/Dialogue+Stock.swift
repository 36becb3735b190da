import JSONText
import Ledger

// Stock and prices.
extension Dialogue {
    func checkStock(_ request: Request, _ turn: inout Turn) throws(BookError) -> Answer {
        guard let product = product(request.product, turn) else {
            guard let said = request.spokenProduct, !said.isEmpty else {
                return reply(request, "MISSING_PRODUCT", turn.prompter.say("stock.product"), turn, earcon: .question)
            }
            return reply(
                request, "PRODUCT_NOT_FOUND", turn.prompter.say("stock.unknown", ["product": Naming.written(said)]),
                turn)
        }
        var request = request
        (request.quantity, request.unit) = (nil, nil)
        let quantity = turn.prompter.quantity(product.stock, unit: product.details.unit)
        return reply(
            request, "OK", turn.prompter.say("stock.is", ["product": product.details.name, "quantity": quantity]), turn)
    }

    func checkPrice(_ request: Request, _ turn: inout Turn) throws(BookError) -> Answer {
        guard let product = product(request.product, turn) else {
            let said = Naming.written(request.spokenProduct ?? "")
            return reply(
                request, "PRODUCT_NOT_FOUND", turn.prompter.say("stock.unknown", ["product": said]), turn)
        }
        let fields = [
            "product": product.details.name, "money": turn.prompter.money(product.details.price),
            "unit": turn.prompter.term(product.details.unit),
        ]
        return reply(request, "OK", turn.prompter.say("price.is", fields), turn)
    }

    mutating func updateStock(_ request: Request, _ turn: inout Turn, isConfirmed: Bool) throws(BookError) -> Answer {
        guard let product = product(request.product, turn) else {
            guard let said = request.spokenProduct, !said.isEmpty else {
                return reply(request, "MISSING_PRODUCT", turn.prompter.say("stock.product"), turn, earcon: .question)
            }
            return reply(
                request, "PRODUCT_NOT_FOUND", turn.prompter.say("stock.unknown", ["product": Naming.written(said)]),
                turn)
        }
        let name = product.details.name
        guard request.items.count <= 1 else { return again(turn.prompter.say("again.many"), turn) }
        guard let said = request.quantity, said > .zero else {
            return reply(
                request, "MISSING_QUANTITY", turn.prompter.say("stock.quantity", ["product": name]), turn,
                earcon: .question)
        }
        guard let quantity = Measure.own(said, request.unit, of: product.details), quantity > .zero else {
            let speech = turn.prompter.say(
                "bill.unit",
                ["product": name, "unit": request.unit ?? "", "own": turn.prompter.term(product.details.unit)])
            return reply(request, "MISSING_QUANTITY", speech, turn, earcon: .question)
        }
        let spoken = turn.prompter.quantity(quantity, unit: product.details.unit)
        let stock = turn.prompter.quantity(product.stock + quantity, unit: product.details.unit)
        let fields = ["product": name, "quantity": spoken, "stock": stock]
        if request.mustAsk, !isConfirmed {
            return askYesNo(request, &turn, turn.prompter.say("stock.ask", ["product": name, "quantity": spoken]))
        }
        _ = try write(.moveStock(product.id, quantity, reason: "arrival"), &turn)
        return reply(request, "OK", turn.prompter.say("stock.added", fields), turn)
    }

    mutating func setPrice(_ request: Request, _ turn: inout Turn) throws(BookError) -> Answer {
        guard let product = product(request.product, turn) else {
            return reply(
                request, "PRODUCT_NOT_FOUND",
                turn.prompter.say("stock.unknown", ["product": Naming.written(request.spokenProduct ?? "")]), turn)
        }
        guard let price = request.amount, price > .zero else {
            return reply(request, "MISSING_AMOUNT", turn.prompter.say("amount.missing.nobody"), turn, earcon: .question)
        }
        var details = product.details
        details.price = price
        _ = try write(.updateProduct(product.id, details), &turn)
        return reply(
            request, "OK",
            turn.prompter.say("price.set", ["product": details.name, "money": turn.prompter.money(price)]), turn)
    }
}
