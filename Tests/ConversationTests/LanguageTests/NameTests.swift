import JSONText
import Testing

@testable import Conversation

struct NameTests {
    @Test(arguments: TableFixture.rows("names"))
    func `every line of the names table is judged`(row: TableRow) {
        let verdict = NameVerdict(row.question["query"]?.string ?? "", row.question["target"]?.string ?? "")
        #expect(row.accepted.contains(.string(verdict.rawValue)), "\(row): \(verdict)")
    }

    @Test(arguments: [
        ("Pooja", "Puja"), ("Sourabh", "Saurabh"), ("Kavitha", "Kavita"), ("Rajani", "Rajni"), ("Geeta", "Gita"),
        ("Mahendra", "Mahendr"), ("Chaudhary", "Choudhary"), ("Shaikh", "Sheikh"), ("Priya", "Pria"),
        ("Sanjay", "Sanjai"), ("Zeba", "Jeba"), ("ज़ेबा", "Zeba"), ("प्रिया", "Priya"), ("Aakash", "Akash"),
        ("Shri Ramesh", "Ramesh"), ("Sureshbhai", "Suresh"), ("लक्ष्मी", "Laxmi"), ("राहुल शर्मा", "Rahul Sharma"),
        ("Rahul Sharma ji", "rahul sharma"), ("Vikas", "Wikas"), ("Abdullah", "Abdulla"), ("Faizal", "Phaizal"),
        ("मोहित भाई", "Mohit"), ("Bhavna", "Bhawna"), ("Ghanashyam", "Ghanshyam"), ("Raj Kumar", "Rajkumar"),
    ])
    func `spellings of one name are the same, either way round`(left: String, right: String) {
        #expect(NameVerdict(left, right) == .same)
        #expect(NameVerdict(right, left) == .same)
    }

    /// The promise no score may break: who only sounds near is never taken.
    @Test(arguments: [
        ("Ramesh", "Rajesh"), ("Mohan", "Sohan"), ("Mohit", "Rohit"), ("Neha", "Sneha"), ("Sunit", "Sunita"),
        ("Amit", "Amita"), ("Anil", "Sunil"), ("Kiran", "Karan"), ("Nitesh", "Nitish"), ("Rakesh", "Rajesh"),
        ("Rathi", "Rati"), ("Ram", "Raman"), ("Dinesh", "Ganesh"), ("Ankit", "Ankita"), ("Rahul", "Rahil"),
        ("Suresh", "Naresh"), ("Mukesh", "Rakesh"), ("Pankaj", "Pankaja"), ("Vikas", "Vikash Rao"), ("Bala", "Balaji"),
        ("Dharmendra", "Dhirendra"), ("Rajendra", "Rajendar"), ("Manish", "Manisha"), ("Vimala", "Bimala"),
    ])
    func `near names are never the same`(left: String, right: String) {
        #expect(NameVerdict(left, right) != .same)
        #expect(NameVerdict(right, left) != .same)
    }

    @Test(arguments: [
        ("Ramesh", "Suresh"), ("Rahul", "Priya"), ("Mohit", "Amit"), ("Amit", "Kavita"), ("Mohan", "Sita"),
        ("", "Rahul"), ("5", "7"),
    ])
    func `far names are not proposed`(left: String, right: String) {
        #expect(NameVerdict(left, right) == .different)
    }

    /// The shortcut past the alignment may only skip what would have scored too low.
    @Test func `a skipped comparison would have been too low`() {
        var random = SplitMix(seed: 17)
        let all = (0...Sound.au.rawValue).compactMap(Sound.init)
        func word() -> [Sound] {
            (0..<1 + Int(random.next() % 7)).map { _ in all[Int(random.next() % UInt64(all.count))] }
        }
        var compared = 0
        for _ in 0..<20_000 {
            let left = word()
            // Half of the pairs are near: one or two sounds changed.
            var right = random.next() % 2 == 0 ? word() : left
            for _ in 0..<2 {
                right[Int(random.next() % UInt64(right.count))] = all[Int(random.next() % UInt64(all.count))]
            }
            let whole = SoundDistance.likeness(left, right)
            let short = SoundDistance.likeness(.init(left), .init(right), atLeast: 0.6)
            #expect(short == whole || (short == 0 && whole < 0.6), "\(left) \(right)")
            if short > 0 { compared += 1 }
        }
        #expect(compared > 2000)
    }

    @Test func `devanagari and roman sound alike`() {
        for (devanagari, roman) in [
            ("राहुल", "Rahul"), ("चौधरी", "Chaudhary"), ("गुप्ता", "Gupta"), ("विजय", "Wijay"), ("लक्ष्मी", "Lakshmi"),
            ("फ़ारूक़", "Farooq"), ("शेख़", "Shekh"), ("ज्ञानेश", "Gyanesh"),
        ] {
            #expect(Sounds(devanagari).key == Sounds(roman).key, "\(devanagari) \(roman)")
        }
    }

    // MARK: Who is meant

    private static let shop = NameMatcher([
        .init(names: ["Rahul Sharma", "Rahul"], landmark: "Temple ke paas", phone: "+919876543210"),
        .init(names: ["Priya Patel"], landmark: "School ke saamne", phone: "+919876543211"),
        .init(names: ["Suresh Kumar"], landmark: "Market", phone: "+919876543212"),
        .init(names: ["Amit Singh"], phone: "+919876543213"),
        .init(names: ["Kavita Desai"], landmark: "Bus stand", phone: "+919876543214"),
        .init(names: ["Bharat Kumar"], phone: "+919568926253"),
        .init(names: ["Bharat"], landmark: "ATM wala"),
        .init(names: ["Bharat"], landmark: "Agra wala"),
        .init(names: ["Rahul Verma"], landmark: "Market wala"),
        .init(names: ["Rajesh Gupta"]),
        .init(names: ["Ramesh Yadav"]),
    ])

    @Test(arguments: [
        ("Suresh", 2), ("Rahul Sharma", 0), ("rahul verma", 8), ("Bharat ATM wala", 6), ("ATM wale", 6),
        ("Agra wala", 7),
        ("Rahul market wala", 8), ("Kavita bus stand wali", 4), ("9876543212", 2), ("Desai", 4), ("Priya didi", 1),
        ("Sharma ji", 0), ("राहुल शर्मा", 0), ("Suresh bhai", 2), ("6253", 5), ("bus stand wali", 4), ("Kavitha", 4),
        ("temple wala", 0), ("Amit", 3), ("सुरेश", 2),
    ])
    func `one clear winner is taken`(said: String, index: Int) {
        guard case .one(let match) = Self.shop.resolve(said) else {
            Issue.record("\(said): \(Self.shop.resolve(said))")
            return
        }
        #expect(match.index == index)
        #expect(match.score >= NameMatcher.takenFrom)
    }

    /// Speech recognition parts and joins words as it likes.
    @Test func `a name is found together or apart`() {
        let shop = NameMatcher([
            .init(names: ["Raj Kumar"]), .init(names: ["Ramlal Gupta"]), .init(names: ["Suresh Kumar"]),
        ])
        for (said, index) in [("Rajkumar", 0), ("Raj Kumar", 0), ("राजकुमार", 0), ("Sureshkumar", 2), ("Ramlal Gupta", 1)]
        {
            guard case .one(let match) = shop.resolve(said) else {
                Issue.record("\(said): \(shop.resolve(said))")
                continue
            }
            #expect(match.index == index)
        }
    }

    @Test func `two of one name are always asked about`() {
        guard case .several(let bharats) = Self.shop.resolve("Bharat") else {
            Issue.record("not several")
            return
        }
        #expect(Set(bharats.map(\.index)) == [5, 6, 7])
        guard case .several(let rahuls) = Self.shop.resolve("Rahul") else {
            Issue.record("not several")
            return
        }
        #expect(Set(rahuls.map(\.index)) == [0, 8])
        guard case .several(let kumars) = Self.shop.resolve("Kumar") else {
            Issue.record("not several")
            return
        }
        #expect(Set(kumars.map(\.index)) == [2, 5])
    }

    @Test func `near names and pet names are proposed, strangers are not found`() {
        guard case .weak(let raju) = Self.shop.resolve("Raju") else {
            Issue.record("Raju is \(Self.shop.resolve("Raju"))")
            return
        }
        #expect(Set(raju.map(\.index)).isSuperset(of: [0, 8, 9]))
        guard case .weak(let ramesh) = Self.shop.resolve("Ramech") else {
            Issue.record("Ramech is \(Self.shop.resolve("Ramech"))")
            return
        }
        #expect(ramesh.contains { $0.index == 10 })
        #expect(Self.shop.resolve("Amit Shah") == .none)
        #expect(Self.shop.resolve("Nitin") == .none)
        #expect(Self.shop.resolve("") == .none)
        #expect(Self.shop.resolve("99") == .none)
    }

    /// The margin rule on its own: 0.85 to be taken, a lead of 0.10 to be taken alone.
    @Test func `the margin decides between one and several`() {
        typealias Match = NameMatcher.Match
        let top = Match(index: 0, score: 0.95)
        #expect(NameMatcher.judge([top, Match(index: 1, score: 0.85)]) == .one(top))
        #expect(
            NameMatcher.judge([top, Match(index: 1, score: 0.86)]) == .several([top, Match(index: 1, score: 0.86)]))
        let weak = Match(index: 0, score: 0.84)
        #expect(NameMatcher.judge([weak]) == .weak([weak]))
        #expect(NameMatcher.judge([Match(index: 0, score: 0.59)]) == .none)
        #expect(NameMatcher.judge([]) == .none)
    }

    /// The order customers stand in never changes who is meant.
    @Test func `permuting the customers changes nobody`() {
        let people = [
            "Rahul Sharma", "Rahul Verma", "Ramesh Yadav", "Rajesh Gupta", "Mohan Lal", "Sohan Lal", "Neha Jain",
            "Sneha Jain",
        ]
        var random = SplitMix(seed: 11)
        for said in ["Rahul", "Rahul Sharma", "Ramesh", "Mohan", "Sneha", "Lal", "Rajes", "Jain", "Gupta ji"] {
            func meant(_ order: [String]) -> Set<String> {
                switch NameMatcher(order.map { .init(names: [$0]) }).resolve(said) {
                case .one(let match): [order[match.index]]
                case .several(let matches), .weak(let matches): Set(matches.map { order[$0.index] } + ["?"])
                case .none: []
                }
            }
            let first = meant(people)
            for _ in 0..<10 { #expect(meant(people.shuffled(using: &random)) == first, "\(said)") }
        }
    }

    @Test func `a product is found by any of its names`() {
        let goods = NameMatcher([
            .init(names: ["Milk", "doodh", "dudh", "milk packet", "दूध"]), .init(names: ["Bread", "double roti"]),
            .init(names: ["Oil", "tel", "cooking oil"]), .init(names: ["Eggs", "egg", "anda", "अंडे"]),
        ])
        for (said, index) in [
            ("dudh", 0), ("doodh", 0), ("दूध", 0), ("double roti", 1), ("cooking oil", 2), ("अंडे", 3), ("andaa", 3),
        ] {
            guard case .one(let match) = goods.resolve(said) else {
                Issue.record("\(said): \(goods.resolve(said))")
                continue
            }
            #expect(match.index == index)
        }
        #expect(goods.resolve("Surf Excel") == .none)
    }
}

struct TransliterationTests {
    @Test(arguments: TableFixture.rows("transliteration"))
    func `every line of the transliteration table is written`(row: TableRow) {
        let out = Transliteration.roman(row.question.string ?? "")
        #expect(row.accepted.contains(.string(out)), "\(row): \(out)")
    }

    @Test(arguments: [
        ("ज्ञानेश्वर", "Gyaneshvar"), ("क्षमा", "Kshama"), ("दुःख", "Duhkh"), ("गाँव", "Ganv"), ("सौ रुपये", "Sau Rupaye"),
        ("ख़ान", "Khan"), ("ग़ज़ल", "Gazal"), ("पढ़ाई", "Parhai"), ("कॉल", "Kol"), ("राम-लाल", "Ram-Lal"), ("जगत्", "Jagat"),
        ("मैं१२ हूँ?", "Main12 Hun?"), ("छत्तीस", "Chhattis"), ("नाइन", "Nain"), ("गए", "Gae"), ("क्‍या", "Kya"),
    ])
    func `other words follow the same rules`(text: String, roman: String) {
        #expect(Transliteration.roman(text) == roman)
    }
}

struct DevanagariWriterTests {
    @Test(arguments: [
        ("Sharma", "शर्मा"), ("Suresh", "सुरेश"), ("Kavita", "कविता"), ("Raahul", "राहुल"), ("Sanjay", "संजै"), ("Priya", "प्रिया"),
        ("Mohan Lal", "मोहन लल"), ("Deepak", "दीपक"), ("Anita", "अनिता"), ("Raju 2", "रजू 2"), ("राम", "राम"), ("", ""),
    ])
    func `a roman name is written for a hindi voice`(roman: String, devanagari: String) {
        #expect(Transliteration.devanagari(roman) == devanagari)
    }

    /// Written over and read again, a name is still the same name.
    @Test(arguments: [
        "Rahul", "Sharma", "Priya", "Patel", "Suresh", "Kumar", "Amit", "Singh", "Kavita", "Desai", "Bharat", "Ramesh",
        "Yadav", "Laxmi",
        "Krishna", "Sunita", "Vijay", "Deepak", "Mohit", "Neha", "Ghanshyam", "Zeba", "Farooq", "Chaudhary", "Gupta",
        "Pooja", "Jagdish",
        "Manju", "Sandeep", "Anand", "Indira", "Uma", "Om", "Gauri", "Iqbal", "Maya", "Bhavna", "Shanti", "Vandana",
    ])
    func `a name written in devanagari sounds as before`(name: String) {
        let written = Transliteration.devanagari(name)
        #expect(NameVerdict(name, written) == .same, "\(written) is read \(Transliteration.roman(written))")
    }
}
