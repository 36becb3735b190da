import JSONText
import Ledger

/// What the shopkeeper wants, as the grammar read it: an intent and its slots. Nothing has been done yet.
///
/// A value that can be kept in the book (`json`) while a question about it is open.
struct Request: Hashable, Sendable {
    var intent: String
    /// Who is meant, once it is settled.
    var customer: CustomerID?
    /// The words that named a customer, as said. Nil when none was named.
    var spokenName: String?
    /// True for uska, usko, "his": the customer last spoken of.
    var isPronoun = false
    var amount: Paise?
    var splits: [PaymentSplit] = []
    var mode: PaymentMode?
    var items: [Item] = []
    var description: String?
    var withGST: Bool?
    var isInterState: Bool?
    /// "bhej do" in the same breath as the items.
    var autoSend = false
    var discount: Discount?
    var product: ProductID?
    var spokenProduct: String?
    var quantity: MilliQuantity?
    var unit: String?
    /// name, phone, email, nickname, landmark, area, address, gstin, pan, notes, language, fy, month, channel,
    /// recurrence: what is text.
    var texts: [String: String] = [:]
    var firesAt: WallTime?
    var tier: Int?
    var isAll = false
    /// A place in a list: 0 is the oldest, -1 the newest.
    var ordinal: Int?
    /// True for lines whose intent has to be asked about whatever the amount.
    var mustAsk = false
    /// Names that sound nearly like the one that was heard: who is meant is asked. Not kept: the question is.
    var rivals: [String] = []
    /// For telling a bare yes from a bare no while transcripts are compared.
    var isYes = false
    var isNo = false

    /// One line of a bill as spoken.
    struct Item: Hashable, Sendable {
        var product: ProductID?
        var spoken: String
        /// In thousandths of what was said: of `unit`, or of the product's own unit when that is nil.
        var quantity: MilliQuantity
        var unit: String?
        /// False when no number was said and one is meant.
        var isCounted: Bool
        /// "bees rupaye wala": the price of the kind that is meant.
        var price: Paise?
    }

    static let itemsMax = 60

    init(intent: String) { self.intent = intent }

    /// Intents that move money or stock at once.
    static let postings: Set<String> = ["RECORD_PAYMENT", "RECORD_MIXED_PAYMENT", "ADD_CREDIT", "UPDATE_STOCK"]

    /// Everything that may be asked for; the same list stands in front of what a language model proposes.
    static let intents: Set<String> = [
        "CREATE_INVOICE", "CONFIRM_INVOICE", "SHOW_PENDING_INVOICE", "MODIFY_INVOICE_ITEM", "TOGGLE_GST",
        "ADD_DISCOUNT", "SET_SUPPLY_TYPE", "SET_PRICE_TIER", "CANCEL_INVOICE", "SEND_INVOICE", "PROVIDE_EMAIL",
        "RECORD_PAYMENT", "RECORD_MIXED_PAYMENT", "ADD_CREDIT", "CHECK_BALANCE", "LIST_CUSTOMER_BALANCES",
        "TOTAL_PENDING_AMOUNT", "GET_CUSTOMER_INFO", "CUSTOMER_HISTORY", "CREATE_CUSTOMER", "UPDATE_CUSTOMER",
        "UPDATE_CUSTOMER_PHONE", "DELETE_CUSTOMER_DATA", "CREATE_REMINDER", "MODIFY_REMINDER", "CANCEL_REMINDER",
        "LIST_REMINDERS", "CHECK_STOCK", "UPDATE_STOCK", "CREATE_PRODUCT", "SET_PRICE", "CHECK_PRICE", "DAILY_SUMMARY",
        "CASH_CLOSE", "SWITCH_LANGUAGE", "START_RECORDING", "STOP_RECORDING", "REPEAT", "HELP", "UNDO_LAST",
        "EXPORT_GSTR1", "EXPORT_PNL", "UNKNOWN",
    ]
}

// MARK: - Kept in the book

extension Request {
    var json: JSONValue {
        var members: [JSONValue.Member] = [.init("intent", .string(intent))]
        func put(_ name: String, _ value: JSONValue?) {
            if let value { members.append(.init(name, value)) }
        }
        put("customer", customer.map { .integer($0.rawValue) })
        put("spokenName", spokenName.map { .string($0) })
        put("isPronoun", isPronoun ? .bool(true) : nil)
        put("amount", amount.map { .integer($0.rawValue) })
        put("mode", mode.map { .string($0.rawValue) })
        if !splits.isEmpty {
            put("splits", .array(splits.map { [.integer($0.amount.rawValue), .string($0.mode.rawValue)] }))
        }
        if !items.isEmpty { put("items", .array(items.map(\.json))) }
        put("description", description.map { .string($0) })
        put("withGST", withGST.map { .bool($0) })
        put("isInterState", isInterState.map { .bool($0) })
        put("autoSend", autoSend ? .bool(true) : nil)
        switch discount {
        case .share(let share): put("discountBps", .integer(share.rawValue))
        case .amount(let told): put("discountPaise", .integer(told.rawValue))
        case nil: break
        }
        put("product", product.map { .integer($0.rawValue) })
        put("spokenProduct", spokenProduct.map { .string($0) })
        put("quantity", quantity.map { .integer($0.rawValue) })
        put("unit", unit.map { .string($0) })
        if !texts.isEmpty {
            put("texts", .object(texts.sorted { $0.key < $1.key }.map { .init($0.key, .string($0.value)) }))
        }
        put("firesAt", firesAt.map { .integer($0.rawValue) })
        put("tier", tier.map { .integer(Int64($0)) })
        put("isAll", isAll ? .bool(true) : nil)
        put("ordinal", ordinal.map { .integer(Int64($0)) })
        put("mustAsk", mustAsk ? .bool(true) : nil)
        return .object(members)
    }

    init?(json: JSONValue) {
        guard let intent = json["intent"]?.string, Self.intents.contains(intent) else { return nil }
        self.init(intent: intent)
        customer = json["customer"]?.integer.map { CustomerID(rawValue: $0) }
        spokenName = json["spokenName"]?.string
        isPronoun = json["isPronoun"]?.bool ?? false
        amount = json["amount"]?.integer.map { Paise($0) }
        mode = json["mode"]?.string.flatMap { PaymentMode(rawValue: $0) }
        splits = (json["splits"]?.array ?? []).compactMap {
            guard let amount = $0[0]?.integer, let mode = $0[1]?.string.flatMap({ PaymentMode(rawValue: $0) }) else {
                return nil
            }
            return PaymentSplit(amount: Paise(amount), mode: mode)
        }
        items = (json["items"]?.array ?? []).compactMap { Item(json: $0) }
        description = json["description"]?.string
        withGST = json["withGST"]?.bool
        isInterState = json["isInterState"]?.bool
        autoSend = json["autoSend"]?.bool ?? false
        if let share = json["discountBps"]?.integer { discount = .share(BasisPoints(share)) }
        if let told = json["discountPaise"]?.integer { discount = .amount(Paise(told)) }
        product = json["product"]?.integer.map { ProductID(rawValue: $0) }
        spokenProduct = json["spokenProduct"]?.string
        quantity = json["quantity"]?.integer.map { MilliQuantity($0) }
        unit = json["unit"]?.string
        for member in json["texts"]?.members ?? [] { texts[member.name] = member.value.string }
        firesAt = json["firesAt"]?.integer.map { WallTime(milliseconds: $0) }
        tier = json["tier"]?.integer.map { Int($0) }
        isAll = json["isAll"]?.bool ?? false
        ordinal = json["ordinal"]?.integer.map { Int($0) }
        mustAsk = json["mustAsk"]?.bool ?? false
    }
}

extension Request.Item {
    var json: JSONValue {
        [
            "product": JSONValue(product?.rawValue), "spoken": .string(spoken), "quantity": .integer(quantity.rawValue),
            "unit": JSONValue(unit), "isCounted": .bool(isCounted), "price": JSONValue(price?.rawValue),
        ]
    }

    init?(json: JSONValue) {
        guard let spoken = json["spoken"]?.string, let quantity = json["quantity"]?.integer else { return nil }
        self.init(
            product: json["product"]?.integer.map { ProductID(rawValue: $0) }, spoken: spoken,
            quantity: MilliQuantity(quantity), unit: json["unit"]?.string, isCounted: json["isCounted"]?.bool ?? true,
            price: json["price"]?.integer.map { Paise($0) })
    }
}
