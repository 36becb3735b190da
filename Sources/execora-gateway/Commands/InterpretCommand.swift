import ArgumentParser
import Conversation
import Glibc
import JSONText
import Logging
import ServiceLifecycle

struct InterpretCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "interpret",
        abstract: "Hear recordings as a turn is heard, and say what the counter would do.",
        discussion: """
            Each file (FLAC, WAV, Ogg Opus) goes through the codec, speech recognition, the language model where one is \
            configured, and the device's own grammar, decoder and vote on a fresh book of the world; nothing is kept. \
            With --manifest, the clips named there are scored by intent and slots, and figures are printed by language \
            and condition; the exit code is 1 when money or stock was posted other than it should without a question.
            """)

    @Option(help: "The shop the clips are said in: world.json, as of `execoractl replay`.")
    var world: String

    @Option(
        help: "A gateway configuration whose stt and llm parts are used; default: Whisper as board/setup installs it.")
    var config: String?

    @Option(help: "Score the clips of this manifest.jsonl (paths are beside it) instead of FILES.")
    var manifest: String?

    @Flag(help: "Print a line of JSON for each file.")
    var json = false

    @Option(help: "Hear every n-th clip of the manifest alone.")
    var every = 1

    @Argument(help: "Recordings.")
    var files: [String] = []

    func run() async throws {
        try await ending {
            guard (manifest == nil) != files.isEmpty, every > 0 else {
                throw GatewayError.configuration(["give either --manifest or recordings"])
            }
            let world = try JSONValue(parsing: AudioFile.contents(world))
            let logger = GatewayLog.logger(level: .warning)
            let (stt, llm) = try providers()
            let meter = ProviderMeter(
                prices: .init(
                    microsPerAudioMinute: stt.prices, microsPerThousandTokens: llm?.microsPerThousandTokens ?? 0))
            let speech = try SpeechProviders.make(from: stt, meter: meter, logger: logger)
            let reader = try ClipReader(
                world: world, speech: speech,
                opinion: try llm.map { try ChatOpinion($0, meter: meter, logger: logger) })
            try await Self.beside(speech, logger) {
                if let manifest {
                    try await score(manifest, reader, meter, world)
                } else {
                    for (number, file) in files.enumerated() {
                        let reading = try await reader.read(AudioFile.samples(path: file), number: UInt64(number))
                        tell(file, reading, meter)
                    }
                }
            }
        }
    }

    private func providers() throws -> (SpeechConfiguration, OpinionConfiguration?) {
        if let config {
            let told = try GatewayConfiguration.read(path: config)
            let problems = told.speechProblems()
            guard problems.isEmpty else { throw GatewayError.configuration(problems) }
            return (told.speech, told.opinion)
        }
        func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
        let cache = variable("EXECORA_CACHE") ?? (variable("HOME") ?? "/root") + "/.cache/execora"
        var stt = SpeechConfiguration()
        stt.embedded = .init(
            python: cache + "/venv/bin/python",
            model: (variable("EXECORA_MODELS") ?? cache + "/models") + "/whisper-base")
        return (stt, nil)
    }

    /// Runs what the provider needs while `body` uses it.
    private static func beside(
        _ speech: any SpeechToText, _ logger: Logger, _ body: () async throws -> Void
    ) async throws {
        let group = ServiceGroup(configuration: .init(services: [speech], logger: logger))
        let serving = Task { try await group.run() }
        defer { serving.cancel() }
        // A model that loads takes seconds; a refusal is told by the first clip.
        for _ in 0..<900 where !(await speech.isReady) { try await Task.sleep(for: .milliseconds(100)) }
        try await body()
        await group.triggerGracefulShutdown()
        try await serving.value
    }

    private func score(_ path: String, _ reader: ClipReader, _ meter: ProviderMeter, _ world: JSONValue) async throws {
        let folder = path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
        let lines = String(decoding: try AudioFile.contents(path), as: UTF8.self).split(separator: "\n")
        var tally = ClipTally()
        for (number, line) in lines.enumerated() where number % every == 0 {
            let meant = try JSONValue(parsing: String(line))
            guard let file = meant["file"]?.string else { continue }
            let place = folder.isEmpty ? file : folder + "/" + file
            let reading = try await reader.read(AudioFile.samples(path: place), number: UInt64(number))
            let score = ClipScore(
                meant, step: reading.step, state: reading.state, before: reading.before, world: world)
            tally.add(
                score, milliseconds: reading.reply.milliseconds,
                group: "\(meant["lang"]?.string ?? "") \(meant["condition"]?.string ?? "")")
            if json { tell(file, reading, meter, meant, score) }
        }
        for row in tally.rows { print(row.text) }
        fflush(nil)
        if tally.wronglyPosted > 0 { throw ExitCode(1) }
    }

    private func tell(
        _ file: String, _ reading: ClipReader.Reading, _ meter: ProviderMeter, _ meant: JSONValue? = nil,
        _ score: ClipScore? = nil
    ) {
        if json {
            var members: [JSONValue.Member] = [
                .init("file", .string(file)), .init("heard", reading.reply.json), .init("answer", reading.step),
                .init("asked", .bool(reading.step["code"]?.string == "CONFIRMATION_NEEDED")),
                .init("posted", .bool(reading.state["balancesPaise"] != reading.before["balancesPaise"])),
                .init("tokens", .integer(reading.tokens)),
            ]
            if let score, let meant {
                members += [
                    .init("meant", meant["text"] ?? .null), .init("exact", .bool(score.isExact)),
                    .init("differs", .array(score.differences.map { .string($0) })),
                    .init("posted_wrongly", .bool(score.isWronglyPosted)),
                ]
            }
            print(JSONValue.object(members).text)
        } else {
            print("\(file)  (\(reading.reply.milliseconds) ms)")
            for one in reading.reply.transcripts {
                print("  \(one.engine)/\(one.language) \(one.confidenceMilli): \(one.text)")
            }
            for one in reading.reply.opinions { print("  \(one.engine): \(one.json.text)") }
            print("  -> \(reading.step["intent"]?.string ?? "-") \((reading.step["slots"] ?? .null).text)")
            print("     \(reading.step["code"]?.string ?? "-"): \(reading.step["speech"]?.string ?? "")")
        }
        fflush(nil)
    }
}
