import ArgumentParser
import Conversation
import JSONText
import Ledger
import OpusCoding
import Seals

struct FalseWakesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "false-wakes",
        abstract: "Measure on a running gateway how soon a false wake is told.",
        discussion: """
            Enrols a made-up counter that takes hiss for its wake word, again and again: it sends the beginning of a \
            turn, up to the sound that the verdict needs, and waits, its turn still open. The gateway must verify wakes \
            (configuration key wake). Prints one JSON line; exit code 1 when one is not refused.
            """)

    @OptionGroup
    var gateway: ServingOptions

    @Option(help: "Turns, one after another.")
    var turns = 50

    @Option(help: "The wake model that the counter names.")
    var model = "okay_nabu"

    func run() async throws {
        try await ending {
            let (folder, fleet) = try await gateway.fleet.open()
            let code = try await fleet.newCode(
                shop: "false wakes", life: .seconds(600), nowMilliseconds: SystemClock.milliseconds()
            ).code
            let counter = try await VirtualCounter.enrolled(
                code: code.description, trustPEM: folder.text(folder.rootCertificate, secret: false),
                host: "localhost", enrolPort: gateway.enrolPort, devicePort: gateway.devicePort)
            let (clock, length) = (ContinuousClock(), Self.endSamples + WakeVerifier.afterEndSamples)
            var random = SplitMix(state: 1)
            var (times, told): ([Duration], Int64) = ([], 0)
            for turn in 0..<max(1, turns) {
                var encoder = try OpusSpeechEncoder.open()
                let hello = TurnHello(
                    turn: ULID(high: 0x0193_0000_0000_0000, low: UInt64(turn)),
                    wake: .init(
                        model: model, scoreMilli: 900, cutoffMilli: 850, startSampleIndex: 0,
                        endSampleIndex: UInt64(Self.endSamples)),
                    firstSampleIndex: 0, isLate: false, spokenAt: WallTime(milliseconds: SystemClock.milliseconds()),
                    vocabulary: [], language: "hi-en")
                var body = TurnFraming.head(hello)
                for (index, start) in stride(from: 0, to: length, by: TurnHello.frameSamples).enumerated() {
                    let hiss = (0..<TurnHello.frameSamples).map { _ in Int16(random.next() % 6000) - 3000 }
                    body += TurnFraming.bytes(
                        of: .init(seq: UInt32(index), sampleOffset: UInt32(start), packet: try encoder.encode(hiss)))
                }
                let line = try await counter.open()
                let sent = clock.now
                let answer = try await line.post(
                    "/v1/turns", body, contentType: TurnRoute.contentType, bytesToCome: 10_000)
                times.append(clock.now - sent)
                if (try? JSONValue(parsing: answer.body))?["error"]?["code"]?.string == "not_awake" { told += 1 }
                await line.end()
            }
            try await counter.end()
            times.sort()
            let result: JSONValue = [
                "bench": "turn.wake_verdict", "value": .integer(times[times.count / 2].milliseconds), "unit": "ms",
                "p99_ms": .integer(times[min(times.count - 1, times.count * 99 / 100)].milliseconds),
                "turns": .integer(Int64(times.count)), "refused": .integer(told),
            ]
            print(result.text)
            guard told == Int64(times.count) else { throw ExitCode(1) }
        }
    }

    /// Where the counter says that the word ended: after a second and a half, pre-roll and word together.
    private static let endSamples = 24_000
}
