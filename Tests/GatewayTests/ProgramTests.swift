import Foundation
import JSONText
import Seals
import Testing

@testable import execora_gateway

/// The program as it is installed: arguments in, exit codes and lines out.
@Suite struct ProgramTests {
    @Test func `serve tells its ports, serves, and ends with 0 on SIGTERM`() async throws {
        let place = TemporaryFolder()
        let folder = StateFolder(path: place.path + "/gateway")
        #expect(try GatewayProgram.run("init", "--state", folder.path).code == 0)
        let token = try GatewayProgram.run("enrol-token", "--state", folder.path, "--shop", "x", "--json")
        let code = try #require(JSONValue(parsing: token.output)["code"]?.string)

        // Nothing listens on the speech server's port: turns would fail, everything else works.
        let configuration: JSONValue = [
            "state": .string(folder.path), "device_port": 0, "enrol_port": 0, "operations_port": 0,
            "stt": ["http": ["url": "http://127.0.0.1:9/v1", "model": "any"]],
        ]
        let file = folder.path + "/config.json"
        try PrivateFile.write(configuration.bytes, to: file)
        #expect(try GatewayProgram.run("check", "--config", file).code == 0)

        let serving = try GatewayProgram.start("serve", "--config", file)
        defer { serving.end() }
        let line = try JSONValue(parsing: try #require(serving.firstLine()))
        #expect(line["event"]?.string == "listening")
        let port = try #require(line["enrol_port"]?.integer)
        #expect(line["device_port"]?.integer ?? 0 > 0 && line["operations_port"]?.integer ?? 0 > 0)

        // The real device side of enrolment would do the same: one request with a code.
        let rigless = try CounterDouble()
        var tls = try CounterDouble.trusting(folder)
        tls.minimumTLSVersion = .tlsv13
        let answer = try await GatewayRig.exchange(
            "POST", "https://127.0.0.1:\(port)/v1/enrol",
            body: .bytes(.init(bytes: rigless.enrolment(code: code).bytes)), tls: tls)
        #expect(answer.status == 200)

        // Other commands work beside it.
        let heads = try GatewayProgram.run("heads", "--state", folder.path, "--json")
        #expect(
            try JSONValue(parsing: heads.output)["heads"]?[0]?["device"]?.string == Hex.text(rigless.device))
        let revoked = try GatewayProgram.run("revoke", "--state", folder.path, "--device", Hex.text(rigless.device))
        #expect(revoked.code == 0)
        #expect(serving.terminated() == 0)
    }

    static let wrongCalls: [([String], Int32)] = [
        (["serve", "--config", "/nowhere/file.json"], 2), (["heads", "--state", "/nowhere/at-all"], 2),
        (["enrol-token", "--state", "/nowhere/at-all", "--shop", "x"], 2),
        (["revoke", "--state", "x", "--device", "y"], 64), (["init"], 64), (["--help"], 0),
        (["init", "--state", "/proc/no/such/folder"], 1),
    ]

    @Test(arguments: wrongCalls)
    func `wrong calls end with their code and a reason`(arguments: [String], code: Int32) throws {
        let done = try GatewayProgram.run(arguments)
        #expect(done.code == code)
        #expect(!(code == 0 ? done.output : done.complaint).isEmpty)
    }
}

/// Runs the built `execora-gateway` beside the test program.
struct GatewayProgram {
    let process: Process
    let output: Pipe

    static var path: String {
        get throws {
            let tests = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
            return tests.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 } + "/execora-gateway"
        }
    }

    static func start(_ arguments: String...) throws -> GatewayProgram {
        let (process, output) = (Process(), Pipe())
        process.executableURL = URL(fileURLWithPath: try path)
        process.arguments = arguments
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        return GatewayProgram(process: process, output: output)
    }

    static func run(_ arguments: String...) throws -> (code: Int32, output: String, complaint: String) {
        try run(arguments)
    }

    static func run(_ arguments: [String]) throws -> (code: Int32, output: String, complaint: String) {
        let (process, output, complaint) = (Process(), Pipe(), Pipe())
        process.executableURL = URL(fileURLWithPath: try path)
        process.arguments = arguments
        process.standardOutput = output
        process.standardError = complaint
        try process.run()
        let said = output.fileHandleForReading.readDataToEndOfFile()
        let complained = complaint.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (
            process.terminationStatus, String(decoding: said, as: UTF8.self),
            String(decoding: complained, as: UTF8.self)
        )
    }

    func firstLine() -> String? {
        var bytes: [UInt8] = []
        while let byte = output.fileHandleForReading.readData(ofLength: 1).first {
            if byte == UInt8(ascii: "\n") { return String(decoding: bytes, as: UTF8.self) }
            bytes.append(byte)
        }
        return nil
    }

    /// Its exit code after SIGTERM.
    func terminated() -> Int32 {
        process.terminate()
        process.waitUntilExit()
        return process.terminationReason == .exit ? process.terminationStatus : -1
    }

    func end() { if process.isRunning { process.terminate() } }
}
