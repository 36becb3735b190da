/// Finds the sentence of the grammar that sounds most like a transcript: a search of the row of sounds against the
/// patterns of the packs, with the shop's own names and things as slots.
///
/// Viterbi over (place in the row, node of the patterns). What it finds is text again, in the words of the packs, and is
/// read by the same grammar as everything else: the decoder repairs spelling, it never decides what is done.
/// A value; any thread. Memory: a table of place x node while it runs: 16 bytes each, some 5 MB at most.
struct Decoder {
    let graph: PatternGraph
    let grammar: SoundTrie
    let shop: SoundTrie

    init(grammar: Grammar, shelf: Shelf) {
        graph = grammar.patterns
        self.grammar = grammar.sounds.trie
        shop = shelf.sounds.trie
    }

    /// What was found, cheapest first.
    struct Finding {
        /// In the spelling of the packs and the shop.
        var text: String
        /// Cost for each unit of the row's weight: 0 is the same sounds.
        var cost: Double
        /// Names that would have fitted the place of the name nearly as well.
        var rivals: [String]
    }

    /// Dearest sentence that is given out; what costs more is somebody else's talk.
    static let costMax = 0.25
    /// A name has to be heard by itself: its own cost for each unit of its weight.
    static let slotCostMax: Float = 0.26
    /// Two names within this are a question (conversation.md, "Who is meant").
    static let nameMargin: Float = 0.10
    /// Paths dearer than the best at the same place by more than this are dropped.
    static let beam: Float = 4
    /// Each word costs a little, so that few long ones beat many short ones.
    static let wordCost: Float = 0.06
    static let fillerCost: Float = 0.45
    /// One more thing on a bill is rarer than one more word about a thing.
    static let productCost: Float = 0.35
    /// A name that begins inside a written word.
    static let nameSeamCost: Float = 0.25
    /// A word that begins or ends inside a written one; twice as much for one of two sounds, which are found everywhere.
    static let seamCost: Float = 0.08
    /// Findings that are read by the grammar.
    static let findingsMax = 10

    private struct Step {
        var place: Int32
        var node: Int32
        /// Index in one of the tries, with `shopBit` set in the shop's; -1 passed; -2 skipped; -3 figure; -4 anything.
        var word: Int32
        var cost: Float
    }

    private struct Hit {
        var label: Int32
        var end: Int32
        var cost: Float
        var word: Int32
    }

    /// What may be heard at one place, by what it stands for. Made once a search and emptied at each place.
    private struct Hits {
        private(set) var byLabel: [[Hit]]
        private var filled: [Int32] = []

        init(labels: Int) { byLabel = [[Hit]](repeating: [], count: labels) }

        mutating func clear() {
            for label in filled { byLabel[Int(label)].removeAll(keepingCapacity: true) }
            filled.removeAll(keepingCapacity: true)
        }

        /// Of two words that stand for the same and end at the same place the cheaper one is enough; of equals the first.
        mutating func take(_ hit: Hit) {
            let label = Int(hit.label)
            if byLabel[label].isEmpty { filled.append(Int32(label)) }
            if let known = byLabel[label].firstIndex(where: { $0.end == hit.end }) {
                if hit.cost < byLabel[label][known].cost { byLabel[label][known] = hit }
            } else {
                byLabel[label].append(hit)
            }
        }
    }

    private static let shopBit: Int32 = 1 << 24

    func decode(_ stream: SoundStream) -> [Finding] {
        let count = stream.codes.count
        let nodes = graph.nodeCount
        guard nodes > 0 else { return [] }
        // What ends dearer than any sentence may be is dropped where it becomes so.
        let limit = Float(Self.costMax * stream.weight)
        var table = Table(places: count + 1, nodes: nodes)
        table.take(Step(place: -1, node: -1, word: -1, cost: 0), at: 0, graph.start)

        var hits = Hits(labels: graph.labelCount)
        var found: [Hit] = []
        for place in 0..<count {
            pass(&table, place)
            guard let least = table.open[place].lazy.map({ table[place, $0].cost }).min() else { continue }
            hits.clear()
            hear(stream, place, dearest: limit - least, into: &found)
            for hit in found { hits.take(hit) }
            let isFigure = stream.codes[place] == SoundStream.figure
            for node in table.open[place] {
                let cost = table[place, node].cost
                guard cost <= least + Self.beam else { continue }
                func reach(_ next: Int32, _ end: Int, _ more: Float, _ word: Int32) {
                    guard cost + more <= limit else { return }
                    table.take(Step(place: Int32(place), node: node, word: word, cost: cost + more), at: end, next)
                }
                for arc in graph.arcs(of: node) {
                    let label = graph.arc[arc].label
                    let next = graph.arc[arc].next
                    if isFigure, label == PatternGraph.Slot.figure.rawValue {
                        reach(next, place + 1, Self.wordCost, -3)
                    }
                    if label == PatternGraph.Slot.anything.rawValue, stream.isTokenStart[place] {
                        for token in stream.tokens where token.start > place && token.start <= place + 14 {
                            reach(next, token.start, 0.3 + 0.04 * Float(token.start - place), -4)
                        }
                    }
                    for hit in hits.byLabel[Int(label)] {
                        reach(next, Int(hit.end), hit.cost + Self.wordCost, hit.word)
                    }
                }
                if !isFigure {
                    reach(node, place + 1, SoundCosts.skipped[Int(stream.codes[place])], -2)
                    for hit in hits.byLabel[Int(PatternGraph.Slot.filler.rawValue)] {
                        reach(node, Int(hit.end), hit.cost + Self.fillerCost, -2)
                    }
                }
            }
        }
        pass(&table, count)
        let ends = table.open[count].filter { graph.isEnd[Int($0)] }.map { ($0, table[count, $0]) }
            .sorted { ($0.1.cost, $0.0) < ($1.1.cost, $1.0) }
        var out: [Finding] = []
        for (node, step) in ends where out.count < Self.findingsMax {
            let found = trace(table, stream, count, node)
            guard !found.text.isEmpty, !out.contains(where: { $0.text == found.text }) else { continue }
            var finding = found
            finding.cost = Double(step.cost) / stream.weight
            out.append(finding)
        }
        return out
    }

    /// The cheapest way to each node at each place, and which of them were reached.
    private struct Table {
        private var steps: [Step]
        private let nodes: Int
        /// Nodes reached, by place, in the order they were.
        private(set) var open: [[Int32]]

        init(places: Int, nodes: Int) {
            steps = [Step](repeating: Step(place: -1, node: -1, word: -1, cost: .infinity), count: places * nodes)
            open = [[Int32]](repeating: [], count: places)
            self.nodes = nodes
        }

        subscript(place: Int, node: Int32) -> Step { steps[place * nodes + Int(node)] }

        /// Keeps the cheaper one. Equal costs go by place and node, so that the same words are decoded alike everywhere.
        /// - Returns: true where it was taken.
        @discardableResult
        mutating func take(_ step: Step, at place: Int, _ node: Int32) -> Bool {
            let index = place * nodes + Int(node)
            let known = steps[index]
            guard
                step.cost < known.cost || step.cost == known.cost && (step.place, step.node) < (known.place, known.node)
            else { return false }
            if known.cost == .infinity { open[place].append(node) }
            steps[index] = step
            return true
        }
    }

    /// Follows what costs nothing and takes no sound.
    private func pass(_ table: inout Table, _ place: Int) {
        var open = table.open[place]
        while let node = open.popLast() {
            let cost = table[place, node].cost
            for index in graph.passes(of: node) {
                let next = graph.empty[index]
                guard table[place, next].cost > cost else { continue }
                table.take(Step(place: Int32(place), node: node, word: -1, cost: cost), at: place, next)
                open.append(next)
            }
        }
    }

    /// Every word of the packs and the shop that may begin at a place and costs `dearest` at most.
    private func hear(_ stream: SoundStream, _ place: Int, dearest: Float, into found: inout [Hit]) {
        found.removeAll(keepingCapacity: true)
        var raw: [SoundTrie.Hit] = []
        grammar.search(stream.codes, from: place, dearest: dearest, into: &raw)
        Self.weigh(raw, grammar.words, 0, stream.isTokenStart, place, dearest, into: &found)
        raw.removeAll(keepingCapacity: true)
        shop.search(stream.codes, from: place, dearest: dearest, into: &raw)
        Self.weigh(raw, shop.words, Self.shopBit, stream.isTokenStart, place, dearest, into: &found)
    }

    private static func weigh(
        _ raw: [SoundTrie.Hit], _ words: [SoundTrie.Word], _ bit: Int32, _ isTokenStart: [Bool], _ place: Int,
        _ dearest: Float, into found: inout [Hit]
    ) {
        for hit in raw {
            let word = words[Int(hit.word)]
            let isSlot =
                word.label == PatternGraph.Slot.name.rawValue || word.label == PatternGraph.Slot.product.rawValue
            if isSlot, hit.cost > slotCostMax * word.weight { continue }
            let cost = hit.cost + extra(word, !isTokenStart[place], !isTokenStart[hit.end])
            guard cost <= dearest else { continue }
            found.append(Hit(label: word.label, end: Int32(hit.end), cost: cost, word: hit.word | bit))
        }
    }

    /// What a word costs by what it is and where it begins and ends.
    private static func extra(_ word: SoundTrie.Word, _ beginsInside: Bool, _ endsInside: Bool) -> Float {
        let seams: Float = (beginsInside ? 1 : 0) + (endsInside ? 1 : 0)
        switch PatternGraph.Slot(rawValue: word.label) {
        case .name: return (beginsInside ? Self.nameSeamCost : 0) + (endsInside ? Self.seamCost : 0)
        case .product: return Self.productCost + seams * Self.seamCost * (word.isShort ? 2 : 1)
        case .small, .scale, .fraction, .prefix: return seams * Self.seamCost / 2
        default: return seams * Self.seamCost * (word.isShort ? 2 : 1)
        }
    }

    private func trace(_ table: Table, _ stream: SoundStream, _ end: Int, _ node: Int32) -> Finding {
        var words: [String] = []
        var finding = Finding(text: "", cost: 0, rivals: [])
        var place = end
        var node = node
        while place >= 0, node >= 0 {
            let step = table[place, node]
            guard step.place >= 0 else { break }
            let from = Int(step.place)
            switch step.word {
            case -1, -2: break
            case -3: words.append(stream.figures[from] ?? "")
            case -4:
                words.append(
                    stream.tokens.filter { $0.start >= from && $0.start < place }.map(\.text).joined(separator: " "))
            default:
                let isShop = step.word & Self.shopBit != 0
                let trie = isShop ? shop : grammar
                let index = Int(step.word & ~Self.shopBit)
                words.append(trie.texts[index])
                if isShop, trie.words[index].label == PatternGraph.Slot.name.rawValue {
                    let own = step.cost - table[from, step.node].cost - Self.wordCost
                    let dearest = own + Self.nameMargin * trie.words[index].weight
                    var rivals: [Hit] = []
                    hear(stream, from, dearest: dearest, into: &rivals)
                    for hit in rivals
                    where hit.label == PatternGraph.Slot.name.rawValue && hit.end == place && hit.word != step.word {
                        finding.rivals.append(shop.texts[Int(hit.word & ~Self.shopBit)])
                    }
                }
            }
            place = from
            node = step.node
        }
        finding.text = words.reversed().joined(separator: " ")
        return finding
    }
}
