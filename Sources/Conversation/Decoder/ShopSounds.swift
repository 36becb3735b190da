import Ledger

/// The words of the packs by their sounds. Built once a grammar.
struct GrammarSounds: Sendable {
    private(set) var trie = SoundTrie()

    /// A number is another number two sounds away: it bears less than a name.
    private static let numberLooseness: Float = 0.6

    init() {}

    init(_ lexicon: Lexicon, _ graph: PatternGraph) {
        for (text, sense) in lexicon.spoken {
            if let label = graph.label(sense.word) { trie.add(text, label: label) }
            if let value = sense.value, let label = graph.label("\(sense.word)=\(value)") {
                trie.add(text, label: label)
            }
            switch sense.word {
            case "time": trie.add(text, label: PatternGraph.Slot.moment.rawValue)
            case "unit": trie.add(text, label: PatternGraph.Slot.unit.rawValue)
            case "filler": trie.add(text, label: PatternGraph.Slot.filler.rawValue)
            default: break
            }
        }
        for (text, word) in NumberWords.entries {
            let slot: PatternGraph.Slot =
                switch word {
                case .small: .small
                case .scale: .scale
                case .fraction, .quarter: .fraction
                case .quarterMore, .halfMore, .quarterLess: .prefix
                case .copies: .small
                case .point, .minus: .filler
                }
            trie.add(text, label: slot.rawValue, looseness: Self.numberLooseness)
        }
    }
}

/// The names and things of one shop by their sounds. Built again when the shop changes: some 100 bytes a name.
struct ShopSounds: Sendable {
    private(set) var trie = SoundTrie()

    init(customers: [Customer], products: [Product]) {
        let name = PatternGraph.Slot.name.rawValue
        for customer in customers {
            var names = [customer.details.name]
            names += [customer.details.nickname].compactMap { $0 } + customer.aliases
            for full in names {
                trie.add(full, label: name)
                let words = full.split(separator: " ").map(String.init)
                for word in words where word.utf8.count > 2 && words.count > 1 { trie.add(word, label: name) }
                if let landmark = customer.details.landmark {
                    let place = Self.withoutWala(landmark)
                    for called in [full, words[0]] {
                        trie.add("\(called) \(place)", label: name)
                        trie.add("\(called) \(place) wala", label: name)
                    }
                }
            }
            if let landmark = customer.details.landmark {
                trie.add("\(Self.withoutWala(landmark)) wala", label: name)
            }
        }
        for product in products {
            for text in [product.details.name] + product.details.aliases {
                trie.add(text, label: PatternGraph.Slot.product.rawValue)
            }
            for unit in [product.details.unit] + product.details.conversions.keys.sorted() {
                trie.add(unit, label: PatternGraph.Slot.unit.rawValue)
            }
        }
    }

    private static func withoutWala(_ landmark: String) -> String {
        var words = landmark.split(separator: " ")
        while let last = words.last, words.count > 1, Shelf.walaKeys.contains(WordFold.key(String(last))) {
            words.removeLast()
        }
        return words.joined(separator: " ")
    }
}
