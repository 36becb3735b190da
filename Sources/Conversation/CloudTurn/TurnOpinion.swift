import JSONText

/// What a language model made of a turn: an intent and its slots as they were spoken. Untrusted: one vote beside the
/// grammar's readings, never alone for money or stock. Names and products are words; the device resolves them against
/// its own book, with the same rules as for a transcript.
public struct TurnOpinion: Hashable, Sendable {
    /// One of the device's intents, or UNKNOWN.
    public var intent: String
    /// The customer as spoken.
    public var customer: String?
    public var amountPaise: Int64?
    /// "cash", "upi", "card", "other".
    public var mode: String?
    public var items: [Item]
    /// Who said it, such as "llm:gpt-4o-mini".
    public var engine: String

    public struct Item: Hashable, Sendable {
        /// As spoken.
        public var product: String
        /// Thousandths of `unit`, or of the product's own unit when that is nil.
        public var quantityMilli: Int64
        public var unit: String?

        public init(product: String, quantityMilli: Int64, unit: String?) {
            self.product = product
            self.quantityMilli = quantityMilli
            self.unit = unit
        }
    }

    public init(
        intent: String, customer: String? = nil, amountPaise: Int64? = nil, mode: String? = nil, items: [Item] = [],
        engine: String
    ) {
        self.intent = intent
        self.customer = customer
        self.amountPaise = amountPaise
        self.mode = mode
        self.items = items
        self.engine = engine
    }

    public static let itemsMax = 60
    public static let textScalarsMax = 200
    /// A crore of rupees: no shop's counter books more in one breath.
    public static let amountPaiseMax: Int64 = 1_000_000_000
    public static let quantityMilliMax: Int64 = 1_000_000_000
    public static let modes: Set<String> = ["cash", "upi", "card", "other"]

    /// The same list that stands in front of the grammar's own readings.
    public static var intents: Set<String> { Request.intents }
}

extension TurnOpinion {
    public var json: JSONValue {
        [
            "intent": .string(intent), "customer": JSONValue(customer), "amount_paise": JSONValue(amountPaise),
            "mode": JSONValue(mode), "engine": .string(engine),
            "items": .array(
                items.map {
                    [
                        "product": .string($0.product), "quantity_milli": .integer($0.quantityMilli),
                        "unit": JSONValue($0.unit),
                    ]
                }),
        ]
    }

    /// - Throws: when anything is outside the lists and limits above. Members that are not named here, such as a role, a
    ///   price or a PIN, are passed over: they have no place to go.
    public init(json: JSONValue, engine: String? = nil) throws(TurnWireError) {
        func text(_ value: JSONValue?) throws(TurnWireError) -> String? {
            guard let value, !value.isNull else { return nil }
            guard let text = value.string, text.unicodeScalars.count <= Self.textScalarsMax else {
                throw .malformed("opinion")
            }
            return text.isEmpty ? nil : text
        }
        func number(_ value: JSONValue?, _ range: ClosedRange<Int64>) throws(TurnWireError) -> Int64? {
            guard let value, !value.isNull else { return nil }
            guard let number = value.integer, range.contains(number) else { throw .malformed("opinion") }
            return number
        }
        let told = try text(json["engine"])
        guard let intent = json["intent"]?.string, Self.intents.contains(intent), let engine = engine ?? told else {
            throw .malformed("opinion")
        }
        let list = json["items"]?.array ?? []
        guard list.count <= Self.itemsMax else { throw .tooLarge("opinion") }
        var items: [Item] = []
        for item in list {
            guard let product = try text(item["product"]),
                let quantity = try number(item["quantity_milli"], 1...Self.quantityMilliMax)
            else { throw .malformed("opinion") }
            items.append(Item(product: product, quantityMilli: quantity, unit: try text(item["unit"])))
        }
        let mode = try text(json["mode"])
        if let mode, !Self.modes.contains(mode) { throw .malformed("opinion") }
        self.init(
            intent: intent, customer: try text(json["customer"]),
            amountPaise: try number(json["amount_paise"], 1...Self.amountPaiseMax), mode: mode, items: items,
            engine: engine)
    }
}
