import Ledger
import Testing

@Suite struct NounTests {
    @Test func `people keep all their fields and aliases over a restart`() throws {
        let folder = Folder()
        var counter: Counter! = try Counter(path: folder.book)
        try counter.does(.openShop(ShopDetails(name: "Sharma Store", state: "Delhi", language: "hi-en")))
        try counter.does(.setLanguage("hi"))
        var details = CustomerDetails(name: "Rahul Sharma")
        details.phone = "+919876543210"
        details.landmark = "Temple ke paas"
        details.creditLimit = Paise(100_000)
        let id = try counter.customer("Rahul")
        try counter.does(.updateCustomer(id, details))
        for alias in ["Raahul", "Rahool", "Raahul"] { try counter.does(.addAlias(id, alias)) }
        try counter.does(.removeAlias(id, "Rahool"))
        let before = try counter.book.customers()
        counter = nil
        counter = try Counter(path: folder.book, seed: 2)
        #expect(try counter.book.customers() == before)
        #expect(before == [Customer(id: id, details: details, aliases: ["Raahul"])])
        #expect(try counter.book.shop() == ShopDetails(name: "Sharma Store", state: "Delhi", language: "hi"))
        #expect(throws: BookError.refused(.duplicateName)) {
            try counter.does(.createCustomer(details, opening: .zero))
        }
    }

    @Test func `a merged customer's entries answer under the other, and come back`() throws {
        let counter = try Counter()
        let (one, two) = (try counter.customer("Rahul", opening: 100), try counter.customer("Rahul S", opening: 20))
        try counter.does(.mergeCustomer(one, into: two))
        #expect(
            try counter.book.customers() == [
                Customer(id: two, details: CustomerDetails(name: "Rahul S"), aliases: ["Rahul"], balance: Paise(120))
            ])
        // What is said to the merged one is written to the one that stands for both.
        #expect(try counter.does(.giveCredit(one, Paise(3), note: nil)).outcome == .balance(Paise(123)))
        #expect(throws: BookError.refused(.unknownCustomer)) { try counter.does(.mergeCustomer(two, into: one)) }
        try counter.does(.unmergeCustomer(one))
        #expect(try counter.book.balance(of: one) == Paise(100))
        #expect(try counter.book.balance(of: two) == Paise(23))
        #expect(try counter.book.verify().valid)
    }

    @Test func `products keep prices, units and rates, and stock may go below zero`() throws {
        let counter = try Counter()
        var details = ProductDetails(name: "Eggs", unit: "piece", price: Paise(600))
        details.aliases = ["anda"]
        details.tierPrices = [1: Paise(550), 2: Paise(500)]
        details.conversions = ["dozen": MilliQuantity(12_000)]
        details.hsn = "0407"
        details.gstRate = BasisPoints(500)
        let done = try counter.does(.createProduct(details, stock: MilliQuantity(5000)))
        guard case .product(let id) = done.outcome else { throw Surprise() }
        try counter.does(.moveStock(id, MilliQuantity(-7000), reason: "broken"))
        #expect(try counter.book.products() == [Product(id: id, details: details, stock: MilliQuantity(-2000))])
        let last = try #require(try counter.book.lastReversible())
        #expect(last.command == "stock")
        try counter.does(.reverse(event: last.event, reason: "not broken"))
        #expect(try counter.stock(id) == 5000)
        details.price = Paise(700)
        try counter.does(.updateProduct(id, details))
        #expect(try counter.book.products().first?.details == details)
        #expect(throws: BookError.refused(.duplicateName)) { try counter.does(.createProduct(details, stock: .zero)) }
        #expect(throws: BookError.refused(.unknownProduct)) {
            try counter.does(.moveStock(ProductID(rawValue: 9), MilliQuantity(1), reason: ""))
        }
        #expect(try counter.book.verify().valid)
    }

    @Test func `reminders and messages wait in order until they are cancelled`() throws {
        let counter = try Counter()
        let rahul = try counter.customer("Rahul")
        let later = Reminder(
            id: counter.id(), customer: rahul, amount: Paise(100), firesAt: counter.now.adding(seconds: 60),
            recurrence: nil)
        let sooner = Reminder(
            id: counter.id(), customer: rahul, amount: Paise(100), firesAt: counter.now.adding(seconds: 30),
            recurrence: "P1D")
        try counter.does(.saveReminder(later))
        try counter.does(.saveReminder(sooner))
        #expect(try counter.book.reminders() == [sooner, later])
        try counter.does(.cancelReminder(sooner.id))
        #expect(try counter.book.reminders() == [later])
        #expect(throws: BookError.refused(.unknownReminder)) { try counter.does(.cancelReminder(sooner.id)) }
        let messages = [
            OutgoingMessage(
                id: counter.id(), kind: "invoice", customer: rahul, to: "a@b.in", reference: "A01/25-0000001"),
            OutgoingMessage(id: counter.id(), kind: "gstr1", customer: nil, to: "owner@b.in"),
        ]
        for message in messages { try counter.does(.send(message)) }
        #expect(try counter.book.outgoing() == messages)
        #expect(try counter.book.verify().valid)
    }

    @Test func `the conversation's small state is kept and forgotten on request`() throws {
        let folder = Folder()
        var counter: Counter! = try Counter(path: folder.book)
        try counter.book.remember("gate", [1, 2, 3])
        try counter.book.remember("gate", [4])
        try counter.book.remember("active", [])
        counter = nil
        counter = try Counter(path: folder.book)
        #expect(try counter.book.recall("gate") == [4])
        #expect(try counter.book.recall("active") == [])
        try counter.book.remember("gate", nil)
        #expect(try counter.book.recall("gate") == nil)
    }
}
