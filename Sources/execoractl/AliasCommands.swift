import Diagnostics
import Glibc
import JSONText
import Ledger

/// `execoractl alias ...`: the names the counter learned from a yes, and taking one back. Of a running daemon, or of a
/// book's file while no daemon holds it.
let aliasCommands = CommandGroup(
    word: "alias", summary: "list | remove CUSTOMER \"NAME\": names learned from a yes, of the daemon or a book's file",
    run: { AliasCall.run($0) })

private enum AliasCall {
    static let usage = """
        usage: execoractl alias list [--book FILE | --socket PATH] [--json]
               execoractl alias remove CUSTOMER "NAME" [--book FILE | --socket PATH] [--json]
        CUSTOMER is the number that list shows. Removing is an entry of the journal; what was posted stays.
        """

    static func run(_ arguments: [String]) -> Int32 {
        var rest = arguments
        var book: String?
        if let at = rest.firstIndex(of: "--book") {
            guard at + 1 < rest.count else { return fail(usage) }
            book = rest[at + 1]
            rest.removeSubrange(at...at + 1)
        }
        guard let call = SocketCall(rest), !call.wantsHelp else { return fail(usage) }
        switch (call.words.first, call.words.count) {
        case ("list", 1):
            guard let book else { return call.ask("alias.list", screen: { (text($0), true) }) }
            return onFile(call) { () throws(BookError) in
                [
                    "aliases": .array(
                        try LedgerStore.inspect(path: book, wrappingKeys: LedgerCall.keys(book: book, identity: nil))
                            .learnedNames().map(\.json))
                ]
            }
        case ("remove", 3):
            guard let number = Int64(call.words[1]) else { return fail(usage) }
            let alias = call.words[2]
            guard let book else {
                return call.ask("alias.remove", ["customer": .integer(number), "alias": .string(alias)]) {
                    (text($0), $0["removed"]?.bool == true)
                }
            }
            return onFile(call) { () throws(BookError) in
                var random = SystemRandomNumberGenerator()
                let now = wallNow()
                let isGone = try LedgerStore.take(path: book, wrappingKeys: LedgerCall.keys(book: book, identity: nil))
                    .forgetLearned(
                        alias, of: CustomerID(rawValue: number), id: ULID(at: now, using: &random), at: now)
                return ["removed": .bool(isGone)]
            }
        default: return fail(usage)
        }
    }

    private static func onFile(_ call: SocketCall, _ body: () throws(BookError) -> JSONValue) -> Int32 {
        do throws(BookError) {
            let answer = try body()
            SocketCall.say(call.isJSON ? answer.text : text(answer))
            return answer["removed"]?.bool == false ? 1 : 0
        } catch {
            switch error {
            case .unavailable(let why), .damaged(let why): return fail("execoractl alias: \(why)")
            default: return fail("execoractl alias: the book answers \(error)")
            }
        }
    }

    private static func text(_ answer: JSONValue) -> String {
        if let isGone = answer["removed"]?.bool { return isGone ? "removed" : "that customer has no such learned name" }
        let rows = (answer["aliases"]?.array ?? []).map {
            Screen.row(Screen.word($0["customer"]), "\(Screen.word($0["alias"])) for \(Screen.word($0["name"]))")
        }
        return rows.isEmpty ? "no name was learned yet" : rows.joined(separator: "\n")
    }

    private static func wallNow() -> WallTime {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return WallTime(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }

    private static func fail(_ text: String) -> Int32 {
        LedgerCall.standardError(text)
        return 2
    }
}
