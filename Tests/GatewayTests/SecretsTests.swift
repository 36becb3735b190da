import AsyncHTTPClient
import Conversation
import Foundation
import JSONText
import Ledger
import NIOCore
import Seals
import Synchronization
import Testing

@testable import execora_gateway

/// Nothing that is secret or somebody's own ever comes out: the installed program is led through turns, vendors' errors
/// that quote the key, sync, refusals and a crash, with planted words, and all it wrote is searched for them.
@Suite(.serialized) struct SecretsTests {
    /// Planted; each is found nowhere else.
    enum Planted {
        static let keys = [
            "sk-planted-deepgram-7Q2", "sk-planted-http-9K4", "sk-planted-llm-3X8", "sk-planted-voice-5T1",
        ]
        static let name = "Zubeida Plantedwala"
        static let product = "Plantedbiscuit"
        static let phone = "9812309876"
        static let amount: Int64 = 41_735
        static let transcript = "zubeida plantedwala ne plantedbiscuit ke 41735 diye, number 9812309876"

        /// In any spelling, whole or a half of it.
        static let words = ["planted", "zubeida", phone, "41735", "417.35"]
    }

    @Test(arguments: [SIGABRT, SIGSEGV])
    func `no log, metric or crash tells a key, a name, an amount, a phone or a transcript`(signal: Int32) async throws {
        let place = TemporaryFolder()
        let folder = StateFolder(path: place.path + "/gateway")
        _ = try await folder.make(names: [], nowMilliseconds: SystemClock.milliseconds())
        let gossip =
            Planted.keys.joined(separator: " ") + " of \(Planted.name), \(Planted.phone): \(Planted.transcript)"
        let heard = #"{"text": "\#(Planted.transcript)"}"#
        let servers = [
            FakeSpeechServer([
                .init(status: 401, body: #"{"err_msg": "invalid: \#(gossip)"}"#), .init(status: 500, body: gossip),
                .init(status: 200, body: gossip), .init(hangsUp: true), .init(status: 429, body: gossip),
            ]),
            FakeSpeechServer([
                .init(body: heard), .init(status: 400, body: gossip), .init(body: "{\"text\": \"\(gossip)"),
                .init(body: heard, cutAtByte: 9), .init(body: heard),
            ]),
            FakeSpeechServer([.init(status: 401, body: gossip), .init(body: "{" + gossip), .init(hangsUp: true)]),
            FakeSpeechServer([.init(status: 403, body: gossip), .init(status: 500, body: gossip)]),
        ]
        defer { for server in servers { server.stop() } }
        for (index, key) in Planted.keys.enumerated() { KeyFile.write(key, to: folder.path + "/key\(index)") }
        func key(_ index: Int) -> JSONValue { .string(folder.path + "/key\(index)") }
        let configuration: JSONValue = [
            "state": .string(folder.path), "device_port": 0, "enrol_port": 0, "operations_port": 0,
            "stt": [
                "order": ["deepgram", "http"], "deepgram": ["url": .string(servers[0].base), "key_file": key(0)],
                "http": ["url": .string(servers[1].url), "model": "any", "key_file": key(1)],
            ],
            "llm": ["url": .string(servers[2].url), "model": "any", "key_file": key(2), "ask_below": 1001],
            "tts": ["elevenlabs": ["url": .string(servers[3].base), "key_file": key(3)]],
        ]
        let file = folder.path + "/config.json"
        try PrivateFile.write(configuration.bytes, to: file)

        let serving = try LoudProgram("serve", "--config", file, log: place.path + "/log")
        defer { serving.end() }
        let line = try JSONValue(parsing: try #require(serving.firstLine()))
        func port(_ name: String) throws -> Int { Int(try #require(line[name]?.integer)) }
        let rig = GatewayRig(
            folder: folder,
            fleet: try Fleet.embedded(await FleetStore.open(path: folder.database), path: folder.database),
            speech: RecordingSpeech(), metrics: GatewayMetrics(), log: LogLines(), clock: TestClock(),
            ports: .init(
                device: try port("device_port"), enrol: try port("enrol_port"),
                operations: try port("operations_port")))
        let answers = try await Self.lead(rig, file: file)
        // The vendors have heard what they must, so the words did pass through.
        let sent = servers.flatMap(\.received).map { String(decoding: $0, as: UTF8.self) }.joined()
        for key in Planted.keys { #expect(sent.contains(key), "\(key) was never used") }
        #expect(sent.contains("Plantedwala"))
        #expect(answers.contains { $0.contains(Planted.transcript) })

        let metrics = String(decoding: try await rig.operations("/metrics").bytes, as: UTF8.self)
        let health = String(decoding: try await rig.operations("/health").bytes, as: UTF8.self)
        #expect(metrics.contains("execora_"))
        #expect(Self.limit(of: serving.process.processIdentifier, "Max core file size") == "0")
        kill(serving.process.processIdentifier, signal)
        // The runtime prints what it can, and ends a process that was signalled from outside only sometimes.
        let isTold = try await eventually {
            try String(contentsOfFile: place.path + "/log", encoding: .utf8).contains("Backtrace took")
        }
        #expect(isTold)
        kill(serving.process.processIdentifier, SIGKILL)
        serving.process.waitUntilExit()
        let log = try String(contentsOfFile: place.path + "/log", encoding: .utf8)
        #expect(log.split(separator: "\n").count > 10)

        for (what, text) in [("log and crash", log), ("metrics", metrics), ("health", health)] {
            let lower = text.lowercased()
            for word in Planted.words { #expect(!lower.contains(word), "\(word) stands in the \(what)") }
            for secret in try Self.secrets(of: folder) {
                #expect(!text.contains(secret), "a key stands in the \(what)")
            }
        }
        // A device is never told a vendor's key either, whatever the vendor said.
        for answer in answers { for key in Planted.keys { #expect(!answer.contains(key)) } }
        #expect(!FileManager.default.fileExists(atPath: FileManager.default.currentDirectoryPath + "/core"))
    }

    /// Everything a device can ask for, well and badly.
    ///
    /// - Returns: what it was answered.
    private static func lead(_ rig: GatewayRig, file: String) async throws -> [String] {
        var answers: [CounterDouble.Answer] = []
        let counter = try await CounterDouble.enrolled(at: rig)
        let (packets, _) = try CounterDouble.tone(frames: 20)
        for _ in 0..<5 {
            let hello = CounterDouble.hello(vocabulary: [Planted.name, Planted.product])
            answers.append(
                try await counter.turn([TurnFraming.head(hello)] + CounterDouble.records(packets), to: rig))
        }
        for text in [Planted.transcript, "\(Planted.name) \(Planted.amount)"] {
            answers.append(
                try await counter.send(
                    "POST", "/v1/speech", to: rig, headers: [("content-type", "application/json")],
                    body: .bytes(ByteBuffer(string: #"{"text": "\#(text)", "language": "hi-en"}"#))))
        }
        // A book's own entries, and what is no batch, no turn, no enrolment, no question.
        let body = CBORValue.map([1: .integer(Planted.amount), 2: .text(Planted.transcript)]).encoded
        let event = StoredEvent(
            epoch: 1, seq: 1, id: ULID(high: 1, low: 1), type: 1, body: body, prev: ChainLink.start,
            hash: ChainLink.hash(device: counter.device, epoch: 1, seq: 1, prev: ChainLink.start, body: body))
        answers.append(try await counter.sync(counter.batch([event]), to: rig))
        answers.append(try await counter.sync(Array(Planted.transcript.utf8), to: rig))
        answers.append(try await counter.sync(counter.batch([event], key: .generate()), to: rig))
        answers.append(try await counter.turn([Array(Planted.transcript.utf8)], to: rig))
        answers.append(
            try await rig.enrol(["code": .string(Planted.name), "csr": "x", "ledger_key": "00", "proof": "00"]))
        answers.append(
            try await counter.send("GET", "/v1/shop-log?after=0&hash=Zubeida&name=Plantedwala", to: rig))
        answers.append(try await counter.send("GET", "/Zubeida/9812309876", to: rig))
        answers.append(
            try await counter.send("GET", "/v1/time", to: rig, headers: [("traceparent", Planted.transcript)]))
        answers.append(
            try await counter.send("GET", "/v1/time", to: rig, headers: [("x-execora-turn", Planted.transcript)]))
        // The owner tells a product and a price.
        let list = file + ".catalogue"
        try PrivateFile.write(
            Array(#"[{"name": "\#(Planted.product)", "unit": "kg", "price_paise": 41735}]"#.utf8), to: list)
        let told = try GatewayProgram.run("tell", "catalogue", "--config", file, "--shop", "sharma-kirana", list)
        #expect(told.code == 0, "\(told.complaint)")
        let after = "/v1/shop-log?after=0&hash=\(String(repeating: "0", count: 64))"
        answers.append(try await counter.send("GET", after, to: rig))
        _ = try await rig.store.revoke(device: counter.device, nowMilliseconds: 1)
        answers.append(try await counter.send("GET", after, to: rig))
        return answers.map { String(decoding: $0.bytes, as: UTF8.self) }
    }

    /// The base64 of every private key in the state folder, line by line.
    private static func secrets(of folder: StateFolder) throws -> [String] {
        try [folder.rootKey, folder.issuingKey, folder.serverKey, folder.receiptKeyFile].flatMap {
            try folder.text($0).split(separator: "\n").filter { !$0.hasPrefix("-----") && $0.count > 16 }
                .map(String.init)
        }
    }

    private static func limit(of process: Int32, _ name: String) -> String? {
        guard let text = try? String(contentsOfFile: "/proc/\(process)/limits", encoding: .utf8) else { return nil }
        return text.split(separator: "\n").first { $0.hasPrefix(name) }?.dropFirst(name.count).split(separator: " ")
            .first
            .map(String.init)
    }
}

/// The built program with all it writes kept: standard error in a file, as journald would have it.
private struct LoudProgram {
    let process = Process()
    private let output = Pipe()

    init(_ arguments: String..., log: String) throws {
        _ = FileManager.default.createFile(atPath: log, contents: nil)
        process.executableURL = URL(fileURLWithPath: try GatewayProgram.path)
        process.arguments = arguments
        process.standardOutput = output
        process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: log))
        var environment = ProcessInfo.processInfo.environment
        // The worst case: the runtime prints all it can about a crash.
        environment["SWIFT_BACKTRACE"] =
            "enable=yes,color=no,interactive=no,symbolicate=off,registers=all,images=none,limit=32"
        process.environment = environment
        try process.run()
    }

    func firstLine() -> String? { GatewayProgram(process: process, output: output).firstLine() }
    func end() { if process.isRunning { process.terminate() } }
}
