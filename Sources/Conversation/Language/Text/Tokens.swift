/// One word, figure or sign of an utterance.
public struct Token: Hashable, Sendable {
    public enum Kind: Hashable, Sendable {
        /// Letters of any script; may hold digits when they are mixed in (a GSTIN), and "&".
        case word
        /// Figures, canonical: ASCII digits, at most one point ("1250", "2.5"), or a fraction ("1/2").
        case number
        /// Hours and minutes: "7:30".
        case clock
        /// One of ₹ $ % + - @ & = * #.
        case mark
        /// Holds an "@" and no space: "priya@gmail.com".
        case address
    }

    /// What stands between this token and the one before it. Ordered by how much it parts.
    public enum Gap: Int, Comparable, Sendable {
        case joined, space, dash, comma, stop
        public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
    }

    /// Folded as `Script.folded`; a possessive is a token of its own, "'s".
    public var text: String
    public var kind: Kind
    public var gap: Gap
    /// UTF-8 offsets in the text the tokens came from.
    public var range: Range<Int>

    public init(text: String, kind: Kind, gap: Gap = .space, range: Range<Int> = 0..<0) {
        self.text = text
        self.kind = kind
        self.gap = gap
        self.range = range
    }
}

/// An utterance cut into tokens. Reading never fails: what is no word, figure or sign parts the tokens beside it.
public struct Tokens: Sendable {
    /// Longest utterance read, some five minutes of speech. Text behind it is left out and `isCut` says so:
    /// a caller must not act on it, the negation may have been in the rest.
    public static let scalarsMax = 4000

    public private(set) var items: [Token] = []
    /// A question mark stands somewhere in the text.
    public private(set) var hasQuestionMark = false
    public private(set) var isCut = false
    /// The text as it was given.
    public let source: String

    public init(_ text: String) {
        source = text
        var cutter = TokenCutter(text)
        cutter.run()
        items = cutter.tokens
        hasQuestionMark = cutter.hasQuestionMark
        isCut = cutter.isCut
    }

    public var count: Int { items.count }
    public subscript(index: Int) -> Token { items[index] }

    /// The text as it was said from the first to the last of these tokens: a name to store keeps its own spelling.
    public func original(_ range: Range<Int>) -> String {
        guard !range.isEmpty, range.lowerBound >= 0, range.upperBound <= items.count else { return "" }
        let bytes = source.utf8
        let start = bytes.index(bytes.startIndex, offsetBy: items[range.lowerBound].range.lowerBound)
        let end = bytes.index(bytes.startIndex, offsetBy: items[range.upperBound - 1].range.upperBound)
        return String(source[start..<end])
    }
}

/// The scan behind `Tokens`: one pass over scalars.
private struct TokenCutter {
    var tokens: [Token] = []
    var hasQuestionMark = false
    var isCut = false

    private var scalars: [Unicode.Scalar] = []
    /// UTF-8 offset of each scalar, and of the end.
    private var offsets: [Int] = [0]
    private var at = 0
    private var gap = Token.Gap.joined

    init(_ text: String) {
        var offset = 0
        for scalar in text.unicodeScalars {
            if scalars.count == Tokens.scalarsMax {
                isCut = true
                break
            }
            scalars.append(scalar)
            offset += UTF8.width(scalar)
            offsets.append(offset)
        }
    }

    mutating func run() {
        while at < scalars.count {
            let scalar = scalars[at]
            if Self.isLetter(scalar) {
                word()
            } else if Script.digit(scalar) != nil {
                number()
            } else if let fraction = Self.vulgarFractions[scalar] {
                emit(fraction, .number, from: at, to: at + 1)
            } else {
                sign(scalar)
            }
        }
    }

    private func scalar(_ index: Int) -> Unicode.Scalar? { scalars.indices.contains(index) ? scalars[index] : nil }
    private func isLetter(at index: Int) -> Bool { scalar(index).map(Self.isLetter) ?? false }
    private func isDigit(at index: Int) -> Bool { scalar(index).map { Script.digit($0) != nil } ?? false }

    /// Letters, and the marks that belong to one. Danda and digits of the Devanagari block are none.
    static func isLetter(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII { return (65...90).contains(scalar.value) || (97...122).contains(scalar.value) }
        if Script.isDevanagari(scalar) { return !(0x0964...0x0970).contains(scalar.value) }
        if Script.isInvisible(scalar) { return false }
        if scalar.properties.isAlphabetic { return true }
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .spacingMark: return true
        default: return false
        }
    }

    private static let vulgarFractions: [Unicode.Scalar: String] = ["½": "1/2", "¼": "1/4", "¾": "3/4"]

    /// Abbreviations whose full stop ends no sentence.
    private static let abbreviations: Set<String> = ["rs", "re", "no", "mr", "mrs", "ms", "dr", "smt", "qty", "pkt"]

    private mutating func emit(_ text: String, _ kind: Token.Kind, from start: Int, to end: Int) {
        tokens.append(
            Token(text: text, kind: kind, gap: tokens.isEmpty ? .space : gap, range: offsets[start]..<offsets[end]))
        gap = .joined
        at = end
    }

    private mutating func part(_ by: Token.Gap) {
        gap = max(gap, by)
        at += 1
    }

    private mutating func word() {
        let start = at
        if let end = addressEnd(from: start) { return emitAddress(start, end) }
        var letters: [Unicode.Scalar] = []
        var possessive: Int?
        var index = start
        scan: while let scalar = scalar(index) {
            if Self.isLetter(scalar) || Script.digit(scalar) != nil {
                letters.append(scalar)
            } else if Script.isInvisible(scalar) || (scalar == "&" && isLetter(at: index + 1)) {
                letters.append(scalar)
            } else if scalar == "'" || scalar == "\u{2019}", isLetter(at: index + 1) {
                // "Priya's" is two words, "don't" and "o'clock" are one.
                if let next = self.scalar(index + 1), next == "s" || next == "S", !isLetter(at: index + 2) {
                    possessive = index
                    break scan
                }
            } else if scalar == ".", letters.count == 1, isLetter(at: index + 1), !isLetter(at: index + 2) {
                // "p.m." is one word: single letters joined by points.
                letters.append(scalars[index + 1])
                index += 2
                while self.scalar(index) == ".", isLetter(at: index + 1), !isLetter(at: index + 2) {
                    letters.append(scalars[index + 1])
                    index += 2
                }
                if self.scalar(index) == "." { index += 1 }
                break scan
            } else {
                break scan
            }
            index += 1
        }
        let text = Script.folded(scalars: letters)
        emit(text, .word, from: start, to: index)
        if let possessive {
            emit("'s", .word, from: possessive, to: possessive + 2)
        } else if scalar(at) == ".", Self.abbreviations.contains(text) {
            gap = .space
            at += 1
        }
    }

    /// End of a run without spaces that holds an "@" with letters or digits on both sides, or nil.
    private func addressEnd(from start: Int) -> Int? {
        var index = start
        var sign: Int?
        while let scalar = scalar(index) {
            if scalar == "@", sign == nil, index > start {
                sign = index
            } else if !(scalar.isASCII
                && (Self.isLetter(scalar) || Script.digit(scalar) != nil || "._-+".unicodeScalars.contains(scalar)))
            {
                break
            }
            index += 1
        }
        guard let sign else { return nil }
        while index > sign + 1, let last = scalar(index - 1), !Self.isLetter(last), Script.digit(last) == nil {
            index -= 1
        }
        return index > sign + 1 ? index : nil
    }

    private mutating func emitAddress(_ start: Int, _ end: Int) {
        emit(Script.folded(scalars: Array(scalars[start..<end])), .address, from: start, to: end)
    }

    private mutating func number() {
        let start = at
        if let end = addressEnd(from: start) { return emitAddress(start, end) }
        // A run of letters and digits that goes back to digits is no figure: a GSTIN, a vehicle number.
        var mixed = start
        while isDigit(at: mixed) { mixed += 1 }
        let letters = mixed
        while isLetter(at: mixed) { mixed += 1 }
        if mixed > letters, isDigit(at: mixed) {
            while isLetter(at: mixed) || isDigit(at: mixed) { mixed += 1 }
            return emit(Script.folded(scalars: Array(scalars[start..<mixed])), .word, from: start, to: mixed)
        }

        var text = ""
        var index = start
        func digits() {
            while let scalar = scalar(index), let digit = Script.digit(scalar) {
                text.unicodeScalars.append(Unicode.Scalar(UInt8(48 + digit)))
                index += 1
            }
        }
        digits()
        while scalar(index) == ",", let group = groupEnd(from: index + 1) {
            index += 1
            digits()
            precondition(index == group)
        }
        var kind = Token.Kind.number
        // "10/12/2025" is a date, not a fraction; its figures stay apart.
        let isLater = scalar(start - 1) == "/"
        if let point = scalar(index), isDigit(at: index + 1), point == "." || point == ":" || (point == "/" && !isLater)
        {
            if point == ":" { kind = .clock }
            var after = index + 1
            while isDigit(at: after) { after += 1 }
            if !(scalar(after) == point && isDigit(at: after + 1)) {
                text.unicodeScalars.append(point)
                index += 1
                digits()
            }
        }
        emit(text, kind, from: start, to: index)
        // "250/-", as sums are written on bills.
        if scalar(at) == "/", scalar(at + 1) == "-" {
            at += 2
            gap = .space
        }
    }

    /// End of the groups behind a comma when they are grouped figures: two or three digits each, three in the last.
    /// "1,50,000" is one figure; "2,3" is two.
    private func groupEnd(from start: Int) -> Int? {
        func run(_ from: Int) -> Int {
            var end = from
            while isDigit(at: end) { end += 1 }
            return end
        }
        var from = start
        while true {
            let end = run(from)
            guard (2...3).contains(end - from) else { return nil }
            if scalar(end) == ",", isDigit(at: end + 1) {
                from = end + 1
            } else if end - from == 3 {
                return run(start)
            } else {
                return nil
            }
        }
    }

    private mutating func sign(_ scalar: Unicode.Scalar) {
        switch scalar {
        case "?", "\u{061F}", "\u{FF1F}":
            hasQuestionMark = true
            part(.stop)
        case "." where isDigit(at: at + 1) && !isDigit(at: at - 1) && !isLetter(at: at - 1):
            // ".5" is half, never five.
            var index = at + 1
            var text = "0."
            while let digit = self.scalar(index).flatMap(Script.digit) {
                text += String(digit)
                index += 1
            }
            emit(text, .number, from: at, to: index)
        case ".", "!", "\u{0964}", "\u{0965}", "\u{2026}", "|": part(.stop)
        case ",", ";", ":", "(", ")", "[", "]", "{", "}", "\u{3001}", "\u{FF0C}": part(.comma)
        case "-" where isDigit(at: at + 1) && (gap > .joined || tokens.isEmpty):
            emit("-", .mark, from: at, to: at + 1)
        case "-", "/", "\\", "_", "~", "\u{2010}"..."\u{2015}", "\u{2212}": part(.dash)
        case "\u{20B9}", "\u{20A8}": emit("\u{20B9}", .mark, from: at, to: at + 1)
        case "$", "%", "+", "@", "&", "=", "*", "#": emit(String(Character(scalar)), .mark, from: at, to: at + 1)
        case _ where Script.isInvisible(scalar): at += 1
        default: part(.space)
        }
    }
}
