// Batches, for goods that expire. Optional: a product without any is just its stock.

/// A delivery that carries a batch number.
public struct Batch: Hashable, Sendable {
    public var number: String
    public var expires: CivilDay?

    public init(number: String, expires: CivilDay? = nil) {
        self.number = number
        self.expires = expires
    }
}

/// A batch and what of it is left.
public struct BatchStock: Hashable, Sendable {
    public var product: ProductID
    public var batch: Batch
    public var received: MilliQuantity
    public var left: MilliQuantity
}

extension LedgerStore {
    /// Batches with something left, the first to expire first.
    ///
    /// What expires first is sold first: so what is in stock are the batches that expire last, and nobody has to say at
    /// the counter which one was sold. Returned goods and corrections need no guess either.
    ///
    /// - Parameters:
    ///   - product: nil for all.
    ///   - day: only what expires on that day or before; nil for all.
    public func batches(of product: ProductID? = nil, expiringThrough day: CivilDay? = nil) throws(BookError)
        -> [BatchStock]
    {
        var known: [ProductID: [BatchStock]] = [:]
        try connection.run(
            """
            SELECT product, number, expires, received FROM batch WHERE ?1 IS NULL OR product = ?1
            ORDER BY product, expires IS NULL DESC, expires DESC, number DESC
            """, [.optional(product?.rawValue)]
        ) {
            let id = ProductID(rawValue: $0.integer(0))
            let batch = Batch(number: $0.text(1), expires: $0.optionalInteger(2).map { CivilDay(number: $0) })
            known[id, default: []].append(
                BatchStock(product: id, batch: batch, received: MilliQuantity($0.integer(3)), left: .zero))
        }
        var found: [BatchStock] = []
        for product in try products() {
            var rest = max(.zero, product.stock)
            for var one in known[product.id] ?? [] {
                one.left = min(one.received, rest)
                rest = rest - one.left
                if one.left > .zero { found.append(one) }
            }
        }
        if let day { found.removeAll { one in one.batch.expires.map { $0 > day } ?? true } }
        return found.sorted {
            ($0.batch.expires?.number ?? .max, $0.product, $0.batch.number)
                < ($1.batch.expires?.number ?? .max, $1.product, $1.batch.number)
        }
    }
}
