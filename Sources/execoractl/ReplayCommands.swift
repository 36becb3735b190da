import Conversation
import Glibc
import JSONText

/// `execoractl replay`: written conversations against a book in memory, for tests and for linguists.
let replayCommands = CommandGroup(
    word: "replay", summary: "plays written cases through the grammar; --lint-packs checks the language packs",
    run: runReplay)

private let replayHelp = """
    usage: execoractl replay --world WORLD.json CASES.jsonl
           execoractl replay --world WORLD.json --say TEXT [--say TEXT ...]
           execoractl replay --world WORLD.json --explain TEXT
           execoractl replay --world WORLD.json --bench CASES.jsonl
           execoractl replay --lint-packs [FOLDER]

    Plays each case on a fresh copy of the world, in memory, with no network, and prints one line of JSON a case.
    --say makes one case of the texts given, at 2026-03-04T10:30+05:30.
    --explain shows how a text is cut and which line of the intents takes it.
    --bench reads all texts of the cases 20 times in a shop of 500 customers and 2000 products, no book behind, and
    prints the processor time of one text at the 50th and 99th per cent.
    --lint-packs checks the built-in packs, or those in FOLDER, and names the file and line of the first mistake.
    """

private func runReplay(_ arguments: [String]) -> Int32 {
    var worldPath: String?
    var casesPath: String?
    var said: [JSONValue] = []
    var explained: String?
    var benched: String?
    var index = 0
    while index < arguments.count {
        switch arguments[index] {
        case "--lint-packs": return lintPacks(arguments.dropFirst(index + 1).first)
        case "--world" where index + 1 < arguments.count:
            worldPath = arguments[index + 1]
            index += 1
        case "--say" where index + 1 < arguments.count:
            said.append(.string(arguments[index + 1]))
            index += 1
        case "--bench" where index + 1 < arguments.count:
            benched = arguments[index + 1]
            index += 1
        case "--explain" where index + 1 < arguments.count:
            explained = arguments[index + 1]
            index += 1
        case let path where !path.hasPrefix("-") && casesPath == nil: casesPath = path
        default:
            print(replayHelp)
            return arguments[index] == "--help" ? 0 : 2
        }
        index += 1
    }
    guard let worldPath, [casesPath != nil, !said.isEmpty, explained != nil, benched != nil].count(where: { $0 }) == 1
    else {
        print(replayHelp)
        return 2
    }
    guard let bytes = fileBytes(worldPath), let world = try? JSONValue(parsing: bytes) else {
        complain("\(worldPath) is not there or is no JSON")
        return 2
    }
    do {
        _ = try ShopWorld(json: world)
    } catch {
        complain("\(worldPath): \(error)")
        return 2
    }
    if let benched { return bench(world, benched) }
    let replay = Replay(world: world)
    if let explained {
        for line in (try? replay.explain(explained)) ?? [] { print(line) }
        return 0
    }
    guard let casesPath else {
        print(replay.run(["id": "said", "clock": "2026-03-04T10:30:00+05:30", "say": .array(said)]).text)
        return 0
    }
    guard let cases = fileBytes(casesPath) else {
        complain("\(casesPath) is not there")
        return 2
    }
    var number = 0
    for line in cases.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
        number += 1
        if line.allSatisfy({ $0 == 32 || $0 == 9 || $0 == 13 }) { continue }
        guard let scene = try? JSONValue(parsing: line) else {
            complain("\(casesPath):\(number) is not JSON")
            return 2
        }
        print(replay.run(scene).text)
    }
    return 0
}

private func bench(_ world: JSONValue, _ path: String) -> Int32 {
    guard let cases = fileBytes(path), let shop = try? ShopWorld(json: world) else {
        complain("\(path) is not there")
        return 2
    }
    let texts = cases.split(separator: UInt8(ascii: "\n")).flatMap { line in
        ((try? JSONValue(parsing: line))?["say"]?.array ?? []).compactMap { $0.string ?? $0["text"]?.string }
    }
    guard !texts.isEmpty else {
        complain("\(path) has no texts")
        return 2
    }
    let grammar = GrammarBench(world: shop, customers: 500, products: 2000)
    var taken = 0
    var decoded: [Int64] = []
    for text in texts.prefix(200) {
        let start = processorNanoseconds()
        if grammar.decode(text) { taken += 1 }
        decoded.append(processorNanoseconds() - start)
    }
    printShares("decoder_utterance", decoded)
    for (kind, withNames) in [("grammar_utterance", false), ("grammar_utterance_with_names", true)] {
        var times: [Int64] = []
        for _ in 0..<20 {
            for text in texts {
                let start = processorNanoseconds()
                if grammar.read(text, withNames: withNames) { taken += 1 }
                times.append(processorNanoseconds() - start)
            }
        }
        printShares(kind, times)
    }
    return taken > 0 ? 0 : 1
}

private func printShares(_ kind: String, _ times: [Int64]) {
    let times = times.sorted()
    for share in [50, 99] {
        let value = Double(times[times.count * share / 100]) / 1000
        print(
            JSONValue.object([
                .init("bench", .string("\(kind)_p\(share)")), .init("value", .decimal(value)), .init("unit", "us"),
            ]).text)
    }
}

private func processorNanoseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}

private func lintPacks(_ folder: String?) -> Int32 {
    let names = ["intents.txt", "hi-en.txt", "hi.txt", "en.txt", "patterns.txt"]
    guard let folder else {
        for line in Grammar.builtIn.collisions { print("reads alike: \(line)") }
        print("packs: ok, \(Grammar.builtIn.spokenLanguages.sorted().joined(separator: ", "))")
        return 0
    }
    var packs: [(name: String, bytes: [UInt8])] = []
    for name in names {
        guard let bytes = fileBytes("\(folder)/\(name)") else {
            complain("\(folder)/\(name) is not there")
            return 2
        }
        packs.append((name, bytes))
    }
    do {
        let grammar = try Grammar(packs: packs)
        print("packs: ok, \(grammar.spokenLanguages.sorted().joined(separator: ", "))")
        return 0
    } catch {
        print("packs: \(error)")
        return 1
    }
}

private func complain(_ text: String) {
    let line = Array("execoractl replay: \(text)\n".utf8)
    _ = write(2, line, line.count)
}

private func fileBytes(_ path: String) -> [UInt8]? {
    guard let file = fopen(path, "rb") else { return nil }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
        let count = fread(&buffer, 1, buffer.count, file)
        if count == 0 { return ferror(file) == 0 ? bytes : nil }
        bytes += buffer[..<count]
    }
}
