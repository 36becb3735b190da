// What the shop's log says as canonical CBOR. Facts are not here: their body is a counter's own signed batch.

extension ShopChange {
    /// Stable numbers.
    public enum Kind {
        public static let counter: Int64 = 1
        public static let facts: Int64 = 2
        public static let catalogue: Int64 = 3
        public static let merge: Int64 = 4
        public static let unmerge: Int64 = 5
        public static let settings: Int64 = 6
    }

    /// Items of one catalogue entry. A longer list is told in several.
    public static let catalogueItemsMax = 100

    /// Kind and body; nil for facts, whose body is a batch, and for what is unknown.
    public var coded: (kind: Int64, body: [UInt8])? {
        switch self {
        case .facts, .ownFacts, .unknown: nil
        case .counter(let counter):
            (
                Kind.counter,
                CBORValue.array([
                    .bytes(counter.device), .text(counter.series), .bytes(counter.ledgerKey), .bool(counter.isRevoked),
                    .optional(counter.handover),
                ]).encoded
            )
        case .catalogue(let items):
            (Kind.catalogue, CBORValue.array(items.map { .array([.optional($0.was), $0.details.cbor]) }).encoded)
        case .merge(let one, let other): (Kind.merge, CBORValue.array(one.fields + other.fields).encoded)
        case .unmerge(let one): (Kind.unmerge, CBORValue.array(one.fields).encoded)
        case .settings(let settings):
            (
                Kind.settings,
                CBORValue.array([
                    .optional(settings.language),
                    settings.rules.map {
                        .array([
                            .bool($0.roundsBills), .optional($0.holdAbove?.rawValue), .optional($0.holdBelowMilli),
                        ])
                    } ?? .null,
                    .optional(settings.pollSeconds),
                ]).encoded
            )
        }
    }

    /// Nil when the body is not of its kind. A kind that is not known here is `.unknown`.
    public init?(kind: Int64, body: [UInt8]) {
        guard (1...Kind.settings).contains(kind) else {
            self = .unknown(kind: kind)
            return
        }
        guard kind != Kind.facts, let fields = (try? CBORValue(decoding: body))?.array else { return nil }
        switch kind {
        case Kind.counter:
            guard fields.count == 5, let device = fields[0].bytes, device.count == 16, let series = fields[1].text,
                InvoiceNumber.isSeries(series), let key = fields[2].bytes, key.count == 32,
                let isRevoked = fields[3].bool, fields[4].bytes != nil || fields[4] == .null
            else { return nil }
            self = .counter(
                CounterDetails(
                    device: device, series: series, ledgerKey: key, isRevoked: isRevoked, handover: fields[4].bytes))
        case Kind.catalogue:
            guard !fields.isEmpty, fields.count <= Self.catalogueItemsMax else { return nil }
            var items: [CatalogueItem] = []
            for field in fields {
                guard let item = field.array, item.count == 2, item[0].text != nil || item[0] == .null,
                    let details = ProductDetails(item[1]), !details.name.isEmpty
                else { return nil }
                items.append(CatalogueItem(details, was: item[0].text))
            }
            self = .catalogue(items)
        case Kind.merge:
            guard fields.count == 4, let one = SharedCustomer(fields[0...1]), let other = SharedCustomer(fields[2...3]),
                one != other
            else { return nil }
            self = .merge(one, into: other)
        case Kind.unmerge:
            guard fields.count == 2, let one = SharedCustomer(fields[0...1]) else { return nil }
            self = .unmerge(one)
        default:
            guard let settings = ShopSettings(fields) else { return nil }
            self = .settings(settings)
        }
    }
}

extension SharedCustomer {
    fileprivate var fields: [CBORValue] { [.bytes(device), .integer(customer.rawValue)] }

    fileprivate init?(_ fields: ArraySlice<CBORValue>) {
        guard let device = fields.first?.bytes, device.count == 16, let number = fields.last?.integer, number >= 1
        else {
            return nil
        }
        self.init(device: device, customer: CustomerID(rawValue: number))
    }
}

extension ShopSettings {
    fileprivate init?(_ fields: [CBORValue]) {
        guard fields.count == 3 else { return nil }
        func isKind(_ index: Int, _ holds: Bool) -> Bool { holds || fields[index] == .null }
        guard isKind(0, fields[0].text != nil), isKind(1, fields[1].array?.count == 3),
            isKind(2, fields[2].integer != nil)
        else { return nil }
        language = fields[0].text
        if let told = fields[1].array {
            guard let rounds = told[0].bool, told[1].integer != nil || told[1] == .null,
                told[2].integer != nil || told[2] == .null
            else { return nil }
            var rules = ShopRules()
            rules.roundsBills = rounds
            rules.holdAbove = told[1].integer.map { Paise($0) }
            rules.holdBelowMilli = told[2].integer
            self.rules = rules
        }
        pollSeconds = fields[2].integer
    }
}
