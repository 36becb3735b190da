import JSONText
import Testing

@testable import Ledger

/// Import and export: every mistake told, nothing half done.
@Suite struct CSVTests {
    @Test func `every mistake is told with its line, and nothing is imported`() throws {
        let counter = try Counter()
        _ = try counter.customer("Amit")
        let text = """
            name,phone,credit_limit,opening_balance,gstin,email\r
            Rahul,98765 43210,5000,250.50,27AAPFU0939F1ZV,r@b.in\r
            ,123,-1,1.234,short,no-at\r
            Amit,,,,,\r
            "Priya ""P"" Patel, Pune",,,-10,,\r
            Rahul,9876543210,,,,\r
            too,9876543211\r
            """
        let head = try counter.book.head()
        let plan = try counter.book.planImport(.customers, text)
        #expect(
            plan.mistakes.map { "\($0.line): \($0.text)" } == [
                "3: name is missing", "3: phone \"123\" has not ten digits", "3: email has no one @",
                "3: gstin has not 15 letters and digits", "3: credit_limit \"-1\" is out of range",
                "3: opening_balance \"1.234\" is not a number with at most 2 decimals", "4: is in the book already",
                "6: the same as line 2", "7: 2 fields where the first line names 6",
            ])
        #expect(try counter.book.head() == head)
    }

    @Test(arguments: [
        ("", "1: the file is empty"), ("name,colour\nA,red", "1: unknown column \"colour\""),
        ("phone\n1", "1: column \"name\" is missing"), ("name,name\nA,B", "1: a column is named twice"),
        ("name\n\"A", "2: a quote is opened and not closed"), ("name\nok\n\"A\"b", "3: text behind a closing quote"),
    ])
    func `a file that is no table is refused whole`(text: String, mistake: String) throws {
        let plan = try Counter().book.planImport(.customers, text)
        #expect(plan.mistakes.map { "\($0.line): \($0.text)" } == [mistake])
        #expect(plan.rows.isEmpty)
    }

    @Test func `an import is one transaction, and twice is once`() throws {
        let counter = try Counter()
        let text =
            "\u{FEFF}name,phone,opening_balance,notes\nRahul,9876543210,\"1,250.50\",\"likes\nchai\"\nवैष्णवी,,-10,\n"
        let plan = try counter.book.planImport(.customers, text)
        #expect(plan.mistakes.isEmpty)
        #expect(try counter.book.perform(plan, at: counter.now) == 2)
        let people = try counter.book.customers()
        #expect(people.map(\.details.name) == ["Rahul", "वैष्णवी"])
        #expect(people.map(\.balance) == [Paise(125_050), Paise(-1000)])
        #expect(people[0].details.phone == "+919876543210" && people[0].details.notes == "likes\nchai")
        let again = try counter.book.planImport(.customers, text)
        #expect(again.mistakes.isEmpty)
        #expect(try counter.book.perform(again, at: counter.now.adding(seconds: 60)) == 0)
        #expect(try counter.book.customers() == people)
        // Another file with the same person is a mistake.
        let other = try counter.book.planImport(.customers, "name,phone\nRahul,9876543210\n")
        #expect(other.mistakes == [CSVMistake(line: 2, text: "is in the book already")])
        #expect(try counter.book.verify().valid)
    }

    @Test(arguments: [ImportPlan.Kind.customers, .products])
    func `what is exported can be imported into an empty book, and is the same`(kind: ImportPlan.Kind) throws {
        let counter = try Counter()
        var person = CustomerDetails(name: "Rahul \"R\" Sharma, Delhi")
        person.nickname = "राहुल"
        person.phone = "+919876543210"
        person.notes = "two\nlines"
        person.creditLimit = Paise(500_000)
        try counter.does(.createCustomer(person, opening: Paise(-12_345)))
        var ware = ProductDetails(name: "Anda, desi", unit: "piece", price: Paise(650))
        ware.aliases = ["egg", "अंडा"]
        ware.tierPrices = [1: Paise(600), 3: Paise(500)]
        ware.gstRate = BasisPoints(1250)
        ware.cessRate = BasisPoints(100)
        ware.isExempt = true
        ware.hsn = "0407"
        ware.conversions = ["dozen": MilliQuantity(12_000), "tray": MilliQuantity(30_500)]
        try counter.does(.createProduct(ware, stock: MilliQuantity(-1500)))
        func exported(_ counter: Counter) throws -> String {
            var lines: [String] = []
            try counter.book.export(Export(rawValue: kind.rawValue)!, on: CivilTime(counter.now).day) {
                lines.append($0)
            }
            return lines.joined(separator: "\r\n") + "\r\n"
        }
        let text = try exported(counter)
        let second = try Counter(seed: 2)
        let plan = try second.book.planImport(kind, text)
        #expect(plan.mistakes.isEmpty, "\(plan.mistakes)")
        #expect(try second.book.perform(plan, at: second.now) == 1)
        #expect(try exported(second) == text)
        #expect(try second.book.customers().map(\.details) == (kind == .customers ? [person] : []))
        #expect(try second.book.products().map(\.details) == (kind == .products ? [ware] : []))
    }

    /// Enough for another program to come to the same sums; nothing personal.
    @Test func `exported events carry all money and no names`() throws {
        let counter = try Counter()
        let rahul = try counter.customer("Rahul", opening: 700)
        let milk = try counter.product("Milk", price: 6000, stock: 5000)
        try counter.does(.commitBill(counter.bill(rahul, (milk, 1000, 6000)), draft: nil))
        try counter.does(.giveCredit(rahul, Paise(5), note: "secret note"))
        try counter.does(.cancelInvoice(number: "A01/25-0000001"))
        var sums: [Int64: Int64] = [:]
        var lines: [String] = []
        try counter.book.export(.events, on: CivilTime(counter.now).day) { lines.append($0) }
        #expect(lines.count == Int(try counter.book.head().seq))
        for line in lines {
            for secret in ["Rahul", "secret", "note\""] { #expect(!line.contains(secret)) }
            for leg in try JSONValue(parsing: line)["postings"]?.array ?? [] {
                sums[leg[0]!.integer!, default: 0] += leg[1]!.integer!
            }
        }
        #expect(sums[Account.receivable(rahul).rawValue] == 705)
        #expect(sums.values.reduce(0, +) == 0)
    }

    @Test(arguments: [
        ("1,23,456.78", 12_345_678), ("0.5", 50), (".5", 50), ("-3", -300), ("+7.10", 710),
        ("92233720368547758.07", Int64.max),
    ])
    func `an amount is read exactly`(text: String, paise: Int64) {
        #expect(Decimal.read(text, places: 2) == paise)
    }

    @Test(arguments: ["", "-", ".", "1.", "1.234", "1e5", "12 3", "१२", ",1", "92233720368547758.08", "0x10", "1.-1"])
    func `what is no amount is not read as one`(text: String) {
        #expect(Decimal.read(text, places: 2) == nil)
    }

    @Test func `a page of an export goes on where the last one ended`() throws {
        let counter = try Counter()
        for index in 0..<40 { _ = try counter.customer("Customer \(index)") }
        let job = try #require(BookJob.named("export"))
        let circumstances = BookJob.Circumstances(now: counter.now, by: "technician", makeID: { counter.id() })
        let whole = try job.run(counter.book, ["what": "customers"], circumstances)
        #expect(whole["lines"]?.array?.count == 41 && whole["next"] == .null)
        let rest = try job.run(counter.book, ["what": "customers", "skip": 40], circumstances)
        #expect(rest["lines"]?.array == [whole["lines"]!.array!.last!])
        #expect(throws: JobError.self) { try job.run(counter.book, ["what": "nothing"], circumstances) }
    }
}
