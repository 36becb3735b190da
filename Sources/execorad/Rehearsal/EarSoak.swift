import AudioIO
import Glibc
import JSONText

/// Many turns from a file at full speed, and what memory does meanwhile: what grows with the turns would grow for years.
enum EarSoak {
    static let turnsMax = 10_000_000
    /// Silence behind each hearing of the file: the longest hangover and a bit.
    static let silenceSamples = 16_000
    static let reports = 20

    /// - Returns: 0 when every hearing of the file gave its turn; 1 when one did not, or memory could not be read.
    static func run(_ configuration: ApplianceConfiguration, input: String, turns: Int) -> Int32 {
        let log = EventLog(level: configuration.logLevel, format: configuration.logFormat)
        let rig: EarRig
        let sound: [Int16]
        do {
            sound = try WAVReader.samples(path: input, secondsMax: 60)
            rig = try EarRig(configuration, log: log)
        } catch let fault as House.Fault {
            complain("execorad: \(fault.line)")
            return fault.exitCode
        } catch {
            complain("execorad: \(error)")
            return 2
        }
        let silence = [Int16](repeating: 0, count: silenceSamples)
        rig.hear(silence)
        // The first turns touch everything there is to touch, and fill the history of turns (200); growth is counted from
        // behind them.
        let warmTurns = min(max(turns / 2, 1), 1_000)
        var warm: Int64?
        let began = Moment.monotonicMilliseconds()
        for turn in 1...turns {
            rig.hear(sound)
            rig.hear(silence)
            guard rig.counts.entered == turn else {
                complain(
                    "execorad: hearing \(turn) of the file gave no turn; has it the wake word and words behind it?")
                return 1
            }
            guard turn == warmTurns || turn == turns || turn % max(turns / reports, 1) == 0 else { continue }
            guard let now = proportionalBytes() else { return 1 }
            if warm == nil, turn >= warmTurns { warm = now }
            let line: JSONValue = [
                "turns": .integer(Int64(turn)), "pss_bytes": .integer(now),
                "grown_bytes": .integer(now - (warm ?? now)),
                "ms": .integer(Moment.monotonicMilliseconds() - began),
            ]
            print(line.text)
            fflush(nil)
        }
        return 0
    }

    /// This process's share of memory (PSS), by the kernel's own sum.
    static func proportionalBytes() -> Int64? {
        guard let bytes = FileBytes.read("/proc/self/smaps_rollup", bytesMax: 8_192) else { return nil }
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") where line.hasPrefix("Pss:") {
            return line.split(separator: " ").dropFirst().first.flatMap { Int64($0) }.map { $0 * 1024 }
        }
        return nil
    }
}
