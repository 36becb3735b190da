import Conversation
import Glibc
import JSONText
import Logging
import Seals
import ServiceLifecycle
import Synchronization
import Testing

@testable import execora_gateway

/// A whole gateway on loopback, with certificates made by its own `init`, real TLS and a store in a folder of its own.
/// Only speech recognition is a double; the real providers have tests of their own.
struct GatewayRig: Sendable {
    let folder: StateFolder
    let fleet: Fleet
    let speech: RecordingSpeech
    let metrics: GatewayMetrics
    let log: LogLines
    let clock: TestClock
    let ports: GatewayServer.Ports

    /// Starts a gateway, runs `body` against it and ends it as SIGTERM would.
    ///
    /// - Parameter path: a state folder to go on with; nil makes one that is removed afterwards.
    static func run<Result: Sendable>(
        path: String? = nil, speech: RecordingSpeech = RecordingSpeech(), clock: TestClock = TestClock(),
        opinion: ChatOpinion? = nil, quotas: TurnQuota.Limits = TurnQuota.Limits(),
        verifier: WakeVerifier? = nil, voices: VoiceDesk? = nil, archive: Archive? = nil,
        places: [PostgresPlace] = [], pace: SyncPace = SyncPace(burst: 1000, perMinute: 1000),
        isReadmitting: Bool = false,
        _ body: @Sendable @escaping (GatewayRig) async throws -> Result
    ) async throws -> Result {
        let own = path == nil ? TemporaryFolder() : nil
        let folder = StateFolder(path: path ?? own!.path + "/gateway")
        _ = try await folder.make(names: [], nowMilliseconds: SystemClock.milliseconds())
        let fleet =
            places.isEmpty
            ? try Fleet.embedded(await FleetStore.open(path: folder.database), path: folder.database)
            : try await Fleet.postgres(places)
        let (metrics, log) = (GatewayMetrics(), LogLines())
        let (arrivals, arrive) = AsyncStream.makeStream(of: GatewayServer.Ports.self)
        var listeners = GatewayConfiguration.Listeners()
        (listeners.device.port, listeners.enrol.port, listeners.operations.port) = (0, 0, 0)
        let server = try GatewayServer(
            listeners, pace: pace,
            parts: .init(
                folder: folder, fleet: fleet, speech: speech, opinion: opinion, quotas: quotas,
                verifier: verifier, voices: voices, archive: archive,
                logger: GatewayLog.logger(level: .debug, write: { log.add($0) }), metrics: metrics,
                isReadmitting: isReadmitting, now: { clock.milliseconds })
        ) { ports in
            arrive.yield(ports)
            arrive.finish()
        }
        var quiet = Logger(label: "test")
        quiet.logLevel = .error
        let group = ServiceGroup(configuration: .init(services: [server], logger: quiet))
        let result = try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            var ports: GatewayServer.Ports?
            for await told in arrivals { ports = told }
            let rig = GatewayRig(
                folder: folder, fleet: fleet, speech: speech, metrics: metrics, log: log, clock: clock,
                ports: try #require(ports))
            do {
                let result = try await body(rig)
                await group.triggerGracefulShutdown()
                try await tasks.waitForAll()
                return result
            } catch {
                await group.triggerGracefulShutdown()
                try? await tasks.waitForAll()
                throw error
            }
        }
        withExtendedLifetime(own) {}
        return result
    }

    /// The first, and in most tests the only one.
    var store: FleetStore { fleet.stores[0] }

    func code(shop: String = "sharma-kirana", life: Duration = EnrolCode.defaultLife) async throws -> String {
        try await fleet.newCode(shop: shop, life: life, nowMilliseconds: clock.milliseconds).code.description
    }

    func refusals(port: String = "device", _ reason: String) -> Int64 {
        metrics.value("execora_connections_refused_total", labels: [("port", port), ("reason", reason)])
    }
}

/// A wall clock that a test moves; starts at the real time, since TLS looks at the real one.
final class TestClock: Sendable {
    private let ahead = Mutex<Int64>(0)

    var milliseconds: Int64 { SystemClock.milliseconds() + ahead.withLock { $0 } }
    func advance(_ duration: Duration) { ahead.withLock { $0 += duration.milliseconds } }
}

/// Gives the words it was told to give and remembers what it heard.
final class RecordingSpeech: SpeechToText {
    private let state = Mutex<(clips: [SpeechClip], answer: Swift.Result<[TurnReply.Transcript], SpeechError>)>(
        ([], .success([])))

    init(_ texts: [String] = []) {
        state.withLock { $0.answer = .success(texts.map(Self.transcript)) }
    }

    let name = "double"

    init(failing error: SpeechError) { state.withLock { $0.answer = .failure(error) } }

    var clips: [SpeechClip] { state.withLock { $0.clips } }

    func transcribe(_ speech: SpeechClip) async throws -> [TurnReply.Transcript] {
        try state.withLock { state in
            state.clips.append(speech)
            return try state.answer.get()
        }
    }

    static func transcript(_ text: String) -> TurnReply.Transcript {
        .init(text: text, confidenceMilli: 900, language: "hi", engine: "double", model: "", milliseconds: 1)
    }
}

final class LogLines: Sendable {
    private let lines = Mutex<[String]>([])

    func add(_ line: String) { lines.withLock { $0.append(line) } }
    var all: [String] { lines.withLock { $0 } }

    /// The lines of served requests, as JSON.
    var requests: [JSONValue] {
        all.compactMap { try? JSONValue(parsing: $0) }.filter { $0["message"]?.string == "request" }
    }
}

final class TemporaryFolder: Sendable {
    let path: String

    init() {
        var template = Array("/tmp/execora-gateway-XXXXXX".utf8CString)
        precondition(mkdtemp(&template) != nil, "no temporary folder")
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        // Removes what the gateway makes: files, one folder deep.
        for folder in ["gateway", "other", "."] {
            let place = path + "/" + folder
            guard let entries = opendir(place) else { continue }
            while let entry = readdir(entries) {
                let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                    String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
                }
                if name != ".", name != ".." { unlink(place + "/" + name) }
            }
            closedir(entries)
            rmdir(place)
        }
        rmdir(path)
    }
}

/// Waits for what another thread is about to do: 5 s at most, then the caller's expectation fails.
func eventually(_ holds: () async throws -> Bool) async throws -> Bool {
    for _ in 0..<500 {
        if try await holds() { return true }
        try await Task.sleep(for: .milliseconds(10))
    }
    return try await holds()
}
