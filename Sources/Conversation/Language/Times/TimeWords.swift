/// The words times are said with, as data.
enum TimeWord: Hashable, Sendable {
    enum Unit: Int, Sendable { case minute, hour, day, week, month, year }
    enum Part: Sendable { case morning, noon, evening, night, am, pm, midday, midnight }

    case unit(Unit)
    /// "har", "every".
    case every
    /// "dusre", "alternate" behind "har": every second one.
    case other
    /// "daily", "weekly", "monthly": a unit and "every" in one word.
    case each(Unit)
    /// "baad", "mein", "later" behind a span.
    case after
    /// "in", "after" before a span.
    case before
    case next
    /// Days from today: aaj 0, kal 1, parso 2, narso 3.
    case day(Int64)
    case part(Part)
    case oclock
    /// "tarikh", "date".
    case date
    /// 0 is Monday.
    case weekday(Int)
    case month(Int64)
    /// "aakhir", "end": the last day of a month.
    case end

    static func of(_ token: Token) -> TimeWord? { token.kind == .word ? vocabulary[token.text] : nil }

    private static let vocabulary: [String: TimeWord] = {
        var map: [String: TimeWord] = [:]
        func add(_ meaning: TimeWord, _ words: String) {
            for word in words.split(separator: " ") { map[Script.folded(word)] = meaning }
        }
        add(.unit(.minute), "minute minutes min mins minat minit minto मिनट मिनिट मिनटों")
        add(.unit(.hour), "ghante ghanta ghanto ghantay ghanton hour hours hr hrs घंटे घंटा घंटों घण्टे")
        add(.unit(.day), "din dino dinon day days दिन दिनों")
        add(.unit(.week), "hafte hafta hafton haftay haphte week weeks saptah हफ्ते हफ़्ते हफ्ता हफ़्ता हफ्तों सप्ताह")
        add(.unit(.month), "mahine mahina mahinay mahino mahinon maheene maheena month months maah महीने महीना महीनों माह")
        add(.unit(.year), "saal sal year years varsh साल सालों वर्ष")
        add(.every, "har hr. every each prati हर प्रति एवरी")
        add(.other, "dusre doosre alternate other second दूसरे")
        add(.each(.day), "roz roj rozana rojana rozaana daily everyday pratidin रोज़ रोज रोज़ाना रोजाना प्रतिदिन डेली")
        add(.each(.week), "weekly saptahik haftewar साप्ताहिक वीकली")
        add(.each(.month), "monthly masik maasik मासिक मंथली")
        add(.each(.hour), "hourly")
        add(.each(.year), "yearly annually salana saalana सालाना")
        add(.after, "baad bad baadh mein me mai andar later बाद में अंदर")
        add(.before, "in after within")
        add(.next, "agle agla agli aglay next coming अगले अगला अगली")
        add(.day(0), "aaj aj today आज")
        add(.day(1), "kal tomorrow tomorow कल")
        add(.day(2), "parso parson parsoon परसों परसो")
        add(.day(3), "narso narson tarso tarson नरसों तरसों")
        add(.part(.morning), "subah subha subeh savere sawere morning सुबह सवेरे")
        add(.part(.noon), "dopahar dopehar dopahr dupahar dupehar afternoon दोपहर")
        add(.part(.evening), "shaam sham evening शाम")
        add(.part(.night), "raat rat night tonight रात")
        add(.part(.am), "am")
        add(.part(.pm), "pm")
        add(.part(.midday), "noon")
        add(.part(.midnight), "midnight")
        add(.oclock, "baje bje bajay bajey baj oclock बजे बजकर")
        add(.date, "tarikh tareekh taareekh tareek tarik taarikh date dinank तारीख़ तारीख दिनांक")
        add(.end, "end aakhir akhir aakhri akhri last अंत आखिर आख़िर")
        let days = [
            "somvar somwar somvaar somwaar monday सोमवार", "mangalvar mangalwar mangalvaar mangal tuesday मंगलवार मंगल",
            "budhvar budhwar budhvaar budh wednesday बुधवार बुध",
            "guruvar guruwar guruvaar veervar brihaspativar thursday गुरुवार गुरूवार वीरवार बृहस्पतिवार",
            "shukravar shukrawar shukrwar shukravaar shukr friday jumma शुक्रवार जुम्मा",
            "shanivar shaniwar shanivaar shani saturday शनिवार",
            "ravivar raviwar ravivaar itvar itwar itwaar sunday रविवार इतवार",
        ]
        for (index, words) in days.enumerated() { add(.weekday(index), words) }
        let months = [
            "january jan janvari जनवरी", "february feb farvari फरवरी फ़रवरी", "march मार्च", "april apr aprail अप्रैल",
            "may मई",
            "june joon जून", "july julai जुलाई", "august aug agast अगस्त", "september sept sep sitambar सितंबर",
            "october oct aktubar अक्टूबर अक्तूबर", "november nov navambar नवंबर", "december dec disambar दिसंबर",
        ]
        for (index, words) in months.enumerated() { add(.month(Int64(index + 1)), words) }
        return map
    }()
}
