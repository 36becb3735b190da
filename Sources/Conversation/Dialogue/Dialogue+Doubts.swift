import Ledger

// Where the book itself is not sure: an entry it holds until somebody confirms it, a date nobody vouches for.
extension Dialogue {
    /// The answer when the book held the entry by the shop's rules; nil when it was posted.
    mutating func held(_ fact: Committed, _ request: Request, _ money: String, _ turn: Turn) -> Answer? {
        guard case .held = fact.outcome else { return nil }
        // It is not posted: there is nothing a "nahi, teen sau" could reverse.
        state!.lastEntry = nil
        return reply(request, "HELD", turn.prompter.say("held", ["money": money]), turn, earcon: .question)
    }

    /// Said behind a balance that is above what the shop lets the customer owe; the entry stands, the shopkeeper decides.
    func overLimit(_ customer: CustomerID, _ balance: Paise, _ turn: Turn) -> String {
        guard let limit = turn.names.customer(customer)?.details.creditLimit, balance > limit else { return "" }
        return " " + turn.prompter.say("limit.over", ["money": turn.prompter.money(limit)])
    }

    /// A bill was refused because no clock vouches for the date (the turn of the financial year): asks the shopkeeper.
    /// The bill waits as a draft.
    mutating func askDate(_ day: CivilDay, for draft: Draft, isStored: Bool, _ request: Request, _ turn: inout Turn)
        throws(BookError) -> Answer
    {
        if !isStored { _ = try write(.saveDraft(draft), &turn) }
        let date = day.yearMonthDay
        let speech = turn.prompter.say(
            "date.ask",
            ["day": "\(date.day)", "month": turn.prompter.term("month.\(date.month)"), "year": "\(date.year)"])
        ask(.date, request, &turn, speech: speech) { $0.drafts = [draft.id] }
        return reply(request, "CONFIRMATION_NEEDED", speech, turn)
    }

    /// Yes: the answer goes into the journal, then the bill that waited for it.
    mutating func dateIsRight(_ question: OpenQuestion, _ turn: inout Turn) throws(BookError) -> Answer {
        _ = try write(.confirmDate(CivilTime(question.askedAt).day), &turn)
        return try commitDrafts(question, &turn)
    }
}
