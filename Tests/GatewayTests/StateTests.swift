import Glibc
import JSONText
import NIOCore
import Seals
import Testing

@testable import execora_gateway

@Suite struct StateTests {
    @Test func `init makes private files once and never again`() async throws {
        let place = TemporaryFolder()
        let folder = StateFolder(path: place.path + "/gateway")
        let made = try await folder.make(names: ["gateway.example", "192.0.2.7"], nowMilliseconds: 1_700_000_000_000)
        #expect(made.count == 8 && folder.problems(nowMilliseconds: 1_700_000_000_000).isEmpty)
        let files = [
            folder.rootKey, folder.rootCertificate, folder.issuingKey, folder.issuingCertificate, folder.serverKey,
            folder.serverCertificate, folder.receiptKeyFile, folder.database,
        ]
        for file in files {
            var facts = stat()
            #expect(stat(file, &facts) == 0 && facts.st_mode & 0o777 == 0o600)
        }
        let before = try files.dropLast().map { try folder.text($0) }
        #expect(try await folder.make(names: [], nowMilliseconds: 1_800_000_000_000).isEmpty)
        #expect(try files.dropLast().map { try folder.text($0) } == before)
    }

    /// The root's key may be taken away: everything still runs, and init still finds the folder whole.
    @Test func `the root's key is not needed after init`() async throws {
        let place = TemporaryFolder()
        let folder = StateFolder(path: place.path + "/gateway")
        _ = try await folder.make(names: [], nowMilliseconds: SystemClock.milliseconds())
        unlink(folder.rootKey)
        #expect(try await folder.make(names: [], nowMilliseconds: SystemClock.milliseconds()).isEmpty)
        try await GatewayRig.run(path: folder.path) { rig in
            let counter = try await CounterDouble.enrolled(at: rig)
            #expect(try await counter.send("GET", "/v1/time", to: rig).status == 200)
        }
    }

    /// A cut may come between any two files.
    @Test func `init goes on where it was cut off`() async throws {
        let place = TemporaryFolder()
        let folder = StateFolder(path: place.path + "/gateway")
        _ = try await folder.make(names: [], nowMilliseconds: SystemClock.milliseconds())
        for file in [folder.serverCertificate, folder.receiptKeyFile] { unlink(file) }
        #expect(folder.problems().count == 1)
        #expect(
            try await folder.make(names: [], nowMilliseconds: SystemClock.milliseconds()) == [
                "server.pem", "receipt.key",
            ])
        try await GatewayRig.run(path: folder.path) { rig in _ = try await CounterDouble.enrolled(at: rig) }
    }

    /// Devices trust the root, so a new server certificate needs nothing of them.
    @Test func `a server certificate that has ended stops the start until it is renewed`() async throws {
        let place = TemporaryFolder()
        let folder = StateFolder(path: place.path + "/gateway")
        _ = try await folder.make(names: [], nowMilliseconds: SystemClock.milliseconds() - 400 * 86_400_000)
        #expect(folder.problems().joined().contains("--new-server-certificate"))
        try folder.renewServerCertificate(names: [], nowMilliseconds: SystemClock.milliseconds())
        #expect(folder.problems().isEmpty)
        try await GatewayRig.run(path: folder.path) { rig in _ = try await CounterDouble.enrolled(at: rig) }
    }

    @Test func `a key that others may read is refused`() async throws {
        let place = TemporaryFolder()
        let folder = StateFolder(path: place.path + "/gateway")
        _ = try await folder.make(names: [], nowMilliseconds: SystemClock.milliseconds())
        chmod(folder.issuingKey, 0o644)
        #expect(throws: SealError.self) { try folder.authority() }
    }

    @Test func `a store of a newer format is refused`() async throws {
        let place = TemporaryFolder()
        let path = place.path + "/gateway.sqlite"
        _ = try await FleetStore.open(path: path)
        try SQLiteDatabase(path: path).script("PRAGMA user_version = 99")
        await #expect(throws: GatewayError.self) { try await FleetStore.open(path: path) }
    }

    @Test func `codes are eighty random bits in groups of four`() {
        let code = EnrolCode(random: [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0, 0x1F])
        #expect(code.description == "ZZZZ-ZZZZ-0000-000Z")
        #expect(EnrolCode.hash(typed: " zzzz zzzz oooo-oooz ") == code.hash)
        #expect(EnrolCode().description != EnrolCode().description)
    }

    @Test(arguments: [(0, "A01"), (98, "A99"), (99, "B01"), (FleetStore.countersMax - 1, "Z99")])
    func `series run from A01 to Z99`(index: Int, series: String) {
        #expect(FleetStore.series(index) == series)
    }

    @Test func `open codes of a shop are bounded`() async throws {
        let place = TemporaryFolder()
        let store = try await FleetStore.open(path: place.path + "/gateway.sqlite")
        for _ in 0..<FleetStore.openCodesMax {
            _ = try await store.newCode(shop: "x", life: .seconds(60), nowMilliseconds: 0)
        }
        await #expect(throws: GatewayError.self) {
            try await store.newCode(shop: "x", life: .seconds(60), nowMilliseconds: 0)
        }
        _ = try await store.newCode(shop: "x", life: .seconds(60), nowMilliseconds: 61_000)
    }

    @Test func `the pace gives a burst, then its rate`() {
        let pace = SyncPace(burst: 3, perMinute: 6)
        #expect((0..<3).allSatisfy { _ in pace.wait(device: [1], nowMilliseconds: 1000) == nil })
        #expect(pace.wait(device: [1], nowMilliseconds: 1000) == 10)
        #expect(pace.wait(device: [2], nowMilliseconds: 1000) == nil)
        #expect(pace.wait(device: [1], nowMilliseconds: 10_999) == 1)
        #expect(pace.wait(device: [1], nowMilliseconds: 11_000) == nil)
        // A clock set back neither gives nor blocks for ever.
        #expect(pace.wait(device: [1], nowMilliseconds: 0) == 10)
        #expect(pace.wait(device: [1], nowMilliseconds: 21_000) == nil)
    }
}

@Suite struct ConfigurationTests {
    @Test func `every mistake is told at once`() {
        let text = """
            {"device_port": 70000, "enrol_port": "x", "colour": 1, "sync_burst": 0, "operations_port": 1,
             "operations_port": 2, "stt": {"embedded": {"python": ""}, "http": {"url": "u", "model": "m", "key": "k"}}}
            """
        do {
            _ = try GatewayConfiguration(json: JSONValue(parsing: text))
            Issue.record("taken")
        } catch GatewayError.configuration(let mistakes) {
            let all = mistakes.joined(separator: "\n")
            for part in [
                "state: is missing", "device_port: must be", "enrol_port: must be", "colour: unknown key",
                "sync_burst: must be", "operations_port: given twice", "stt.embedded.python: must be",
                "stt.embedded.model: is missing", "stt.http.key: unknown key",
            ] { #expect(all.contains(part)) }
        } catch { Issue.record(error) }
    }

    @Test func `a configuration without speech recognition is refused`() {
        #expect(
            throws: GatewayError.configuration([
                "stt: name at least one of deepgram, sarvam, elevenlabs, http, embedded"
            ])
        ) {
            try GatewayConfiguration(json: ["state": "/x"])
        }
    }

    @Test func `what is not told has its default`() throws {
        let configuration = try GatewayConfiguration(
            json: ["state": "/x", "device_port": 0, "stt": ["http": ["url": "http://localhost:1/v1", "model": "m"]]])
        #expect(configuration.listeners.device == .init(host: "127.0.0.1", port: 0))
        #expect(configuration.listeners.enrol == .init(host: "127.0.0.1", port: 8444))
        #expect(configuration.speech.http == .init(url: "http://localhost:1/v1", model: "m"))
        #expect(configuration.speech.embedded == nil)
    }

    @Test func `what the machine lacks is told in words`() throws {
        let configuration = try GatewayConfiguration(
            json: [
                "state": "/nowhere/at-all",
                "stt": [
                    "embedded": ["python": "/nowhere/python", "model": "/nowhere/model"],
                    "http": ["url": "ftp://x", "model": "m", "key_file": "/nowhere/key"],
                ],
            ])
        let problems = configuration.problems().joined(separator: "\n")
        for part in ["init --state /nowhere/at-all", "/nowhere/python", "model.bin", "ftp://x", "key_file"] {
            #expect(problems.contains(part))
        }
    }
}
