import JSONText
import Testing

@testable import Conversation

struct NumberReaderTests {
    @Test(arguments: TableFixture.rows("numbers"))
    func `every line of the numbers table is read`(row: TableRow) {
        let out = JSONValue(row.question.string.flatMap { NumberReader.value(of: $0)?.milli })
        #expect(row.accepted.contains(out), "\(row): \(out.text)")
    }

    /// Phrasings beside the table: value in thousandths, nil where no number may be read.
    @Test(
        arguments: [
            ("sadhe baarah sau", 1_250_000), ("paune sau", 75_000), ("sava ek", 1250), ("pachees sau", 2_500_000),
            ("do hazaar dhai sau", 2_250_000), ("teen lakh sadhe chaar hazaar", 304_500_000),
            ("do hazar pachchees", 2_025_000), ("ek hazaar sau", 1_100_000), ("five hundred thousand", 500_000_000),
            ("do sau hazaar", 200_000_000), ("ek hazaar karod", 10_000_000_000_000),
            ("two fifty", 250_000), ("one twenty five", 125_000), ("one thousand two fifty", 1_250_000),
            ("two hundred and fifty", 250_000), ("a hundred", 100_000), ("twenty-five", 25_000),
            ("two and a quarter", 2250), ("one and a half lakh", 150_000_000), ("three quarters", 750),
            ("half a million", 500_000_000), ("point five", 500), ("do point paanch", 2500),
            ("two point two five", 2250),
            ("one point five lakh", 150_000_000), ("ek sau point paanch", 100_500), ("1 1/2", 1500), ("½", 500),
            ("5k", 5_000_000), ("2.5 lakh", 250_000_000), ("1,00,000", 100_000_000), ("minus 50", -50_000),
            ("-50", -50_000),
            ("Rs. 500", 500_000), ("₹ 1,500.50", 1_500_500), ("do rupaye pachas paise", 2500), ("pachas paise", 500),
            ("do so", 200_000), ("double nine", 99_000), ("two five zero", 250_000), ("2 5 0", 250_000),
            ("ek do teen", 123_000), ("pachchees", 25_000), ("pacheesh", nil), ("chaalees", 40_000), ("saath", 60_000),
            ("साठ", 60_000), ("साथ", nil), ("पन्द्रह सौ", 1_500_000), ("पंद्रह सौ", 1_500_000), ("डेढ सौ", 150_000),
            ("साढ़े बारह सौ", 1_250_000), ("पौने दो लाख", 175_000_000), ("टू हंड्रेड फिफ्टी", 250_000), ("बत्तीस", 32_000),
            ("२.५", 2500), ("आधा हज़ार", 500_000), ("ஐந்து", nil), ("dedh paav", 375), ("sava paav", nil),
            ("do teen", nil), ("ek sau do sau", nil), ("tera", nil), ("chai", nil), ("at", nil), ("चाय", nil),
            ("so", nil),
            ("2.1234567", nil),
            ("99999999999999999999", nil), ("arab karod arab karod", nil), ("1/0", nil), ("rupaye", nil),
            ("tin sau", 300_000),
            ("tin", nil), (".5", 500), ("sirf 500", 500_000), ("500/- only", 500_000), ("teen chauthai", 750),
            ("+50", 50_000),
        ] as [(String, Int64?)])
    func `a phrase has its value`(phrase: String, milli: Int64?) {
        #expect(NumberReader.value(of: phrase)?.milli == milli)
    }

    /// Two meanings of "do", and of "saath": the neighbours decide.
    @Test func `an imperative is no number`() {
        for text in ["kar do", "likh do", "bhej do", "udhaar do", "credit do", "कर दो", "लिख दो", "750 ke saath"] {
            let tokens = Tokens(text).items
            #expect(NumberReader.number(in: tokens, at: tokens.count - 1) == nil, "\(text)")
        }
        let tokens = Tokens("Rahul ko do milk de do").items
        #expect(NumberReader.number(in: tokens, at: 2)?.value == Quantum(2))
        #expect(NumberReader.number(in: tokens, at: 5) == nil)
    }

    /// What a caller may not charge unasked is marked.
    @Test func `a reading with a twin is doubtful`() {
        func reading(_ text: String, at index: Int = 0) -> NumberReading? {
            NumberReader.number(in: Tokens(text).items, at: index)
        }
        #expect(reading("do teen kilo")?.isDoubtful == true)
        #expect(reading("ek sau do sau")?.value == Quantum(100))
        #expect(reading("ek sau do sau")?.isDoubtful == true)
        #expect(reading("likh do sau", at: 2)?.isDoubtful == true)
        #expect(reading("do sau pachas rupaye")?.isDoubtful == false)
        #expect(reading("98765 43210")?.isDoubtful == true)
        #expect(reading("paanch sau do")?.isDoubtful == true)
        #expect(reading("paanch sau do rupaye")?.isDoubtful == false)
        #expect(reading("paanch sau do likh do")?.isDoubtful == false)
        #expect(reading("500 do")?.isDoubtful == false)
        #expect(reading("500 do")?.value == Quantum(500))
        #expect(reading("2, 3 milk")?.isDoubtful == false)
    }

    @Test func `a number stops where the phrase is parted`() {
        let tokens = Tokens("doodh 2, bread 3 aur anda paanch").items
        #expect(NumberReader.number(in: tokens, at: 1)?.range == 1..<2)
        #expect(NumberReader.number(in: tokens, at: 3)?.range == 3..<4)
        #expect(NumberReader.number(in: tokens, at: 6)?.value == Quantum(5))
        let kilo = Tokens("sava do kilo").items
        #expect(NumberReader.number(in: kilo, at: 0)?.range == 0..<2)
        let joined = Tokens("500ml").items
        #expect(NumberReader.number(in: joined, at: 0)?.range == 0..<1)
    }

    @Test(
        arguments: [
            ("₹500 likh do", 50_000, 2), ("Rs. 250 diye", 25_000, 2), ("dhai sau rupaye diye", 25_000, 3),
            ("500 rupaye 50 paise", 50_050, 4), ("paanch rupaye aur pachas paise", 550, 5), ("pachas paise", 50, 2),
            ("184.50", 18_450, 1), ("do sau aur teen sau", 20_000, 2), ("रुपये ५००", 50_000, 2),
        ] as [(String, Int64, Int)])
    func `a sum of money is read to the paisa`(text: String, paise: Int64, count: Int) {
        let amount = NumberReader.amount(in: Tokens(text).items, at: 0)
        #expect(amount?.paise == paise)
        #expect(amount?.range.count == count)
    }

    @Test func `part of a paisa is no sum`() {
        #expect(NumberReader.amount(in: Tokens("0.005 rupaye").items, at: 0) == nil)
        #expect(NumberReader.amount(in: Tokens("dedh paise").items, at: 0) == nil)
    }

    /// A spelling may belong to one value only, exact or by sound: otherwise the table order would decide sums.
    @Test func `no spelling has two values`() {
        var exact: [String: NumberWord] = [:]
        var sound: [String: NumberWord] = [:]
        for (word, meaning) in NumberWords.entries {
            let folded = Script.folded(word)
            if let known = exact[folded] { #expect(known == meaning, "\(word)") }
            exact[folded] = meaning
            guard !Script.hasDevanagari(word) else { continue }
            let key = NumberWords.soundSpelling(word)
            if let known = sound[key] { #expect(known == meaning, "\(word) sounds like another: \(key)") }
            sound[key] = meaning
        }
        #expect(exact.count > 600)
    }
}
