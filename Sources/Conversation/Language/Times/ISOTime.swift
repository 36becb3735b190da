import Ledger

/// Moments as ISO 8601 text with an offset: "2026-03-05T19:00:00+05:30".
public enum ISOTime {
    /// The moment in the shop's zone, to the second.
    public static func text(_ moment: WallTime, offsetSeconds: Int64 = CivilTime.kolkataOffsetSeconds) -> String {
        let civil = CivilTime(moment, offsetSeconds: offsetSeconds)
        let date = civil.day.yearMonthDay
        let minutes = offsetSeconds.magnitude / 60
        return "\(pad(date.year, 4))-\(pad(date.month, 2))-\(pad(date.day, 2))T\(pad(Int64(civil.hour), 2)):"
            + "\(pad(Int64(civil.minute), 2)):\(pad(Int64(civil.second), 2))"
            + (offsetSeconds < 0 ? "-" : "+") + "\(pad(Int64(minutes / 60), 2)):\(pad(Int64(minutes % 60), 2))"
    }

    /// Date, "T" or a space, time to the minute or finer, then Z or an offset. Nil for anything else.
    public static func moment(_ text: String) -> WallTime? {
        var bytes = Array(text.utf8)[...]
        func number(_ digits: Int) -> Int64? {
            guard bytes.count >= digits else { return nil }
            var value: Int64 = 0
            for byte in bytes.prefix(digits) {
                guard (48...57).contains(byte) else { return nil }
                value = value * 10 + Int64(byte - 48)
            }
            bytes = bytes.dropFirst(digits)
            return value
        }
        func take(_ letters: String) -> Bool {
            guard let byte = bytes.first, letters.utf8.contains(byte) else { return false }
            bytes = bytes.dropFirst()
            return true
        }
        guard let year = number(4), take("-"), let month = number(2), (1...12).contains(month), take("-"),
            let day = number(2), (1...31).contains(day), take("T "), let hour = number(2), hour < 24, take(":"),
            let minute = number(2), minute < 60
        else { return nil }
        let date = CivilDay(year: year, month: month, day: day)
        guard date.yearMonthDay == (year, month, day) else { return nil }
        var second: Int64 = 0
        var milliseconds: Int64 = 0
        if take(":") {
            guard let told = number(2), told < 60 else { return nil }
            second = told
            if take(".") {
                var scale: Int64 = 100
                guard let first = bytes.first, (48...57).contains(first) else { return nil }
                while let digit = number(1) {
                    milliseconds += digit * scale
                    scale /= 10
                }
            }
        }
        var offset: Int64 = 0
        if !take("Z") {
            let sign: Int64 = bytes.first == UInt8(ascii: "-") ? -1 : 1
            guard take("+-"), let hours = number(2), hours < 24 else { return nil }
            _ = take(":")
            guard let minutes = number(2), minutes < 60 else { return nil }
            offset = sign * (hours * 3600 + minutes * 60)
        }
        guard bytes.isEmpty else { return nil }
        let civil = CivilTime(day: date, secondOfDay: hour * 3600 + minute * 60 + second)
        return WallTime(milliseconds: civil.wallTime(offsetSeconds: offset).rawValue + milliseconds)
    }

    private static func pad(_ value: Int64, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }
}
