import Ledger

/// How often a reminder comes back: an ISO 8601 duration of one unit, as `WhenReader` writes it.
public struct Recurrence: Hashable, Sendable, CustomStringConvertible {
    public enum Unit: Hashable, Sendable { case minute, hour, day, week, month, year }

    public var count: Int64
    public var unit: Unit

    /// Longest count taken; a longer one is no reminder.
    public static let countMax: Int64 = 100_000

    /// "PT5M", "PT2H", "P1D", "P2W", "P1M", "P1Y"; nil for anything else, a count of zero too.
    public init?(_ text: String) {
        var rest = text.utf8[...]
        guard rest.popFirst() == UInt8(ascii: "P") else { return nil }
        let isTime = rest.first == UInt8(ascii: "T")
        if isTime { rest.removeFirst() }
        guard let letter = rest.popLast(), !rest.isEmpty, rest.allSatisfy({ (48...57).contains($0) }),
            let count = Int64(String(Substring(rest))), (1...Self.countMax).contains(count)
        else { return nil }
        self.count = count
        switch (isTime, letter) {
        case (true, UInt8(ascii: "M")): unit = .minute
        case (true, UInt8(ascii: "H")): unit = .hour
        case (false, UInt8(ascii: "D")): unit = .day
        case (false, UInt8(ascii: "W")): unit = .week
        case (false, UInt8(ascii: "M")): unit = .month
        case (false, UInt8(ascii: "Y")): unit = .year
        default: return nil
        }
    }

    public var description: String {
        switch unit {
        case .minute: "PT\(count)M"
        case .hour: "PT\(count)H"
        case .day: "P\(count)D"
        case .week: "P\(count)W"
        case .month: "P\(count)M"
        case .year: "P\(count)Y"
        }
    }

    /// The first firing after `now` of a reminder that first fired at `first`.
    ///
    /// Counted from the first firing, not from the last: a reminder of the 31st fires on 28 February and on 31 March,
    /// and one a sleeping device missed comes once, at its next time, not once for each time missed.
    /// - Parameter dayOfMonth: the day asked for, where the first firing was clamped already (31st said in February).
    public func next(after now: WallTime, first: WallTime, dayOfMonth: Int64? = nil) -> WallTime {
        guard now >= first else { return first }
        switch unit {
        case .minute: return stepped(60, now, first)
        case .hour: return stepped(3600, now, first)
        case .day: return stepped(86_400, now, first)
        case .week: return stepped(7 * 86_400, now, first)
        case .month, .year:
            let months = unit == .year ? count * 12 : count
            let start = CivilTime(first)
            let date = start.day.yearMonthDay
            let today = CivilTime(now).day.yearMonthDay
            // Two steps at most from the estimate: the month of now may hold a firing already past.
            var steps = max(1, ((today.year - date.year) * 12 + today.month - date.month) / months)
            while true {
                let total = date.year * 12 + date.month - 1 + steps * months
                let day = CivilDay(year: total / 12, clampedMonth: total % 12 + 1, day: dayOfMonth ?? date.day)
                let moment = CivilTime(day: day, secondOfDay: start.secondOfDay).wallTime()
                if moment > now { return moment }
                steps += 1
            }
        }
    }

    /// The shop's zone has a fixed offset, so days are 86,400 seconds here.
    private func stepped(_ unitSeconds: Int64, _ now: WallTime, _ first: WallTime) -> WallTime {
        let step = unitSeconds * count * 1000
        let passed = (now.rawValue - first.rawValue) / step + 1
        return WallTime(milliseconds: first.rawValue + passed * step)
    }
}
