import JSONText

/// Figures over many clips, by language and condition.
struct ClipTally {
    private struct Count {
        var clips = 0
        var exact = 0
        var posted = 0
        var asked = 0
        var wronglyPosted = 0
        var milliseconds: [Int64] = []
    }

    private var counts: [String: Count] = [:]

    /// - Parameter group: "en clean", "hi noise_snr10dB", ...
    mutating func add(_ score: ClipScore, milliseconds: Int64, group: String) {
        var count = counts[group] ?? Count()
        count.clips += 1
        count.exact += score.isExact ? 1 : 0
        count.posted += score.isPosted ? 1 : 0
        count.asked += score.isAsked ? 1 : 0
        count.wronglyPosted += score.isWronglyPosted ? 1 : 0
        count.milliseconds.append(milliseconds)
        counts[group] = count
    }

    var wronglyPosted: Int { counts.values.reduce(0) { $0 + $1.wronglyPosted } }

    /// A line a group, in the form of the bench's rows.
    var rows: [JSONValue] {
        counts.sorted { $0.key < $1.key }.flatMap { group, count -> [JSONValue] in
            let name = "speech." + group.split(separator: " ").joined(separator: ".")
            let share = (Double(count.exact) / Double(count.clips) * 1000).rounded() / 10
            let times = count.milliseconds.sorted()
            return [
                [
                    "bench": .string(name + ".exact"), "value": .decimal(share), "unit": "%",
                    "clips": .integer(Int64(count.clips)), "asked": .integer(Int64(count.asked)),
                    "posted": .integer(Int64(count.posted)),
                ],
                [
                    "bench": .string(name + ".posted_wrongly"), "value": .integer(Int64(count.wronglyPosted)),
                    "unit": "clips",
                ],
                [
                    "bench": .string(name + ".milliseconds_p50"), "value": .integer(times[times.count / 2]),
                    "unit": "ms",
                ],
            ]
        }
    }
}
