import JSONText
import Ledger

/// A shop written down as JSON: what a new book is seeded from, and what every replayed case starts from.
///
/// The form is that of `world.json` (format 1): shop, customers with opening balances, products with stock.
public struct ShopWorld: Equatable, Sendable {
    public var shop: ShopDetails
    /// Typed on the keypad to permit a deletion; never spoken, never stored in the book.
    public var ownerPIN: String?
    public var customers: [Person]
    public var products: [Ware]

    public struct Person: Equatable, Sendable {
        public var details: CustomerDetails
        public var opening: Paise
    }

    public struct Ware: Equatable, Sendable {
        public var details: ProductDetails
        public var stock: MilliQuantity
    }

    public static let customersMax = 10_000
    public static let productsMax = 20_000
}

/// A world that cannot be used, with the place in words.
public struct ShopWorldError: Error, Equatable, CustomStringConvertible {
    public var description: String
}

extension ShopWorld {
    public init(json: JSONValue) throws(ShopWorldError) {
        guard json["format"]?.integer == 1 else { throw ShopWorldError(description: "world: format is not 1") }
        guard let shop = json["shop"], let name = shop["name"]?.string else {
            throw ShopWorldError(description: "world: shop.name is missing")
        }
        if let zone = shop["timezone"]?.string, zone != "Asia/Kolkata" {
            throw ShopWorldError(description: "world: shop.timezone must be Asia/Kolkata")
        }
        self.shop = ShopDetails(
            name: name, state: shop["state"]?.string ?? "", language: shop["language"]?.string ?? "hi-en")
        ownerPIN = shop["ownerPin"]?.string
        customers = []
        products = []
        let people = json["customers"]?.array ?? []
        let wares = json["products"]?.array ?? []
        guard people.count <= Self.customersMax, wares.count <= Self.productsMax else {
            throw ShopWorldError(description: "world: too many customers or products")
        }
        for item in people { customers.append(try Person(json: item)) }
        for item in wares { products.append(try Ware(json: item)) }
    }

    /// The world with the changes of one case: `addCustomers`, `setCustomers`, `removeCustomers`, `addProducts`,
    /// `setProducts`. The `set` forms name who is meant and change only the fields they give.
    public static func patched(_ world: JSONValue, by patch: JSONValue?) throws(ShopWorldError) -> ShopWorld {
        guard let patch, case .object = patch else { return try ShopWorld(json: world) }
        var people = world["customers"]?.array ?? []
        var wares = world["products"]?.array ?? []
        let gone = (patch["removeCustomers"]?.array ?? []).compactMap(\.string)
        people.removeAll { person in gone.contains { $0 == person["name"]?.string } }
        try set(patch["setCustomers"]?.array ?? [], in: &people)
        people += patch["addCustomers"]?.array ?? []
        try set(patch["setProducts"]?.array ?? [], in: &wares)
        wares += patch["addProducts"]?.array ?? []
        return try ShopWorld(json: [
            "format": .integer(1), "shop": world["shop"] ?? .null, "customers": .array(people),
            "products": .array(wares),
        ])
    }

    private static func set(_ changes: [JSONValue], in items: inout [JSONValue]) throws(ShopWorldError) {
        for change in changes {
            let places = items.indices.filter { items[$0]["name"] == change["name"] }
            guard places.count == 1, var members = items[places[0]].members else {
                throw ShopWorldError(description: "patch: a name is not there exactly once")
            }
            for member in change.members ?? [] {
                members.removeAll { $0.name == member.name }
                members.append(member)
            }
            items[places[0]] = .object(members)
        }
    }
}

extension ShopWorld.Person {
    init(json: JSONValue) throws(ShopWorldError) {
        guard let name = json["name"]?.string, !name.isEmpty else {
            throw ShopWorldError(description: "world: a customer has no name")
        }
        details = CustomerDetails(name: name)
        details.nickname = json["nickname"]?.string
        details.landmark = json["landmark"]?.string
        details.phone = json["phone"]?.string
        details.email = json["email"]?.string
        details.area = json["area"]?.string
        details.address = json["address"]?.string
        details.gstin = json["gstin"]?.string
        details.pan = json["pan"]?.string
        details.notes = json["notes"]?.string
        details.creditLimit = json["creditLimitPaise"]?.integer.map { Paise($0) }
        opening = Paise(json["openingBalancePaise"]?.integer ?? 0)
    }
}

extension ShopWorld.Ware {
    init(json: JSONValue) throws(ShopWorldError) {
        guard let name = json["name"]?.string, !name.isEmpty, let unit = json["unit"]?.string,
            let price = json["pricePaise"]?.integer
        else { throw ShopWorldError(description: "world: a product needs name, unit and pricePaise") }
        details = ProductDetails(name: name, unit: unit, price: Paise(price))
        details.aliases = (json["aliases"]?.array ?? []).compactMap(\.string)
        details.gstRate = BasisPoints(json["gstRateBps"]?.integer ?? 0)
        details.cessRate = BasisPoints(json["cessRateBps"]?.integer ?? 0)
        details.isExempt = json["exempt"]?.bool ?? false
        details.hsn = json["hsn"]?.string
        for member in json["conversionsMilli"]?.members ?? [] {
            if let quantity = member.value.integer { details.conversions[member.name] = MilliQuantity(quantity) }
        }
        for (tier, price) in (json["tierPricesPaise"]?.array ?? []).enumerated() {
            if let price = price.integer { details.tierPrices[tier + 1] = Paise(price) }
        }
        stock = MilliQuantity(json["stockMilli"]?.integer ?? 0)
    }
}

extension ShopWorld {
    /// What has to be performed on an empty book, in order.
    public var commands: [Command] {
        [.openShop(shop)] + customers.map { .createCustomer($0.details, opening: $0.opening) }
            + products.map { .createProduct($0.details, stock: $0.stock) }
    }

    /// Performs all of `commands`. Ids come from `random`: seed an empty book only.
    public func seed(
        _ book: any Book, at now: WallTime, using random: inout some RandomNumberGenerator
    ) throws(BookError) {
        for command in commands {
            _ = try book.perform(
                command, id: ULID(at: now, using: &random), evidence: Evidence(confirmedBy: "import"), at: now)
        }
    }
}
