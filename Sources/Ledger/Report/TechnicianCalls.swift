import JSONText

extension TechnicianCall {
    /// - Parameter arguments: of an event of this kind; nil where they are of another.
    init?(_ arguments: [CBORValue]) {
        guard arguments.count == Command.Code.argumentCounts[Command.Code.recordCall], let method = arguments[0].text,
            let level = arguments[1].text, let uid = arguments[2].integer, let result = arguments[4].text,
            let times = arguments[5].integer
        else { return nil }
        self.init(
            method: method, level: level, uid: uid, token: arguments[3].text, result: result, times: times)
    }
}

extension LedgerStore {
    /// Calls an answer lists at most.
    public static let callsMax = 1_000

    /// What technicians did at the counter, newest first.
    public func technicianCalls(limit: Int) throws(BookError) -> [(at: WallTime, call: TechnicianCall)] {
        var found: [(at: WallTime, call: TechnicianCall)] = []
        try connection.scan("SELECT body FROM event ORDER BY place DESC") { (row) throws(BookError) in
            let entry: JournalEntry
            do { entry = try JournalEntry(decoding: row.blob(0)) } catch { throw .damaged("an event cannot be read") }
            guard entry.type == Command.Code.recordCall else { return true }
            guard let call = TechnicianCall(entry.arguments) else {
                throw .damaged("a technician's call cannot be read")
            }
            found.append((entry.at, call))
            return found.count < limit
        }
        return found
    }
}

extension BookJob {
    /// "2026-03-04 10:30:05", the shop's own time.
    private static func time(_ moment: WallTime) -> String {
        func two(_ number: Int) -> String { (number < 10 ? "0" : "") + String(number) }
        let civil = CivilTime(moment)
        return "\(civil.day.text) \(two(civil.hour)):\(two(civil.minute)):\(two(civil.second))"
    }

    static let calls = BookJob(
        name: "calls", parameters: "[count]", summary: "what technicians did at the counter, newest first",
        writes: false
    ) { (store, given, _) throws(JobError) in
        let told = given["count"]
        let count = told == nil ? 50 : told?.integer ?? told?.string.flatMap { Int64($0) } ?? 0
        guard (1...Int64(LedgerStore.callsMax)).contains(count) else {
            throw .parameters("count is 1 to \(LedgerStore.callsMax)")
        }
        return try doing { () throws(BookError) in
            [
                "calls": .array(
                    try store.technicianCalls(limit: Int(count)).map {
                        [
                            "at": .string(time($0.at)), "method": .string($0.call.method),
                            "result": .string($0.call.result), "level": .string($0.call.level),
                            "uid": .integer($0.call.uid), "token": JSONValue($0.call.token),
                            "times": .integer($0.call.times),
                        ]
                    })
            ]
        }
    }
}
