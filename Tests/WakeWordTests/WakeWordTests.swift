import Glibc
import JSONText
import Testing

@testable import WakeWord

/// Files for tests. Models are third-party and come at set-up (`board/models/fetch-wake-models`).
enum Given {
    static let fixtures = #filePath.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 } + "/Fixtures"

    static var models: String {
        if let told = getenv("EXECORA_MODELS") { return String(cString: told) }
        let cache =
            getenv("EXECORA_CACHE").map { String(cString: $0) } ?? String(cString: getenv("HOME")) + "/.cache/execora"
        return cache + "/models"
    }

    static func bytes(_ path: String) throws -> [UInt8] {
        let file = fopen(path, "rb")
        guard let file else {
            Issue.record("\(path) is missing; models come from board/models/fetch-wake-models")
            throw WakeModelError.notAModel
        }
        defer { fclose(file) }
        var all: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while case let count = fread(&chunk, 1, chunk.count, file), count > 0 { all += chunk[..<count] }
        return all
    }

    static func samples(_ clip: String) throws -> [Int16] {
        let bytes = try bytes("\(fixtures)/\(clip).wav")
        return stride(from: 44, to: bytes.count - 1, by: 2).map {
            Int16(truncatingIfNeeded: Int(bytes[$0]) | Int(bytes[$0 + 1]) << 8)
        }
    }

    static func model(_ name: String) throws -> WakeModel {
        let manifest = try bytes("\(models)/\(name).json")
        let file = try bytes("\(models)/" + WakeModel.fileName(inManifest: manifest))
        return try WakeModel(name: name, file: file, manifest: manifest)
    }

    static let clips = ["kw_clean", "kw_pink", "kw_clipped", "hindi_shop", "edge"]
}

/// Every feature of every clip, degenerate input included, equals the reference's.
@Test(arguments: Given.clips)
func `features equal the reference to the bit`(clip: String) throws {
    let samples = try Given.samples(clip)
    let wanted = try Given.bytes("\(Given.fixtures)/\(clip).feat.u16")
    let frontend = FeatureFrontend()
    var got: [UInt8] = []
    samples.withUnsafeBufferPointer { all in
        var at = 0
        while at < all.count {
            let (taken, hasFrame) = frontend.take(UnsafeBufferPointer(rebasing: all[at...]))
            at += taken
            guard hasFrame else { continue }
            for channel in 0..<40 {
                got.append(UInt8(truncatingIfNeeded: frontend.features[channel]))
                got.append(UInt8(truncatingIfNeeded: frontend.features[channel] >> 8))
            }
        }
    }
    #expect(got == wanted)
}

/// Every answer of every model equals the TFLite-Micro reference kernels'.
@Test(arguments: ["alexa", "hey_jarvis", "hey_mycroft", "okay_nabu", "vad"], Given.clips)
func `model bytes equal the reference to the bit`(name: String, clip: String) throws {
    let samples = try Given.samples(clip)
    let reference = name == "okay_nabu" ? "okay_nabu_ml" : name
    let wanted = try Given.bytes("\(Given.fixtures)/\(clip).\(reference).u8")
    let runner = ModelRunner(try Given.model(name))
    let frontend = FeatureFrontend()
    var got: [UInt8] = []
    samples.withUnsafeBufferPointer { all in
        var at = 0
        while at < all.count {
            let (taken, hasFrame) = frontend.take(UnsafeBufferPointer(rebasing: all[at...]))
            at += taken
            if hasFrame, let answer = runner.take(frontend.features) { got.append(answer) }
        }
    }
    #expect(got == wanted)
}
