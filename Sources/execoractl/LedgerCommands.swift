import Glibc
import JSONText
import Ledger

/// `execoractl ledger ...` on a file. Looking never writes, and works beside a running daemon; `rebuild` needs the
/// book for itself.
var ledgerCommands: CommandGroup {
    CommandGroup(
        word: "ledger", summary: "verify | doctor | head | balances | rebuild | backup | bench, on a book's file",
        run: { LedgerCall.run($0) })
}

/// One call: its verb and its flags.
struct LedgerCall {
    var verb: String
    var book: String?
    var target: String?
    var entries = 10_000
    var batch = 1
    var acknowledges = false
    var json = false

    static let usage = """
        usage: execoractl ledger VERB [--book FILE | --socket PATH] [--json]
        verify, doctor, head and balances ask the daemon when no --book is given.
          verify      read every entry: chain, sums, projections (exit 1 when something is wrong)
          doctor      facts of the file, with SQLite's integrity check
          head        newest entry
          balances    every customer and what is owed
          prove       that the gateway was told of an entry, for anyone to check [--seq N]
          rebuild     make all projections anew from the journal (not while the daemon runs)
          backup      copy, sync and verify the copy [--to FILE, else beside the book, three kept]
          bench       append payments and print entries/s [--entries N] [--batch N] [--book FILE]
        """

    static func run(_ arguments: [String]) -> Int32 {
        if arguments.first == "prove" { return ProveCall.run(Array(arguments.dropFirst())) }
        // Without a file the daemon is asked; with one it is read here, beside a running daemon too.
        if let code = ledgerOverSocket(arguments) { return code }
        guard let call = LedgerCall(arguments) else {
            standardError(usage)
            return 2
        }
        do {
            return try call.perform()
        } catch {
            call.complain(of: error)
            // A book that is not what was written is a failed check; one that cannot be had is a bad call.
            if case .damaged = error { return 1 }
            if case .storage = error { return 1 }
            return 2
        }
    }

    init?(_ arguments: [String]) {
        guard let verb = arguments.first else { return nil }
        self.verb = verb
        var rest = arguments.dropFirst()
        while let flag = rest.popFirst() {
            switch flag {
            case "--json": json = true
            case "--acknowledge": acknowledges = true
            case "--book", "--to":
                guard let value = rest.popFirst() else { return nil }
                if flag == "--book" { book = value } else { target = value }
            case "--entries", "--batch":
                guard let value = rest.popFirst().flatMap({ Int($0) }), value > 0 else { return nil }
                if flag == "--entries" { entries = value } else { batch = value }
            default: return nil
            }
        }
        guard book != nil || verb == "bench" else { return nil }
    }

    func perform() throws(BookError) -> Int32 {
        let book = book ?? ""
        switch verb {
        case "verify":
            let report = try LedgerStore.inspect(path: book).verify()
            say(report.json) {
                report.valid
                    ? "ok: \(report.entries) entries, head \(report.head.hash.hexText)"
                    : "NOT VALID: \(report.reason ?? "")" + (report.firstBad.map { " at entry \($0)" } ?? "")
            }
            return report.valid ? 0 : 1
        case "doctor":
            let facts = try LedgerStore.inspect(path: book).facts()
            say(facts.json) {
                facts.json.members?.map { "\($0.name): \($0.value.text)" }.joined(separator: "\n") ?? ""
            }
            return facts.findings.isEmpty ? 0 : 1
        case "head":
            let head = try LedgerStore.inspect(path: book).head()
            say(head.json) { "epoch \(head.epoch), entry \(head.seq), \(head.hash.hexText)" }
        case "balances":
            let customers = try LedgerStore.inspect(path: book).customers()
            say(customers.balancesJSON) {
                customers.map { "\($0.details.name): \($0.balance.rawValue) paise" }.joined(separator: "\n")
            }
        case "rebuild":
            let entries = try LedgerStore.take(path: book).rebuild()
            say(.object([JSONValue.Member("entries", .integer(entries))])) { "rebuilt from \(entries) entries" }
        case "backup":
            let (path, report) = try LedgerStore.inspect(path: book).backup(to: target)
            say(
                .object([
                    JSONValue.Member("backup", .string(path)), JSONValue.Member("entries", .integer(report.entries)),
                ])
            ) {
                "\(path): \(report.entries) entries, verified"
            }
        case "bench": return try LedgerBench(call: self).run()
        default:
            Self.standardError(Self.usage)
            return 2
        }
        return 0
    }

    private func say(_ answer: JSONValue, _ text: () -> String) { print(json ? answer.text : text()) }

    static func standardError(_ text: String) {
        let line = Array((text + "\n").utf8)
        _ = write(2, line, line.count)
    }

    private func complain(of error: BookError) {
        let (code, message): (String, String) =
            switch error {
            case .unavailable(let reason): ("unavailable", reason)
            case .damaged(let reason): ("damaged", reason)
            case .full: ("full", "no space is left on the disk")
            case .storage(let code, let operation): ("storage", "SQLite or the system answers \(code) to \(operation)")
            case .refused(let refusal): ("refused", "the book refuses: \(refusal)")
            }
        if json {
            print(
                JSONValue.object([
                    JSONValue.Member(
                        "error",
                        .object([
                            JSONValue.Member("code", .string(code)), JSONValue.Member("message", .string(message)),
                        ]))
                ]).text)
        } else {
            Self.standardError("execoractl ledger \(verb): \(message)")
        }
    }
}

extension [UInt8] {
    /// Lower-case hexadecimal digits, as heads and hashes are shown.
    var hexText: String {
        let digits = [UInt8]("0123456789abcdef".utf8)
        return String(decoding: flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
