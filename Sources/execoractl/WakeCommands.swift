import AudioIO
import Glibc
import JSONText
import WakeWord

/// `execoractl wake ...`: wake models looked at and listened with, offline, from files.
var wakeCommands: CommandGroup {
    CommandGroup(
        word: "wake",
        summary:
            "features | score | lint | endpoint | calibrate | bench: wake models and turn ends, from WAV files; watch | history: of the daemon",
        run: wake)
}

private func wake(_ arguments: [String]) -> Int32 {
    if let code = technicianCall("wake", arguments) { return code }
    let usage = """
        usage: execoractl wake features FILE.wav
               execoractl wake score --model MODEL.json [--vad VAD.json] [--cutoff 0.9] [--quick] [--raw | --json] FILE.wav ...
               execoractl wake lint MODEL.json ... [--json]
               execoractl wake endpoint --vad VAD.json [--profile normal] [--open-at-ms 0 | --model MODEL.json] [--json] FILE.wav ...
               execoractl wake calibrate --model MODEL.json --positives DIR --negatives DIR [--vad VAD.json] [--json] [--write]
               execoractl wake bench --model MODEL.json [--vad VAD.json] [--opus] [--seconds 60] FILE.wav
        `score` uses the manifest's rule; --quick adds the daemon's (wake.quick).
        `endpoint` opens the turn at a time, or where the wake model hears its word, and says where the turn ends.
        FILE.wav is 16-bit PCM, 16 or 48 kHz, or - for standard input.
        """
    guard let verb = arguments.first, verb != "--help" else {
        print(usage)
        return arguments.isEmpty ? 2 : 0
    }
    do {
        let call = try WakeCall(arguments.dropFirst())
        switch verb {
        case "features": return try wakeFeatures(call)
        case "score": return try wakeScore(call)
        case "lint": return try wakeLint(call)
        case "endpoint": return try wakeEndpoint(call)
        case "calibrate": return try wakeCalibrate(call)
        case "bench": return try wakeBench(call)
        default: throw WakeCallError(description: "no command 'wake \(verb)'\n\(usage)")
        }
    } catch {
        wakeWrite(Array("execoractl: \(error)\n".utf8), to: 2)
        return 2
    }
}

/// A call that cannot be carried out, in words for the caller.
struct WakeCallError: Error, CustomStringConvertible {
    var description: String
}

/// Writes all the bytes to a descriptor; a reader that went away ends the program as usual.
func wakeWrite(_ bytes: [UInt8], to descriptor: Int32) {
    var done = 0
    while done < bytes.count {
        let count = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress! + done, bytes.count - done) }
        if count <= 0 { return }
        done += count
    }
}

/// Options and files of a `wake` call.
struct WakeCall {
    /// An hour; the whole file is held in memory.
    static let secondsMax = 3_600

    private static let valued: Set<String> = [
        "--model", "--vad", "--cutoff", "--profile", "--open-at-ms", "--positives", "--negatives", "--seconds",
    ]
    private static let flags: Set<String> = ["--raw", "--json", "--write", "--opus", "--quick"]

    var files: [String] = []
    private var values: [String: String] = [:]
    private var given: Set<String> = []

    init(_ arguments: ArraySlice<String>) throws {
        var rest = arguments
        while let word = rest.popFirst() {
            if Self.flags.contains(word) {
                given.insert(word)
            } else if Self.valued.contains(word) {
                guard let value = rest.popFirst() else { throw WakeCallError(description: "\(word) needs a value") }
                values[word] = value
            } else if word.hasPrefix("--") {
                throw WakeCallError(description: "no option \(word)")
            } else {
                files.append(word)
            }
        }
    }

    func has(_ flag: String) -> Bool { given.contains(flag) }

    subscript(_ option: String) -> String? { values[option] }

    func needed(_ option: String) throws -> String {
        guard let value = values[option] else { throw WakeCallError(description: "\(option) is needed") }
        return value
    }

    func integer(_ option: String, else normal: Int) throws -> Int {
        guard let text = values[option] else { return normal }
        guard let value = Int(text), value >= 0 else {
            throw WakeCallError(description: "\(option) is a whole number, not \(text)")
        }
        return value
    }

    /// The model under an option, its cutoff overridden by `--cutoff` where that is meant.
    func model(_ option: String) throws -> WakeModel {
        var model = try wakeModel(manifest: needed(option))
        if option == "--model", let text = values["--cutoff"] {
            guard let cutoff = Float(text), cutoff > 0, cutoff <= 1 else {
                throw WakeCallError(description: "--cutoff is above 0 and up to 1, not \(text)")
            }
            model.cutoff = cutoff
        }
        return model
    }

    func neededFiles() throws -> [String] {
        guard !files.isEmpty else { throw WakeCallError(description: "a file is needed") }
        return files
    }

    func samples(_ path: String) throws -> [Int16] {
        try WAVReader.samples(path: path, secondsMax: Self.secondsMax)
    }
}

/// Reads a manifest and the model beside it.
func wakeModel(manifest path: String) throws -> WakeModel {
    let manifest = try wakeBytes(path)
    let name = try WakeModel.fileName(inManifest: manifest)
    let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
    let file = path[(path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex)...]
    let short = file.hasSuffix(".json") ? String(file.dropLast(5)) : String(file)
    do { return try WakeModel(name: short, file: wakeBytes(folder + name), manifest: manifest) } catch let error
        as WakeModelError
    {
        throw WakeCallError(description: "\(path): \(error)")
    }
}

/// At most 1 MiB, the limit of a model file.
func wakeBytes(_ path: String) throws -> [UInt8] {
    guard let file = fopen(path, "rbe") else {
        throw WakeCallError(description: "\(path): \(String(cString: strerror(errno)))")
    }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 1 << 20 + 1)
    let count = fread(&bytes, 1, bytes.count, file)
    guard count < bytes.count else { throw WakeCallError(description: "\(path) is larger than 1 MiB") }
    return Array(bytes[..<count])
}

private func wakeFeatures(_ call: WakeCall) throws -> Int32 {
    let frontend = FeatureFrontend()
    for path in try call.neededFiles() {
        frontend.reset()
        try call.samples(path).withUnsafeBufferPointer { all in
            var at = 0
            var line = [UInt8](repeating: 0, count: 2 * FeatureFrontend.channels)
            while at < all.count {
                let (taken, hasFrame) = frontend.take(UnsafeBufferPointer(rebasing: all[at...]))
                at += taken
                guard hasFrame else { continue }
                for channel in 0..<FeatureFrontend.channels {
                    line[2 * channel] = UInt8(truncatingIfNeeded: frontend.features[channel])
                    line[2 * channel + 1] = UInt8(truncatingIfNeeded: frontend.features[channel] >> 8)
                }
                wakeWrite(line, to: 1)
            }
        }
    }
    return 0
}

private func wakeScore(_ call: WakeCall) throws -> Int32 {
    let model = try call.model("--model")
    let voice = call["--vad"] == nil ? nil : try call.model("--vad")
    for path in try call.neededFiles() {
        let samples = try call.samples(path)
        if call.has("--raw") {
            writeRawAnswers(of: model, to: samples)
            continue
        }
        let wakes = wakes(in: samples, model: model, voice: voice, isQuick: call.has("--quick"))
        if call.has("--json") {
            for wake in wakes {
                let line: JSONValue = [
                    "file": .string(path), "model": .string(wake.model),
                    "end_ms": .integer(Int64(wake.endSample / 16)), "mean_milli": .integer(wake.scoreMilli),
                    "cutoff_milli": .integer(wake.cutoffMilli),
                ]
                print(line.text)
            }
        } else {
            for wake in wakes {
                print(
                    "\(path): \(wake.model) at \(decimal(Int(wake.endSample / 16))) s, mean \(decimal(Int(wake.scoreMilli))) over \(decimal(Int(wake.cutoffMilli)))"
                )
            }
            if wakes.isEmpty { print("\(path): no \(model.name)") }
        }
    }
    return 0
}

/// Thousandths as a decimal.
func decimal(_ milli: Int) -> String {
    let rest = String(milli % 1000)
    return "\(milli / 1000)." + String(repeating: "0", count: 3 - rest.count) + rest
}

private func writeRawAnswers(of model: WakeModel, to samples: [Int16]) {
    let runner = ModelRunner(model)
    let frontend = FeatureFrontend()
    var answers: [UInt8] = []
    samples.withUnsafeBufferPointer { all in
        var at = 0
        while at < all.count {
            let (taken, hasFrame) = frontend.take(UnsafeBufferPointer(rebasing: all[at...]))
            at += taken
            if hasFrame, let answer = runner.take(frontend.features) { answers.append(answer) }
        }
    }
    wakeWrite(answers, to: 1)
}

func wakes(in samples: [Int16], model: WakeModel, voice: WakeModel?, isQuick: Bool = false) -> [WakeListener.Wake] {
    let listener = WakeListener(wake: [model], voice: voice, isQuick: isQuick)
    var wakes: [WakeListener.Wake] = []
    samples.withUnsafeBufferPointer { all in
        for start in stride(from: 0, to: all.count, by: 640) {
            let block = UnsafeBufferPointer(rebasing: all[start..<min(start + 640, all.count)])
            if let wake = listener.take(block, from: UInt64(start)) { wakes.append(wake) }
        }
    }
    return wakes
}

private func wakeLint(_ call: WakeCall) throws -> Int32 {
    var code: Int32 = 0
    for path in try call.neededFiles() {
        let model: WakeModel
        do { model = try wakeModel(manifest: path) } catch {
            code = 1
            if call.has("--json") {
                print((["file": .string(path), "valid": false, "reason": .string("\(error)")] as JSONValue).text)
            } else {
                print("refused: \(error)")
            }
            continue
        }
        let neverFires = model.cutoff >= model.reachableMaximum
        if neverFires { code = 1 }
        let perSecond = model.multiplyAccumulatesPerStep * 100 / model.stride
        if call.has("--json") {
            let line: JSONValue = [
                "file": .string(path), "valid": true, "name": .string(model.name), "phrase": .string(model.phrase),
                "cutoff_milli": .integer(Int64((model.cutoff * 1000).rounded())),
                "window": .integer(Int64(model.window)),
                "stride": .integer(Int64(model.stride)), "operators": .integer(Int64(model.operatorCount)),
                "weight_bytes": .integer(Int64(model.weightBytes)), "arena_bytes": .integer(Int64(model.arenaBytes)),
                "mac_per_second": .integer(Int64(perSecond)),
                "reachable_milli": .integer(Int64((model.reachableMaximum * 1000).rounded())),
                "can_fire": .bool(!neverFires),
            ]
            print(line.text)
        } else {
            print("\(path): \(model.phrase.isEmpty ? "voice activity" : "\"\(model.phrase)\"")")
            print(
                "  answers every \(model.stride * 10) ms; fires when the mean of \(model.window) is over \(decimal(Int((model.cutoff * 1000).rounded())))"
            )
            print(
                "  \(model.operatorCount) operators, weights \(model.weightBytes) bytes, arena \(model.arenaBytes) bytes, \(perSecond / 1000) thousand multiply-adds a second"
            )
            print("  highest it can answer: \(decimal(Int((model.reachableMaximum * 1000).rounded())))")
            if neverFires { print("  its cutoff is above that: it can never fire. Lower the cutoff.") }
        }
    }
    return code
}

private func wakeEndpoint(_ call: WakeCall) throws -> Int32 {
    let voice = call["--vad"] == nil ? nil : try call.model("--vad")
    let name = call["--profile"] ?? EndpointProfile.normal.name
    guard let profile = EndpointProfile.named(name) else {
        throw WakeCallError(description: "profiles are normal, quick, dictation, follow-up; not \(name)")
    }
    let wake = call["--model"] == nil ? nil : try call.model("--model")
    let openAt = try call.integer("--open-at-ms", else: 0) * 16
    for path in try call.neededFiles() {
        let samples = try call.samples(path)
        let listener = WakeListener(wake: wake.map { [$0] } ?? [], voice: voice)
        var endpointer = Endpointer(hasVoiceModel: voice != nil)
        var found: Endpoint?
        var woke: UInt64?
        samples.withUnsafeBufferPointer { all in
            for start in stride(from: 0, to: all.count, by: 320) where found == nil {
                let block = UnsafeBufferPointer(rebasing: all[start..<min(start + 320, all.count)])
                if wake == nil, start <= openAt, openAt < start + 320 { endpointer.open(profile, at: UInt64(openAt)) }
                let heard = listener.take(block, from: UInt64(start))
                if let heard, woke == nil {
                    woke = heard.endSample
                    endpointer.open(profile, at: heard.endSample)
                }
                found = endpointer.take(block, from: UInt64(start), voiceMilli: listener.voiceMilli)
            }
        }
        func milliseconds(_ sample: UInt64?) -> JSONValue { sample.map { .integer(Int64($0 / 16)) } ?? .null }
        if call.has("--json") {
            let line: JSONValue = [
                "file": .string(path), "profile": .string(profile.name),
                "reason": found.map { .string($0.reason.rawValue) } ?? .null,
                "speech_start_ms": milliseconds(found?.speechStart), "speech_end_ms": milliseconds(found?.speechEnd),
                "ended_ms": milliseconds(found?.endSample), "woke_ms": milliseconds(woke),
            ]
            print(line.text)
        } else if let found {
            let span = found.speechStart.flatMap { start in
                found.speechEnd.map { "speech \(decimal(Int(start / 16))) to \(decimal(Int($0 / 16))) s" }
            }
            print(
                "\(path): \(found.reason.rawValue) at \(decimal(Int(found.endSample / 16))) s, \(span ?? "no speech")")
        } else {
            print("\(path): the sound ended before the turn did")
        }
    }
    return 0
}
