import AudioIO
import CloudLink
import Glibc
import JSONText
import Ledger
import Seals

/// A whole self-test: every examination in the order of the sound, a printable report with a number.
enum SelfTest {
    /// The parts of a running house, or of one that was opened for the test alone.
    struct Bench {
        var configuration: ApplianceConfiguration
        var microphone: Microphone?
        /// Runs its argument with the book, or says why there is none.
        var withBook: (@escaping @Sendable (LedgerStore) -> Examination.Finding) -> Examination.Finding
        var newestEntry: Int64
        var receipt: (server: Int64, own: Int64)?
        var waiting: Int
        var oldest: Int64?
        var sync: JSONValue
        var line: String
        var hint: String?
    }

    /// Blocking, for about four seconds and what a dead name service takes; on a desk of its own.
    ///
    /// - Parameter tell: each finding as it is made.
    static func run(_ bench: Bench, tell: (Examination.Finding) -> Void) -> JSONValue {
        let look = Examination(configuration: bench.configuration)
        var findings: [Examination.Finding] = []
        func add(_ finding: Examination.Finding) {
            findings.append(finding)
            tell(finding)
        }
        add(look.models())
        add(
            bench.microphone.map { look.microphone($0) }
                ?? .skipped("microphone", "the daemon is not running and the sound card was not opened"))
        add(look.voice())
        add(look.disk())
        add(look.clock(newestEntry: bench.newestEntry, receipt: bench.receipt))
        add(bench.withBook { look.book($0) })
        add(look.certificate())
        add(look.names())
        add(look.reach())
        add(look.gatewayAccepts(line: bench.line, hint: bench.hint))
        add(look.queue(waiting: bench.waiting, oldest: bench.oldest, sync: bench.sync, isLineUp: bench.line == "up"))
        return report(findings, at: look.nowMilliseconds)
    }

    /// The number names the report in the technician's papers: time and a checksum of what was found.
    static func report(_ findings: [Examination.Finding], at moment: Int64) -> JSONValue {
        let rows = JSONValue.array(findings.map(\.json))
        let digest = Hex.text(Array(SHA256.digest(rows.bytes).prefix(3)))
        let failed = findings.filter { $0.verdict == .failed }
        return [
            "report": .string("\(moment / 1000)-\(digest)"), "at_ms": .integer(moment),
            "version": .string(Execorad.version), "passed": .bool(failed.isEmpty),
            "failed": .integer(Int64(failed.count)),
            "skipped": .integer(Int64(findings.filter { $0.verdict == .skipped }.count)),
            "problem": JSONValue(failed.first?.words), "findings": rows,
        ]
    }

    /// `execorad selftest`: without a daemon. Opens the microphone, reads the book, calls the gateway once.
    static func standAlone(_ configuration: ApplianceConfiguration) -> Int32 {
        let microphone = Microphone(
            configuration: MicrophoneConfiguration(
                backend: configuration.audioBackend == .null ? .null : .alsa(device: configuration.captureDevice)),
            ring: SampleRing()
        ) { _ in }
        microphone.start()
        let (line, hint) = callOnce(configuration)
        let book = Result { () throws(BookError) in try LedgerStore.inspect(path: configuration.bookPath) }
        var oldest: Int64?
        var waiting = 0
        if let spool = try? AudioSpool.open(
            path: configuration.spoolFolder, key: IdentityFolder(path: configuration.identityFolder).spoolKey())
        {
            waiting = spool.figures.count
            oldest = spool.oldestAge(at: WallTime(milliseconds: Moment.wallMilliseconds())).map {
                $0.components.seconds * 1000
            }
        }
        let report = run(
            Bench(
                configuration: configuration, microphone: microphone,
                withBook: { look in
                    switch book {
                    case .success(let book): look(book)
                    case .failure(let error):
                        access(configuration.bookPath, F_OK) == 0
                            ? .failed("book", "the book cannot be opened: \(House.words(error))")
                            : .skipped("book", "there is no book yet")
                    }
                }, newestEntry: 0, receipt: nil, waiting: waiting, oldest: oldest, sync: .null, line: line, hint: hint)
        ) { finding in
            print("\(finding.verdict.rawValue.uppercased()) \(finding.check): \(finding.words)")
        }
        microphone.stop()
        print("report \(report["report"]?.string ?? "-"): \(report["passed"] == true ? "passed" : "failed")")
        return report["passed"] == true ? 0 : 1
    }

    /// The link's first word, at most 5 s.
    static func callOnce(_ configuration: ApplianceConfiguration) -> (String, String?) {
        guard !configuration.gatewayURL.isEmpty else { return ("none", nil) }
        let folder = IdentityFolder(path: configuration.identityFolder)
        let line = Line()
        let link: GatewayLink
        do {
            link = try GatewayLink.start(
                GatewayLink.Configuration(
                    url: configuration.gatewayURL, trustPath: folder.trustPath, chainPath: folder.chainPath,
                    keyPath: folder.tlsKeyPath)
            ) { line.take($0) }
        } catch { return ("configuration", error.hint) }
        let end = Moment.monotonicMilliseconds() + 5_000
        while line.word == "none", Moment.monotonicMilliseconds() < end { usleep(20_000) }
        link.stop()
        return (line.word, line.hint)
    }
}
