import Ledger

/// Finds counted things in a reading: "2 milk aur 1 bread", "doodh 2", "tel ki do bottle", "aadha kilo chawal".
///
/// In a stretch without "aur" or a comma the first thing decides whether numbers stand before or behind.
struct ItemReader {
    let reading: Reading
    let shelf: Shelf
    /// In a bill a counted unknown word is a thing nobody has priced yet; elsewhere it is not.
    let takesUnknown: Bool
    private(set) var items: [Request.Item] = []
    /// Pieces that belong to items.
    private(set) var used: Set<Int> = []

    private struct Open {
        var quantity: Quantum?
        var unit: String?
        var product: Int?
        var spoken: String?
        var price: Paise?
        var products: [Int] = []
        var pieces: Set<Int> = []
        var isEmpty: Bool { quantity == nil && unit == nil && product == nil && spoken == nil }
        var isNamed: Bool { product != nil || spoken != nil }
    }

    init(_ reading: Reading, shelf: Shelf, takesUnknown: Bool) {
        self.reading = reading
        self.shelf = shelf
        self.takesUnknown = takesUnknown
    }

    mutating func run() {
        var start = 0
        let pieces = reading.pieces
        for index in pieces.indices where index > start {
            let isBreak = pieces[index].gap >= .comma || pieces[index].has("and")
            if isBreak, !joins(index) {
                section(start..<index)
                start = index
            }
        }
        section(start..<pieces.count)
    }

    /// "ek aur Maggi": the "aur" belongs to the count.
    private func joins(_ index: Int) -> Bool {
        let pieces = reading.pieces
        guard pieces[index].has("more"), index > 0, index + 1 < pieces.count, pieces[index - 1].kind == .number,
            case .product = pieces[index + 1].kind
        else { return false }
        return index == 1 || !isProduct(index - 2)
    }

    private func isProduct(_ index: Int) -> Bool {
        guard reading.pieces.indices.contains(index) else { return false }
        if case .product = reading.pieces[index].kind { return true }
        return false
    }

    /// A number that counts money, a share or the hour counts no things.
    private func isCount(_ index: Int) -> Bool {
        let pieces = reading.pieces
        guard pieces[index].kind == .number, pieces[index].paise == nil, let value = pieces[index].value, value > .zero
        else { return false }
        if index > 0, pieces[index - 1].has("rupee") { return false }
        guard index + 1 < pieces.count else { return true }
        return !(pieces[index + 1].has("rupee") || pieces[index + 1].has("percent"))
    }

    /// The price of a kind, said before its name or behind it: "bees rupaye wala biscuit", "biscuit bees wala".
    private func variety(_ index: Int) -> Paise? {
        let pieces = reading.pieces
        guard index + 1 < pieces.count, pieces[index].kind == .number, pieces[index + 1].has("wala"),
            pieces[index].paise != nil || isProduct(index + 2) || isProduct(index - 1)
        else { return nil }
        return (pieces[index].paise ?? pieces[index].value?.paise).map { Paise($0) }
    }

    private mutating func section(_ range: Range<Int>) {
        let pieces = reading.pieces
        var open = Open()
        var numbersFirst: Bool?
        func close() {
            if open.isNamed {
                append(open)
            }
            open = Open()
        }
        var index = range.lowerBound
        while index < range.upperBound {
            let piece = pieces[index]
            if let price = variety(index) {
                if open.isNamed, isProduct(index + 2) { close() }
                open.price = price
                open.pieces.formUnion([index, index + 1])
                index += 2
                continue
            }
            switch piece.kind {
            case .number where isCount(index):
                if numbersFirst == nil { numbersFirst = !open.isNamed }
                let namedAhead = nameFollows(index, range)
                if open.isNamed, open.quantity == nil, !namedAhead || numbersFirst == false {
                    open.quantity = piece.value
                } else {
                    if open.isNamed { close() }
                    let price = open.price
                    open = Open()
                    open.price = price
                    open.quantity = piece.value
                }
                open.pieces.insert(index)
            case .product(let products):
                if numbersFirst == nil { numbersFirst = open.quantity != nil }
                if open.isNamed { close() }
                open.products = products
                open.spoken = reading.text(piece.range)
                open.pieces.insert(index)
            case .unknown where takesUnknown && open.quantity != nil && !open.isNamed:
                open.spoken = reading.text(piece.range)
                if let near = shelf.nearestProduct(to: Array(reading.keys[piece.range])) { open.product = near }
                open.pieces.insert(index)
            case .word where piece.unit != nil:
                if open.quantity != nil, open.unit == nil {
                    open.unit = piece.unit
                    open.pieces.insert(index)
                } else if open.isNamed, open.unit == nil {
                    open.unit = piece.unit
                    open.pieces.insert(index)
                }
            case .word where piece.has("ka") || piece.has("filler") || piece.has("more") || piece.has("wala"):
                // "tel ki do bottle", "ek aur Maggi": the thing goes on.
                if open.quantity != nil, !open.isNamed || open.unit == nil { open.pieces.insert(index) }
            default:
                if open.isNamed { close() }
                if open.quantity != nil, !open.isNamed { open = Open() }
            }
            index += 1
        }
        close()
    }

    /// True when a name of a thing comes before the next number, a unit perhaps between.
    private func nameFollows(_ index: Int, _ range: Range<Int>) -> Bool {
        let pieces = reading.pieces
        var next = index + 1
        while next < range.upperBound {
            let piece = pieces[next]
            if case .product = piece.kind { return true }
            if piece.kind == .unknown { return takesUnknown }
            guard piece.unit != nil || piece.has("ka") || piece.has("filler") else { return false }
            next += 1
        }
        return false
    }

    private mutating func append(_ open: Open) {
        guard items.count < Request.itemsMax else { return }
        let quantity = open.quantity?.milli
        // Several things of one name are told apart by the price that was said.
        let fitting = open.products.filter { shelf.products[$0].details.price == open.price }
        let product =
            open.product ?? (open.products.count == 1 ? open.products[0] : fitting.count == 1 ? fitting[0] : nil)
        let made = Request.Item(
            product: product.map { shelf.products[$0].id }, spoken: open.spoken ?? "",
            quantity: MilliQuantity(quantity ?? (open.quantity == nil ? 1000 : 0)), unit: open.unit,
            isCounted: open.quantity != nil, price: open.price)
        items.append(made)
        used.formUnion(open.pieces)
    }
}
