import Diagnostics
import JSONText

/// What is asked of a running daemon over its socket.
var socketCommands: [CommandGroup] {
    [
        CommandGroup(word: "status", summary: "one screen: microphone, line, book, queue, top problem") {
            run($0, usage: "status", words: 0) { call in
                call.repeated { call.ask("status", screen: Screen.status) }
            }
        },
        CommandGroup(word: "say", summary: "enter a transcript as if it had been heard: say \"TEXT\"") {
            run($0, usage: "say \"TEXT\"", words: 1) { call in
                call.ask("say", ["text": .string(call.words[0])], screen: Screen.answer)
            }
        },
        CommandGroup(word: "watch", summary: "follow a stream, a line an event: watch turn.watch") {
            run($0, usage: "watch METHOD", words: 1) { call in call.watch(call.words[0], screen: Screen.event) }
        },
        CommandGroup(word: "mute", summary: "close the microphone and wipe what it heard") {
            run($0, usage: "mute", words: 0) { call in
                call.ask("mute.set", ["on": true]) { _ in ("muted: the microphone is closed", true) }
            }
        },
        CommandGroup(word: "unmute", summary: "open the microphone again") {
            run($0, usage: "unmute", words: 0) { call in
                call.ask("mute.set", ["on": false]) { _ in ("unmuted", true) }
            }
        },
        CommandGroup(word: "turn", summary: "last: how the last turn went, with its times | trace: the last turns") {
            if let code = technicianCall("turn", $0) { return code }
            return run($0, usage: "turn last|trace", words: 1, verb: "last") { call in
                call.ask("turn.last", screen: Screen.turn)
            }
        },
        CommandGroup(word: "sync", summary: "show: what the gateway has receipted, what waits | bench: cost of batches")
        {
            if $0 == ["bench"] { return SyncBench.run() }
            return run($0, usage: "sync show", words: 1, verb: "show") { call in
                call.ask("sync.show", screen: Screen.sync)
            }
        },
        CommandGroup(word: "queue", summary: "show: turns waiting in the spool | flush: send them now") {
            if let code = technicianCall("queue", $0) { return code }
            return run($0, usage: "queue show|flush", words: 1, verb: "show") { call in
                call.ask("queue.show", screen: Screen.list)
            }
        },
    ]
}

/// `ledger head|balances|verify|doctor|backup|rebuild|restore` asked of the daemon instead of a file.
///
/// - Returns: the exit code, or nil when the call is for a file (`--book`) or is no question a daemon answers.
func ledgerOverSocket(_ arguments: [String]) -> Int32? {
    guard !arguments.contains("--book"), let verb = arguments.first,
        ["head", "balances", "verify", "doctor", "backup", "rebuild", "restore"].contains(verb)
    else { return nil }
    var words = arguments
    var parameters: [JSONValue.Member] = []
    if verb == "restore", let flag = words.firstIndex(of: "--from"), flag + 1 < words.count {
        parameters.append(.init("from", .string(words[flag + 1])))
        words.removeSubrange(flag...flag + 1)
    }
    return run(words, usage: "ledger \(verb)\(verb == "restore" ? " [--from FILE]" : "")", words: 1) { call in
        // A book of years is read whole.
        call.ask("ledger.\(verb)", .object(parameters), timeoutMilliseconds: 600_000) { answer in
            switch verb {
            case "balances": (Screen.balances(answer), true)
            case "verify", "rebuild": (Screen.list(answer).text, answer["valid"]?.bool == true)
            case "doctor": (Screen.list(answer).text, answer["findings"]?.array?.isEmpty ?? true)
            default: Screen.list(answer)
            }
        }
    }
}

/// Reads the options, checks how many words there are, helps where asked.
private func run(
    _ arguments: [String], usage: String, words: Int, verb: String? = nil, _ body: (SocketCall) -> Int32
) -> Int32 {
    let help = "usage: execoractl \(usage) [--socket PATH] [--json]\n" + SocketCall.options
    guard let call = SocketCall(arguments) else {
        SocketCall.say(help)
        return 2
    }
    if call.wantsHelp {
        SocketCall.say(help)
        return 0
    }
    guard call.words.count == words, verb == nil || call.words.first == verb else {
        SocketCall.say(help)
        return 2
    }
    return body(call)
}
