import Conversation
import Glibc
import JSONText
import Ledger
import Synchronization
import Testing

@testable import CloudLink

/// Certificates made once a run, in a folder that goes with the process.
enum Certificates {
    static let fixtures = #filePath.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 } + "/Fixtures"

    static let folder: String = {
        // No test may need a proxy variable absent: the link has to ignore it.
        setenv("https_proxy", "http://127.0.0.1:9", 1)
        setenv("ALL_PROXY", "http://127.0.0.1:9", 1)
        let folder = makeFolder("/tmp/execora-link")
        let code = system("\(fixtures)/make-certificates \(folder)")
        precondition(code == 0, "certificates were not made; see \(folder)/make-certificates.log")
        leftovers.withLock { $0.append(folder) }
        atexit {
            for folder in leftovers.withLock({ $0 }) { _ = system("rm -rf \(folder)") }
        }
        return folder
    }()

    private static let leftovers = Mutex<[String]>([])

    static func path(_ name: String) -> String { folder + "/" + name }
}

func makeFolder(_ stem: String) -> String {
    var name = Array("\(stem)-XXXXXX".utf8CString)
    precondition(mkdtemp(&name) != nil, "no folder in /tmp")
    return String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

/// What another thread brings, in order, and waiting for it.
final class Mailbox<Letter: Sendable>: Sendable {
    private let letters = Mutex<[Letter]>([])

    func put(_ letter: Letter) { letters.withLock { $0.append(letter) } }
    var all: [Letter] { letters.withLock { $0 } }

    /// The first letter that fits, waiting for it.
    func first(within seconds: Double = 10, where fits: (Letter) -> Bool = { _ in true }) throws -> Letter {
        let end = LinkClock.system.milliseconds() + Int64(seconds * 1000)
        while LinkClock.system.milliseconds() < end {
            if let letter = all.first(where: fits) { return letter }
            usleep(1_000)
        }
        throw Late(seen: "\(all)")
    }

    struct Late: Error { var seen: String }
}

/// `Fixtures/gateway.py` as a child process.
final class TestGateway: Sendable {
    let port: Int64
    private let pid: pid_t
    let events: Mailbox<JSONValue>

    init(_ options: [(String, JSONValue)] = []) throws {
        let told = JSONValue.object(
            ([("folder", .string(Certificates.folder))] + options).map { .init($0.0, $0.1) })
        var pipes: [Int32] = [0, 0]
        try #require(pipe(&pipes) == 0)
        _ = fcntl(pipes[0], F_SETFD, FD_CLOEXEC)
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, pipes[1], 1)
        posix_spawn_file_actions_addclose(&actions, pipes[1])
        var pid = pid_t()
        let arguments = ["python3", "-u", Certificates.fixtures + "/gateway.py", told.text]
        var words: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        let code = posix_spawnp(&pid, "python3", &actions, nil, &words, environ)
        close(pipes[1])
        try #require(code == 0, "python3 does not start")
        self.pid = pid
        let events = Mailbox<JSONValue>()
        self.events = events
        Self.readLines(from: pipes[0], into: events)
        let listening = try events.first { $0["event"]?.string == "listening" }
        port = try #require(listening["port"]?.integer)
    }

    deinit { stop() }

    /// Ends the process with everything it holds open, as a power cut would.
    func stop() {
        guard kill(pid, SIGKILL) == 0 else { return }
        var status: Int32 = 0
        waitpid(pid, &status, 0)
    }

    private static func readLines(from file: Int32, into events: Mailbox<JSONValue>) {
        final class Seed {
            let file: Int32
            let events: Mailbox<JSONValue>
            init(_ file: Int32, _ events: Mailbox<JSONValue>) { (self.file, self.events) = (file, events) }
        }
        var thread = pthread_t()
        let seed = Unmanaged.passRetained(Seed(file, events)).toOpaque()
        pthread_create(
            &thread, nil,
            { raw in
                let seed = Unmanaged<Seed>.fromOpaque(raw!).takeRetainedValue()
                var held: [UInt8] = []
                var chunk = [UInt8](repeating: 0, count: 65_536)
                while case let count = read(seed.file, &chunk, chunk.count), count > 0 {
                    held += chunk[..<count]
                    while let end = held.firstIndex(of: 0x0A) {
                        if let event = try? JSONValue(parsing: held[..<end]) { seed.events.put(event) }
                        held.removeFirst(end + 1)
                    }
                }
                close(seed.file)
                return nil
            }, seed)
        pthread_detach(thread)
    }

    func event(_ name: String, within seconds: Double = 10, where fits: (JSONValue) -> Bool = { _ in true }) throws
        -> JSONValue
    {
        try events.first(within: seconds) { $0["event"]?.string == name && fits($0) }
    }

    func count(_ name: String) -> Int { events.all.count { $0["event"]?.string == name } }
}

/// A link to a test gateway, with what it tells.
final class TestLink: Sendable {
    let link: GatewayLink
    let events: Mailbox<LinkEvent>

    init(
        port: Int64, host: String = "localhost", trust: String = "ca.pem", client: String = "client",
        reply: Duration = .seconds(10), connect: Duration = .seconds(5), ping: Duration = .seconds(25),
        backoffMax: Duration = .seconds(30)
    ) throws {
        let configuration = GatewayLink.Configuration(
            url: "https://\(host):\(port)", trustPath: Certificates.path(trust),
            chainPath: Certificates.path("\(client).pem"), keyPath: Certificates.path("\(client).key"),
            connectTimeout: connect, replyTimeout: reply, ping: ping, backoffFirst: .milliseconds(20),
            backoffMax: backoffMax)
        let events = Mailbox<LinkEvent>()
        self.events = events
        link = try GatewayLink.start(configuration, random: Seeded(state: 1)) { events.put($0) }
    }

    deinit { link.stop() }

    func up() throws { _ = try events.first { $0 == .up } }

    func ask(_ request: LinkRequest) throws -> Result<LinkResponse, LinkError> {
        let answers = Mailbox<Result<LinkResponse, LinkError>>()
        link.request(request) { answers.put($0) }
        return try answers.first()
    }
}

/// A generator with a seed (SplitMix64).
struct Seeded: RandomNumberGenerator, Sendable {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
        return word ^ word >> 31
    }
}

/// Turns to send.
enum Spoken {
    static func hello(_ number: UInt64 = 1, isLate: Bool = false) -> TurnHello {
        TurnHello(
            turn: ULID(high: 0x0193_4000_0000_0000, low: number), wake: nil, firstSampleIndex: 4_000, isLate: isLate,
            spokenAt: WallTime(milliseconds: 1_764_000_000_000), vocabulary: ["Rahul Sharma", "doodh"],
            language: "hi-en")
    }

    static func record(_ seq: Int, bytes: Int = 60) -> TurnFraming.Record {
        .init(
            seq: UInt32(seq), sampleOffset: UInt32(seq * 320),
            packet: (0..<bytes).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ seq) })
    }
}
