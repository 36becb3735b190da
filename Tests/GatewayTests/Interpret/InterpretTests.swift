import Conversation
import Foundation
import JSONText
import Seals
import Testing

@testable import execora_gateway

/// `interpret` as it is installed: recordings in, readings and figures out; speech recognition is a server on loopback.
struct InterpretTests {
    private func arrangement(_ folder: TemporaryFolder, _ server: FakeSpeechServer) throws -> (
        world: String, config: String
    ) {
        let (world, config) = (folder.path + "/world.json", folder.path + "/config.json")
        try PrivateFile.write(ClipScoreTests.world.bytes, to: world)
        let told: JSONValue = ["state": "/x", "stt": ["http": ["url": .string(server.url), "model": "m"]]]
        try PrivateFile.write(told.bytes, to: config)
        try SpokenClip.run(["flite", "-voice", "slt", "-t", "one", "-o", folder.path + "/a.wav"])
        return (world, config)
    }

    @Test func `a recording is heard, read and told, and the book is asked, not written`() throws {
        let server = FakeSpeechServer([.init(body: #"{"text":"Rahul ne 200 diye"}"#)])
        defer { server.stop() }
        let folder = TemporaryFolder()
        let (world, config) = try arrangement(folder, server)
        let done = try GatewayProgram.run(
            "interpret", "--world", world, "--config", config, "--json", folder.path + "/a.wav")
        #expect(done.code == 0)
        let line = try JSONValue(parsing: done.output)
        #expect(line["heard"]?["transcripts"]?[0]?["text"]?.string == "Rahul ne 200 diye")
        #expect(line["answer"]?["intent"]?.string == "RECORD_PAYMENT")
        #expect(line["answer"]?["slots"]?["customer"]?.string == "Rahul Verma")
        // One engine alone never moves money.
        #expect(line["asked"]?.bool == true && line["posted"]?.bool == false)
        // What went up is an Ogg Opus file, with the shop's names as prompt.
        let request = String(decoding: try #require(server.received.first), as: UTF8.self)
        #expect(request.contains("OggS") && request.contains("Rahul Verma"))
    }

    @Test func `a manifest is scored, and a missing one told`() throws {
        let server = FakeSpeechServer([.init(body: #"{"text":"Rahul ne 200 diye"}"#)])
        defer { server.stop() }
        let folder = TemporaryFolder()
        let (world, config) = try arrangement(folder, server)
        let manifest = folder.path + "/manifest.jsonl"
        let lines = [200, 300].map { amount -> String in
            let line: JSONValue = [
                "file": "a.wav", "id": "u", "text": "t", "lang": "hinglish", "condition": "clean",
                "intent": "RECORD_PAYMENT",
                "slots": ["customer": "Rahul", "amount_paise": .integer(Int64(amount) * 100)],
            ]
            return line.text
        }
        try PrivateFile.write(Array(lines.joined(separator: "\n").utf8), to: manifest)
        let done = try GatewayProgram.run("interpret", "--world", world, "--config", config, "--manifest", manifest)
        #expect(done.code == 0)
        let rows = try done.output.split(separator: "\n").map { try JSONValue(parsing: String($0)) }
        #expect(rows.first?["bench"]?.string == "speech.hinglish.clean.exact" && rows.first?["value"]?.number == 50)
        #expect(
            try GatewayProgram.run("interpret", "--world", world, "--config", config, "--manifest", "/nowhere").code
                == 1)
        #expect(try GatewayProgram.run("interpret", "--world", world).code == 2)
    }
}
