// Numbers of bills and credit notes, and the days on which they may be given.

extension LedgerStore {
    /// Nothing is sold before this moment: a clock that says so has lost its battery. 2025-01-01T00:00Z.
    public static let clockFloor = WallTime(milliseconds: 1_735_689_600_000)
    /// How many days a date told by the shopkeeper is believed, the told one included (design B.4: 30 March to 3 April
    /// are asked about).
    public static let confirmedDays: Int64 = 3
    /// From this quality of the wall clock on a year may change without a question: NTP or the gateway vouch for it.
    public static let wallQualityTrusted: Int64 = 3

    /// The next number of the counter's series in the financial year of the moment. Years only go forward, and only
    /// when the date can be trusted: a number once given in the wrong year cannot be taken back.
    ///
    /// - Throws: `.refused(.clockUntrusted)`; `dateToConfirm` then says what to ask.
    func nextNumber(_ kind: InvoiceNumber.Kind, at: WallTime) throws(BookError) -> InvoiceNumber {
        guard at >= Self.clockFloor else { throw .refused(.clockUntrusted) }
        if try connection.text("SELECT value FROM setting WHERE name = 'retired_series'") == configuration.series {
            throw .unavailable("the series \(configuration.series) is retired after a loss; the counter needs another")
        }
        let year = CivilTime(at).day.financialYear
        guard try dateToConfirm(at: at) == nil else { throw .refused(.clockUntrusted) }
        if let latest = try latestYear(), year < latest { throw .refused(.clockUntrusted) }
        let code = InvoiceNumber(kind, series: configuration.series, year: year, number: 1).code
        let next =
            try connection.integer(
                "SELECT next FROM series WHERE code = ? AND year = ?", [.text(code), .integer(year)]) ?? 1
        guard next <= kind.numberMax else { throw .unavailable("the invoice series has no more numbers") }
        return InvoiceNumber(kind, series: configuration.series, year: year, number: next)
    }

    /// The day the shopkeeper has to confirm before a bill can have a number now; nil when none has to be.
    ///
    /// Asked when the clock is not vouched for and either the financial year changes or the day is so near to 1 April
    /// that it could lie on the wrong side.
    public func dateToConfirm(at: WallTime) throws(BookError) -> CivilDay? {
        guard at >= Self.clockFloor, configuration.wallQuality() < Self.wallQualityTrusted else { return nil }
        let day = CivilTime(at).day
        let (_, month, dayOfMonth) = day.yearMonthDay
        let isTurnOfYear = month == 3 && dayOfMonth >= 30 || month == 4 && dayOfMonth <= 3
        let latest = try latestYear()
        if let latest, day.financialYear < latest { return nil }
        guard isTurnOfYear || latest != nil && latest != day.financialYear else { return nil }
        let told = try connection.text("SELECT value FROM setting WHERE name = 'confirmed_day'").flatMap { Int64($0) }
        if let told, (told..<told + Self.confirmedDays).contains(day.number) { return nil }
        return day
    }

    /// The newest financial year the counter has given a number in.
    private func latestYear() throws(BookError) -> Int64? {
        let series = configuration.series
        let codes = InvoiceNumber.Kind.allCases.map { Connection.Value.text(series + $0.rawValue) }
        return try connection.integer("SELECT max(year) FROM series WHERE code IN (?, ?)", codes)
    }
}

extension ShopRules {
    /// From the arguments of a `setRules` event.
    init(_ arguments: [CBORValue]) {
        self.init()
        guard arguments.count == 3 else { return }
        roundsBills = arguments[0].bool ?? false
        holdAbove = arguments[1].integer.map { Paise($0) }
        holdBelowMilli = arguments[2].integer
    }
}
