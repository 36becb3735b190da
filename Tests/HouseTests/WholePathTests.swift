import Glibc
import JSONText
import Testing

/// The whole path with every part real: a WAV through the daemon's own ear, libopus, TLS 1.3 with a client certificate,
/// the gateway, Whisper, the grammar, the book on disk, the signed batch and its receipt.
@Suite(.serialized)
struct WholePathTests {
    @Test func `a spoken payment becomes an entry, an answer and a receipt`() throws {
        let counter = try Counter()
        defer { counter.close() }
        let wav = try counter.speak("Rahul gave two hundred rupees cash")
        let told = try Programs.shell(
            "'\(try Programs.path("execorad"))' rehearse --config '\(counter.folder)/execora.toml' --input '\(wav)' 2>'\(counter.folder)/daemon.log'"
        )
        #expect(told.status == 0, "\(told.output)\(counter.log("daemon"))\(counter.log("gateway"))")
        let lines = told.output.split(separator: "\n").compactMap { try? JSONValue(parsing: String($0)) }

        let trace = try #require(lines.first { $0["intent"]?.string == "RECORD_PAYMENT" }, "\(told.output)")
        #expect(trace["opening"]?.string == "wake")
        #expect(trace["code"]?.string == "OK")
        #expect(trace["answer"]?.string?.contains("200") == true)
        let entry = try #require(trace["journal"]?[0])
        let turn = try #require(trace["turn"]?.string)

        let receipt = try #require(lines.last { $0["through_seq"] != nil }, "no receipt: \(told.output)")
        #expect(receipt["through_seq"]?.integer == entry["seq"]?.integer)
        #expect(receipt["head"]?.string == entry["hash"]?.string)

        let book = "\(counter.folder)/device/book.sqlite"
        let control = try Programs.path("execoractl")
        let verified = try JSONValue(
            parsing: Programs.shell("'\(control)' ledger verify --book '\(book)' --json").output)
        #expect(verified["valid"]?.bool == true)
        let balances = try JSONValue(
            parsing: Programs.shell("'\(control)' ledger balances --book '\(book)' --json").output)
        let rahul = balances["customers"]?.array?.first { $0["name"]?.string == "Rahul Sharma" }
        #expect(rahul?["balance_paise"]?.integer == 30_000)

        let head = try JSONValue(parsing: Programs.shell("'\(control)' ledger head --book '\(book)' --json").output)
        let heads = try JSONValue(parsing: counter.gateway("heads", "--json"))
        #expect(heads["heads"]?[0]?["seq"] == head["seq"])
        #expect(heads["heads"]?[0]?["hash"] == head["hash"])

        // One thread of evidence: the same turn id in both programs' logs, and nothing private in either.
        for name in ["daemon", "gateway"] {
            let log = counter.log(name)
            #expect(log.contains(turn), "\(name)'s log does not know the turn")
            for secret in ["Rahul", "Sharma", "rupees", "two hundred", "9876543210"] {
                #expect(!log.contains(secret), "\(name)'s log tells \(secret)")
            }
        }
    }

    @Test func `without the gateway the words are kept, sealed, and nothing is written`() throws {
        let counter = try Counter()
        defer { counter.close() }
        counter.stopGateway()
        let wav = try counter.speak("Rahul gave two hundred rupees cash")
        let before = try Programs.shell(
            "'\(try Programs.path("execoractl"))' ledger head --book '\(counter.folder)/device/book.sqlite' --json"
        ).output
        let told = try Programs.shell(
            "'\(try Programs.path("execorad"))' rehearse --config '\(counter.folder)/execora.toml' --input '\(wav)' 2>'\(counter.folder)/daemon.log'"
        )
        let lines = told.output.split(separator: "\n").compactMap { try? JSONValue(parsing: String($0)) }
        let trace = try #require(
            lines.first { $0["opening"]?.string == "wake" }, "\(told.output)\(counter.log("daemon"))")
        #expect(trace["spooled"]?.bool == true)
        #expect(trace["code"]?.string == "KEPT_FOR_LATER")
        let after = try Programs.shell(
            "'\(try Programs.path("execoractl"))' ledger head --book '\(counter.folder)/device/book.sqlite' --json"
        ).output
        #expect(before == after)
        let spooled = try Programs.shell("find '\(counter.folder)/device/spool' -type f -size +1k | wc -l")
        #expect(spooled.output.split(separator: "\n").first == "1")
        // Names stand in the vocabulary the turn carries: they must not be readable on the disk.
        #expect(try Programs.shell("grep -rla -e Rahul -e OpusHead '\(counter.folder)/device/spool'").output.isEmpty)
    }
}

/// A gateway, with its embedded speech service where it is needed, and an enrolled, seeded device, in a folder of their own.
final class Counter {
    let folder: String
    private var gatewayPID: Int32 = 0

    init(hears: Bool = true) throws {
        let made = try Programs.shell("mktemp -d /tmp/execora-path.XXXXXX")
        folder = String(made.output.split(separator: "\n")[0])
        let cache =
            getenv("EXECORA_CACHE").map { String(cString: $0) } ?? String(cString: getenv("HOME")) + "/.cache/execora"
        let models = getenv("EXECORA_MODELS").map { String(cString: $0) } ?? cache + "/models"
        _ = try gateway("init")
        var configuration: [JSONValue.Member] = [
            .init("state", .string(folder + "/gateway")), .init("device_port", 0), .init("enrol_port", 0),
            .init("operations_port", 0),
        ]
        if hears {
            let service: JSONValue = [
                "python": .string(cache + "/venv/bin/python"), "model": .string(models + "/whisper-base"),
            ]
            configuration.append(.init("stt", ["embedded": service]))
        } else {
            // A gateway serves nobody without a speech engine; nothing is said to this one.
            configuration.append(.init("stt", ["http": ["url": "http://127.0.0.1:9/v1", "model": "none"]]))
        }
        try write(JSONValue.object(configuration).text, to: "gateway.json")
        let started = try Programs.shell(
            "'\(try Programs.path("execora-gateway"))' serve --config '\(folder)/gateway.json' >'\(folder)/gateway.out' 2>'\(folder)/gateway.log' & echo $!"
        )
        gatewayPID = Int32(started.output.split(separator: "\n")[0])!
        let ports = try listening()
        let code = try JSONValue(parsing: gateway("enrol-token", "--shop test --json"))["code"]?.string ?? ""
        let enrolled = try Programs.shell(
            "'\(try Programs.path("execorad"))' enrol --gateway https://localhost:\(ports["enrol_port"]?.integer ?? 0) --ca '\(folder)/gateway/ca.pem' --code '\(code)' --state '\(folder)/device'"
        )
        guard enrolled.status == 0 else {
            throw Programs.Failure.failed(enrolled.status, enrolled.output + log("gateway"))
        }
        try write(
            """
            [device]
            state_dir = "\(folder)/device"
            runtime_dir = "\(folder)/run"
            [audio]
            backend = "null"
            [wake]
            models_dir = "\(models)"
            [cloud]
            url = "https://localhost:\(ports["device_port"]?.integer ?? 0)"
            reply_timeout_ms = 60000
            [sync]
            coalesce_ms = 100
            [diagnostics]
            turn_text = true
            log_level = "debug"
            """, to: "execora.toml")
        let seeded = try Programs.shell(
            "'\(try Programs.path("execorad"))' seed --config '\(folder)/execora.toml' --world '\(Programs.root)/board/virtual-counter/world.json'"
        )
        guard seeded.status == 0 else { throw Programs.Failure.failed(seeded.status, seeded.output) }
    }

    @discardableResult
    func gateway(_ command: String, _ rest: String = "") throws -> String {
        let ended = try Programs.shell(
            "'\(try Programs.path("execora-gateway"))' \(command) --state '\(folder)/gateway' \(rest) 2>/dev/null")
        guard ended.status == 0 else { throw Programs.Failure.failed(ended.status, ended.output) }
        return ended.output
    }

    /// The wake word in one voice and the line straight on in another; silence around.
    func speak(_ text: String) throws -> String {
        let made = try Programs.shell(
            """
            cd '\(folder)' && flite -voice rms -t 'okay nabu' -o wake.wav && flite -voice slt -t '\(text)' -o line.wav && \
            sox wake.wav line.wav -r 16000 -c 1 -b 16 said.wav pad 2 2.5
            """)
        guard made.status == 0 else { throw Programs.Failure.failed(made.status, made.output) }
        return folder + "/said.wav"
    }

    func log(_ name: String) -> String {
        (try? Programs.shell("cat '\(folder)/\(name).log'").output) ?? ""
    }

    func stopGateway() {
        guard gatewayPID > 0 else { return }
        kill(gatewayPID, SIGTERM)
        for _ in 0..<100 where kill(gatewayPID, 0) == 0 { usleep(50_000) }
        gatewayPID = 0
    }

    func close() {
        stopGateway()
        _ = try? Programs.shell("rm -rf '\(folder)'")
    }

    private func listening() throws -> JSONValue {
        for _ in 0..<600 {
            let text = try Programs.shell("cat '\(folder)/gateway.out'").output
            for line in text.split(separator: "\n") {
                if let told = try? JSONValue(parsing: String(line)), told["event"]?.string == "listening" {
                    return told
                }
            }
            guard kill(gatewayPID, 0) == 0 else { break }
            usleep(100_000)
        }
        throw Programs.Failure.failed(-1, "the gateway does not listen: \(log("gateway"))")
    }

    private func write(_ text: String, to name: String) throws {
        let file = try #require(fopen("\(folder)/\(name)", "w"))
        defer { fclose(file) }
        let bytes = Array(text.utf8)
        #expect(fwrite(bytes, 1, bytes.count, file) == bytes.count)
    }
}
