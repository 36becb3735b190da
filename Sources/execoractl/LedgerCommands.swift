import Glibc
import JSONText
import Ledger
import Seals

/// `execoractl ledger ...` on a file. Looking never writes, and works beside a running daemon; `rebuild` needs the
/// book for itself.
var ledgerCommands: CommandGroup {
    CommandGroup(
        word: "ledger",
        summary: "the book: verify, doctor, backup, reports, import and export, on a file or by the daemon",
        run: { LedgerCall.run($0) })
}

/// One call: its verb and its flags.
struct LedgerCall {
    var verb: String
    var book: String?
    var target: String?
    /// The device's identity folder, whose key opens the names. Default: `identity/` beside the book.
    var identity: String?
    var entries = 10_000
    var batch = 1
    var acknowledges = false
    /// Of `bench`: only opens the book, and says what that takes.
    var opens = false
    var acceptsLoss = false
    var json = false

    static var usage: String {
        """
        usage: execoractl ledger VERB [--book FILE [--identity DIR] | --socket PATH] [--json]
        Without --book the daemon is asked. Names are shown where the device's key can be read: in --identity DIR, else in
        identity/ beside the book. On a file, what changes the book needs the daemon stopped; reading does not.
          verify      read every entry: chain, sums, projections (exit 1 when something is wrong)
          doctor      facts of the file, with SQLite's integrity check
          head        newest entry
          balances    every customer and what is owed
          prove       that the gateway was told of an entry, for anyone to check [--seq N]
          rebuild     make all projections anew from the journal, then verify
          backup      copy, sync and verify the copy [--to FILE, else beside the book, three kept]
          restore     damaged book: newest backup that verifies [--from FILE], then the damaged journal's tail; refused
                      when entries may be lost, unless on a file with [--accept-loss]; the damaged files are kept
          bench       on a book of its own, never the daemon's: append payments and print entries/s [--entries N] [--batch N] [--book FILE] [--open]
        \(LedgerJobs.usage)
          export and import on a file: --what WHAT [--to FILE], --what WHAT --file FILE [--check]; export --events
        """
    }

    static func run(_ arguments: [String]) -> Int32 {
        if arguments.first == "prove" { return ProveCall.run(Array(arguments.dropFirst())) }
        if let code = LedgerJobs.run(arguments) { return code }
        // Without a file the daemon is asked; with one it is read here, beside a running daemon too.
        if let code = ledgerOverSocket(arguments) { return code }
        guard let call = LedgerCall(arguments) else {
            standardError(usage)
            return 2
        }
        do {
            return try call.perform()
        } catch {
            return complain(of: error, verb: call.verb, json: call.json)
        }
    }

    init?(_ arguments: [String]) {
        guard let verb = arguments.first else { return nil }
        self.verb = verb
        var rest = arguments.dropFirst()
        while let flag = rest.popFirst() {
            switch flag {
            case "--json": json = true
            case "--accept-loss": acceptsLoss = true
            case "--acknowledge": acknowledges = true
            case "--open": opens = true
            case "--book", "--to", "--from", "--identity":
                guard let value = rest.popFirst() else { return nil }
                switch flag {
                case "--book": book = value
                case "--to", "--from": target = value
                default: identity = value
                }
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
            let report = try inspect().verify()
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
            let customers = try inspect().customers()
            say(customers.balancesJSON) {
                customers.map { "\($0.details.name): \($0.balance.rawValue) paise" }.joined(separator: "\n")
            }
        case "rebuild":
            let store = try LedgerStore.take(path: book, wrappingKeys: keys)
            let entries = try store.rebuild()
            let report = try store.verify()
            say(["entries": .integer(entries), "valid": .bool(report.valid), "reason": JSONValue(report.reason)]) {
                "rebuilt from \(entries) entries"
                    + (report.valid ? "" : "\nNOT VALID: \(report.reason ?? ""): no projection; use restore")
            }
            return report.valid ? 0 : 1
        case "backup":
            let (path, report) = try inspect().backup(to: target)
            say(
                .object([
                    JSONValue.Member("backup", .string(path)), JSONValue.Member("entries", .integer(report.entries)),
                ])
            ) {
                "\(path): \(report.entries) entries, verified"
            }
        case "restore":
            var random = SystemRandomNumberGenerator()
            let now = LedgerJobs.now
            let report = try Restore(book: book, wrappingKeys: keys).run(
                from: target, acceptsLoss: acceptsLoss, at: now, id: ULID(at: now, using: &random))
            say(report.json) {
                "restored \(report.entries) entries from \(report.backup) and \(report.salvaged) from the damaged book; "
                    + "it lies in \(report.quarantine)"
                    + (report.notesLost > 0 ? "\n\(report.notesLost) names or notes could not be read any more" : "")
                    + (report.isLossy ? "\nentries behind them may be lost: the counter needs another series" : "")
            }
        case "bench": return try LedgerBench(call: self).run()
        default:
            Self.standardError(Self.usage)
            return 2
        }
        return 0
    }

    /// The book named by `--book`, with its names where the device's key is at hand.
    func inspect() throws(BookError) -> LedgerStore {
        try LedgerStore.inspect(path: book ?? "", wrappingKeys: keys)
    }

    private var keys: [[UInt8]] { Self.keys(book: book ?? "", identity: identity) }

    /// None when the identity folder is not there, or is not this user's to read: customers are then numbers.
    static func keys(book: String, identity: String?) -> [[UInt8]] {
        let parts = book.split(separator: "/", omittingEmptySubsequences: false).dropLast()
        let folder = identity ?? (parts.isEmpty ? "." : parts.joined(separator: "/")) + "/identity"
        return (try? IdentityFolder(path: folder).bookKeys(credentials: nil)) ?? []
    }

    private func say(_ answer: JSONValue, _ text: () -> String) { print(json ? answer.text : text()) }

    static func standardError(_ text: String) {
        let line = Array((text + "\n").utf8)
        _ = write(2, line, line.count)
    }

    static func standardOutput(_ text: String) { _ = SocketCall.say(text) }

    /// - Returns: the exit code. A book that is not what was written is a failed check; one that cannot be had is a bad
    ///   call.
    static func complain(of error: BookError, verb: String, json: Bool) -> Int32 {
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
            standardError("execoractl ledger \(verb): \(message)")
        }
        switch error {
        case .damaged, .storage, .refused, .full: return 1
        case .unavailable: return 2
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
