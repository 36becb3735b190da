import Conversation
import JSONText

/// Whether a clip was understood, by the rules of the utterances' manifest: intent, resolved customer, amount, mode, items
/// in their own unit, GST, phone, language and channel all agree; words for times are not scored.
struct ClipScore {
    /// What differs; empty is exact.
    var differences: [String]
    /// Money or stock moved, though not as it was meant to.
    var isWronglyPosted: Bool
    /// Money or stock moved at all.
    var isPosted: Bool
    var isAsked: Bool

    var isExact: Bool { differences.isEmpty }

    init(_ meant: JSONValue, step: JSONValue, state: JSONValue, before: JSONValue, world: JSONValue) {
        let told = meant["slots"] ?? .null
        let got = step["slots"] ?? .null
        var wrong: [String] = []
        let intent = meant["intent"]?.string
        if step["intent"]?.string != intent { wrong.append("intent \(step["intent"]?.string ?? "none")") }

        func check(_ name: String, _ wanted: JSONValue?, _ found: JSONValue?) {
            let (wanted, found) = (wanted ?? .null, found ?? .null)
            if wanted != found { wrong.append("\(name) \(found.text)") }
        }
        if let spoken = told["customer"]?.string {
            check("customer", .string(Self.customer(spoken, in: world)), got["customer"].map(Self.plainName))
        } else if let found = got["customer"], !found.isNull {
            check("customer", .null, found)
        }
        check("amount", told["amount_paise"], got["amountPaise"])
        if intent == "RECORD_PAYMENT" { check("mode", told["mode"] ?? "cash", got["mode"]) }
        check("items", Self.items(told["items"], in: world), got["items"].flatMap(Self.itemList))
        check("withGst", told["withGst"], got["withGst"])
        check("phone", told["phone"].map(Self.digits), got["phone"].map(Self.digits))
        check("language", told["language"], got["language"])
        check("channel", told["channel"], got["channel"])
        if let product = told["product"]?.string {
            check("product", .string(Self.product(product, in: world)?["name"]?.string ?? product), got["product"])
        }
        if let name = told["name"] { check("name", name, got["name"]) }
        differences = wrong

        // A bill is a draft until a yes; sent in one breath it is meant to be posted.
        let isMeant = ["RECORD_PAYMENT", "ADD_CREDIT"].contains(intent) || told["autoSend"]?.bool == true
        isPosted = ["balancesPaise", "stockMilli", "invoices", "payments"].contains { state[$0] != before[$0] }
        isWronglyPosted = isPosted && !(isMeant && wrong.isEmpty)
        isAsked = step["code"]?.string == "CONFIRMATION_NEEDED" || state["pendingGate"]?.bool == true
    }

    /// The full name of whom a spoken name means: the one customer who has that first name or, with an honorific, that
    /// last one.
    static func customer(_ spoken: String, in world: JSONValue) -> String {
        let word = spoken.split(separator: " ").first.map { $0.lowercased() } ?? ""
        let names = (world["customers"]?.array ?? []).compactMap { $0["name"]?.string }
        func parts(_ name: String) -> [String] { name.split(separator: " ").map { $0.lowercased() } }
        return names.first { parts($0).first == word } ?? names.first { parts($0).last == word } ?? spoken
    }

    private static func plainName(_ slot: JSONValue) -> JSONValue {
        slot.string.map { .string(String($0.prefix { $0 != "(" }).trimmed) } ?? slot
    }

    private static func digits(_ phone: JSONValue) -> JSONValue {
        phone.string.map { .string(String($0.filter(\.isNumber).suffix(10))) } ?? phone
    }

    static func product(_ spoken: String, in world: JSONValue) -> JSONValue? {
        let word = spoken.lowercased()
        return world["products"]?.array?.first { product in
            product["name"]?.string?.lowercased() == word
                || product["aliases"]?.array?.contains { $0.string?.lowercased() == word } == true
        }
    }

    /// "Name 1500 kg" a line, in thousandths of the product's own unit where the spoken one converts; sorted.
    private static func items(_ told: JSONValue?, in world: JSONValue) -> JSONValue? {
        guard let list = told?.array, !list.isEmpty else { return nil }
        return lines(
            list.map { item in
                let spoken = item["product"]?.string ?? ""
                let product = product(spoken, in: world)
                let own = product?["unit"]?.string ?? ""
                let quantity = ((item["quantity"]?.number ?? 1) * 1000).rounded()
                var milli = Int64(quantity)
                if let unit = item["unit"]?.string, unit != own {
                    if let told = product?["conversionsMilli"]?[unit]?.integer {
                        milli = milli * told / 1000
                    } else if unit == "dozen" {
                        milli *= 12
                    } else {
                        return "\(product?["name"]?.string ?? spoken) \(milli) in \(unit)"
                    }
                }
                return "\(product?["name"]?.string ?? spoken) \(milli)"
            })
    }

    private static func itemList(_ got: JSONValue) -> JSONValue? {
        guard let list = got.array, !list.isEmpty else { return nil }
        return lines(
            list.map { "\($0["product"]?.string ?? $0["spoken"]?.string ?? "") \($0["quantityMilli"]?.text ?? "")" })
    }

    private static func lines(_ lines: [String]) -> JSONValue { .array(lines.sorted().map { .string($0) }) }
}
