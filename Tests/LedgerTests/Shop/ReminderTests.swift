import Ledger
import Testing

@Suite struct ReminderTests {
    @Test func `a due reminder is sent once and comes again at its time`() throws {
        let folder = Folder()
        var counter: Counter! = try Counter(path: folder.book)
        var details = CustomerDetails(name: "Rahul")
        details.phone = "+919876543210"
        guard case .customer(let rahul) = try counter.does(.createCustomer(details, opening: .zero)).outcome else {
            throw Surprise()
        }
        let start = counter.now
        let once = Reminder(
            id: counter.id(), customer: rahul, amount: Paise(100), firesAt: start.adding(seconds: 60), recurrence: nil)
        let daily = Reminder(
            id: counter.id(), customer: rahul, amount: Paise(200), firesAt: start.adding(seconds: 90),
            recurrence: "P1D")
        for reminder in [once, daily] { try counter.does(.saveReminder(reminder)) }
        func fire(_ seconds: Int64) throws -> [Reminder] {
            counter.now = start.adding(seconds: seconds)
            return try counter.book.fireReminders(now: counter.now) { recurrence, first in
                #expect(recurrence == "P1D" && first == daily.firesAt)
                var next = first
                while next <= counter.now { next = next.adding(seconds: 86_400) }
                return next
            }
        }
        #expect(try fire(59).isEmpty)
        #expect(try fire(60) == [once])
        #expect(try fire(60).isEmpty)
        #expect(try fire(90) == [daily])
        #expect(try counter.book.reminders().map(\.firesAt) == [daily.firesAt.adding(seconds: 86_400)])
        #expect(try counter.book.outgoing().map(\.to) == ["+919876543210", "+919876543210"])
        counter = nil
        counter = try Counter(path: folder.book, seed: 2)
        // Asleep for three days: once, then at the next time, counted from the first.
        #expect(try fire(90 + 3 * 86_400 + 5).count == 1)
        #expect(try counter.book.reminders().map(\.firesAt) == [daily.firesAt.adding(seconds: 4 * 86_400)])
        #expect(try counter.book.outgoing().count == 3)
        #expect(throws: BookError.refused(.unknownReminder)) {
            try counter.does(.fireReminder(daily.id, due: daily.firesAt, next: nil))
        }
        try counter.does(.eraseCustomer(rahul))
        #expect(try counter.book.reminders().isEmpty)
        #expect(try counter.book.verify().valid)
        #expect(try counter.book.rebuild() == (try counter.book.head().seq))
    }
}
