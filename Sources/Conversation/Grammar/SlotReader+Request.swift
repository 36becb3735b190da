import Ledger

extension SlotReader {
    /// The request a line of the intents makes of these slots. People are still words here.
    func request(for rule: IntentRule) -> Request {
        var made = Request(intent: rule.intent)
        let pieces = reading.pieces
        let classes = reading.classes
        made.spokenName = people.first.map { reading.text($0) }
        made.isPronoun = people.isEmpty && features.contains("<pronoun>")
        if people.isEmpty, classes.contains("previous") { made.texts["who"] = "previous" }
        if people.isEmpty, classes.contains("both") { made.texts["who"] = "both" }
        if rule.flags.contains("full") { made.isAll = true }
        if let mode = reading.value(of: "mode").flatMap({ PaymentMode(rawValue: $0) }) { made.mode = mode }
        switch rule.intent {
        case "RECORD_MIXED_PAYMENT": made.splits = splits
        case "RECORD_PAYMENT", "ADD_CREDIT", "CASH_CLOSE", "CREATE_REMINDER", "MODIFY_REMINDER", "CREATE_CUSTOMER":
            made.amount = amounts.count == 1 ? amounts[0].amount : amounts.first { $0.hasCurrency }?.amount
            if made.amount == .zero { made.amount = nil }
            if rule.intent == "RECORD_PAYMENT" { made.mode = made.mode ?? .cash }
            if rule.intent == "ADD_CREDIT" { made.description = goodsText }
        default: break
        }
        switch rule.intent {
        case "CREATE_INVOICE", "MODIFY_INVOICE_ITEM":
            made.items = items
            if classes.contains("gst") { made.withGST = !classes.contains("without") && !classes.contains("negation") }
            if classes.contains("igst") { (made.withGST, made.isInterState) = (true, true) }
            if classes.contains("send"), !classes.contains("channel") { made.autoSend = true }
            if classes.contains("nameless") { made.isAll = true }
            if classes.contains("remove") || classes.contains("delete") || classes.contains("cancel") {
                made.ordinal = -1
            }
            if let gstin { made.texts["gstin"] = gstin }
            readPayment(into: &made)
            // "3 bread kar do" sets the quantity; "3 bread add karo" adds to it.
            if rule.intent == "MODIFY_INVOICE_ITEM", rule.flags.contains("set"), !classes.contains("more") {
                made.isAll = true
            }
        case "UPDATE_STOCK", "CHECK_STOCK", "SET_PRICE", "CHECK_PRICE":
            made.items = items
            if let first = items.first {
                made.product = first.product
                made.spokenProduct = first.spoken
                if first.isCounted { made.quantity = first.quantity }
                made.unit = first.unit
            } else if let unknown = pieces.first(where: { $0.kind == .unknown }) {
                made.spokenProduct = reading.text(unknown.range)
            }
            if rule.intent == "UPDATE_STOCK", !rule.writes {
                // A line that may not write asks about what was not understood; it never fills in the rest.
                made.quantity = nil
                if let unknown = pieces.first(where: { $0.kind == .unknown }) {
                    (made.product, made.items) = (nil, [])
                    made.spokenProduct = reading.text(unknown.range)
                }
            }
            if rule.intent == "SET_PRICE" { made.amount = amounts.first?.amount }
        case "TOGGLE_GST": made.withGST = !rule.flags.contains("off")
        case "SET_SUPPLY_TYPE": made.isInterState = !classes.contains("remove") && !classes.contains("negation")
        case "ADD_DISCOUNT":
            if let percent {
                made.discount = .share(percent)
            } else if let amount = amounts.first, amounts.count == 1, amount.amount > .zero {
                made.discount = .amount(amount.amount)
            }
            if let item = items.first {
                made.product = item.product
                made.spokenProduct = item.spoken
            }
        case "SET_PRICE_TIER": made.tier = reading.value(of: "tier").flatMap { Int($0) }
        case "CONFIRM_INVOICE", "CANCEL_INVOICE", "SHOW_PENDING_INVOICE":
            if classes.contains("first") { made.ordinal = 0 }
            if classes.contains("last") { made.ordinal = -1 }
            made.isAll = classes.contains("everyone")
        case "SWITCH_LANGUAGE": made.texts["language"] = reading.value(of: "language")
        case "SEND_INVOICE": made.texts["channel"] = reading.value(of: "channel")
        case "EXPORT_GSTR1", "EXPORT_PNL": readPeriod(into: &made)
        case "CREATE_CUSTOMER": readNewCustomer(into: &made)
        case "UPDATE_CUSTOMER", "UPDATE_CUSTOMER_PHONE", "PROVIDE_EMAIL": readFields(into: &made)
        case "GET_CUSTOMER_INFO": if classes.contains("phone") { made.texts["asked"] = "phone" }
        case "CREATE_REMINDER", "MODIFY_REMINDER":
            made.firesAt = time?.firesAt
            made.texts["recurrence"] = time?.recurrence
        default: break
        }
        return made
    }

    /// Money said with the things: what is paid at once, or a sum nobody can place, which is asked about.
    private func readPayment(into made: inout Request) {
        guard let said = amounts.first else { return }
        let isPaid =
            amounts.count == 1 && said.amount > .zero && features.isDisjoint(with: ["ko", "me", "object"])
            && (made.mode != nil || !features.isDisjoint(with: ["payment", "returned", "came", "paid"])
                || features.contains("gave") && !features.isDisjoint(with: ["ne", "subject"]))
        if isPaid, made.intent == "CREATE_INVOICE" {
            made.splits = [PaymentSplit(amount: said.amount, mode: made.mode ?? .cash)]
        } else {
            made.amount = said.amount
        }
        made.mustAsk = true
    }

    private var gstin: String? {
        for piece in reading.pieces { if case .gstin(let code) = piece.kind { return code } }
        return nil
    }

    /// What was given, as said: "3 bag", "saman".
    private var goodsText: String? {
        let pieces = reading.pieces
        for (index, piece) in pieces.enumerated()
        where piece.unit != nil && index > 0 && pieces[index - 1].kind == .number {
            return reading.text(pieces[index - 1].range.lowerBound..<piece.range.upperBound)
        }
        return pieces.first { $0.has("goods") }.map { reading.text($0.range) }
    }

    /// "March" is the March not after now; "2025-26" is a financial year.
    private func readPeriod(into made: inout Request) {
        let today = CivilTime(now).day.yearMonthDay
        if let month = reading.value(of: "month").flatMap({ Int64($0) }) {
            let year = month > today.month ? today.year - 1 : today.year
            made.texts["month"] = "\(year)-\(month < 10 ? "0" : "")\(month)"
        }
        let figures = reading.tokens.indices.filter { reading.tokens[$0].kind == .number }
        for index in figures.dropLast()
        where index + 1 < reading.tokens.count && reading.tokens[index + 1].kind == .number {
            let (first, second) = (reading.tokens[index].text, reading.tokens[index + 1].text)
            if first.utf8.count == 4, first.hasPrefix("20"), let year = Int(first), let next = Int(second),
                next == (year + 1) % 100 || next == year + 1
            {
                made.texts["fy"] = "\(year)-\((year + 1) % 100 < 10 ? "0" : "")\((year + 1) % 100)"
            }
        }
    }

    private func readCodes(into made: inout Request) {
        for piece in reading.pieces {
            switch piece.kind {
            case .phone(let digits): made.texts["phone"] = digits
            case .email(let email): made.texts["email"] = email
            case .gstin(let code): made.texts["gstin"] = code
            case .pan(let code): made.texts["pan"] = code
            default: break
            }
        }
    }

    /// The new one's name is the words nobody knows, or the known ones it shares with somebody.
    private func readNewCustomer(into made: inout Request) {
        readCodes(into: &made)
        let pieces = reading.pieces
        let names = pieces.filter { $0.kind == .person || $0.kind == .unknown }
        if let first = names.first { made.texts["name"] = Naming.written(reading.text(first.range)) }
        // A further name behind a comma, with wala, says where: "Gandhi Nagar wali".
        for (index, piece) in pieces.enumerated().dropFirst() where piece.kind == .person || piece.kind == .unknown {
            guard piece.range != names.first?.range else { continue }
            var end = piece.range.upperBound
            if pieces.indices.contains(index + 1), pieces[index + 1].has("wala") {
                end = pieces[index + 1].range.upperBound
            }
            if made.texts["landmark"] == nil { made.texts["landmark"] = reading.text(piece.range.lowerBound..<end) }
        }
        made.spokenName = nil
        made.customer = nil
    }

    private static let fields = ["nickname", "landmark", "area", "address", "notes", "rename"]

    /// The field is named by a word; its value is the unknown words behind it, else those before.
    private func readFields(into made: inout Request) {
        readCodes(into: &made)
        let pieces = reading.pieces
        for field in Self.fields {
            guard let at = pieces.firstIndex(where: { $0.has(field) }) else { continue }
            let person = pieces.firstIndex { $0.range == people.first }
            let isValue = { (index: Int) in
                index != person && (pieces[index].kind == .unknown || pieces[index].kind == .person)
            }
            let behind = pieces.indices.first { $0 > at && isValue($0) }
            guard let first = behind ?? pieces.indices.first(where: { isValue($0) }) else { continue }
            var end = first
            while end + 1 < pieces.count, pieces[end + 1].gap < .comma,
                isValue(end + 1) || pieces[end + 1].kind == .number || pieces[end + 1].has("wala")
                    || (pieces[end + 1].senses.allSatisfy {
                        $0.word == "ka" || $0.word == "filler" || $0.word == "in" || $0.word == "on"
                    }
                        && end + 2 < pieces.count && isValue(end + 2))
            {
                end += 1
            }
            let text = reading.text(pieces[first].range.lowerBound..<pieces[end].range.upperBound)
            made.texts[field == "rename" ? "name" : field] = Naming.written(text)
        }
        if made.intent == "PROVIDE_EMAIL", made.texts["email"] == nil,
            let unknown = pieces.first(where: { $0.kind == .unknown })
        {
            made.texts["invalid"] = reading.text(unknown.range)
        }
    }
}
