import JSONText
import Testing

@testable import Conversation

struct PhoneTests {
    @Test(arguments: TableFixture.rows("phones"))
    func `every line of the phones table is read`(row: TableRow) {
        let out = JSONValue(row.question.string.flatMap { PhoneReader.phone(of: $0) })
        #expect(row.accepted.contains(out), "\(row): \(out.text)")
    }

    @Test(
        arguments: [
            ("ninety eight seven six five four three two one zero", "9876543210"), ("98 76 54 32 10", "9876543210"),
            ("athanve chhihattar chauvan battis das", "9876543210"), ("0091 9876543210", "9876543210"),
            ("91-98765-43210", "9876543210"), ("(987) 654-3210", "9876543210"),
            ("phone 9811122233 kar do", "9811122233"),
            ("9811122233 do", "9811122233"), ("nine eight seven six five four three to one zero", "9876543210"),
            ("नौ डबल आठ सात छह पांच चार तीन दो एक", "9887654321"), ("9876543210 9876543211", nil), ("98765432101", nil),
            ("0123456789", nil), ("to for", nil), ("9876543210, 9876543210", nil), ("", nil), ("₹9876543210.50", nil),
        ] as [(String, String?)])
    func `a spoken number has its digits`(text: String, digits: String?) {
        #expect(PhoneReader.phone(of: text) == digits)
    }

    @Test func `a number knows the words it took`() {
        let tokens = Tokens("Kavita ka phone nine five six eight nine two six two five four kar do")
        let found = PhoneReader.all(in: tokens.items)
        #expect(found.map(\.digits) == ["9568926254"])
        #expect(found.first?.range == 3..<13)
    }

    @Test(arguments: NumberLanguage.allCases)
    func `digits said one by one are the digits heard`(language: NumberLanguage) {
        var random = SplitMix(seed: 3)
        for _ in 0..<200 {
            let digits = String(6 + random.next() % 4) + (0..<9).map { _ in String(random.next() % 10) }.joined()
            #expect(PhoneReader.phone(of: PhoneSpeller.words(digits, language)) == digits)
            #expect(PhoneReader.phone(of: PhoneSpeller.figures(digits)) == digits)
        }
        #expect(PhoneSpeller.figures("9876543210") == "9 8 7 6 5, 4 3 2 1 0")
    }
}

struct EmailTests {
    @Test(
        arguments: [
            ("rahul at gmail dot com", "rahul@gmail.com"),
            ("iska email bhej do info at myshop dot in", "info@myshop.in"),
            ("email rahul at gmail dot com save karo", "rahul@gmail.com"),
            ("Priya ka email priya@gmail.com save karo", "priya@gmail.com"),
            ("rahul at the rate gmail dot com", "rahul@gmail.com"),
            ("email rahul sharma at the rate gmail dot com", "rahulsharma@gmail.com"),
            ("email rahul dot sharma at yahoo dot co dot in save karo", "rahul.sharma@yahoo.co.in"),
            ("rahul underscore 123 at gmail dot com", "rahul_123@gmail.com"),
            ("rahul one two three at gmail dot com", "rahul123@gmail.com"),
            ("राहुल एट जीमेल डॉट कॉम", "rahul@gmail.com"), ("rahul at gmail.com", "rahul@gmail.com"),
            ("rahul@gmail dot com", "rahul@gmail.com"), ("email not-an-email hai", nil), ("meet at 5", nil),
            ("a@b", nil), ("", nil),
            ("kal at dot", nil), ("@ @ dot com", nil),
        ] as [(String, String?)])
    func `an address is read, written or said`(text: String, address: String?) {
        #expect(EmailReader.find(in: Tokens(text).items)?.address == address)
    }

    @Test func `an address has two sides and a domain`() {
        for good in ["a@b.co", "rahul.sharma+shop@my-shop.co.in", "R_1@x9.in"] {
            #expect(EmailReader.isValid(good), "\(good)")
        }
        for bad in [
            "", "@", "a@b", "a@@b.co", "a b@c.in", ".a@b.in", "a.@b.in", "a..b@c.in", "a@-b.in", "a@b-.in", "a@b..in",
            "a@b.1",
            "é@b.in", String(repeating: "a", count: 65) + "@b.in",
        ] {
            #expect(!EmailReader.isValid(bad), "\(bad)")
        }
    }
}
