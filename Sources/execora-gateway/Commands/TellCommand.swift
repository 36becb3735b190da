import ArgumentParser
import Glibc
import JSONText
import Ledger
import Seals

struct TellCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tell",
        abstract:
            "Tell all counters of a shop something: a catalogue, that two customers are one, what holds everywhere.",
        discussion: """
            Written into the shop's log, signed, and read by each counter as it comes; a running serve needs no restart. \
            Entries that a counter made itself are never changed by it.
            """,
        subcommands: [Catalogue.self, Merge.self, Unmerge.self, Settings.self])

    struct Target: ParsableArguments {
        @OptionGroup
        var gateway: FleetOptions

        @Option(help: "The shop's name, as enrol-token was given it.")
        var shop: String

        func tell(_ change: (FleetStore, [UInt8]) async throws -> ShopChange) async throws {
            try await ending {
                let (folder, fleet) = try await gateway.open()
                guard let (store, id) = try await fleet.shop(named: shop) else {
                    complain("no shop is called \(shop) here")
                    throw ExitCode(1)
                }
                let number = try await store.tell(
                    try await change(store, id), to: id, nowMilliseconds: SystemClock.milliseconds(),
                    key: try folder.receiptKey())
                print("told as entry \(number) of the shop's log")
            }
        }
    }

    struct Catalogue: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Products with their prices, as a JSON list.",
            discussion: """
                [{"name": "Amul milk", "unit": "litre", "price_paise": 6600, "was": "Milk", "aliases": ["doodh"], \
                "gst_bp": 0, "cess_bp": 0, "hsn": "0401", "exempt": true}, ...]. A counter finds a product by its name, \
                or by the one it had ("was"), and makes it where it is new. A sale keeps the price it was made at.
                """)

        @OptionGroup
        var target: Target

        @Argument(help: "The list, a JSON file.")
        var file: String

        func run() async throws {
            try await target.tell { _, _ in .catalogue(try CatalogueFile.read(path: file)) }
        }
    }

    /// A customer of a counter: A01:7.
    struct CustomerName: ExpressibleByArgument {
        var series: String
        var number: Int64

        init?(argument: String) {
            let parts = argument.split(separator: ":")
            guard parts.count == 2, let number = Int64(parts[1]), number >= 1 else { return nil }
            (series, self.number) = (String(parts[0]), number)
        }

        func found(in store: FleetStore, shop: [UInt8]) async throws -> SharedCustomer {
            guard let device = try await store.counter(of: shop, series: series) else {
                complain("the shop has no counter \(series)")
                throw ExitCode(1)
            }
            return SharedCustomer(device: device, customer: CustomerID(rawValue: number))
        }
    }

    struct Merge: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Two numbers are one customer: A01:7 is who A02:3 is. Sums follow, entries stay.")

        @OptionGroup
        var target: Target

        @Argument(help: "A customer, SERIES:NUMBER.")
        var one: CustomerName

        @Argument(help: "Who that is, SERIES:NUMBER.")
        var other: CustomerName

        func validate() throws {
            guard one.series != other.series || one.number != other.number else {
                throw ValidationError("the two are the same number")
            }
        }

        func run() async throws {
            try await target.tell { store, shop in
                .merge(try await one.found(in: store, shop: shop), into: try await other.found(in: store, shop: shop))
            }
        }
    }

    struct Unmerge: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Take back what merge said of a customer.")

        @OptionGroup
        var target: Target

        @Argument(help: "The customer that was named first, SERIES:NUMBER.")
        var one: CustomerName

        func run() async throws {
            try await target.tell { store, shop in .unmerge(try await one.found(in: store, shop: shop)) }
        }
    }

    struct Settings: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "What holds at all counters; what is not named stays as each counter has it.")

        @OptionGroup
        var target: Target

        @Option(help: "Language of answers: hi-en, hi or en.")
        var language: String?

        @Option(help: "Seconds between two looks at the shop's log, 5 to 3600.")
        var pollSeconds: Int64?

        @Option(help: "New bills are rounded to the rupee: yes or no. The three rules are told together.")
        var round: String?

        @Option(help: "An unconfirmed spoken amount above this many rupees is held.")
        var holdAbove: Int64?

        @Option(help: "What is heard with less confidence (thousandths) is held.")
        var holdBelow: Int64?

        func validate() throws {
            guard language.map({ ShopSettings.languages.contains($0) }) ?? true else {
                throw ValidationError("--language is hi-en, hi or en")
            }
            guard pollSeconds.map({ ShopSettings.pollSecondsRange.contains($0) }) ?? true else {
                throw ValidationError("--poll-seconds is 5 to 3600")
            }
            guard round.map({ ["yes", "no"].contains($0) }) ?? true else {
                throw ValidationError("--round is yes or no")
            }
            guard holdAbove.map({ (0...100_000_000_000).contains($0) }) ?? true,
                holdBelow.map({ (0...1000).contains($0) }) ?? true
            else { throw ValidationError("--hold-above is rupees, --hold-below is 0 to 1000") }
            guard language != nil || pollSeconds != nil || hasRules else { throw ValidationError("nothing to tell") }
        }

        private var hasRules: Bool { round != nil || holdAbove != nil || holdBelow != nil }

        func run() async throws {
            var settings = ShopSettings()
            settings.language = language
            settings.pollSeconds = pollSeconds
            if hasRules {
                var rules = ShopRules()
                rules.roundsBills = round == "yes"
                rules.holdAbove = holdAbove.map { Paise($0 * 100) }
                rules.holdBelowMilli = holdBelow
                settings.rules = rules
            }
            let told = settings
            try await target.tell { _, _ in .settings(told) }
        }
    }
}

/// The catalogue as an owner writes it.
enum CatalogueFile {
    static let bytesMax = 1 << 20

    static func read(path: String) throws -> [CatalogueItem] {
        let bytes: [UInt8]
        do { bytes = try PrivateFile.read(path, secret: false) } catch {
            complain(reason(error))
            throw ExitCode(1)
        }
        guard let list = (try? JSONValue(parsing: bytes))?.array, !list.isEmpty else {
            complain("\(path) is no JSON list")
            throw ExitCode(1)
        }
        guard list.count <= ShopChange.catalogueItemsMax else {
            complain("at most \(ShopChange.catalogueItemsMax) products at once; tell the rest in another file")
            throw ExitCode(1)
        }
        return try list.enumerated().map { index, item in
            guard let made = self.item(item) else {
                complain("product \(index + 1) needs name, unit and price_paise, and nothing that is not known")
                throw ExitCode(1)
            }
            return made
        }
    }

    private static let keys = [
        "name", "unit", "price_paise", "was", "aliases", "gst_bp", "cess_bp", "hsn", "exempt",
    ]

    /// Unknown keys are refused rather than guessed at.
    static func item(_ json: JSONValue) -> CatalogueItem? {
        guard let members = json.members, members.allSatisfy({ keys.contains($0.name) }),
            let name = json["name"]?.string, !name.isEmpty, let unit = json["unit"]?.string, !unit.isEmpty,
            let price = json["price_paise"]?.integer, (0...Paise.amountMax.rawValue).contains(price)
        else { return nil }
        var details = ProductDetails(name: name, unit: unit, price: Paise(price))
        details.aliases = (json["aliases"]?.array ?? []).compactMap(\.string)
        details.gstRate = BasisPoints(json["gst_bp"]?.integer ?? 0)
        details.cessRate = BasisPoints(json["cess_bp"]?.integer ?? 0)
        details.hsn = json["hsn"]?.string
        details.isExempt = json["exempt"]?.bool ?? false
        guard (0...10_000).contains(details.gstRate.rawValue), (0...100_000).contains(details.cessRate.rawValue) else {
            return nil
        }
        return CatalogueItem(details, was: json["was"]?.string)
    }
}
