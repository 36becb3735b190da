import Testing

@testable import execorad

/// A wrong file is refused whole, with every mistake named and placed, before anything starts.
struct ConfigurationTests {
    @Test func `an empty file is the defaults`() throws {
        #expect(try ApplianceConfiguration.read(text: "", file: "f") == ApplianceConfiguration())
    }

    @Test func `values, comments and tables are read`() throws {
        let text = """
            # the counter
            [audio]
            capture_device = "mic"   # a comment
            earcons = false
            [sync]
            coalesce_ms = 1_500
            [diagnostics]
            log_level = "debug"
            """
        let told = try ApplianceConfiguration.read(text: text, file: "f")
        #expect(told.captureDevice == "mic")
        #expect(!told.hasEarcons)
        #expect(told.syncCoalesceMilliseconds == 1_500)
        #expect(told.logLevel == .debug)
    }

    @Test func `all mistakes are told together, each with its line`() throws {
        let text = """
            [audio]
            capture_devise = "mic"
            backend = "jack"
            earcons = "yes"
            [turn]
            pre_roll_ms = 99999
            pre_roll_ms = 5
            hangover 700
            [cloud
            [cloud]
            url = "http://gateway"
            """
        let mistakes = #expect(throws: ConfigurationMistakes.self) {
            try ApplianceConfiguration.read(text: text, file: "f")
        }
        let lines = try #require(mistakes).lines
        let wanted = [
            "f:2: unknown key audio.capture_devise; did you mean audio.capture_device?",
            "f:3: audio.backend is \"jack\"; it must be one of alsa, file, null",
            "f:4: audio.earcons must be true or false",
            "f:6: turn.pre_roll_ms is 99999; it must be 0 to 2000",
            "f:7: turn.pre_roll_ms is set twice",
            "f:8: expected 'key = value'",
            "f:9: not a table; write [name]",
            "cloud.url must begin with https://",
        ]
        #expect(Set(lines) == Set(wanted))
    }

    /// A key that nothing reads would be a promise the daemon does not keep.
    @Test(arguments: ConfigurationKey.all.map(\.name))
    func `every key changes the configuration`(name: String) throws {
        let key = try #require(ConfigurationKey.all.first { $0.name == name })
        let parts = name.split(separator: ".")
        let values: [String] =
            switch key.kind {
            case .text: ["\"https://elsewhere\"", "\"/elsewhere\""]
            case .flag: ["true", "false"]
            case .number(_, let range): ["\(range.lowerBound)", "\(range.upperBound)"]
            case .choice(let words, _): words.map { "\"\($0)\"" }
            }
        let read = values.compactMap {
            try? ApplianceConfiguration.read(text: "[\(parts[0])]\n\(parts[1]) = \($0)\n", file: "f")
        }
        #expect(read.contains { $0 != ApplianceConfiguration() })
    }

    @Test func `strings keep their escapes and refuse an open end`() {
        let reader = TOMLReader(text: "a = \"x\\\"y\\\\\"\nb = \"open\nc = \"x\" trailing", file: "f")
        #expect(reader.entries.map(\.value) == [.text("x\"y\\")])
        #expect(reader.mistakes.count == 2)
    }
}
