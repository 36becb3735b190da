import JSONText

/// Pictures of what the technician's streams and tests say: one line an item, 80 columns.
extension Screen {
    /// Decibels below full scale from a linear level, for a bar that moves as one hears.
    private static func loudness(_ level: Int64) -> Int64 {
        var (value, sum) = (max(level, 1), Int64(0))
        while value > 1 {
            value /= 2
            sum += 6
        }
        return sum
    }

    static func meter(_ item: JSONValue) -> String {
        let level = item["rms"]?.integer ?? 0
        let bar = Terminal.bar(loudness(level), of: 90, mark: loudness(item["floor"]?.integer ?? 0))
        var text = "mic [\(bar)] \(level)"
        if item["mic"]?.string != "open" { text += " " + Terminal.coloured(word(item["mic"]), .yellow) }
        if item["flat"]?.bool == true { text += " " + Terminal.coloured("DEAD SILENT", .red) }
        if item["clipped"]?.integer ?? 0 > 0 { text += " " + Terminal.coloured("CLIPS", .red) }
        return text + " snr \(word(item["snr_db"])) dB"
    }

    static func wakeScore(_ item: JSONValue) -> String {
        let (score, cutoff) = (item["score"]?.integer ?? 0, item["cutoff"]?.integer ?? 1000)
        let bar = Terminal.bar(score, of: 1000, mark: cutoff)
        let gate = item["speaking"]?.bool == true ? "speaking" : item["in_turn"]?.bool == true ? "in a turn" : "armed"
        return "wake [\(score >= cutoff ? Terminal.coloured(bar, .green) : bar)] \(score)/\(cutoff) \(gate)"
    }

    static func voiceScore(_ item: JSONValue) -> String {
        let voice = item["voice"]?.integer ?? 0
        return "voice [\(Terminal.bar(voice, of: 1000))] \(voice) \(item["in_turn"]?.bool == true ? "in a turn" : "")"
    }

    static func finding(_ item: JSONValue) -> String {
        let verdict = word(item["verdict"])
        let mark =
            switch verdict {
            case "passed": Terminal.coloured("ok  ", .green)
            case "failed": Terminal.coloured("FAIL", .red)
            default: Terminal.coloured("--  ", .yellow)
            }
        return "\(mark) " + wrapped(word(item["check"]), word(item["words"]))
    }

    /// Broken at spaces where a line would be longer than the screen.
    static func wrapped(_ text: String) -> String {
        var lines = [""]
        for piece in text.split(separator: " ") {
            if lines[lines.count - 1].count + piece.count + 1 > columns { lines.append(" ") }
            lines[lines.count - 1] += (lines[lines.count - 1].isEmpty ? "" : " ") + piece
        }
        return lines.joined(separator: "\n")
    }

    /// A name in a column of 12 and words beside it, broken at spaces, 80 columns with the mark before.
    private static func wrapped(_ name: String, _ words: String) -> String {
        var lines: [String] = []
        var line = name + String(repeating: " ", count: max(1, 12 - name.count))
        let indent = String(repeating: " ", count: 17)
        for piece in plain(words).split(separator: " ") {
            if (lines.isEmpty ? 5 : 0) + line.count + piece.count + 1 > columns {
                lines.append(line)
                line = indent
            }
            line += (line.hasSuffix(" ") ? "" : " ") + piece
        }
        lines.append(line)
        return lines.joined(separator: "\n")
    }

    /// The end of a self-test's report: the rows were printed as they came.
    static func report(_ result: JSONValue) -> (text: String, isOK: Bool) {
        let passed = result["passed"]?.bool == true
        let failed = result["failed"]?.integer ?? 0
        let skipped = result["skipped"]?.integer ?? 0
        var rows = [
            "report \(word(result["report"])), version \(word(result["version"])): "
                + (passed ? Terminal.coloured("passed", .green) : Terminal.coloured("\(failed) failed", .red))
                + (skipped > 0 ? ", \(skipped) could not be asked" : "")
        ]
        if let problem = result["problem"]?.string { rows.append("first: " + plain(problem)) }
        return (rows.joined(separator: "\n"), passed)
    }

    static func outcome(_ result: JSONValue) -> (text: String, isOK: Bool) {
        let passed = result["passed"]?.bool ?? true
        return (list(result).text, passed)
    }

    static func health(_ answer: JSONValue) -> (text: String, isOK: Bool) {
        let isWell = answer["well"]?.bool == true
        return (
            isWell ? Terminal.coloured("well", .green) : Terminal.coloured(plain(word(answer["problem"])), .red), isWell
        )
    }

    static func methods(_ answer: JSONValue) -> (text: String, isOK: Bool) {
        let rows = (answer["methods"]?.array ?? []).map { method in
            row(
                "\(word(method["role"])) \(word(method["name"]))",
                method["lacks"]?.string.map { "not here: \($0)" } ?? word(method["summary"]))
        }
        return (rows.joined(separator: "\n"), true)
    }

    static func cards(_ answer: JSONValue) -> (text: String, isOK: Bool) {
        let cards = answer["cards"]?.array ?? []
        let rows = cards.map {
            row(
                word($0["id"]), "card \(word($0["card"])), captures \(word($0["captures"])), plays \(word($0["plays"]))"
            )
        }
        return (rows.isEmpty ? "no sound card" : rows.joined(separator: "\n"), !rows.isEmpty)
    }

    static func press(_ item: JSONValue) -> String {
        "\(word(item["line"])) \(word(item["edge"])) at \(word(item["at_ms"])) ms"
    }

    static func lines(_ answer: JSONValue) -> (text: String, isOK: Bool) {
        let lines = answer["lines"]?.array ?? []
        let rows = lines.map { row(word($0["line"]), "active \(word($0["active"]))") }
        return (rows.isEmpty ? "no line could be opened; see the log" : rows.joined(separator: "\n"), !rows.isEmpty)
    }

    static func wakes(_ answer: JSONValue) -> (text: String, isOK: Bool) {
        let rows = (answer["wakes"]?.array ?? []).map {
            row(
                "\(word($0["score"]))/\(word($0["cutoff"]))",
                "\(word($0["model"])): \(word($0["intent"])), gate \(word($0["gate"])), entries \(word($0["entries"])), ended by \(word($0["ended_by"]))"
            )
        }
        return (rows.isEmpty ? "nothing woke it since the daemon started" : rows.joined(separator: "\n"), true)
    }

    static func turns(_ answer: JSONValue) -> (text: String, isOK: Bool) {
        let turns = answer["turns"]?.array ?? []
        return (
            turns.isEmpty ? "no turn since the daemon started" : turns.map { turn($0).text }.joined(separator: "\n"),
            true
        )
    }
}
