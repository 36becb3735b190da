import Ledger

/// The shop as the reader sees it: the words that name products, units and people. Made from the book; a value.
///
/// Holds what it was given: some 200 bytes a word. Rebuilt when the book's customers or products change.
struct Shelf {
    var customers: [Customer]
    var products: [Product]
    /// Product phrases by first word, longest first; the indices of the products they name.
    private(set) var productPhrases: [String: [(words: [String], products: [Int])]] = [:]
    /// Single words of products exactly as the shop writes them.
    private(set) var written: Set<String> = []
    /// Words of longer names of things, with the one thing that has it: "oil" where only Sunflower Oil is sold.
    private var parts: [String: Set<Int>] = [:]
    /// Units that occur only in this shop, folded.
    private(set) var units: [String: String] = [:]
    /// Words of names, nicknames and aliases.
    private(set) var nameWords: Set<String> = []
    /// Landmarks, as folded words without a last "wala".
    private(set) var landmarks: [(words: [String], customer: Int)] = []
    private(set) var landmarkWords: Set<String> = []
    /// Who is meant by some words.
    private(set) var matcher: NameMatcher
    /// Names and things by their sounds, for the decoder.
    let sounds: ShopSounds
    /// Trailing words that belong to any landmark: wala and its kin.
    static let walaKeys: Set<String> = ["vala", "vali", "vale"]

    init(customers: [Customer], products: [Product]) {
        self.customers = customers
        self.products = products
        sounds = ShopSounds(customers: customers, products: products)
        matcher = NameMatcher(
            customers.map { customer in
                NameMatcher.Candidate(
                    names: [customer.details.name] + [customer.details.nickname].compactMap { $0 } + customer.aliases,
                    landmark: customer.details.landmark, phone: customer.details.phone)
            })
        for (index, product) in products.enumerated() {
            for text in [product.details.name] + product.details.aliases {
                let words = Grammar.keys(text)
                addProduct(words, index)
                if words.count > 1 {
                    for word in words where word.utf8.count >= Self.partLettersMin {
                        parts[word, default: []].insert(index)
                    }
                }
                for token in Tokens(text).items { written.insert(token.text) }
            }
            for unit in [product.details.unit] + Array(product.details.conversions.keys) {
                let keys = Grammar.keys(unit)
                if keys.count == 1 { units[keys[0]] = unit }
            }
        }
        for (index, customer) in customers.enumerated() {
            for text in [customer.details.name, customer.details.nickname].compactMap({ $0 }) + customer.aliases {
                for key in Grammar.keys(text) where !Self.walaKeys.contains(key) { nameWords.insert(key) }
            }
            if let landmark = customer.details.landmark {
                var words = Grammar.keys(landmark)
                while let last = words.last, Self.walaKeys.contains(last) { words.removeLast() }
                if !words.isEmpty {
                    landmarks.append((words, index))
                    landmarkWords.formUnion(words)
                }
            }
        }
        landmarks.sort { $0.words.count > $1.words.count }
    }

    private mutating func addProduct(_ words: [String], _ product: Int) {
        guard let first = words.first else { return }
        var list = productPhrases[first] ?? []
        if let place = list.firstIndex(where: { $0.words == words }) {
            if !list[place].products.contains(product) { list[place].products.append(product) }
        } else {
            list.append((words, [product]))
            list.sort { $0.words.count > $1.words.count }
        }
        productPhrases[first] = list
    }

    /// The longest product phrase at a place; English and Hindi plurals count as the thing itself.
    func product(_ keys: [String], at start: Int, upTo end: Int) -> (length: Int, products: [Int])? {
        for first in Self.singulars(keys[start]) {
            for (words, products) in productPhrases[first] ?? [] where start + words.count <= end {
                let fits = (1..<words.count).allSatisfy {
                    Self.singulars(keys[start + $0]).contains(words[$0])
                }
                if fits { return (words.count, products) }
            }
        }
        return nil
    }

    /// The unit a word names in this shop, one or many of it.
    func unit(_ key: String) -> String? {
        for single in Self.singulars(key) { if let unit = units[single] { return unit } }
        return nil
    }

    /// The only thing in whose longer name this word stands.
    func part(_ key: String) -> Int? {
        for single in Self.singulars(key) {
            if let things = parts[single] { return things.count == 1 ? things.first : nil }
        }
        return nil
    }

    /// A shorter word stands in too much.
    static let partLettersMin = 3

    /// The word and what it may be the plural of.
    static func singulars(_ key: String) -> [String] {
        var out = [key]
        guard key.utf8.count >= 4 else { return out }
        if key.hasSuffix("es") { out.append(String(key.dropLast(2))) }
        if key.hasSuffix("s") { out.append(String(key.dropLast())) }
        if key.hasSuffix("on") || key.hasSuffix("en") { out.append(String(key.dropLast(2))) }
        if key.hasSuffix("e") { out.append(String(key.dropLast()) + "a") }
        return out
    }

    /// The only product within one letter of a word long enough, or nil.
    func nearestProduct(to keys: [String]) -> Int? {
        let heard = keys.joined()
        guard heard.utf8.count >= Lexicon.repairLettersMin else { return nil }
        var found: Set<Int> = []
        for list in productPhrases.values {
            for (words, products) in list where isOneEditApart(words.joined(), heard) { found.formUnion(products) }
        }
        return found.count == 1 ? found.first : nil
    }

    /// The longest landmark that stands at a place, with an optional wala behind it.
    func landmark(_ keys: [String], at start: Int, upTo end: Int) -> (length: Int, customers: [Int])? {
        guard landmarkWords.contains(keys[start]) else { return nil }
        for (words, _) in landmarks
        where start + words.count <= end && Array(keys[start..<start + words.count]) == words {
            let who = landmarks.filter { $0.words == words }.map(\.customer)
            var length = words.count
            if start + length < end, Self.walaKeys.contains(keys[start + length]) { length += 1 }
            return (length, who)
        }
        return nil
    }
}
