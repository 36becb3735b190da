// Reminders that come due.

extension LedgerStore {
    /// Fires every reminder that is due: a message to be sent goes into the outbox, and the reminder moves to its next
    /// time or is done, all in one transaction. One that was missed while the device slept fires once.
    ///
    /// - Parameter next: the time after `now` of a recurrence that first fired at the moment given; nil for none.
    /// - Returns: what fired.
    public func fireReminders(
        now: WallTime, next: (_ recurrence: String, _ first: WallTime) -> WallTime?
    ) throws(BookError) -> [Reminder] {
        let due = try reminders().filter { $0.firesAt <= now }
        guard !due.isEmpty else { return [] }
        var requests: [Request] = []
        let evidence = Evidence(confirmedBy: "clock")
        for reminder in due {
            let told = try connection.integer("SELECT first_at FROM firing WHERE id = ?", [.blob(reminder.id.bytes)])
            let first = told.map { WallTime(milliseconds: $0) } ?? reminder.firesAt
            // Named by the reminder and its moment: after a power cut the same firing is the same command.
            let name = reminder.id.low ^ UInt64(bitPattern: reminder.firesAt.rawValue) &* 0x9E37_79B9_7F4A_7C15
            let message = OutgoingMessage(
                id: ULID(high: reminder.id.high, low: name ^ 1), kind: "reminder", customer: reminder.customer,
                to: memory.people[reminder.customer]?.details?.phone ?? "", reference: reminder.id.description)
            requests.append(
                Request(
                    .send(message), id: ULID(high: reminder.id.high, low: name ^ 2), evidence: evidence, at: now))
            requests.append(
                Request(
                    .fireReminder(
                        reminder.id, due: reminder.firesAt, next: reminder.recurrence.flatMap { next($0, first) }),
                    id: ULID(high: reminder.id.high, low: name ^ 3), evidence: evidence, at: now))
        }
        _ = try performAll(requests)
        return due
    }
}
