import Ledger

/// From what was said to the moment it means.
struct WhenPlan {
    private let said: WhenScan
    private let now: CivilTime

    init(_ said: WhenScan, now: CivilTime) {
        self.said = said
        self.now = now
    }

    func moment() -> (CivilTime, recurrence: String?)? {
        if let every = said.every { return recurring(every) }
        return once().map { ($0, nil) }
    }

    // MARK: The time of day

    /// Seconds from the midnight the day begins with; past 86,400 for the small hours that belong to the evening before.
    private var secondOfDay: Int64? {
        guard let dial = said.dialMinutes else {
            switch said.part {
            case .morning: return 9 * 3600
            case .noon: return 14 * 3600
            case .evening: return 18 * 3600
            case .night: return 20 * 3600
            case .midday: return 12 * 3600
            case .midnight: return 24 * 3600
            case .am, .pm, nil: return nil
            }
        }
        // "paune baje" is a quarter to one: on the dial the hour before one is twelve.
        let minutes = dial < 60 && dial > 0 ? dial + 12 * 60 : dial
        if minutes >= 13 * 60 { return minutes * 60 }
        let morning = minutes % (12 * 60)
        let evening = morning + 12 * 60
        switch said.part {
        case .am, .morning: return morning * 60
        case .pm, .evening: return evening * 60
        case .midnight: return 24 * 3600
        case .noon, .midday: return (morning >= 7 * 60 ? morning : evening) * 60
        // Up to six at night is after midnight: "raat 12 baje", "raat 2 baje".
        case .night: return (morning >= 6 * 60 ? evening : morning + 24 * 60) * 60
        case nil: return evening * 60
        }
    }

    private func at(_ day: CivilDay, default hour: Int64 = WhenReader.defaultHour) -> CivilTime {
        let seconds = secondOfDay ?? hour * 3600
        return CivilTime(day: day.adding(days: seconds / 86_400), secondOfDay: seconds % 86_400)
    }

    /// The first of these days whose moment is still to come.
    private func firstAhead(from day: CivilDay, stepDays: Int64) -> CivilTime {
        var day = day
        // Small hours may belong to the evening before: one step more than the bare count.
        while at(day) <= now { day = day.adding(days: stepDays) }
        return at(day)
    }

    // MARK: Once

    private func once() -> CivilTime? {
        if let later = said.later {
            switch later.unit {
            case .minute: return now.adding(seconds: later.milli * 60 / 1000)
            case .hour: return now.adding(seconds: later.milli * 3600 / 1000)
            case .day: return at(now.day.adding(days: later.milli / 1000))
            case .week: return at(now.day.adding(days: later.milli / 1000 * 7))
            case .month: return at(now.day.adding(months: later.milli / 1000))
            case .year: return at(now.day.adding(months: later.milli / 1000 * 12))
            }
        }
        if let day = said.dayOfMonth { return date(day) }
        switch said.nextUnit {
        case .week:
            // "agle hafte somvar": the Monday of the week that comes.
            guard let weekday = said.weekday else { return at(now.day.adding(days: 7)) }
            return at(now.day.adding(days: 7 - Int64(now.day.weekday) + Int64(weekday)))
        case .month: return at(now.day.adding(months: 1))
        case .year: return at(now.day.adding(months: 12))
        case .day: return at(now.day.adding(days: 1))
        default: break
        }
        if let offset = said.dayOffset { return firstAhead(from: now.day.adding(days: offset), stepDays: 1) }
        if let weekday = said.weekday {
            // The next such day: today's own name means a week from today.
            let ahead = (Int64(weekday) - Int64(now.day.weekday) + 6) % 7 + 1
            return at(now.day.adding(days: ahead))
        }
        guard said.dialMinutes != nil || said.part != nil else { return nil }
        // "raat 1 baje" after midnight is this night, not the next.
        let early = at(now.day.adding(days: -1))
        return early > now ? early : firstAhead(from: now.day, stepDays: 1)
    }

    /// A day of a month: the next one ahead, of the month named or of any.
    private func date(_ day: Int64) -> CivilTime? {
        let today = now.day.yearMonthDay
        if let month = said.month {
            for year in [today.year, today.year + 1] {
                let moment = at(CivilDay(year: year, clampedMonth: month, day: day))
                if moment > now { return moment }
            }
            return nil
        }
        let first: Int64 = said.nextUnit == .month ? 1 : 0
        return monthly(day, from: first, default: WhenReader.defaultHour)
    }

    private func monthly(_ day: Int64, from first: Int64, default hour: Int64) -> CivilTime {
        let today = now.day.yearMonthDay
        for ahead in first...first + 1 {
            let months = today.year * 12 + today.month - 1 + ahead
            let moment = at(CivilDay(year: months / 12, clampedMonth: months % 12 + 1, day: day), default: hour)
            if moment > now { return moment }
        }
        preconditionFailure("a day of next month is ahead of now")
    }

    // MARK: Again and again

    private func recurring(_ every: WhenScan.Span) -> (CivilTime, recurrence: String?)? {
        guard every.milli % 1000 == 0 else {
            // "har aadhe ghante", "har dedh ghante".
            guard every.unit == .hour, every.milli * 60 % 1000 == 0 else { return nil }
            let minutes = every.milli * 60 / 1000
            return (now.adding(seconds: minutes * 60), "PT\(minutes)M")
        }
        let count = every.milli / 1000
        switch every.unit {
        case .minute: return (now.adding(seconds: count * 60), "PT\(count)M")
        case .hour: return (now.adding(seconds: count * 3600), "PT\(count)H")
        case .day:
            let from = count == 1 ? said.dayOffset ?? 0 : count
            return (firstAhead(from: now.day.adding(days: from), stepDays: 1), "P\(count)D")
        case .week:
            if let weekday = said.weekday {
                let ahead = (Int64(weekday) - Int64(now.day.weekday) + 7) % 7
                return (firstAhead(from: now.day.adding(days: ahead), stepDays: 7), "P\(count)W")
            }
            let from = count == 1 ? said.dayOffset ?? 0 : count * 7
            return (firstAhead(from: now.day.adding(days: from), stepDays: 1), "P\(count)W")
        case .month:
            if let day = said.dayOfMonth {
                return (monthly(day, from: 0, default: WhenReader.monthlyHour), "P\(count)M")
            }
            return (interval(count), "P\(count)M")
        case .year:
            if let day = said.dayOfMonth, let moment = date(day) { return (moment, "P\(count)Y") }
            return (interval(count * 12), "P\(count)Y")
        }
    }

    /// One interval from now, at the hour said or at this hour.
    private func interval(_ months: Int64) -> CivilTime {
        let day = now.day.adding(months: months)
        return secondOfDay == nil ? CivilTime(day: day, secondOfDay: now.secondOfDay) : at(day)
    }
}

extension CivilTime {
    func adding(seconds: Int64) -> CivilTime { CivilTime(wallTime().adding(seconds: seconds)) }
}

extension CivilDay {
    /// Days beyond a month's end become its last day.
    init(year: Int64, clampedMonth month: Int64, day: Int64) {
        let next =
            month == 12 ? CivilDay(year: year + 1, month: 1, day: 1) : CivilDay(year: year, month: month + 1, day: 1)
        let last = next.adding(days: -1).yearMonthDay.day
        self.init(year: year, month: month, day: min(day, last))
    }

    func adding(months: Int64) -> CivilDay {
        let date = yearMonthDay
        let total = date.year * 12 + date.month - 1 + months
        return CivilDay(year: total / 12, clampedMonth: total % 12 + 1, day: date.day)
    }
}
