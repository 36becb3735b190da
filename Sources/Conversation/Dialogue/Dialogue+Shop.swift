import JSONText
import Ledger

// The day, the till, languages, reports.
extension Dialogue {
    func dailySummary(_ request: Request, _ turn: inout Turn) throws(BookError) -> Answer {
        let summary = try book.summary(of: CivilTime(turn.now).day)
        var paid = Paise.zero
        for amount in summary.payments.values { paid = try paid.adding(amount) }
        guard summary.invoiceCount > 0 || paid != .zero || summary.udhaarGiven != .zero else {
            return reply(request, "OK", turn.prompter.say("summary.nothing"), turn)
        }
        let prompter = turn.prompter
        let modes = PaymentMode.allCases.compactMap { mode -> String? in
            guard let amount = summary.payments[mode], amount != .zero else { return nil }
            return prompter.say("summary.mode", ["mode": prompter.mode(mode), "money": prompter.money(amount)])
        }
        let speech = prompter.say(
            "summary",
            [
                "count": "\(summary.invoiceCount)", "sales": prompter.money(summary.sales),
                "paid": prompter.money(paid), "modes": modes.isEmpty ? "0" : modes.joined(separator: ", "),
                "given": prompter.money(summary.udhaarGiven),
            ])
        return reply(request, "OK", speech, turn)
    }

    mutating func closeCash(_ request: Request, _ turn: inout Turn, isConfirmed: Bool) throws(BookError) -> Answer {
        guard let amount = request.amount, amount >= .zero else {
            return reply(request, "MISSING_AMOUNT", turn.prompter.say("amount.missing.nobody"), turn, earcon: .question)
        }
        let money = turn.prompter.money(amount)
        guard isConfirmed else { return askYesNo(request, &turn, turn.prompter.say("close.ask", ["money": money])) }
        _ = try write(.closeDay(CivilTime(turn.now).day, cashCounted: amount), &turn)
        return reply(request, "OK", turn.prompter.say("close.done", ["money": money]), turn)
    }

    mutating func switchLanguage(_ request: Request, _ turn: inout Turn) throws(BookError) -> Answer {
        guard let language = request.texts["language"], grammar.spokenLanguages.contains(language) else {
            return reply(request, "UPDATE_FAILED", turn.prompter.say("language.none"), turn)
        }
        _ = try write(.setLanguage(language), &turn)
        turn.prompter = Prompter(grammar: grammar, language: language)
        return reply(request, "OK", turn.prompter.say("language.done"), turn)
    }

    /// The gateway makes the file; the device only asks.
    mutating func export(_ request: Request, _ turn: inout Turn) throws(BookError) -> Answer {
        let kind = request.intent == "EXPORT_GSTR1" ? "gstr1" : "pnl"
        let period = request.texts["month"] ?? request.texts["fy"]
        _ = try write(
            .send(OutgoingMessage(id: identity(&turn), kind: kind, customer: nil, to: "owner", reference: period)),
            &turn)
        return reply(request, "OK", turn.prompter.say("export.sent"), turn)
    }
}
