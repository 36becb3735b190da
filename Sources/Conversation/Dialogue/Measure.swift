import Ledger

/// Quantities between what is said and what the shop keeps. A unit without a conversion is nil, never guessed.
enum Measure {
    /// - Parameters:
    ///   - quantity: thousandths of `unit` as said; of the product's own unit when `unit` is nil.
    /// - Returns: thousandths of the own unit, exact, or nil when the unit is unknown or the result is no thousandth.
    static func own(_ quantity: MilliQuantity, _ unit: String?, of product: ProductDetails) -> MilliQuantity? {
        guard let unit, !isSame(unit, product.unit) else { return quantity }
        guard let factor = factor(unit, of: product) else { return nil }
        let (scaled, overflow) = quantity.rawValue.multipliedReportingOverflow(by: factor.milli)
        guard !overflow, scaled % 1000 == 0 else { return nil }
        let whole = MilliQuantity(scaled / 1000)
        return whole <= .quantityMax ? whole : nil
    }

    /// Thousandths of the own unit in one of the said unit.
    private static func factor(_ unit: String, of product: ProductDetails) -> (milli: Int64, ())? {
        for (name, quantity) in product.conversions where isSame(name, unit) { return (quantity.rawValue, ()) }
        let own = canonical(product.unit)
        switch (canonical(unit), own) {
        case ("gram", "kg"), ("ml", "litre"): return (1, ())
        case ("kg", "gram"), ("litre", "ml"): return (1_000_000, ())
        case ("dozen", "piece"): return (12_000, ())
        default: return nil
        }
    }

    private static func isSame(_ left: String, _ right: String) -> Bool { canonical(left) == canonical(right) }

    /// The pack's name of a unit, or the word itself.
    private static func canonical(_ unit: String) -> String {
        let keys = Grammar.keys(unit)
        guard keys.count == 1 else { return unit }
        return Grammar.builtIn.lexicon.senses(of: keys[0]).first { $0.word == "unit" }?.value ?? keys[0]
    }
}
