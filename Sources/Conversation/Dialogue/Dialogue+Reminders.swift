import JSONText
import Ledger

// Reminders: set on the device, delivered by the gateway.
extension Dialogue {
    mutating func createReminder(_ request: Request, _ turn: inout Turn, isConfirmed: Bool) throws(BookError) -> Answer
    {
        guard let customer = request.customer, let person = turn.names.customer(customer) else {
            return again(turn.prompter.say("again"), turn)
        }
        var request = request
        let name = turn.names.spoken(customer)
        guard person.details.phone != nil else {
            return reply(request, "NO_PHONE", turn.prompter.say("reminder.phone", ["name": name]), turn)
        }
        let when = request.firesAt ?? SpokenTime.tomorrowEvening(turn.now)
        guard let amount = request.amount else {
            let balance = try book.balance(of: customer)
            guard balance > .zero else {
                return askSlot(
                    "amount", request, &turn, code: "MISSING_AMOUNT",
                    turn.prompter.say("reminder.amount", ["name": name]))
            }
            request.amount = balance
            request.firesAt = when
            let speech = turn.prompter.say(
                "reminder.ask",
                ["name": name, "money": turn.prompter.money(balance), "moment": turn.prompter.moment(when)])
            return askYesNo(request, &turn, speech)
        }
        guard amount > .zero else { return reply(request, "MISSING_AMOUNT", turn.prompter.say("again.negative"), turn) }
        request.firesAt = when
        let reminder = Reminder(
            id: identity(&turn), customer: customer, amount: amount, firesAt: when,
            recurrence: request.texts["recurrence"])
        _ = try write(.saveReminder(reminder), &turn)
        let speech = turn.prompter.say(
            "reminder.done", ["name": name, "money": turn.prompter.money(amount), "moment": turn.prompter.moment(when)])
        return reply(request, "OK", speech, turn)
    }

    private func reminder(of customer: CustomerID) throws(BookError) -> Reminder? {
        try book.reminders().first { $0.customer == customer }
    }

    mutating func modifyReminder(_ request: Request, _ turn: inout Turn) throws(BookError) -> Answer {
        guard let customer = request.customer else { return again(turn.prompter.say("again"), turn) }
        let name = turn.names.spoken(customer)
        guard var reminder = try reminder(of: customer) else {
            return reply(request, "NO_REMINDER", turn.prompter.say("reminder.none", ["name": name]), turn)
        }
        guard request.firesAt != nil || request.amount != nil else {
            return reply(request, "MISSING_DATETIME", turn.prompter.say("reminder.when"), turn, earcon: .question)
        }
        if let firesAt = request.firesAt {
            reminder.firesAt = firesAt
            if let recurrence = request.texts["recurrence"] { reminder.recurrence = recurrence }
        }
        if let amount = request.amount, amount > .zero { reminder.amount = amount }
        _ = try write(.saveReminder(reminder), &turn)
        let speech = turn.prompter.say(
            "reminder.moved", ["name": name, "moment": turn.prompter.moment(reminder.firesAt)])
        return reply(request, "OK", speech, turn)
    }

    mutating func cancelReminder(_ request: Request, _ turn: inout Turn) throws(BookError) -> Answer {
        guard let customer = request.customer else { return again(turn.prompter.say("again"), turn) }
        let name = turn.names.spoken(customer)
        guard let reminder = try reminder(of: customer) else {
            return reply(request, "NO_REMINDER", turn.prompter.say("reminder.none", ["name": name]), turn)
        }
        let speech = turn.prompter.say(
            "reminder.cancel.ask",
            [
                "name": name, "money": turn.prompter.money(reminder.amount),
                "moment": turn.prompter.moment(reminder.firesAt),
            ])
        return askYesNo(request, &turn, speech) { $0.event = reminder.id }
    }

    mutating func cancelReminderNow(_ question: OpenQuestion, _ turn: inout Turn) throws(BookError) -> Answer {
        let name = question.request.customer.map { turn.names.spoken($0) } ?? ""
        guard let id = question.event, try book.reminders().contains(where: { $0.id == id }) else {
            return reply(question.request, "NO_REMINDER", turn.prompter.say("reminder.none", ["name": name]), turn)
        }
        _ = try write(.cancelReminder(id), &turn)
        return reply(question.request, "OK", turn.prompter.say("reminder.cancelled", ["name": name]), turn)
    }

    func listReminders(_ request: Request, _ turn: inout Turn) throws(BookError) -> Answer {
        let reminders = try book.reminders()
        guard !reminders.isEmpty else { return reply(request, "OK", turn.prompter.say("reminder.list.none"), turn) }
        let prompter = turn.prompter
        let names = turn.names
        let items = reminders.prefix(Self.spokenNamesMax).map {
            prompter.say(
                "reminder.item",
                [
                    "name": names.spoken($0.customer), "money": prompter.money($0.amount),
                    "moment": prompter.moment($0.firesAt),
                ])
        }
        let speech = prompter.say(
            "reminder.list", ["count": "\(reminders.count)", "list": items.joined(separator: ". ")])
        return reply(request, "OK", speech, turn)
    }
}
