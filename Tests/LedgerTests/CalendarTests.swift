import Ledger
import Testing

@Suite struct CalendarTests {
    /// From Python's datetime: date, days since 1970, weekday from Monday, financial year.
    @Test(
        arguments: [
            (1970, 1, 1, 0, 3, 1969),
            (1969, 12, 31, -1, 2, 1969),
            (2000, 2, 29, 11016, 1, 1999),
            (2025, 3, 31, 20178, 0, 2024),
            (2025, 4, 1, 20179, 1, 2025),
            (2026, 1, 15, 20468, 3, 2025),
            (2038, 1, 19, 24855, 1, 2037),
            (2099, 12, 31, 47481, 3, 2099),
            (2100, 3, 1, 47541, 0, 2099),
            (1900, 2, 28, -25509, 2, 1899),
        ] as [(Int64, Int64, Int64, Int64, Int, Int64)])
    func `a date and its number name the same day`(
        year: Int64, month: Int64, day: Int64, number: Int64, weekday: Int, financialYear: Int64
    ) {
        let made = CivilDay(year: year, month: month, day: day)
        #expect(made.number == number)
        #expect(made.yearMonthDay == (year, month, day))
        #expect(made.weekday == weekday && made.financialYear == financialYear)
    }

    @Test func `every day of two hundred years follows the one before`() {
        var last = CivilDay(number: -25_000).yearMonthDay
        for number in -24_999...50_000 as ClosedRange<Int64> {
            let day = CivilDay(number: number).yearMonthDay
            let isNext =
                day == (last.year, last.month, last.day + 1) || day == (last.year, last.month + 1, 1)
                || day == (last.year + 1, 1, 1) && last.month == 12 && last.day == 31
            guard isNext, CivilDay(year: day.year, month: day.month, day: day.day).number == number else {
                Issue.record("day \(number)")
                return
            }
            last = day
        }
    }

    /// From Python's datetime at +05:30: milliseconds since 1970, then date and time of day in the shop.
    @Test(
        arguments: [
            (1_768_501_799_999, 2026, 1, 15, 23, 59, 59),
            (1_768_501_800_000, 2026, 1, 16, 0, 0, 0),
            (0, 1970, 1, 1, 5, 30, 0),
            (-19_800_500, 1969, 12, 31, 23, 59, 59),
        ] as [(Int64, Int64, Int64, Int64, Int, Int, Int)])
    func `the shop's day turns at its own midnight`(
        milliseconds: Int64, year: Int64, month: Int64, day: Int64, hour: Int, minute: Int, second: Int
    ) {
        let time = CivilTime(WallTime(milliseconds: milliseconds))
        #expect(time.day.yearMonthDay == (year, month, day))
        #expect((time.hour, time.minute, time.second) == (hour, minute, second))
        #expect(time.wallTime().rawValue == milliseconds - (milliseconds % 1000 + 1000) % 1000)
    }

    /// The example of the ULID specification, as text and as bytes.
    @Test func `an id is shown as the specification shows it`() throws {
        let id = try #require(ULID("01ARZ3NDEKTSV4RRFFQ69G5FAV"))
        #expect(id.bytes.hex == "01563e3ab5d3d6764c61efb99302bd5b")
        #expect(ULID(bytes: id.bytes) == id && id.description == "01ARZ3NDEKTSV4RRFFQ69G5FAV")
        for wrong in ["", "01ARZ3NDEKTSV4RRFFQ69G5FA", "81ARZ3NDEKTSV4RRFFQ69G5FAV", "01ARZ3NDEKTSV4RRFFQ69G5FAU"] {
            #expect(ULID(wrong) == nil)
        }
        #expect(ULID(bytes: [1, 2]) == nil)
    }
}
