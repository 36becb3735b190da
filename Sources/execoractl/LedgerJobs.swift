import Diagnostics
import Glibc
import JSONText
import Ledger
import Seals

/// `execoractl ledger VERB` for every job of the book: on a file with `--book`, else asked of the daemon.
enum LedgerJobs {
    static var usage: String {
        BookJob.all.map { "  \(padded($0.name, 11)) \($0.summary)\(options($0))" }.joined(separator: "\n")
    }

    private static func options(_ job: BookJob) -> String {
        job.parameters.isEmpty ? "" : " (\(job.parameters))"
    }

    /// - Returns: nil when the verb is no job.
    static func run(_ arguments: [String]) -> Int32? {
        guard let verb = arguments.first, let job = BookJob.named(verb) else { return nil }
        var flags: [String: String] = [:]
        var rest = arguments.dropFirst()
        while let flag = rest.popFirst() {
            if flag == "--json" || flag == "--events" || flag == "--check" {
                flags[String(flag.dropFirst(2))] = "yes"
                continue
            }
            guard flag.hasPrefix("--"), flag.utf8.count > 2, let value = rest.popFirst() else {
                LedgerCall.standardError("execoractl ledger \(verb): \(flag) has no value\n\(help(job))")
                return 2
            }
            flags[String(flag.dropFirst(2))] = value
        }
        let call = JobCall(job: job, flags: flags)
        switch verb {
        case "export": return call.export()
        case "import": return call.importFile()
        default: return call.once()
        }
    }

    static func help(_ job: BookJob) -> String {
        "usage: execoractl ledger \(job.name) [--book FILE [--identity DIR] | --socket PATH] [--json]"
            + (job.parameters.isEmpty ? "" : "\n  each as --name value: \(job.parameters)")
    }

    static var now: WallTime {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return WallTime(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }

    static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}

/// One call of a job.
private struct JobCall {
    var job: BookJob
    var flags: [String: String]

    private static let own: Set<String> = ["book", "identity", "socket", "json", "events", "file", "to"]

    private var parameters: [JSONValue.Member] {
        flags.filter { !Self.own.contains($0.key) }.sorted { $0.key < $1.key }.map { .init($0.key, .string($0.value)) }
    }

    func once() -> Int32 {
        ask(parameters) { answer in
            LedgerCall.standardOutput(flags["json"] == nil ? Table.text(answer) : answer.text)
            return 0
        }
    }

    /// Page by page from the daemon, at once from a file; to a file that only its owner reads, or to standard output.
    func export() -> Int32 {
        var members = parameters
        if flags["events"] != nil { members = [.init("what", "events")] }
        guard let what = members.first(where: { $0.name == "what" })?.value.string.flatMap({ Export(rawValue: $0) })
        else {
            LedgerCall.standardError(
                "execoractl ledger export: --what is one of \(Export.allCases.map(\.rawValue).joined(separator: ", "))")
            return 2
        }
        guard let output = Output(flags["to"]) else {
            LedgerCall.standardError("execoractl ledger export: \(flags["to"] ?? "") cannot be written")
            return 2
        }
        if flags["book"] != nil {
            return onBook { (store) throws(JobError) in
                do throws(BookError) {
                    try store.export(what, on: CivilTime(LedgerJobs.now).day, progress: Self.progress) {
                        output.line($0)
                    }
                } catch { throw .book(error) }
                return output.end() ? 0 : Self.full
            }
        }
        var skip: Int64? = 0
        while let from = skip {
            skip = nil
            let code = ask(members + [.init("skip", .integer(from))]) { answer in
                for line in answer["lines"]?.array ?? [] { output.line(line.string ?? "") }
                skip = answer["next"]?.integer
                return 0
            }
            guard code == 0 else { return code }
        }
        return output.end() ? 0 : Self.full
    }

    /// Every mistake of the file with its line; with one of them nothing is imported.
    func importFile() -> Int32 {
        guard let path = flags["file"], let text = Self.read(path) else {
            LedgerCall.standardError("execoractl ledger import: --file is missing or cannot be read")
            return 2
        }
        return ask(parameters + [.init("csv", .string(text))]) { answer in
            let mistakes = answer["mistakes"]?.array ?? []
            if flags["json"] != nil {
                LedgerCall.standardOutput(answer.text)
            } else if mistakes.isEmpty {
                let rows = answer["rows"]?.integer ?? 0
                LedgerCall.standardOutput(
                    answer["imported"]?.integer.map { "\($0) of \(rows) rows are new in the book" }
                        ?? "\(rows) rows, no mistakes; nothing was imported")
            } else {
                for mistake in mistakes {
                    LedgerCall.standardError(
                        "\(path):\(mistake["line"]?.integer ?? 0): \(mistake["text"]?.string ?? "")")
                }
                LedgerCall.standardError("\(mistakes.count) mistakes; nothing was imported")
            }
            return mistakes.isEmpty ? 0 : 1
        }
    }

    // MARK: Where the book is

    private func ask(_ members: [JSONValue.Member], _ done: (JSONValue) -> Int32) -> Int32 {
        guard flags["book"] == nil else {
            return onBook { (store) throws(JobError) in
                var random = SystemRandomNumberGenerator()
                let circumstances = BookJob.Circumstances(
                    now: LedgerJobs.now, by: "technician", makeID: { ULID(at: LedgerJobs.now, using: &random) },
                    progress: Self.progress)
                return done(try job.run(store, .object(members), circumstances))
            }
        }
        guard let call = SocketCall(flags["socket"].map { ["--socket", $0] } ?? []) else { return 2 }
        do throws(DiagnosticsClientError) {
            // A report over years is read whole.
            return done(try call.connect().call("ledger.\(job.name)", .object(members), timeoutMilliseconds: 600_000))
        } catch {
            return SocketCall.complain(error)
        }
    }

    /// Reading works beside a running daemon; writing needs the book for itself.
    private func onBook(_ body: (LedgerStore) throws(JobError) -> Int32) -> Int32 {
        let book = flags["book"] ?? ""
        let keys = LedgerCall.keys(book: book, identity: flags["identity"])
        do throws(JobError) {
            let store: LedgerStore
            do throws(BookError) {
                store =
                    try job.writes
                    ? LedgerStore.take(path: book, wrappingKeys: keys)
                    : LedgerStore.inspect(path: book, wrappingKeys: keys)
            } catch { throw .book(error) }
            return try body(store)
        } catch {
            switch error {
            case .parameters(let text):
                LedgerCall.standardError("execoractl ledger \(job.name): \(text)\n\(LedgerJobs.help(job))")
                return 2
            case .book(let error): return LedgerCall.complain(of: error, verb: job.name, json: flags["json"] != nil)
            }
        }
    }

    private static let full: Int32 = 1

    /// On a terminal alone: a line of its own that is written over.
    private static func progress(_ done: Int64, _ all: Int64) {
        guard isatty(2) == 1, all > 0 else { return }
        let text = done < all ? "\r\(done * 100 / all) % of \(all) " : "\r\u{1B}[K"
        let bytes = Array(text.utf8)
        _ = write(2, bytes, bytes.count)
    }

    private static let fileBytesMax = 8 << 20

    private static func read(_ path: String) -> String? {
        guard let file = fopen(path, "rbe") else { return nil }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while case let count = fread(&chunk, 1, chunk.count, file), count > 0 {
            bytes += chunk[..<count]
            if bytes.count > fileBytesMax { return nil }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// Lines to standard output or to a new file of mode 0600.
private final class Output {
    private let file: UnsafeMutablePointer<FILE>
    private let isFile: Bool
    private var isWhole = true

    init?(_ path: String?) {
        isFile = path != nil
        if let path {
            let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0o600)
            guard descriptor >= 0, let file = fdopen(descriptor, "w") else { return nil }
            self.file = file
        } else {
            guard let file = fdopen(dup(1), "w") else { return nil }
            self.file = file
        }
    }

    func line(_ text: String) {
        let bytes = Array(text.utf8) + [0x0A]
        isWhole = isWhole && fwrite(bytes, 1, bytes.count, file) == bytes.count
    }

    /// False when not everything was written.
    func end() -> Bool {
        if isFile { isWhole = isWhole && fflush(file) == 0 && fsync(fileno(file)) == 0 }
        return fclose(file) == 0 && isWhole
    }
}
