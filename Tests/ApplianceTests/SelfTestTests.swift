import AudioIO
import CloudLink
import Conversation
import Diagnostics
import Glibc
import JSONText
import Ledger
import Seals
import Synchronization
import Testing

@testable import execorad

/// Each fault of the field planted for real, where a test can, and found in plain words; and the same part well, which
/// must pass: a test that always fails would find everything.
@Suite struct SelfTestTests {
    private static let root = #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 }

    /// A box's folder with models and, on demand, an identity.
    private final class Box {
        let folder: String
        var configuration = ApplianceConfiguration()

        init() throws {
            var random = SystemRandomNumberGenerator()
            folder = "/tmp/execora-selftest-" + String(random.next(), radix: 16)
            try #require(FileBytes.makeFolder(folder + "/state"))
            configuration.stateFolder = folder + "/state"
            configuration.audioBackend = .null
            let models = getenv("EXECORA_MODELS").map { String(cString: $0) }
            let home = getenv("HOME").map { String(cString: $0) } ?? ""
            configuration.modelsFolder = models ?? home + "/.cache/execora/models"
        }

        deinit { _ = system("rm -rf \(folder)") }

        var identity: IdentityFolder { IdentityFolder(path: configuration.identityFolder) }

        func shell(_ line: String) throws {
            try #require(system("cd \(folder) && { \(line); } >\(folder)/shell.log 2>&1") == 0, "\(line)")
        }

        /// A certificate of the box's own key, good from now for so many days (negative: in the past).
        func certify(days: Int) throws {
            _ = try identity.keysMadeIfMissing()
            try shell(
                "openssl req -new -key state/identity/tls.key -subj /CN=box -out box.csr"
                    + " && openssl x509 -req -in box.csr -signkey state/identity/tls.key -days \(days) -out state/identity/tls.pem"
                    + " && chmod 600 state/identity/tls.pem")
        }

        var look: Examination { Examination(configuration: configuration) }
    }

    private func sound(_ value: (Int) -> Int16, in box: Box) throws -> String {
        let path = box.folder + "/sound.wav"
        let writer = try WAVWriter(path: path)
        let samples = (0..<160_000).map(value)
        try samples.withUnsafeBufferPointer { try writer.append($0) }
        return path
    }

    private func examine(_ backend: MicrophoneConfiguration.Backend, _ box: Box) -> Examination.Finding {
        let microphone = Microphone(configuration: .init(backend: backend), ring: SampleRing()) { _ in }
        microphone.start()
        defer { microphone.stop() }
        return box.look.microphone(microphone, milliseconds: 1_200)
    }

    private func check(_ finding: Examination.Finding, failsWith part: String) {
        #expect(finding.verdict == .failed && finding.words.contains(part), "\(finding.words)")
    }

    @Test func `1 a dead microphone`() throws {
        let box = try Box()
        check(examine(.null, box), failsWith: "dead silent")
        let path = try sound({ Int16($0 * 7919 % 400) - 200 }, in: box)
        #expect(examine(.file(path: path, pace: .realTime), box).verdict == .passed)
    }

    @Test func `1b a microphone that is not there`() throws {
        let box = try Box()
        check(examine(.alsa(device: "hw:CARD=nowhere"), box), failsWith: "gives nothing")
    }

    @Test func `2 a clipped microphone`() throws {
        let box = try Box()
        let path = try sound({ $0 / 20 % 2 == 0 ? .max : .min }, in: box)
        check(examine(.file(path: path, pace: .realTime), box), failsWith: "clips")
    }

    @Test func `3 a wrong clock`() throws {
        let box = try Box()
        var look = box.look
        #expect(look.clock(newestEntry: look.nowMilliseconds - 5_000, receipt: nil).verdict == .passed)
        check(
            look.clock(newestEntry: look.nowMilliseconds + 86_400_000, receipt: nil),
            failsWith: "before the newest entry")
        check(
            look.clock(newestEntry: 0, receipt: (look.nowMilliseconds, look.nowMilliseconds + 1_200_000)),
            failsWith: "wrong by 20 min")
        look.nowMilliseconds = 86_400_000
        check(look.clock(newestEntry: 0, receipt: nil), failsWith: "before this program was written")
    }

    @Test func `4 an expired certificate`() throws {
        let box = try Box()
        box.configuration.gatewayURL = "https://localhost:1"
        try box.certify(days: -1)
        check(box.look.certificate(), failsWith: "expired")
        try box.certify(days: 90)
        #expect(box.look.certificate().verdict == .passed)
    }

    /// A gateway with a certificate of somebody else's root, answering for real.
    @Test func `5 a wrong root`() throws {
        let box = try Box()
        try box.certify(days: 90)
        try box.shell(
            "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout other.key -out other.pem -days 9 -subj /CN=localhost -addext subjectAltName=DNS:localhost"
                + " && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ours.key -out state/identity/ca.pem -days 9 -subj /CN=ours"
        )
        // Any free port: s_server says which it took.
        let server = Server()
        defer { server.stop() }
        let port = try server.start(box.folder)
        box.configuration.gatewayURL = "https://localhost:\(port)"
        let (line, hint) = SelfTest.callOnce(box.configuration)
        check(box.look.gatewayAccepts(line: line, hint: hint), failsWith: "not of our root")
        #expect(box.look.names().verdict == .passed && box.look.reach().verdict == .passed)
        #expect(box.look.gatewayAccepts(line: "up", hint: nil).verdict == .passed)
    }

    /// A process of its own, ended with SIGKILL (the mask of a test's thread is inherited, and may block SIGTERM); should the
    /// test run itself be ended, the leash ends it.
    private final class Server {
        private static let leashSeconds = 300
        private var pid: Int32 = 0

        func start(_ folder: String) throws -> Int {
            var random = SystemRandomNumberGenerator()
            for _ in 0..<20 {
                let port = Int.random(in: 20_000...60_000, using: &random)
                let serve =
                    "openssl s_server -quiet -accept 127.0.0.1:\(port) -cert \(folder)/other.pem -key \(folder)/other.key"
                unlink(folder + "/pid")
                try #require(
                    system(
                        "timeout -s KILL \(Self.leashSeconds) sh -c 'echo $$ >\(folder)/pid; exec \(serve)' </dev/zero >/dev/null 2>&1 &"
                    ) == 0)
                for _ in 0..<100 {
                    let text = String(decoding: FileBytes.read(folder + "/pid", bytesMax: 32) ?? [], as: UTF8.self)
                    if text.hasSuffix("\n") { pid = Int32(text.dropLast()) ?? 0 }
                    if pid > 0 {
                        if isOpen(port) { return port }
                        guard kill(pid, 0) == 0 else { break }
                    }
                    usleep(100_000)
                }
                stop()
            }
            Issue.record("no server came up")
            return 0
        }

        private func isOpen(_ port: Int) -> Bool {
            let file = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            defer { close(file) }
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = UInt16(port).bigEndian
            address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
            return withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(file, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
                }
            }
        }

        func stop() {
            if pid > 0 { kill(pid, SIGKILL) }
            pid = 0
        }
    }

    @Test func `6 a dead name service`() throws {
        let box = try Box()
        box.configuration.gatewayURL = "https://gateway.invalid:8443"
        check(box.look.names(), failsWith: "name service")
        #expect(box.look.reach().verdict == .skipped)
        box.configuration.gatewayURL = "https://127.0.0.1:8443"
        #expect(box.look.names().verdict == .passed)
    }

    @Test func `7 a disk that is 98 per cent full, and one that is read-only`() throws {
        check(Examination.disk(.init(totalBytes: 1000, freeBytes: 20, isReadOnly: false)), failsWith: "98 % full")
        check(Examination.disk(.init(totalBytes: 1000, freeBytes: 900, isReadOnly: true)), failsWith: "read-only")
        #expect(Examination.disk(.init(totalBytes: 1000, freeBytes: 300, isReadOnly: false)).verdict == .passed)
        // What the machine says of itself is read the same way.
        let space = try #require(Disk.space(of: "/tmp"))
        #expect(space.totalBytes > space.freeBytes && space.freeBytes >= 0)
    }

    @Test func `8 a broken chain`() throws {
        let box = try Box()
        let path = box.configuration.bookPath
        let old = try #require(
            FileBytes.read(Self.root + "/Tests/LedgerTests/Fixtures/book-v1.sqlite", bytesMax: 8 << 20))
        try #require(FileBytes.keep(old, at: path))
        var bytes = old
        do {
            let book = try LedgerStore.inspect(path: path)
            #expect(box.look.book(book).verdict == .passed)
            let event = try #require(try book.events(after: 4, epoch: book.head().epoch, limit: 1).first)
            let place = try #require(bytes.firstRange(of: event.body))
            bytes[place.lowerBound + event.body.count / 2] ^= 1
        }
        try #require(FileBytes.keep(bytes, at: path))
        check(box.look.book(try LedgerStore.inspect(path: path)), failsWith: "chain is broken")
    }

    @Test func `9 a stuck queue`() throws {
        let box = try Box()
        _ = try box.identity.keysMadeIfMissing()
        let spool = try AudioSpool.open(path: box.configuration.spoolFolder, key: box.identity.spoolKey())
        let now = Moment.wallMilliseconds()
        var random = SystemRandomNumberGenerator()
        let spoken = WallTime(milliseconds: now - 3 * 3_600_000)
        let hello = TurnHello(
            turn: ULID(at: spoken, using: &random), wake: nil, firstSampleIndex: 0, isLate: false, spokenAt: spoken,
            vocabulary: [], language: "hi-en")
        try spool.store(SpooledTurn(hello: hello, packets: [[1, 2, 3]]), at: WallTime(milliseconds: now))
        let age = try #require(spool.oldestAge(at: WallTime(milliseconds: now))).components.seconds * 1000
        check(
            box.look.queue(waiting: spool.figures.count, oldest: age, sync: .null, isLineUp: true),
            failsWith: "has waited 3 h though the line is up")
        check(
            box.look.queue(waiting: 0, oldest: nil, sync: ["parked_seq": 12], isLineUp: true),
            failsWith: "refuses entry 12")
        #expect(box.look.queue(waiting: 1, oldest: 60_000, sync: .null, isLineUp: true).verdict == .passed)
    }

    @Test func `10 a missing model`() throws {
        let box = try Box()
        #expect(box.look.models().verdict == .passed)
        let folder = box.folder + "/models"
        try box.shell(
            "cp -r '\(box.configuration.modelsFolder)' models 2>/dev/null || true; rm -f models/okay_nabu.tflite")
        box.configuration.modelsFolder = folder
        check(box.look.models(), failsWith: "okay_nabu.tflite is missing")
    }

    /// What could not be asked is not counted as well.
    @Test func `a report has a number, and skipped is not passed`() {
        let report = SelfTest.report(
            [.passed("a", "ok"), .skipped("b", "no gateway is set"), .failed("c", "broken")], at: 1_800_000_000_000)
        #expect(report["passed"] == false && report["failed"] == 1 && report["skipped"] == 1)
        #expect(report["problem"] == "broken" && report["report"]?.string?.hasPrefix("1800000000-") == true)
    }

    // MARK: tokens, journald, loop-back

    @Test func `a token is good for its box, its time and its signer alone`() throws {
        let box = try Box()
        let key = try SigningKey.generate()
        let keys = box.folder + "/keys"
        try #require(FileBytes.keep(Array("\(Hex.text(key.verifyingKey.bytes)) meena\n".utf8), at: keys))
        let device = String(repeating: "ab", count: 16)
        let tokens = ServiceTokens(keysPath: keys, device: device, nowMilliseconds: { 1_000_000 })
        func look(_ text: String) -> String {
            switch tokens.look(at: text) {
            case .success(let grant): "\(grant.holder) \(grant.milliseconds)"
            case .failure(let fault): fault.message
            }
        }
        let good = try ServiceTokens.make(holder: "meena", device: device, untilSeconds: 1_060, key: key)
        #expect(look(good) == "meena 60000")
        #expect(
            look(try ServiceTokens.make(holder: "m", device: "*", untilSeconds: 9_000_000, key: key))
                == "m \(12 * 3_600_000)")
        #expect(
            look(try ServiceTokens.make(holder: "m", device: device, untilSeconds: 999, key: key)).contains(
                "time is over"))
        #expect(
            look(try ServiceTokens.make(holder: "m", device: "cd", untilSeconds: 1_060, key: key)).contains(
                "another box"))
        #expect(
            look(try ServiceTokens.make(holder: "m", device: device, untilSeconds: 1_060, key: .generate())).contains(
                "nobody this box trusts"))
        for index in good.indices.dropFirst(3) where good[index] != "." {
            var forged = Array(good)
            forged[good.distance(from: good.startIndex, to: index)] = good[index] == "0" ? "1" : "0"
            #expect(!look(String(forged)).hasPrefix("meena 60000") || String(forged) == good)
        }
    }

    /// Bytes as journald's native protocol has them: PRIORITY, then each field with its own name.
    @Test func `an event goes to journald with its turn as a field`() throws {
        let box = try Box()
        let path = box.folder + "/journal"
        let listening = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        defer { close(listening) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listening, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(code == 0)
        let journal = try #require(JournalSocket(path: path))
        #expect(
            journal.send(
                priority: 5, message: "turn opened", fields: [.init("turn", "01ABC"), .init("why", "two\nlines")]))
        var bytes = [UInt8](repeating: 0, count: 512)
        let count = recv(listening, &bytes, bytes.count, 0)
        let expected =
            Array("PRIORITY=5\nSYSLOG_IDENTIFIER=execorad\nMESSAGE=turn opened\nEXECORA_TURN=01ABC\nEXECORA_WHY\n".utf8)
            + [9, 0, 0, 0, 0, 0, 0, 0] + Array("two\nlines\n".utf8)
        #expect(Array(bytes[..<count]) == expected)
    }

    @Test func `the loop-back finds its sweep, its delay and its level, and nothing in noise`() throws {
        let sweep = Loopback.sweep()
        var heard = (0..<(Loopback.sweepSamples + Loopback.searchSamples)).map {
            Int16(truncatingIfNeeded: $0 &* 7919 % 200)
        }
        #expect(try #require(Loopback.measure(heard)).isHeard == false)
        for index in sweep.indices {
            heard[1_600 + index] = Int16(clamping: Int(heard[1_600 + index]) + Int(sweep[index]) / 4)
        }
        let found = try #require(Loopback.measure(heard))
        #expect(
            found.isHeard && abs(found.delayMilliseconds - 100) <= 1 && (800...1_300).contains(found.level), "\(found)")
        let quiet = Loopback.Result(delayMilliseconds: 100, level: 200, sureTenths: 90)
        #expect(Loopback.verdict(quiet, baseline: found.json, isKept: false)["passed"] == false)
        #expect(Loopback.verdict(found, baseline: found.json, isKept: false)["passed"] == true)
    }

    @Test func `the log's book forgets the oldest by count and by bytes`() {
        let book = LogBook()
        for number in 0..<(3 * LogBook.linesMax) { book.add("line \(number)") }
        #expect(book.last(9_999).count == LogBook.linesMax && book.last(1) == ["line \(3 * LogBook.linesMax - 1)"])
        for _ in 0..<100 { book.add(String(repeating: "x", count: 10_000)) }
        #expect(book.last(9_999).reduce(0) { $0 + $1.utf8.count } <= LogBook.bytesMax)
    }
}
