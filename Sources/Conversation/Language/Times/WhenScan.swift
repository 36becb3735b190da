/// What was said about a time, before it is known which moment that is.
struct WhenScan {
    struct Span {
        /// Thousandths of the unit: half an hour is 500.
        var milli: Int64
        var unit: TimeWord.Unit
    }

    let tokens: [Token]
    private let words: [TimeWord?]
    var used: Set<Int> = []

    /// "har 5 minute".
    var every: Span?
    /// "3 din baad".
    var later: Span?
    /// "agle hafte", "agle mahine".
    var nextUnit: TimeWord.Unit?
    var dayOffset: Int64?
    var weekday: Int?
    /// 1 to 31; 31 for the end of a month.
    var dayOfMonth: Int64?
    var month: Int64?
    var part: TimeWord.Part?
    /// Minutes on the dial as said: "sadhe paanch" is 330, whatever half of the day.
    var dialMinutes: Int64?

    init(_ tokens: [Token]) {
        self.tokens = tokens
        words = tokens.map(TimeWord.of)
    }

    var hasAny: Bool {
        every != nil || later != nil || nextUnit != nil || dayOffset != nil || weekday != nil || dayOfMonth != nil
            || part != nil || dialMinutes != nil
    }

    mutating func run() {
        for index in tokens.indices where !used.contains(index) {
            switch words[index] {
            case .every: readEvery(index)
            case .each(let unit):
                every = every ?? Span(milli: 1000, unit: unit)
                used.insert(index)
            case .unit(let unit): readSpan(index, unit)
            case .next: readNext(index)
            case .day(let offset):
                dayOffset = dayOffset ?? offset
                used.insert(index)
                readDayAfterTomorrow(index)
            case .weekday(let day):
                weekday = weekday ?? day
                used.insert(index)
            case .oclock: readHour(endingAt: index)
            case .part(let told): readPart(index, told)
            case .date: readDate(index)
            case .month(let told): readMonth(index, told)
            case .end: readMonthEnd(index)
            default: break
            }
        }
        for index in tokens.indices where !used.contains(index) {
            readClock(index)
            readOrdinal(index)
            readDayBehindMonth(index)
            readBareHour(index)
        }
    }

    // MARK: Numbers beside words

    /// The number whose last token stands right before `index`, the longest one, read as time may need it.
    private func number(endingAt index: Int) -> (value: Quantum, range: Range<Int>)? {
        var best: (Quantum, Range<Int>)?
        var start = index - 1
        while start >= 0, start >= index - 4, !used.contains(start),
            tokens[start + 1].gap < .comma || start + 1 == index
        {
            if let reading = NumberReader.number(in: tokens, at: start), reading.range.upperBound == index {
                best = (reading.value, start..<index)
            }
            start -= 1
        }
        return best
    }

    private mutating func use(_ range: Range<Int>) {
        for index in range { used.insert(index) }
    }

    private func word(_ index: Int) -> TimeWord? { words.indices.contains(index) ? words[index] : nil }

    private func isText(_ index: Int, _ texts: Set<String>) -> Bool {
        tokens.indices.contains(index) && texts.contains(tokens[index].text)
    }

    // MARK: Recurrence

    /// "har 5 minute", "har dusre din", "har somvar", "har subah", "har mahine".
    private mutating func readEvery(_ index: Int) {
        if case .weekday(let day)? = word(index + 1) {
            every = Span(milli: 1000, unit: .week)
            weekday = day
            return use(index..<index + 2)
        }
        if case .part? = word(index + 1) {
            every = Span(milli: 1000, unit: .day)
            used.insert(index)
            return
        }
        if case .unit(let unit)? = word(index + 1) {
            every = Span(milli: 1000, unit: unit)
            return use(index..<index + 2)
        }
        if case .other? = word(index + 1), case .unit(let unit)? = word(index + 2) {
            every = Span(milli: 2000, unit: unit)
            return use(index..<index + 3)
        }
        guard let reading = NumberReader.number(in: tokens, at: index + 1), let milli = reading.value.milli, milli > 0,
            case .unit(let unit)? = word(reading.range.upperBound), milli <= WhenReader.countMax * 1000
        else {
            // "har mahine ki 5 tarikh" came above; "har 5 tarikh ko" is monthly.
            if let reading = NumberReader.number(in: tokens, at: index + 1),
                case .date? = word(reading.range.upperBound)
            {
                every = Span(milli: 1000, unit: .month)
                used.insert(index)
            }
            return
        }
        every = Span(milli: milli, unit: unit)
        use(index..<reading.range.upperBound + 1)
        if case .after? = word(reading.range.upperBound + 1) { used.insert(reading.range.upperBound + 1) }
    }

    // MARK: Spans from now

    /// "3 din baad", "aadhe ghante mein", "in 5 minutes", "ghante baad".
    private mutating func readSpan(_ index: Int, _ unit: TimeWord.Unit) {
        guard later == nil, !used.contains(index) else { return }
        let told = number(endingAt: index)
        let start = told?.range.lowerBound ?? index
        var end = index + 1
        if isText(end, ["ke", "k", "के", "ki", "bhar", "भर"]) { end += 1 }
        var isSpan = false
        if case .after? = word(end) {
            isSpan = true
            end += 1
        } else {
            end = index + 1
            if start > 0, let before = word(start - 1), told != nil || unit != .day {
                if case .before = before { isSpan = true }
                if case .next = before, told != nil { isSpan = true }
            }
        }
        guard isSpan else { return }
        let milli = told.map { $0.value.milli ?? 0 } ?? 1000
        guard milli > 0, milli <= WhenReader.countMax * 1000 else { return }
        // Half a day or a week and a half name no moment; half an hour does.
        guard unit == .minute || unit == .hour || milli % 1000 == 0 else { return }
        later = Span(milli: milli, unit: unit)
        use(start..<end)
        if start > 0, let before = word(start - 1) {
            switch before {
            case .before, .next: used.insert(start - 1)
            default: break
            }
        }
    }

    /// "agle hafte", "next month", "agle somvar".
    private mutating func readNext(_ index: Int) {
        switch word(index + 1) {
        case .unit(let unit) where unit.rawValue >= TimeWord.Unit.day.rawValue:
            nextUnit = unit
            use(index..<index + 2)
        case .weekday: used.insert(index)
        default: break
        }
    }

    /// "day after tomorrow": tomorrow was found, the words before it make it the day after.
    private mutating func readDayAfterTomorrow(_ index: Int) {
        guard dayOffset == 1, index >= 2, tokens[index - 1].text == "after", tokens[index - 2].text == "day" else {
            return
        }
        dayOffset = 2
        use(index - 2..<index)
    }

    // MARK: The hour

    private static let aside: Set<String> = ["ke", "ko", "k", "के", "को", "at"]

    private mutating func readPart(_ index: Int, _ told: TimeWord.Part) {
        used.insert(index)
        if told == .am || told == .pm {
            part = told
            return readHour(endingAt: index)
        }
        if tokens[index].text == "tonight" { dayOffset = dayOffset ?? 0 }
        if part == nil { part = told }
    }

    private mutating func readHour(endingAt index: Int) {
        guard dialMinutes == nil else {
            used.insert(index)
            return
        }
        if index > 0, let minutes = clock(tokens[index - 1]) {
            dialMinutes = minutes
            return use(index - 1..<index + 1)
        }
        guard let (value, range) = number(endingAt: index), let milli = value.milli, milli > 0, milli <= 24_000,
            milli * 60 % 1000 == 0
        else { return }
        dialMinutes = milli * 60 / 1000
        use(range.lowerBound..<index + 1)
        // "5 baj kar 20 minute".
        if let minutes = NumberReader.number(
            in: tokens, at: index + (isText(index + 1, ["kar", "ke", "के", "कर"]) ? 2 : 1)),
            let whole = minutes.value.whole, (1..<60).contains(whole), milli % 1000 == 0,
            case .unit(.minute)? = word(minutes.range.upperBound), !isSpanEnd(minutes.range.upperBound)
        {
            dialMinutes = milli * 60 / 1000 + whole
            use(index + 1..<minutes.range.upperBound + 1)
        }
    }

    private func isSpanEnd(_ index: Int) -> Bool {
        if case .after? = word(index + 1) { return true }
        return false
    }

    /// "7:30", and "5.30" where an hour is expected.
    private func clock(_ token: Token) -> Int64? {
        let separator: Character
        switch token.kind {
        case .clock: separator = ":"
        case .number where token.text.contains("."): separator = "."
        default: return nil
        }
        let sides = token.text.split(separator: separator)
        guard sides.count == 2, sides[1].utf8.count == 2, let hour = Int64(sides[0]), let minute = Int64(sides[1]),
            hour < 24,
            minute < 60
        else { return nil }
        return hour * 60 + minute
    }

    private mutating func readClock(_ index: Int) {
        guard dialMinutes == nil, tokens[index].kind == .clock, let minutes = clock(tokens[index]) else { return }
        dialMinutes = minutes
        used.insert(index)
    }

    /// "kal shaam 7", "at 5": a bare figure up to twelve right behind a part of the day or "at".
    private mutating func readBareHour(_ index: Int) {
        guard dialMinutes == nil, index > 0, let reading = NumberReader.number(in: tokens, at: index),
            let milli = reading.value.milli, milli >= 1000, milli <= 12_000, milli % 250 == 0
        else { return }
        var before = index - 1
        if before > 0, Self.aside.contains(tokens[before].text), tokens[before].text != "at" { before -= 1 }
        var isHour = tokens[before].text == "at"
        if case .part? = word(before) { isHour = true }
        guard isHour else { return }
        // Something counted behind it ("shaam 5 kilo", "5 rupaye", "5 ka") makes it no hour.
        let next = reading.range.upperBound
        if next < tokens.count, tokens[next].gap < .comma {
            let text = tokens[next].text
            let isCounted =
                NumberVocabulary.rupees.contains(text)
                || ["ka", "ki", "का", "की", "%", "kilo", "kg", "packet"].contains(text)
            guard !isCounted else { return }
            switch word(next) {
            case .unit?, .date?, .month?: return
            default: break
            }
        }
        dialMinutes = milli * 60 / 1000
        use(reading.range)
        if tokens[before].text == "at" { used.insert(before) }
    }

    // MARK: The date

    /// "15 tarikh", "1 date", "tarikh 15".
    private mutating func readDate(_ index: Int) {
        var told = number(endingAt: index)
        if told == nil, let reading = NumberReader.number(in: tokens, at: index + 1),
            word(reading.range.upperBound) != .oclock
        {
            told = (reading.value, reading.range)
        }
        guard let told, let day = told.value.whole, (1...31).contains(day) else { return }
        dayOfMonth = day
        used.insert(index)
        use(told.range)
    }

    /// "10 march", "march 10", "10th march".
    private mutating func readMonth(_ index: Int, _ told: Int64) {
        let isOrdinal = isText(index - 1, Self.ordinals) && index > 1 && tokens[index - 1].gap == .joined
        if let (value, range) = number(endingAt: isOrdinal ? index - 1 : index), let day = value.whole,
            (1...31).contains(day)
        {
            (dayOfMonth, month) = (day, told)
            return use(range.lowerBound..<index + 1)
        }
        guard let reading = NumberReader.number(in: tokens, at: index + 1), let day = reading.value.whole,
            (1...31).contains(day), word(reading.range.upperBound) != .oclock
        else { return }
        (dayOfMonth, month) = (day, told)
        use(index..<reading.range.upperBound)
    }

    private static let ordinals: Set<String> = ["st", "nd", "rd", "th"]

    /// "15th", "the 1st".
    private mutating func readOrdinal(_ index: Int) {
        guard dayOfMonth == nil, tokens[index].kind == .number, isText(index + 1, Self.ordinals),
            tokens[index + 1].gap == .joined, let day = Int64(tokens[index].text), (1...31).contains(day)
        else { return }
        dayOfMonth = day
        use(index..<index + 2)
    }

    /// "every month 1": a bare figure right behind the month.
    private mutating func readDayBehindMonth(_ index: Int) {
        guard dayOfMonth == nil, every?.unit == .month || nextUnit == .month, index > 0,
            let reading = NumberReader.number(in: tokens, at: index), let day = reading.value.whole,
            (1...31).contains(day)
        else { return }
        var before = index - 1
        if before > 0, isText(before, ["ki", "ke", "on", "the", "की", "के"]) { before -= 1 }
        guard case .unit(.month)? = word(before) else { return }
        let next = reading.range.upperBound
        if next < tokens.count, tokens[next].gap < .comma {
            guard !NumberVocabulary.rupees.contains(tokens[next].text), !isText(next, ["ka", "का", "%"]),
                word(next) != .oclock
            else { return }
        }
        dayOfMonth = day
        use(reading.range)
    }

    /// "mahine ke end mein", "month end", "har mahine ke aakhir".
    private mutating func readMonthEnd(_ index: Int) {
        guard dayOfMonth == nil else { return }
        let near = max(0, index - 2)..<min(tokens.count, index + 4)
        guard near.contains(where: { word($0) == .unit(.month) }) || every?.unit == .month else { return }
        dayOfMonth = 31
        used.insert(index)
    }
}
