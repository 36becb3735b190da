/// The shapes of sentences, as the packs write them, joined to one graph that is walked word by word.
///
/// A pattern is a row of terms. A term is a word class of the packs, alternatives `ne/se`, a slot in angle brackets, or
/// any of them with `?` behind it where it may be left out. Adding a shape is a line in a pack, never Swift.
struct PatternGraph: Sendable {
    struct Arc: Sendable {
        var label: Int32
        var next: Int32
    }

    /// Labels the slots are made of, before those of word classes.
    enum Slot: Int32, CaseIterable, Sendable {
        case name, product, unit, small, scale, fraction, prefix, figure, anything, moment, filler
    }

    /// Arcs of all nodes, those of one node beside each other.
    private(set) var arc: [Arc] = []
    /// Nodes reached without a sound, likewise.
    private(set) var empty: [Int32] = []
    /// Where the arcs of each node begin, and where those of the next do.
    private var arcStart: [Int32] = []
    private var emptyStart: [Int32] = []
    /// Where every pattern begins.
    private(set) var start: Int32 = 0
    /// Where patterns end.
    private(set) var isEnd: [Bool] = []
    private var labels: [String: Int32] = [:]
    /// While patterns are added: the arcs by node, and the node behind a term, for patterns that begin alike.
    private var arcs: [[Arc]] = []
    private var passes: [[Int32]] = []
    private var behind: [Beginning: Int32] = [:]

    private struct Beginning: Hashable {
        var node: Int32
        var term: String
    }

    /// Most nodes of all patterns together.
    static let nodesMax = 30_000

    var nodeCount: Int { isEnd.count }
    /// One more than the highest label.
    var labelCount: Int { Slot.allCases.count + labels.count }

    /// Places in `arc` of what leaves a node.
    func arcs(of node: Int32) -> Range<Int> { Int(arcStart[Int(node)])..<Int(arcStart[Int(node) + 1]) }
    /// Places in `empty`.
    func passes(of node: Int32) -> Range<Int> { Int(emptyStart[Int(node)])..<Int(emptyStart[Int(node) + 1]) }

    /// Lays the arcs out for searching. Call once, after the last pattern.
    mutating func seal() {
        for node in arcs.indices {
            arcStart.append(Int32(arc.count))
            emptyStart.append(Int32(empty.count))
            arc += arcs[node]
            empty += passes[node]
        }
        arcStart.append(Int32(arc.count))
        emptyStart.append(Int32(empty.count))
        (arcs, passes, behind) = ([], [], [:])
    }

    /// The number of a word class, nil where no pattern asks for it.
    func label(_ name: String) -> Int32? { labels[name] }

    private mutating func number(ofClass name: String) -> Int32 {
        let label = labels[name] ?? Int32(Slot.allCases.count + labels.count)
        labels[name] = label
        return label
    }

    private mutating func node() -> Int32 {
        arcs.append([])
        passes.append([])
        isEnd.append(false)
        return Int32(arcs.count - 1)
    }

    private mutating func join(_ from: Int32, _ slot: Slot, _ to: Int32) {
        arcs[Int(from)].append(Arc(label: slot.rawValue, next: to))
    }

    private mutating func pass(_ from: Int32, _ to: Int32) { passes[Int(from)].append(to) }

    /// - Returns: what is wrong with the pattern, nil where nothing is.
    mutating func add(_ pattern: String, classes: Set<String>) -> String? {
        if arcs.isEmpty { start = node() }
        var at = start
        let terms = pattern.split(separator: " ").map(String.init)
        guard !terms.isEmpty else { return "a pattern has no terms" }
        for term in terms {
            let beginning = Beginning(node: at, term: term)
            if let known = behind[beginning] {
                at = known
                continue
            }
            let isOptional = term.hasSuffix("?")
            let body = isOptional ? String(term.dropLast()) : term
            let end = node()
            for choice in body.split(separator: "/").map(String.init) {
                if choice.hasPrefix("<") {
                    guard slot(choice, at, end) else { return "\(choice) is no slot" }
                } else {
                    guard classes.contains(choice) else { return "\(choice) is no word class" }
                    arcs[Int(at)].append(Arc(label: number(ofClass: choice), next: end))
                }
            }
            if isOptional { pass(at, end) }
            behind[beginning] = end
            at = end
        }
        isEnd[Int(at)] = true
        return arcs.count <= Self.nodesMax ? nil : "the patterns are too many"
    }

    private mutating func slot(_ name: String, _ from: Int32, _ to: Int32) -> Bool {
        switch name {
        case "<name>": join(from, .name, to)
        case "<product>": join(from, .product, to)
        case "<amount>", "<number>": number(from, to)
        case "<items>": items(from, to)
        case "<when>":
            let loop = node()
            for (from, to) in [(from, loop), (loop, loop)] {
                join(from, .moment, to)
                join(from, .small, to)
                join(from, .figure, to)
            }
            pass(loop, to)
        case "<any>": join(from, .anything, to)
        case "<digits>":
            // Said one by one, or written as one figure.
            let loop = node()
            join(from, .small, loop)
            join(from, .figure, loop)
            join(loop, .small, loop)
            join(loop, .figure, loop)
            pass(loop, to)
        default: return false
        }
        return true
    }

    /// "saadhe teen sau", "dhai hazaar", "ek hazaar do sau pachaas", "300".
    private mutating func number(_ from: Int32, _ to: Int32) {
        let begun = node()
        let counted = node()
        let prefixed = node()
        let scaled = node()
        pass(from, begun)
        join(begun, .prefix, prefixed)
        join(prefixed, .small, counted)
        join(begun, .small, counted)
        join(begun, .figure, counted)
        join(begun, .fraction, counted)
        join(begun, .scale, scaled)
        join(counted, .scale, scaled)
        join(prefixed, .scale, scaled)
        // English tens and ones: twenty five.
        let units = node()
        join(counted, .small, units)
        pass(units, to)
        join(units, .scale, scaled)
        pass(scaled, begun)
        pass(counted, to)
        pass(scaled, to)
    }

    /// Things with or without a count, on either side, one behind the other.
    private mutating func items(_ from: Int32, _ to: Int32) {
        let begun = node()
        let counted = node()
        let measured = node()
        let named = node()
        let done = node()
        let after = node()
        pass(from, begun)
        number(begun, counted)
        join(counted, .unit, measured)
        pass(counted, measured)
        arcs[Int(measured)].append(Arc(label: number(ofClass: "ka"), next: measured))
        // "do kilo chawal", "do tel ki bottle".
        let heard = node()
        let packed = node()
        join(measured, .product, heard)
        pass(heard, done)
        arcs[Int(heard)].append(Arc(label: number(ofClass: "ka"), next: packed))
        join(packed, .unit, done)
        join(begun, .product, named)
        pass(named, done)
        number(named, after)
        join(after, .unit, done)
        pass(after, done)
        let again = node()
        arcs[Int(done)].append(Arc(label: number(ofClass: "and"), next: again))
        pass(done, again)
        pass(again, begun)
        pass(done, to)
    }
}
