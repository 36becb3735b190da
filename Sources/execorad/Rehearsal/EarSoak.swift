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
        var warm: (shared: Int64, own: Int64)?
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
            guard let now = memory() else { return 1 }
            if warm == nil, turn >= warmTurns { warm = now }
            let line: JSONValue = [
                "turns": .integer(Int64(turn)), "pss_bytes": .integer(now.shared),
                "grown_bytes": .integer(now.shared - (warm ?? now).shared), "anonymous_bytes": .integer(now.own),
                "anonymous_grown_bytes": .integer(now.own - (warm ?? now).own),
                "ms": .integer(Moment.monotonicMilliseconds() - began),
            ]
            print(line.text)
            fflush(nil)
        }
        return 0
    }

    /// This process's share of memory (PSS) and what it alone has written (anonymous), by the kernel's own sums. The first
    /// also moves when other programs that use the same libraries come and go; the second is its own.
    static func memory() -> (shared: Int64, own: Int64)? {
        guard let bytes = FileBytes.read("/proc/self/smaps_rollup", bytesMax: 8_192) else { return nil }
        var sums: [Substring: Int64] = [:]
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.count == 3, let kilobytes = Int64(words[1]) { sums[words[0]] = kilobytes * 1024 }
        }
        guard let shared = sums["Pss:"], let own = sums["Anonymous:"] else { return nil }
        return (shared, own)
    }
}
