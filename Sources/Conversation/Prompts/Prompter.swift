import Ledger

/// Says things in one language: names, sums, quantities, moments, in Roman script with digits.
struct Prompter {
    let pack: PromptPack

    init(grammar: Grammar, language: String) {
        pack = grammar.prompts[language] ?? grammar.prompts["hi-en"] ?? PromptPack()
    }

    func say(_ name: String, _ fields: [String: String] = [:]) -> String {
        guard let line = pack.line(name, fields) else {
            // The packs are checked at load for every line of hi-en, and a test says every line the code names.
            return name
        }
        return line
    }

    func term(_ name: String) -> String { pack.terms[name] ?? name }

    /// "250 rupaye", "207.26 rupaye".
    func money(_ amount: Paise) -> String { say("money", ["n": Self.figures(amount)]) }

    static func figures(_ amount: Paise) -> String {
        let magnitude = amount.magnitude.rawValue
        let rest = magnitude % 100
        let sign = amount < .zero ? "-" : ""
        return sign + "\(magnitude / 100)" + (rest == 0 ? "" : ".\(rest / 10)\(rest % 10)")
    }

    /// What a customer owes after: a line for a balance, an advance or nothing.
    func balance(_ name: String, _ balance: Paise) -> String {
        if balance > .zero { return say("balance.owes", ["name": name, "money": money(balance)]) }
        if balance < .zero { return say("balance.advance", ["name": name, "money": money(-balance)]) }
        return say("balance.clear", ["name": name])
    }

    /// The short form behind another sentence: "Baaki 300 rupaye."
    func rest(_ balance: Paise) -> String {
        if balance > .zero { return say("rest.owes", ["money": money(balance)]) }
        if balance < .zero { return say("rest.advance", ["money": money(-balance)]) }
        return say("rest.clear")
    }

    /// "2 kg", "1.5 litre".
    func quantity(_ quantity: MilliQuantity, unit: String) -> String {
        "\(Self.decimal(quantity.rawValue)) \(term(unit))"
    }

    static func decimal(_ milli: Int64) -> String {
        let magnitude = abs(milli)
        var out = "\(magnitude / 1000)"
        let rest = magnitude % 1000
        if rest != 0 {
            var digits = "\(1000 + rest)".dropFirst()
            while digits.last == "0" { digits.removeLast() }
            out += "." + digits
        }
        return (milli < 0 ? "-" : "") + out
    }

    func percent(_ share: BasisPoints) -> String { Self.decimal(share.rawValue * 10) + "%" }

    func mode(_ mode: PaymentMode) -> String { term(mode.rawValue) }

    /// A telephone number digit by digit, never as one number.
    func phone(_ phone: String) -> String {
        phone.suffix(10).map { String($0) }.joined(separator: " ")
    }

    /// "5 March, 7:00 baje".
    func moment(_ moment: WallTime) -> String {
        let civil = CivilTime(moment)
        let date = civil.day.yearMonthDay
        let minute = civil.minute < 10 ? "0\(civil.minute)" : "\(civil.minute)"
        return say(
            "moment",
            ["day": "\(date.day)", "month": term("month.\(date.month)"), "time": "\(civil.hour):\(minute)"])
    }

    func list(_ items: [String]) -> String {
        guard items.count > 1 else { return items.first ?? "" }
        return items.dropLast().joined(separator: ", ") + " " + term("and") + " " + items.last!
    }
}
