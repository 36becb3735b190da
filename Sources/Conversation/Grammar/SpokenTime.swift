import Ledger

/// The moments a reminder may be set for.
enum SpokenTime {
    /// Tomorrow at 19:00 by the shop's clock: what is meant when no time is said.
    static func tomorrowEvening(_ now: WallTime) -> WallTime {
        CivilTime(day: CivilTime(now).day.adding(days: 1), hour: 19, minute: 0).wallTime()
    }
}

extension WallTime {
    /// "2026-03-05T19:00:00+05:30".
    var iso8601Kolkata: String {
        let civil = CivilTime(self)
        let date = civil.day.yearMonthDay
        func two(_ number: some BinaryInteger) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return
            "\(date.year)-\(two(date.month))-\(two(date.day))T\(two(civil.hour)):\(two(civil.minute)):\(two(civil.second))+05:30"
    }
}
