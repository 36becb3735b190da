import JSONText
import Ledger
import Testing

@testable import Conversation

struct WhenTests {
    private static func answer(_ text: String, _ now: String) -> JSONValue {
        guard let moment = ISOTime.moment(now), let when = WhenReader.read(text, now: moment) else { return .null }
        return ["firesAt": .string(ISOTime.text(when.firesAt)), "recurrence": JSONValue(when.recurrence)]
    }

    @Test(arguments: TableFixture.rows("when"))
    func `every line of the when table is read`(row: TableRow) {
        let out = Self.answer(row.question["text"]?.string ?? "", row.question["now"]?.string ?? "")
        #expect(row.accepted.contains(out), "\(row): \(out.text)")
    }

    /// Wednesday 4 March 2026, 10:30; the answers follow from the rules by hand.
    @Test(arguments: [
        ("har somvar", "2026-03-09T19:00 P1W"), ("har shukravar shaam 6 baje", "2026-03-06T18:00 P1W"),
        ("har hafte budhvar", "2026-03-04T19:00 P1W"), ("budhvar ko", "2026-03-11T19:00"),
        ("agle hafte somvar", "2026-03-09T19:00"),
        ("har subah 8 baje", "2026-03-05T08:00 P1D"), ("har 2 ghante", "2026-03-04T12:30 PT2H"),
        ("har do din", "2026-03-06T19:00 P2D"), ("har dusre din", "2026-03-06T19:00 P2D"),
        ("har 2 hafte", "2026-03-18T19:00 P2W"),
        ("har mahine", "2026-04-04T10:30 P1M"), ("har mahine ki 10 tarikh subah 11 baje", "2026-03-10T11:00 P1M"),
        ("every month on the 5th", "2026-03-05T09:00 P1M"), ("har mahine ke aakhir mein", "2026-03-31T09:00 P1M"),
        ("aaj subah 9 baje", "2026-03-05T09:00"), ("raat 12 baje", "2026-03-05T00:00"),
        ("aaj raat 2 baje", "2026-03-05T02:00"),
        ("kal raat 11 baje", "2026-03-05T23:00"), ("kal dopahar 12 baje", "2026-03-05T12:00"),
        ("day after tomorrow", "2026-03-06T19:00"),
        ("agle mahine 5 tarikh ko", "2026-04-05T19:00"), ("ek mahine baad", "2026-04-04T19:00"),
        ("dedh ghante baad", "2026-03-04T12:00"),
        ("paune do ghante baad", "2026-03-04T12:15"), ("in 5 minutes", "2026-03-04T10:35"),
        ("after 2 days", "2026-03-06T19:00"),
        ("tonight at 9", "2026-03-04T21:00"), ("sava paanch baje", "2026-03-04T17:15"),
        ("paune chhe baje shaam", "2026-03-04T17:45"),
        ("dhai baje", "2026-03-04T14:30"), ("dedh baje", "2026-03-04T13:30"), ("paune baje", "2026-03-04T12:45"),
        ("5.30 baje", "2026-03-04T17:30"), ("17:45", "2026-03-04T17:45"), ("1 january", "2027-01-01T19:00"),
        ("31 tarikh", "2026-03-31T19:00"), ("4 tarikh ko", "2026-03-04T19:00"), ("3 tarikh", "2026-04-03T19:00"),
        ("2 din baad subah 10 baje", "2026-03-06T10:00"), ("परसों सुबह 10 बजे", "2026-03-06T10:00"),
        ("हर रोज़ शाम 6 बजे", "2026-03-04T18:00 P1D"), ("आधे घंटे में", "2026-03-04T11:00"),
        ("kal shaam ko 7", "2026-03-05T19:00"),
        ("har aadhe ghante", "2026-03-04T11:00 PT30M"), ("5 baj kar 20 minute", "2026-03-04T17:20"),
    ])
    func `a time has its moment`(text: String, moment: String) {
        let parts = moment.split(separator: " ").map(String.init)
        let expected: JSONValue = [
            "firesAt": .string(parts[0] + ":00+05:30"), "recurrence": JSONValue(parts.count > 1 ? parts[1] : nil),
        ]
        #expect(Self.answer(text, "2026-03-04T10:30:00+05:30") == expected)
    }

    @Test func `after midnight the night is this night`() {
        let out = Self.answer("raat 1 baje", "2026-03-04T00:30:00+05:30")
        #expect(out["firesAt"] == "2026-03-04T01:00:00+05:30")
    }

    @Test(arguments: [
        "do minute ruko", "reminder bhejo", "Rahul ko 500 ka", "5", "teen din", "", "har", "baje", "aadhe din baad",
    ])
    func `no time said is no time`(text: String) {
        #expect(Self.answer(text, "2026-03-04T10:30:00+05:30") == .null)
    }

    /// The amount of a reminder is not part of its time, wherever it stands.
    @Test(arguments: [
        ("Rahul ko 500 ka reminder kal shaam 7 baje bhejna", 2), ("Rahul ko 500 ka reminder har mahine 1 date ko", 2),
        ("kal Rahul ko 500 ka reminder bhejo", 3), ("kal shaam 5 rupaye ka reminder", 2),
        ("Suresh ko 1500 ka reminder 15 tarikh ko", 2),
    ])
    func `the amount stays with the reminder`(text: String, amount: Int) throws {
        let tokens = Tokens(text).items
        let now = try #require(ISOTime.moment("2026-03-04T10:30:00+05:30"))
        let when = try #require(WhenReader.read(tokens, now: now))
        #expect(!when.used.contains(amount))
        let figures = tokens.indices.filter { tokens[$0].kind == .number && $0 != amount }
        #expect(figures.allSatisfy(when.used.contains))
    }

    @Test func `a month's days clamp, leap years too`() {
        #expect(
            Self.answer("har mahine 31 tarikh", "2028-02-01T10:00:00+05:30")["firesAt"] == "2028-02-29T09:00:00+05:30")
        #expect(Self.answer("ek mahine baad", "2026-01-31T10:00:00+05:30")["firesAt"] == "2026-02-28T19:00:00+05:30")
        #expect(Self.answer("kal", "2026-12-31T10:00:00+05:30")["firesAt"] == "2027-01-01T19:00:00+05:30")
    }

    /// Whatever is said, at whatever hour: what is read lies ahead.
    @Test func `a moment read is never past`() {
        var random = SplitMix(seed: 5)
        let words = [
            "kal", "aaj", "parso", "har", "roz", "5", "12", "31", "baje", "subah", "raat", "shaam", "tarikh", "mahine",
            "hafte", "din",
            "baad", "agle", "somvar", "march", "sadhe", "paune", "ghante", "minute", "pm", "am", "7:30", "mein", "end",
            "every", "month",
            "aadhe", "midnight", "th", "next", "at", "saal", "february", "29",
        ]
        for _ in 0..<4000 {
            let text = (0..<(1 + Int(random.next() % 6))).map { _ in words[Int(random.next() % UInt64(words.count))] }
                .joined(separator: " ")
            let now = WallTime(milliseconds: 1_700_000_000_000 + Int64(random.next() % 400_000_000_000))
            guard let when = WhenReader.read(text, now: now) else { continue }
            #expect(when.firesAt > now, "\(text) at \(ISOTime.text(now)): \(ISOTime.text(when.firesAt))")
        }
    }
}

struct ISOTimeTests {
    @Test func `a moment is written and read back`() {
        for text in ["2026-03-04T10:30:00+05:30", "1999-12-31T23:59:59+05:30", "2028-02-29T00:00:00+05:30"] {
            #expect(ISOTime.moment(text).map { ISOTime.text($0) } == text)
        }
        #expect(ISOTime.moment("1970-01-01T00:00:00Z") == WallTime(milliseconds: 0))
        #expect(ISOTime.moment("1970-01-01 00:00:00.250Z") == WallTime(milliseconds: 250))
        #expect(ISOTime.moment("2026-03-04T10:30+05:30") == ISOTime.moment("2026-03-04T05:00:00Z"))
        for bad in [
            "", "2026-02-30T00:00:00Z", "2026-13-01T00:00:00Z", "2026-03-04", "2026-03-04T24:00:00Z",
            "2026-03-04T10:30:00", "2026-03-04T10:30:00Zx",
        ] {
            #expect(ISOTime.moment(bad) == nil, "\(bad)")
        }
    }
}

struct GSTTests {
    @Test(arguments: TableFixture.rows("gst"))
    func `every line of the gst table is reckoned`(row: TableRow) throws {
        func number(_ name: String) throws -> Int64 { try #require(row.question[name]?.integer) }
        let line = try GSTCalculator(
            price: Paise(number("pricePaise")), quantity: MilliQuantity(number("quantityMilli")),
            rate: BasisPoints(number("rateBps")), cess: BasisPoints(number("cessBps")),
            isInterState: try #require(row.question["interState"]?.bool as Bool?),
            isExempt: try #require(row.question["exempt"]?.bool as Bool?)
        ).line()
        let out: JSONValue = [
            "subtotalPaise": .integer(line.subtotal.rawValue), "cgstPaise": .integer(line.tax.cgst.rawValue),
            "sgstPaise": .integer(line.tax.sgst.rawValue), "igstPaise": .integer(line.tax.igst.rawValue),
            "cessPaise": .integer(line.tax.cess.rawValue), "totalPaise": .integer(line.total.rawValue),
        ]
        #expect(row.accepted.contains(out), "\(row): \(out.text)")
    }

    @Test func `between states the whole tax is one`() throws {
        let line = try GSTCalculator(
            price: Paise(3333), quantity: MilliQuantity(1000), rate: BasisPoints(500), isInterState: true
        ).line()
        #expect(line.tax == LineTax(igst: Paise(167)))
        #expect(line.total == Paise(3500))
    }

    @Test func `a price out of range is refused`() {
        #expect(throws: BookError.self) {
            _ = try GSTCalculator(price: Paise(.max), quantity: MilliQuantity(2000), rate: .zero).line()
        }
    }
}

struct RecurrenceTests {
    @Test(arguments: ["PT5M", "PT2H", "P1D", "P1W", "P1M", "P6M", "P1Y", "P15D"])
    func `a recurrence is written as it was read`(text: String) {
        #expect(Recurrence(text)?.description == text)
    }

    @Test(arguments: [
        "", "P", "PT", "P1", "P0D", "PT5S", "P1H", "PT1D", "P-1D", "P1M2D", "p1d", "P99999999D", "P１D", " P1D",
    ])
    func `another duration is none`(text: String) {
        #expect(Recurrence(text) == nil)
    }

    @Test(arguments: [
        ("PT5M", "2026-03-04T10:35", "2026-03-04T10:35", "2026-03-04T10:40"),
        ("PT5M", "2026-03-04T10:35", "2026-03-04T12:01", "2026-03-04T12:05"),
        ("P1D", "2026-03-04T19:00", "2026-03-09T20:00", "2026-03-10T19:00"),
        ("P1W", "2026-03-07T19:00", "2026-03-07T19:00", "2026-03-14T19:00"),
        ("P1M", "2026-01-31T09:00", "2026-01-31T09:00", "2026-02-28T09:00"),
        ("P1M", "2026-01-31T09:00", "2026-02-28T09:00", "2026-03-31T09:00"),
        ("P1M", "2026-01-31T09:00", "2026-03-31T08:59", "2026-03-31T09:00"),
        ("P6M", "2026-09-04T10:30", "2027-01-01T00:00", "2027-03-04T10:30"),
        ("P1Y", "2028-02-29T09:00", "2028-03-01T00:00", "2029-02-28T09:00"),
        ("P1D", "2026-03-04T19:00", "2026-03-01T00:00", "2026-03-04T19:00"),
    ])
    func `the next firing is counted from the first`(text: String, first: String, now: String, next: String) throws {
        func moment(_ text: String) throws -> WallTime { try #require(ISOTime.moment(text + ":00+05:30")) }
        let recurrence = try #require(Recurrence(text))
        #expect(try recurrence.next(after: moment(now), first: moment(first)) == moment(next))
    }

    @Test func `a day asked for outlives a short first month`() throws {
        let first = try #require(ISOTime.moment("2026-02-28T09:00:00+05:30"))
        let next = Recurrence("P1M")?.next(after: first, first: first, dayOfMonth: 31)
        #expect(next.map { ISOTime.text($0) } == "2026-03-31T09:00:00+05:30")
    }

    /// Every recurrence the reader writes is one that can be counted on.
    @Test(arguments: [
        "har 5 minute", "har 2 ghante", "roz", "har do din", "har somvar", "har 2 hafte", "har mahine", "har saal",
        "har aadhe ghante",
    ])
    func `what is read can recur`(text: String) throws {
        let now = try #require(ISOTime.moment("2026-03-04T10:30:00+05:30"))
        let when = try #require(WhenReader.read(text, now: now))
        let recurrence = try #require(when.recurrence.flatMap { Recurrence($0) })
        #expect(recurrence.next(after: when.firesAt, first: when.firesAt) > when.firesAt)
    }
}
