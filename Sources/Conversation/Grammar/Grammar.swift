/// The grammar as the packs say it: words, intents, repairs, and the lines to speak. Loaded and checked once.
///
/// A value; any thread. Adding a phrasing is a line in a pack, never Swift.
public struct Grammar: Sendable {
    var lexicon = Lexicon()
    var rules: [IntentRule] = []
    /// Word classes that stop every intent that writes.
    var blocking: Set<String> = []
    /// Word classes that change no meaning beside a complete command.
    var neutral: Set<String> = []
    /// Ways recognition writes the wake word at the start of a transcript, longest first.
    var wakePrefixes: [[String]] = []
    /// Folded words recognition writes, and the words that are meant.
    var repairs: [String: [(heard: [String], meant: [String])]] = [:]
    var prompts: [String: PromptPack] = [:]
    /// The shapes of sentences, and the words of the packs by their sounds: what the decoder searches.
    private(set) var patterns = PatternGraph()
    private(set) var sounds = GrammarSounds()
    /// What may stand behind a verb written with "~": "likh~" is likho, likh do, likhna.
    private var endings: [String] = []

    /// The packs of the product.
    public static let builtIn: Grammar = {
        do throws(GrammarPackError) {
            return try Grammar(packs: [
                ("intents.txt", PackageResources.intents_txt), ("hi-en.txt", PackageResources.hi_en_txt),
                ("hi.txt", PackageResources.hi_txt), ("en.txt", PackageResources.en_txt),
                ("patterns.txt", PackageResources.patterns_txt),
            ])
        } catch {
            // The packs are compiled in: a wrong one cannot leave the build, a test loads them.
            preconditionFailure(error.description)
        }
    }()

    /// - Parameter packs: file name and content; all word packs before the intents are checked.
    public init(packs: [(name: String, bytes: [UInt8])]) throws(GrammarPackError) {
        var read: [GrammarPack] = []
        for (name, bytes) in packs { read.append(try GrammarPack(name: name, bytes: bytes)) }
        for pack in read {
            endings = pack.lines.filter { $0.section == "endings" }.flatMap { GrammarPack.alternatives($0.body) }
            for line in pack.lines { try take(line, of: pack) }
        }
        for pack in read {
            for line in pack.lines where line.section == "intents" {
                rules.append(try IntentRule(line, of: pack, classes: lexicon.classes))
            }
            for line in pack.lines where line.section == "blocking" || line.section == "neutral" {
                for word in line.body.split(separator: " ").map(String.init) {
                    guard lexicon.classes.contains(word) else { throw pack.fault(line, "\(word) is no word class") }
                    if line.section == "blocking" { blocking.insert(word) } else { neutral.insert(word) }
                }
            }
        }
        for pack in read {
            for line in pack.lines where line.section == "patterns" {
                if let fault = patterns.add(line.body, classes: lexicon.classes) { throw pack.fault(line, fault) }
            }
        }
        patterns.seal()
        sounds = GrammarSounds(lexicon, patterns)
        wakePrefixes.sort { $0.count > $1.count }
        try checkPrompts()
    }

    private mutating func take(_ line: GrammarPack.Line, of pack: GrammarPack) throws(GrammarPackError) {
        switch line.section {
        case "words":
            let head = line.head.split(separator: "=", maxSplits: 1).map(String.init)
            guard let word = head.first, !line.body.isEmpty else { throw pack.fault(line, "a word class has no words") }
            let sense = Lexicon.Sense(word: word, value: head.count > 1 ? head[1] : nil)
            for phrase in GrammarPack.alternatives(line.body).flatMap(forms) {
                let keys = Self.keys(phrase)
                guard !keys.isEmpty, keys.count <= Lexicon.wordsMax else {
                    throw pack.fault(line, "'\(phrase)' has no words or too many")
                }
                lexicon.add(keys, sense, written: phrase)
            }
        case "wake":
            for phrase in GrammarPack.alternatives(line.body) { wakePrefixes.append(Self.keys(phrase)) }
        case "repairs":
            let sides = line.body.split(separator: ">").map { String($0) }
            guard sides.count == 2 else { throw pack.fault(line, "a repair is 'heard > meant'") }
            let heard = Self.keys(sides[0])
            let meant = Tokens(sides[1]).items.map(\.text)
            guard !heard.isEmpty, heard.count == meant.count else {
                throw pack.fault(line, "a repair has as many words heard as meant")
            }
            repairs[heard[0], default: []].append((heard, meant))
        case "say":
            guard !line.head.isEmpty else { throw pack.fault(line, "a line to speak has no name") }
            let language = String(pack.name.split(separator: ".")[0])
            prompts[language, default: PromptPack()].lines[line.head] = line.body
        case "terms":
            let language = String(pack.name.split(separator: ".")[0])
            prompts[language, default: PromptPack()].terms[line.head] = line.body
        case "intents", "blocking", "neutral", "patterns", "endings": break
        default: throw pack.fault(line, "[\(line.section)] is no section")
        }
    }

    /// "likh~" with each ending of the pack: "+o" grows onto it, "do" stands behind it. Others are themselves.
    private func forms(_ phrase: String) -> [String] {
        guard phrase.hasSuffix("~") else { return [phrase] }
        let stem = String(phrase.dropLast())
        return endings.map { $0.hasPrefix("+") ? stem + $0.dropFirst() : stem + " " + $0 }
    }

    /// Words of different classes that are written differently and read alike, for the linter.
    public var collisions: [String] { lexicon.collisions }

    static func keys(_ phrase: String) -> [String] {
        Tokens(phrase).items.map { WordFold.key($0.text) }
    }
}
