// Entries in two phases: heard and held, then posted or void. What is held counts in no balance told to anybody.

extension LedgerStore {
    /// The command as it is written: what was said but must be confirmed is held, a settlement posts what is held.
    func whatToWrite(_ request: Request) throws(BookError) -> (command: Command, settles: ULID?) {
        switch request.command {
        case .settle(let id):
            let hold = try hold(at: try placeOfHold(id))
            guard request.at <= hold.until else { throw .refused(.unknownHold) }
            // Its draft went when it was held.
            if case .bill(let bill, _) = hold.entry { return (.commitBill(bill, draft: nil), id) }
            return (hold.entry.command, id)
        case let command:
            guard request.evidence.confirmedBy == "voice", let held = HeldEntry(command) else { return (command, nil) }
            let isUnsure =
                memory.rules.holdBelowMilli.map { request.evidence.confidenceMilli ?? 1000 < $0 } ?? false
            var isLarge = false
            if !isUnsure, let above = memory.rules.holdAbove { isLarge = try total(of: held, at: request.at) > above }
            return (isUnsure || isLarge ? .hold(held) : command, nil)
        }
    }

    /// What waits to be confirmed, oldest first.
    public func holds() throws(BookError) -> [Hold] {
        var places: [Place] = []
        // A book of schema version 1 that is only looked at has none.
        guard try connection.integer("PRAGMA user_version") ?? 0 >= 2 else { return [] }
        try connection.run("SELECT place FROM hold ORDER BY place") { places.append(Place(rawValue: $0.integer(0))) }
        var holds: [Hold] = []
        for place in places { holds.append(try hold(at: place)) }
        return holds
    }

    /// Makes void what nobody confirmed in time, one event each.
    ///
    /// - Returns: what is void now, for the notice.
    public func voidLapsedHolds(now: WallTime) throws(BookError) -> [Hold] {
        let lapsed = try holds().filter { $0.until < now }
        guard !lapsed.isEmpty else { return [] }
        _ = try performAll(
            lapsed.map {
                // Named by the hold, so that a second try after a power cut is the same command.
                Request(
                    .void(hold: $0.event, reason: "not confirmed in 24 h"),
                    id: ULID(high: $0.event.high, low: $0.event.low ^ 0x6C61_7073_6564_0000),
                    evidence: Evidence(confirmedBy: "clock"), at: now)
            })
        return lapsed
    }

    func planHold(_ held: HeldEntry, at: WallTime) throws(BookError) -> Plan {
        // What could not be posted now is not held either: the mistake is told while the customer stands there.
        var owner: CustomerID?
        switch held {
        case .credit(let id, _, _), .payment(let id, _): owner = root(of: try present(id).id)
        case .bill(let bill, let draft):
            if let draft { try checkDraft(draft) }
            owner = bill.customer.map { root(of: $0) }
        }
        _ = try total(of: held, at: at)
        return Plan(outcome: .held(until: at.adding(seconds: HeldEntry.seconds)), owner: owner)
    }

    func placeOfHold(_ id: ULID) throws(BookError) -> Place {
        guard let place = try connection.integer("SELECT place FROM hold WHERE id = ?", [.blob(id.bytes)]) else {
            throw .refused(.unknownHold)
        }
        return Place(rawValue: place)
    }

    private func hold(at place: Place) throws(BookError) -> Hold {
        let stored = try entry(at: place)
        guard let held = HeldEntry(stored.arguments, note: try memo(at: place, event: stored.id)?.data.text),
            case .held(let until) = stored.outcome
        else { throw .damaged("a held entry cannot be read") }
        return Hold(
            event: stored.id, entry: held, total: try total(of: held, at: stored.at), at: stored.at, until: until)
    }

    private func total(of held: HeldEntry, at: WallTime) throws(BookError) -> Paise {
        switch held {
        case .credit(_, let amount, _):
            try checkMoney(amount)
            return amount
        case .payment(_, let splits): return try checkSplits(splits)
        case .bill(let bill, _): return try price(bill, at: at).total
        }
    }
}
