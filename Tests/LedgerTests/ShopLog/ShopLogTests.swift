import Ledger
import Seals
import Testing

/// Another counter's entries and the owner's word in this counter's book: sums follow, own entries never change.
@Suite struct ShopLogTests {
    static let otherDevice = [UInt8](repeating: 0xB0, count: 16)

    /// Makes numbered, chained entries as the gateway would.
    final class Log {
        var seq: Int64 = 0
        var hash = ChainLink.start

        func entry(_ change: ShopChange, server: Int64 = 1000) -> ShopLogEntry {
            seq += 1
            let own = SHA256.digest(hash, Array("\(seq) \(server)".utf8))
            defer { hash = own }
            return ShopLogEntry(
                seq: seq, prev: hash, hash: own, server: WallTime(milliseconds: server), change: change)
        }

        func names(_ device: [UInt8], _ series: String, isRevoked: Bool = false) -> ShopLogEntry {
            entry(
                .counter(
                    CounterDetails(
                        device: device, series: series, ledgerKey: .init(repeating: 1, count: 32),
                        isRevoked: isRevoked)))
        }
    }

    private let here: Counter
    private let there: Counter
    private let log = Log()

    init() throws {
        here = try Counter()
        there = try Counter(seed: 2, configuration: .test(device: Self.otherDevice, series: "A02"))
    }

    private func facts(after seq: Int64 = 0, epoch: Int64 = 1) throws -> ShopChange {
        let events = try there.book.events(after: seq, epoch: epoch, limit: 1000)
        return .facts(
            CounterFacts(
                device: Self.otherDevice, epoch: epoch, firstSeq: seq + 1, prev: events[0].prev,
                bodies: events.map(\.body)))
    }

    private func take(_ entries: ShopLogEntry...) throws -> ShopLogReport {
        try here.book.takeShopLog(entries, at: here.now)
    }

    private func shared(_ counter: Counter, _ id: CustomerID) -> SharedCustomer {
        SharedCustomer(
            device: counter === here ? LedgerConfiguration.testDevice : Self.otherDevice, customer: id)
    }

    @Test func `a payment at one counter is in the balance at the other once they are told to be one customer`() throws
    {
        _ = try here.customer("Suresh")
        let rahul = try here.customer("Rahul", opening: 50_000)
        let rahulThere = try there.customer("Rahul S", opening: 20_000)
        try there.does(.receivePayment(rahulThere, [PaymentSplit(amount: Paise(15_000), mode: .cash)]))
        #expect(try take(log.names(Self.otherDevice, "A02"), log.entry(try facts(), server: 7777)).taken == 2)
        // Nobody has said who is whom: the sums stay apart.
        #expect(try here.book.balance(of: rahul) == Paise(50_000))

        _ = try take(log.entry(.merge(shared(there, rahulThere), into: shared(here, rahul))))
        #expect(try here.book.balance(of: rahul) == Paise(55_000))
        #expect(here.book.owedElsewhere(by: rahul) == Paise(5000))
        #expect(try here.book.customers().first { $0.id == rahul }?.balance == Paise(55_000))
        let standing = try #require(try here.book.counters().first)
        #expect(standing.details.series == "A02" && standing.seq == 2 && standing.asOf == WallTime(milliseconds: 7777))

        // What is said after a payment here is what is owed everywhere.
        let paid = try here.does(.receivePayment(rahul, [PaymentSplit(amount: Paise(5000), mode: .upi)]))
        #expect(paid.outcome == .balance(Paise(50_000)))
        // More comes from there; and the owner takes the word back.
        try there.does(.giveCredit(rahulThere, Paise(100), note: nil))
        _ = try take(log.entry(try facts(after: 2)))
        #expect(try here.book.balance(of: rahul) == Paise(50_100))
        _ = try take(log.entry(.unmerge(shared(there, rahulThere))))
        #expect(try here.book.balance(of: rahul) == Paise(45_000))
        #expect(try here.book.verify().valid)
    }

    /// A restart reads the same sums from the file; a merge here, or there, joins what hangs on either side.
    @Test func `merges on both sides join and survive a restart`() throws {
        let folder = Folder()
        let here = try Counter(path: folder.book)
        let (first, second) = (try here.customer("Rahul", opening: 100), try here.customer("Rahul bhai", opening: 10))
        let (one, two) = (try there.customer("R"), try there.customer("R2", opening: 7000))
        try there.does(.mergeCustomer(two, into: one))
        _ = try here.book.takeShopLog(
            [
                log.names(Self.otherDevice, "A02"), log.entry(try facts()),
                log.entry(
                    .merge(
                        shared(there, one),
                        into: SharedCustomer(device: LedgerConfiguration.testDevice, customer: first))),
            ], at: here.now)
        #expect(try here.book.balance(of: first) == Paise(7100))
        try here.does(.mergeCustomer(second, into: first))
        #expect(try here.book.balance(of: second) == Paise(7110))
        here.book = try Counter().book
        let again = try LedgerStore.open(path: folder.book, configuration: .test())
        #expect(try again.balance(of: first) == Paise(7110))
        #expect(try again.shopLogPlace() == ShopLogPlace(seq: 3, hash: log.hash))
        #expect(try again.verify().valid)
        try again.rebuild()
        #expect(try again.balance(of: first) == Paise(7110))
    }

    @Test func `the catalogue changes a price, makes what is new, and bills made keep theirs`() throws {
        let milk = try here.product("Milk", price: 6000, stock: 10_000)
        let sold = try here.does(.commitBill(here.bill(nil, (milk, 1000, 6000)), draft: nil))
        let news = [
            CatalogueItem(ProductDetails(name: "Amul milk", unit: "litre", price: Paise(6600)), was: "Milk"),
            CatalogueItem(ProductDetails(name: "Paneer", unit: "kg", price: Paise(40_000))),
        ]
        let report = try take(log.entry(.catalogue(news)))
        #expect(report.ownEntries == 2 && report.refused.isEmpty)
        let products = try here.book.products()
        #expect(products.map(\.details.name) == ["Amul milk", "Paneer"])
        #expect(products[0].details.price == Paise(6600) && products[0].stock == MilliQuantity(9000))
        // Told again it changes nothing, and writes nothing.
        #expect(try take(log.entry(.catalogue(news))).ownEntries == 0)
        let invoice = try #require(try here.book.invoices(of: nil, limit: 1).first)
        #expect(invoice.total == Paise(6000) && invoice.event == sold.event)
        #expect(try here.book.verify().valid)
    }

    @Test func `a product no book can have is told and the rest is taken`() throws {
        _ = try here.product("Milk", price: 6000)
        let report = try take(
            log.entry(
                .catalogue([
                    CatalogueItem(ProductDetails(name: "Gold", unit: "g", price: Paise(.max))),
                    CatalogueItem(ProductDetails(name: "Milk", unit: "kg", price: Paise(6500))),
                ])), log.entry(.unknown(kind: 99)))
        #expect(report.taken == 2 && report.ownEntries == 1 && report.refused.count == 2)
        #expect(try here.book.products().map(\.details.price) == [Paise(6500)])
    }

    @Test func `the owner's settings hold where they are in range`() throws {
        var settings = ShopSettings()
        settings.language = "en"
        settings.pollSeconds = 60
        var rules = ShopRules()
        rules.holdAbove = Paise(100_000)
        settings.rules = rules
        #expect(try take(log.entry(.settings(settings))).ownEntries == 2)
        #expect(try here.book.shop().language == "en" && here.book.shop().rules == rules)
        #expect(try here.book.shopPollSeconds() == 60)
        settings.pollSeconds = 1
        let report = try take(log.entry(.settings(settings)))
        #expect(report.taken == 1 && report.refused.count == 1)
        #expect(try here.book.shopPollSeconds() == 60)
    }

    /// Nothing is applied twice, left out, or taken from another history; what came before stands.
    @Test func `an entry that does not follow stops the run before it`() throws {
        let rahul = try there.customer("Rahul", opening: 900)
        let own = try here.customer("Rahul")
        let (names, first) = (log.names(Self.otherDevice, "A02"), log.entry(try facts()))
        let merge = log.entry(.merge(shared(there, rahul), into: shared(here, own)))
        #expect(try take(first).stopped != nil)
        #expect(try take(names, merge).taken == 1)
        #expect(try take(names).stopped != nil)
        #expect(try take(first, merge).taken == 2)
        // The gateway may tell facts twice under two numbers; they count once.
        #expect(try take(log.entry(try facts())).taken == 1)
        #expect(try here.book.balance(of: own) == Paise(900))
        // A hole in the other counter's chain, and another history of it.
        try there.does(.giveCredit(rahul, Paise(5), note: nil))
        try there.does(.giveCredit(rahul, Paise(6), note: nil))
        let place = try here.book.shopLogPlace()
        let hole = ShopLogEntry(
            seq: place.seq + 1, prev: place.hash, hash: .init(repeating: 1, count: 32),
            server: WallTime(milliseconds: 1), change: try facts(after: 2))
        #expect(try here.book.takeShopLog([hole], at: here.now).stopped != nil)
        guard case .facts(var facts) = try facts(after: 1) else { throw Surprise() }
        facts.prev = [UInt8](repeating: 3, count: 32)
        let fork = ShopLogEntry(
            seq: place.seq + 1, prev: place.hash, hash: .init(repeating: 1, count: 32),
            server: WallTime(milliseconds: 1), change: .facts(facts))
        #expect(try here.book.takeShopLog([fork], at: here.now).stopped != nil)
        #expect(try here.book.shopLogPlace() == place)
        #expect(try here.book.balance(of: own) == Paise(900))
    }

    /// A counter that was put back to a backup and began a new epoch is right about its money: what it lost is not owed.
    @Test func `entries a counter lost leave the sums when it resumes`() throws {
        let rahul = try there.customer("Rahul", opening: 100)
        let own = try here.customer("Rahul")
        let lostFrom = try there.book.head()
        try there.does(.giveCredit(rahul, Paise(5000), note: nil))
        _ = try take(
            log.names(Self.otherDevice, "A02"), log.entry(try facts()),
            log.entry(.merge(shared(there, rahul), into: shared(here, own))))
        #expect(try here.book.balance(of: own) == Paise(5100))
        let body = try resumeBody(after: lostFrom)
        let facts = CounterFacts(
            device: Self.otherDevice, epoch: 2, firstSeq: 1, prev: ChainLink.start, bodies: [body])
        #expect(try take(log.entry(.facts(facts))).taken == 1)
        #expect(try here.book.balance(of: own) == Paise(100))
        #expect(try here.book.counters().first?.epoch == 2)
    }

    /// The first entry of an epoch as a restored book writes it.
    private func resumeBody(after head: ChainHead) throws -> [UInt8] {
        let other = try Counter(seed: 9, configuration: .test(device: Self.otherDevice, series: "A02"))
        try other.does(.resume(after: head, retired: "A02"))
        return try other.book.events(after: 0, epoch: 1, limit: 1)[0].body
    }

    @Test func `a log that is let go leaves own entries and is read again to the same sums`() throws {
        let rahul = try there.customer("Rahul", opening: 900)
        let own = try here.customer("Rahul", opening: 1)
        let entries = [
            log.names(Self.otherDevice, "A02", isRevoked: true), log.entry(try facts()),
            log.entry(.merge(shared(there, rahul), into: shared(here, own))),
            log.entry(.catalogue([CatalogueItem(ProductDetails(name: "Milk", unit: "kg", price: Paise(6500)))])),
        ]
        _ = try here.book.takeShopLog(entries, at: here.now)
        let head = try here.book.head()
        try here.book.forgetShopLog()
        #expect(try here.book.balance(of: own) == Paise(1))
        #expect(try here.book.shopLogPlace() == .start && here.book.counters().isEmpty)
        #expect(try here.book.takeShopLog(entries, at: here.now).ownEntries == 0)
        #expect(try here.book.balance(of: own) == Paise(901))
        #expect(try here.book.head() == head)
        #expect(try here.book.counters().first?.details.isRevoked == true)
    }

    @Test func `what the log tells is coded and read again the same`() throws {
        var rules = ShopRules()
        rules.holdBelowMilli = 700
        var settings = ShopSettings()
        settings.rules = rules
        var details = ProductDetails(name: "Milk", unit: "kg", price: Paise(6500))
        details.aliases = ["doodh"]
        let one = SharedCustomer(device: Self.otherDevice, customer: CustomerID(rawValue: 3))
        let changes: [ShopChange] = [
            .counter(
                CounterDetails(
                    device: Self.otherDevice, series: "A02", ledgerKey: .init(repeating: 4, count: 32),
                    isRevoked: true)),
            .catalogue([CatalogueItem(details, was: "Dudh"), CatalogueItem(details)]),
            .merge(one, into: SharedCustomer(device: Self.otherDevice, customer: CustomerID(rawValue: 4))),
            .unmerge(one), .settings(settings),
        ]
        for change in changes {
            let (kind, body) = try #require(change.coded)
            #expect(ShopChange(kind: kind, body: body) == change)
            #expect(ShopChange(kind: kind, body: body + [0]) == nil)
            for length in 0..<body.count { #expect(ShopChange(kind: kind, body: Array(body[..<length])) == nil) }
        }
        #expect(ShopChange(kind: 77, body: [1]) == .unknown(kind: 77))
        #expect(ShopChange(kind: ShopChange.Kind.facts, body: []) == nil)
    }
}
