/// A moment on the wall clock: milliseconds since 1970-01-01T00:00:00Z. Never used for order; `seq` is.
public struct WallTime: RawRepresentable, Hashable, Comparable, Sendable {
    public var rawValue: Int64

    public init(rawValue: Int64) { self.rawValue = rawValue }
    public init(milliseconds: Int64) { rawValue = milliseconds }

    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
    public func adding(seconds: Int64) -> WallTime { WallTime(milliseconds: rawValue + seconds * 1000) }
}

/// A date and time of day as the shop's calendar shows it. The shop's zone is a fixed offset:
/// India keeps +05:30 the whole year (no zone data on the device).
public struct CivilTime: Hashable, Comparable, Sendable {
    public var day: CivilDay
    /// Seconds since midnight, 0 to 86,399.
    public var secondOfDay: Int64

    public init(day: CivilDay, secondOfDay: Int64) {
        self.day = day
        self.secondOfDay = secondOfDay
    }

    public init(day: CivilDay, hour: Int, minute: Int, second: Int = 0) {
        self.init(day: day, secondOfDay: Int64(hour * 3600 + minute * 60 + second))
    }

    /// +05:30, Asia/Kolkata.
    public static let kolkataOffsetSeconds: Int64 = 19_800

    public init(_ moment: WallTime, offsetSeconds: Int64 = kolkataOffsetSeconds) {
        let seconds = Self.floorDivide(moment.rawValue, 1000) + offsetSeconds
        let days = Self.floorDivide(seconds, 86_400)
        self.init(day: CivilDay(number: days), secondOfDay: seconds - days * 86_400)
    }

    public func wallTime(offsetSeconds: Int64 = kolkataOffsetSeconds) -> WallTime {
        WallTime(milliseconds: (day.number * 86_400 + secondOfDay - offsetSeconds) * 1000)
    }

    public var hour: Int { Int(secondOfDay / 3600) }
    public var minute: Int { Int(secondOfDay % 3600 / 60) }
    public var second: Int { Int(secondOfDay % 60) }

    public static func < (left: Self, right: Self) -> Bool {
        (left.day.number, left.secondOfDay) < (right.day.number, right.secondOfDay)
    }

    static func floorDivide(_ value: Int64, _ by: Int64) -> Int64 {
        value >= 0 ? value / by : -((-value + by - 1) / by)
    }
}

/// A day of the Gregorian calendar. `number` counts days since 1970-01-01.
public struct CivilDay: Hashable, Comparable, Sendable {
    public var number: Int64

    public init(number: Int64) { self.number = number }

    /// Source: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", days_from_civil.
    public init(year: Int64, month: Int64, day: Int64) {
        let shifted = month <= 2 ? year - 1 : year
        let era = CivilTime.floorDivide(shifted, 400)
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        number = era * 146_097 + dayOfEra - 719_468
    }

    /// Source: the same, civil_from_days.
    public var yearMonthDay: (year: Int64, month: Int64, day: Int64) {
        let shifted = number + 719_468
        let era = CivilTime.floorDivide(shifted, 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthIndex = (5 * dayOfYear + 2) / 153
        let month = monthIndex < 10 ? monthIndex + 3 : monthIndex - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * monthIndex + 2) / 5 + 1)
    }

    /// 0 is Monday, 6 is Sunday.
    public var weekday: Int { Int((number + 3) - CivilTime.floorDivide(number + 3, 7) * 7) }

    public func adding(days: Int64) -> CivilDay { CivilDay(number: number + days) }

    /// The first calendar year of the Indian financial year (April to March) the day falls in.
    public var financialYear: Int64 {
        let date = yearMonthDay
        return date.month >= 4 ? date.year : date.year - 1
    }

    public static func < (left: Self, right: Self) -> Bool { left.number < right.number }
}
