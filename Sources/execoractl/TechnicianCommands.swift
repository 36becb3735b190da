import Diagnostics
import Glibc
import JSONText
import Ledger

/// One thing a technician can do over the socket: the words that ask for it, and what is asked.
struct TechnicianVerb: Sendable {
    enum Form: Sendable {
        case ask(@Sendable (JSONValue) -> (text: String, isOK: Bool))
        case stream(@Sendable (JSONValue) -> String)
        /// Progress, then the result.
        case job(@Sendable (JSONValue) -> String, @Sendable (JSONValue) -> (text: String, isOK: Bool))
        /// The first word behind the verb names the file.
        case file
    }

    var words: [String]
    var method: String
    var form: Form
    /// Names of the parameters the words behind the verb are, in order; all whole numbers and texts.
    var parameters: [String] = []
    var summary: String

    var usage: String {
        let file: [String]
        if case .file = form { file = ["FILE"] } else { file = [] }
        return (words + file + parameters.map { "[\($0.uppercased())]" }).joined(separator: " ")
    }
}

let technicianVerbs: [TechnicianVerb] = [
    .init(words: ["health"], method: "health", form: .ask(Screen.health), summary: "well or not, in plain words"),
    .init(
        words: ["methods"], method: "methods", form: .ask(Screen.methods),
        summary: "what can be asked, and what is not here"),
    .init(
        words: ["metrics"], method: "metrics", form: .ask { (Screen.word($0["text"]), true) },
        summary: "counters and gauges, Prometheus text"),
    .init(
        words: ["audio", "cards"], method: "audio.devices", form: .ask(Screen.cards),
        summary: "sound cards as the daemon sees them"),
    .init(
        words: ["audio", "params"], method: "audio.params", form: .ask(Screen.list),
        summary: "real period, buffer, overruns, drift"),
    .init(
        words: ["audio", "meter"], method: "audio.meter", form: .stream(Screen.meter),
        summary: "live level of the microphone"),
    .init(
        words: ["audio", "tone"], method: "audio.tone", form: .ask(Screen.list), parameters: ["earcon"],
        summary: "a short tone"),
    .init(
        words: ["audio", "prompt"], method: "audio.prompt", form: .ask(Screen.list), summary: "says a fixed sentence"),
    .init(
        words: ["audio", "loopback"], method: "audio.loopback", form: .job({ Screen.list($0).text }, Screen.outcome),
        summary: "does the box hear itself, against the baseline"),
    .init(
        words: ["audio", "calibrate"], method: "audio.calibrate", form: .job({ Screen.list($0).text }, Screen.outcome),
        summary: "the same, and keeps the baseline"),
    .init(
        words: ["audio", "record"], method: "audio.record", form: .file, parameters: ["seconds"],
        summary: "a WAV of 1 to 10 s, after the box said so (service)"),
    .init(words: ["wake", "watch"], method: "wake.watch", form: .stream(Screen.wakeScore), summary: "live wake score"),
    .init(
        words: ["wake", "history"], method: "wake.history", form: .ask(Screen.wakes), parameters: ["count"],
        summary: "what woke it and what came of it"),
    .init(words: ["vad"], method: "vad.watch", form: .stream(Screen.voiceScore), summary: "live voice score"),
    .init(words: ["lamp"], method: "led.test", form: .ask(Screen.list), summary: "shows each state of the lamp"),
    .init(words: ["button"], method: "button.watch", form: .stream(Screen.press), summary: "each press"),
    .init(words: ["gpio"], method: "gpio.read", form: .ask(Screen.lines), summary: "each line and how it stands"),
    .init(
        words: ["turn", "trace"], method: "turn.trace", form: .ask(Screen.turns), parameters: ["count"],
        summary: "the last turns with their times"),
    .init(
        words: ["net", "check"], method: "net.check", form: .job(Screen.finding, Screen.outcome),
        summary: "the first step to the gateway that fails"),
    .init(words: ["tls", "show"], method: "tls.show", form: .ask(Screen.list), summary: "the box's certificate"),
    .init(
        words: ["tls", "rotate"], method: "tls.rotate", form: .ask(Screen.list),
        summary: "a new certificate now (service)"),
    .init(
        words: ["time"], method: "time.show", form: .ask(Screen.list),
        summary: "the clock and how far it is to be trusted"),
    .init(words: ["queue", "flush"], method: "queue.flush", form: .ask(Screen.list), summary: "sends what waits now"),
    .init(words: ["storage"], method: "storage.show", form: .ask(Screen.list), summary: "room and wear of the disk"),
    .init(
        words: ["update", "show"], method: "update.show", form: .ask(Screen.list),
        summary: "the two halves of the system"),
    .init(words: ["update", "check"], method: "update.check", form: .ask(Screen.list), summary: "looks for an update"),
    .init(
        words: ["update", "rollback"], method: "update.rollback", form: .ask(Screen.list),
        summary: "goes back (service)"),
    .init(
        words: ["log", "tail"], method: "log.tail", form: .stream { Screen.plain(Screen.word($0["line"])) },
        parameters: ["count"], summary: "the last lines and each new one"),
    .init(
        words: ["log", "level"], method: "log.level", form: .ask(Screen.list), parameters: ["level"],
        summary: "debug, info, notice, warning, error; back after 30 min"),
    .init(
        words: ["config", "set"], method: "config.set", form: .ask(Screen.list), parameters: ["key", "value"],
        summary: "changes a key while it runs; back after 60 s"),
    .init(
        words: ["config", "confirm"], method: "config.confirm", form: .ask(Screen.list), parameters: ["key"],
        summary: "keeps it until the daemon ends"),
    .init(words: ["config"], method: "config.get", form: .ask(Screen.list), summary: "every key with its value"),
    .init(
        words: ["selftest"], method: "selftest.run", form: .job(Screen.finding, Screen.report),
        summary: "looks at everything; a report with a number"),
    .init(words: ["bundle"], method: "bundle.export", form: .file, summary: "a tar for support, nothing private in it"),
    .init(
        words: ["restart"], method: "daemon.restart", form: .ask(Screen.list),
        summary: "ends the daemon; systemd starts it anew"),
    .init(
        words: ["identity-reset"], method: "identity.reset", form: .ask(Screen.list),
        summary: "forgets certificate and TLS key (service)"),
]

/// Groups for the verbs whose first word no other group has.
var technicianCommands: [CommandGroup] {
    var words: [String] = []
    for verb in technicianVerbs where !words.contains(verb.words[0]) { words.append(verb.words[0]) }
    let others = ["audio", "wake", "turn", "queue"]
    return words.filter { !others.contains($0) }.map { word in
        let verbs = technicianVerbs.filter { $0.words[0] == word }
        let summary =
            verbs.count == 1 && verbs[0].words.count == 1
            ? verbs[0].summary
            : verbs.map { $0.words.count > 1 ? "\($0.words[1]): \($0.summary)" : $0.summary }.joined(separator: " | ")
        return CommandGroup(word: word, summary: summary) { arguments in
            technicianCall(word, arguments) ?? help(verbs, arguments)
        }
    }
}

/// Every command of more than one word with what it does, for the man page and the shells' completions: `help --all`.
var everyUsage: [(usage: String, summary: String)] {
    technicianVerbs.map { ($0.usage, $0.summary) }
        + [
            ("turn last", "how the last turn went, with its times"),
            ("queue show", "turns waiting in the spool"),
            ("sync show", "what the gateway has receipted, what waits"),
            ("ledger verify", "reads every entry: chain, sums, projections"),
            ("ledger doctor", "facts of the file, with SQLite's integrity check"),
            ("ledger head", "the newest entry"),
            ("ledger balances", "every customer and what is owed"),
            ("ledger prove", "that the gateway was told of an entry, for anyone to check"),
            ("ledger rebuild", "makes all projections anew from the journal"),
            ("ledger backup", "copies, syncs and verifies the copy"),
            ("ledger restore", "a damaged book: the newest backup that verifies, then the journal's tail"),
            ("ledger bench", "appends payments and prints entries a second"),
        ] + BookJob.all.map { ("ledger \($0.name)", $0.summary) }
}

/// Finds the verb behind a word and does it.
///
/// - Returns: the exit code; nil when no verb of the socket has these words.
func technicianCall(_ word: String, _ arguments: [String]) -> Int32? {
    let plain = arguments.filter { !$0.hasPrefix("-") }
    guard let verb = technicianVerbs.first(where: { $0.words[0] == word && plain.starts(with: $0.words.dropFirst()) })
    else { return nil }
    guard var call = SocketCall(arguments), !call.wantsHelp else {
        SocketCall.say("usage: execoractl \(verb.usage) [OPTIONS]\n\n\(verb.summary)\n\n" + SocketCall.options)
        return arguments.contains("--help") || arguments.contains("-h") ? 0 : 2
    }
    call.words.removeFirst(verb.words.count - 1)
    var path: String?
    if case .file = verb.form {
        guard !call.words.isEmpty else { return help([verb], arguments) }
        path = call.words.removeFirst()
    }
    guard call.words.count <= verb.parameters.count else { return help([verb], arguments) }
    var parameters: [JSONValue.Member] = []
    for (name, text) in zip(verb.parameters, call.words) {
        parameters.append(.init(name, Int64(text).map { .integer($0) } ?? .string(text)))
    }
    if call.isQuiet { parameters.append(.init("quiet", true)) }
    return call.perform(verb, .object(parameters), path: path)
}

private func help(_ verbs: [TechnicianVerb], _ arguments: [String]) -> Int32 {
    for verb in verbs { SocketCall.say("usage: execoractl \(verb.usage)    \(verb.summary)") }
    SocketCall.say(SocketCall.options)
    return arguments.contains("--help") || arguments.contains("-h") ? 0 : 2
}

extension SocketCall {
    func perform(_ verb: TechnicianVerb, _ parameters: JSONValue, path: String?) -> Int32 {
        switch verb.form {
        case .ask(let screen):
            return repeated { ask(verb.method, parameters, timeoutMilliseconds: 60_000, screen: screen) }
        case .stream(let screen):
            return watch(verb.method, parameters, redraws: verb.method != "log.tail", screen: screen)
        case .job(let progress, let screen):
            do throws(DiagnosticsClientError) {
                let result = try connect().job(verb.method, parameters) { item in
                    if !isJSON { Self.say(progress(item)) }
                }
                let (text, isOK) = screen(result)
                Self.say(isJSON ? result.text : text)
                return isOK ? 0 : 1
            } catch { return Self.complain(error) }
        case .file: return fetch(verb.method, parameters, to: path ?? "")
        }
    }

    /// Opens the file as the person who asks; the daemon only writes to what it is handed.
    private func fetch(_ method: String, _ parameters: JSONValue, to path: String) -> Int32 {
        let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else {
            let why = errno == EEXIST ? "is there already; choose another name" : String(cString: strerror(errno))
            Self.say("execoractl: \(path) \(why)")
            return 2
        }
        defer { close(file) }
        do throws(DiagnosticsClientError) {
            let answer = try connect().call(method, parameters, file: file, timeoutMilliseconds: 120_000)
            Self.say(
                isJSON
                    ? answer.text
                    : "\(path): \(Screen.word(answer["bytes"] ?? answer["seconds"])) \(answer["bytes"] == nil ? "s" : "bytes")"
            )
            return 0
        } catch {
            unlink(path)
            return Self.complain(error)
        }
    }
}
