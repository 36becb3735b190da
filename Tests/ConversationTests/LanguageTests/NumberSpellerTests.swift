import Testing

@testable import Conversation

/// What the counter says it must also hear: `NumberSpeller` mirrors `NumberReader`.
/// The whole range, every number in three languages, is `execoractl lang round-trip`.
struct NumberSpellerTests {
    @Test(arguments: NumberLanguage.allCases)
    func `a number said is the number heard`(language: NumberLanguage) {
        let speller = NumberSpeller(language)
        // Every number to ten thousand, then a prime stride through 99,99,999, then around every scale.
        var numbers = Array(0...Int64(10_000)) + Array(stride(from: Int64(10_007), through: 9_999_999, by: 1009))
        for scale in [Int64(100), 1000, 10_000, 100_000, 1_000_000, 9_999_999] {
            numbers += Array(scale - 3...scale + 3)
        }
        numbers += [10_000_001, 123_456_789, 1_000_000_000, 999_999_999_999, -5, -250]
        var wrong: [String] = []
        for number in numbers where NumberReader.value(of: speller.spell(number))?.whole != number {
            wrong.append("\(number): \(speller.spell(number))")
        }
        #expect(wrong.isEmpty, "\(wrong.prefix(5))")
    }

    @Test(arguments: NumberLanguage.allCases)
    func `a quantity said is the quantity heard`(language: NumberLanguage) {
        let speller = NumberSpeller(language)
        var quantities = Array(stride(from: Int64(0), through: 130_000, by: 250))
        quantities += Array(stride(from: Int64(1), through: 20_000, by: 7)) + [99_750, 100_500, 1_000_001, -2500]
        var wrong: [String] = []
        for milli in quantities where NumberReader.value(of: speller.spell(milli: milli))?.milli != milli {
            wrong.append("\(milli): \(speller.spell(milli: milli))")
        }
        #expect(wrong.isEmpty, "\(wrong.prefix(5))")
    }

    @Test(arguments: NumberLanguage.allCases)
    func `a sum said is the sum heard, to the paisa`(language: NumberLanguage) {
        let speller = NumberSpeller(language)
        for paise in [Int64(0), 1, 50, 99, 100, 101, 150, 25_050, 184_50, 99_999_999, 500_000, 123_456_78] {
            let said = speller.spell(paise: paise)
            let heard = NumberReader.amount(in: Tokens(said).items, at: 0)
            #expect(heard?.paise == paise, "\(said)")
            #expect(heard?.range.count == Tokens(said).count, "\(said)")
        }
    }

    @Test func `numbers are said in the words of the shop`() {
        #expect(NumberSpeller(.hinglish).spell(225_625) == "do lakh pachchis hazaar chhah sau pachchis")
        #expect(NumberSpeller(.hindi).spell(1500) == "एक हज़ार पाँच सौ")
        #expect(NumberSpeller(.english).spell(250_045) == "two lakh fifty thousand forty five")
        #expect(NumberSpeller(.hinglish).spell(milli: 2500) == "dhai")
        #expect(NumberSpeller(.hinglish).spell(milli: 3500) == "sadhe teen")
        #expect(NumberSpeller(.hindi).spell(milli: 1750) == "पौने दो")
        #expect(NumberSpeller(.english).spell(milli: 1500) == "one and a half")
        #expect(NumberSpeller(.hinglish).spell(paise: 25_050) == "do sau pachas rupaye pachas paise")
        #expect(NumberSpeller(.english).spell(paise: 100) == "one rupee")
    }
}
