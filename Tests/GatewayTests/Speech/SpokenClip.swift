import Glibc
import Ledger
import Testing

@testable import execora_gateway

/// Speech for tests, made by flite on the spot (Debian package `flite`), and where the real model is.
enum SpokenClip {
    static let vocabulary = [
        "Rahul Sharma", "Priya Patel", "Suresh Kumar", "Milk", "दूध", "Bread", "ब्रेड", "Eggs", "Rice",
    ]

    static func of(
        _ samples: [Int16], language: String = "hi-en", wakePhrase: String? = nil, oggOpus: [UInt8] = []
    ) -> SpeechClip {
        SpeechClip(
            samples: samples, oggOpus: oggOpus, language: language, vocabulary: vocabulary,
            turn: ULID(high: 0x0198_0000_0000_0000, low: 7), wakePhrase: wakePhrase)
    }

    /// 16 kHz mono samples of a sentence in one of flite's voices (slt and rms speak at 16 kHz).
    static func say(_ text: String, voice: String = "slt") throws -> [Int16] {
        let path = "\(folder)/\(voice)-\(text.utf8.reduce(5381) { ($0 &* 33) ^ UInt64($1) }).wav"
        try run(["flite", "-voice", voice, "-t", text, "-o", path])
        defer { unlink(path) }
        let bytes = try contents(path)
        // flite writes the plain 44-byte header.
        return stride(from: 44, to: bytes.count - 1, by: 2).map {
            Int16(truncatingIfNeeded: Int(bytes[$0]) | Int(bytes[$0 + 1]) << 8)
        }
    }

    /// A fixed pseudo-random hiss.
    static func hiss(peak: Int, seconds: Double) -> [Int16] {
        var state: UInt64 = 1
        return (0..<Int(seconds * 16_000)).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int16(Int(state >> 33) % (2 * peak + 1) - peak)
        }
    }

    static let folder: String = {
        var template = Array("/tmp/execora-speech-tests-XXXXXX".utf8CString)
        return String(cString: mkdtemp(&template))
    }()

    static func contents(_ path: String) throws -> [UInt8] {
        let file = try #require(fopen(path, "rb"), "\(path) cannot be read")
        defer { fclose(file) }
        var all: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while case let count = fread(&chunk, 1, chunk.count, file), count > 0 { all += chunk[..<count] }
        return all
    }

    static func run(_ arguments: [String]) throws {
        var pid: pid_t = 0
        var argv: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        defer { for argument in argv { free(argument) } }
        let code = posix_spawnp(&pid, arguments[0], nil, nil, &argv, environ)
        try #require(code == 0, "\(arguments[0]) does not start; board/setup installs it")
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
        try #require(status == 0, "\(arguments[0]) failed")
    }

    /// Where board/models/fetch-whisper puts the model and the Python environment.
    static let embedded: SpeechConfiguration.Embedded = {
        func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
        let cache = variable("EXECORA_CACHE") ?? "\(variable("HOME") ?? "/root")/.cache/execora"
        return .init(
            python: "\(cache)/venv/bin/python", model: "\(variable("EXECORA_MODELS") ?? cache + "/models")/whisper-base"
        )
    }()
}
