import Foundation
import JSONText
import Testing

@testable import Conversation

/// The packs are data somebody edits: mistakes are named by file and line, and the built-in ones have none.
struct GrammarPackTests {
    @Test func `the built-in packs speak three languages`() {
        #expect(Grammar.builtIn.spokenLanguages == ["hi-en", "hi", "en"])
        #expect(Grammar.builtIn.rules.count > 100)
    }

    /// A phrasing is added without Swift: one line in a pack.
    @Test func `a new word in a pack is a new phrasing`() throws {
        let more = "[words]\nwrite: khaate chadhwao\n"
        let grammar = try Grammar(packs: Self.builtIn + [("more.txt", Array(more.utf8))])
        let counter = try Counter()
        var dialogue = Dialogue(
            book: counter.store, configuration: counter.configuration, random: CaseRandom(seed: 1), grammar: grammar)
        let text = "Rahul ka 200 khaate chadhwao"
        #expect(counter.say(text).committed.isEmpty)
        #expect(dialogue.hear(.init(text: text), now: counter.now).committed.count == 1)
    }

    /// "~" behind a stem stands for the endings of the pack.
    @Test func `a new verb has its endings`() throws {
        let more = "[endings]\n+o | do | dijiye\n[words]\nwrite: khatiya~\n"
        let grammar = try Grammar(packs: Self.builtIn + [("more.txt", Array(more.utf8))])
        for verb in ["khatiyao", "khatiya do", "khatiya dijiye"] {
            let counter = try Counter()
            var dialogue = Dialogue(
                book: counter.store, configuration: counter.configuration, random: CaseRandom(seed: 1),
                grammar: grammar)
            #expect(dialogue.hear(.init(text: "Rahul ka 200 \(verb)"), now: counter.now).committed.count == 1)
        }
    }

    static let builtIn: [(name: String, bytes: [UInt8])] = ["intents.txt", "hi-en.txt", "hi.txt", "en.txt"].map {
        name in
        let folder = Fixture.folder.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        return (name, Array(try! Data(contentsOf: folder.appendingPathComponent("Sources/Conversation/Packs/\(name)"))))
    }

    /// What the blocking classes are for: the same packs without them post what was only asked.
    @Test func `without the blocking classes a question would post`() throws {
        let packs = Self.builtIn.map { pack in
            (
                pack.name,
                Array(
                    String(decoding: pack.bytes, as: UTF8.self)
                        .replacing("negation question condition future hearsay\n", with: "").utf8)
            )
        }
        let counter = try Counter()
        var dialogue = Dialogue(
            book: counter.store, configuration: counter.configuration, random: CaseRandom(seed: 1),
            grammar: try Grammar(packs: packs))
        #expect(counter.say("Rahul ne 200 diye?").committed.isEmpty)
        #expect(dialogue.hear(.init(text: "Rahul ne 200 diye?"), now: counter.now).committed.count == 1)
    }

    @Test(arguments: [
        ("[intents]\nADD_MONEY: write\n", "ADD_MONEY is no intent"),
        ("[intents]\nADD_CREDIT writes: <amount> wryte\n", "wryte is neither a word class nor a slot"),
        ("[intents]\nADD_CREDIT often: <amount>\n", "often is no flag"),
        ("[intents]\nADD_CREDIT:\n", "an intent has no terms"),
        ("[words]\nwrite:\n", "a word class has no words"),
        ("[words]\nwrite: one two three four five six seven\n", "has no words or too many"),
        ("[wurds]\nwrite: likho\n", "[wurds] is no section"),
        ("write: likho\n", "a line stands before the first section"),
        ("[repairs]\ndo so: do sau\n", "a repair is"),
        ("[blocking]\nnope\n", "nope is no word class"),
    ])
    func `a mistake in a pack is named with its line`(_ pair: (String, String)) {
        let packs = Self.builtIn + [("wrong.txt", Array(pair.0.utf8))]
        do throws(GrammarPackError) {
            _ = try Grammar(packs: packs)
            Issue.record("a wrong pack was taken: \(pair.0)")
        } catch {
            #expect(error.pack == "wrong.txt" && error.line > 0)
            #expect(error.what.contains(pair.1), "\(error)")
        }
    }

    /// A line that is missing in one language would be silence there.
    @Test func `a language that lacks a line is refused`() {
        let packs = Self.builtIn + [("bn.txt", Array("[say]\nmoney: {n} taka\n".utf8))]
        #expect(throws: GrammarPackError.self) { try Grammar(packs: packs) }
    }

    /// Every line the code speaks stands in the packs; `Prompter` would say its bare name otherwise.
    @Test func `no line is spoken by its bare name`() throws {
        for scene in Fixture.lines("cases.jsonl") {
            for step in Replay(world: Fixture.world).run(scene)["steps"]?.array ?? [] {
                let speech = step["speech"]?.string ?? ""
                #expect(Grammar.builtIn.prompts["hi-en"]!.lines[speech] == nil && !speech.contains("{"), "\(speech)")
            }
        }
        let source = Fixture.folder.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Sources/Conversation")
        let files = try #require(FileManager.default.enumerator(at: source, includingPropertiesForKeys: nil))
        for case let file as URL in files where file.pathExtension == "swift" {
            let text = try String(contentsOf: file, encoding: .utf8)
            for match in text.matches(of: /say\("([a-z.]+)"[,)]/) {
                #expect(Grammar.builtIn.prompts["hi-en"]!.lines[String(match.1)] != nil, "\(match.1)")
            }
        }
    }

    @Test(arguments: [
        ("likho", "लिखो"), ("udhaar", "उधार"), ("kitna", "कितना"), ("batao", "बताओ"), ("jaankari", "जानकारी"),
        ("chaawal", "चावल"), ("paisa", "पैसा"), ("likhna", "लिखना"), ("bikri", "बिक्री"), ("phir", "फिर"),
        ("WhatsApp", "whatsap"), ("khaata", "khata"), ("zara", "jara"), ("credit", "kredit"),
    ])
    func `spellings of one word fold to one`(_ pair: (String, String)) {
        #expect(Grammar.keys(pair.0) == Grammar.keys(pair.1))
    }

    @Test(arguments: [("khata", "kata"), ("she", "se"), ("nai", "ne"), ("should", "sold"), ("not", "note")])
    func `different words stay different`(_ pair: (String, String)) {
        #expect(Grammar.keys(pair.0) != Grammar.keys(pair.1))
    }
}
