import JSONText

/// What people see: at most 80 columns and 24 lines, fit for a serial console.
enum Screen {
    static let columns = 80

    /// Text without control characters: a name in the book must not move a technician's cursor.
    static func plain(_ text: String) -> String {
        String(
            String.UnicodeScalarView(text.unicodeScalars.map { $0.properties.generalCategory == .control ? "?" : $0 }))
    }

    /// A name and what stands beside it, cut to the screen's width.
    static func row(_ name: String, _ text: String) -> String {
        let line = "  " + name + String(repeating: " ", count: max(1, 14 - name.count)) + plain(text)
        return line.count > columns ? String(line.prefix(columns - 3)) + "..." : line
    }

    static func word(_ value: JSONValue?) -> String {
        switch value {
        case nil, .some(.null): "-"
        case .some(.string(let text)): text
        case .some(.bool(let flag)): flag ? "yes" : "no"
        case .some(let other): other.text
        }
    }

    static func list(_ answer: JSONValue) -> (text: String, isOK: Bool) {
        let rows = answer.members?.map { row($0.name, word($0.value)) } ?? [plain(word(answer))]
        return (rows.joined(separator: "\n"), true)
    }

    // MARK: status

    static func status(_ answer: JSONValue) -> (text: String, isOK: Bool) {
        let sync = answer["sync"]
        let book = answer["book"]
        var rows = ["execora \(plain(word(answer["version"])))   up \(duration(answer["uptime_s"]?.integer))"]
        rows.append(row("microphone", microphone(answer)))
        if let wake = answer["wake"] {
            rows.append(
                row(
                    "wake word",
                    "\"\(word(wake["phrase"]))\" (\(word(wake["model"]))), cutoff \(thousandths(wake["cutoff"])), "
                        + "now \(thousandths(wake["score"]))"))
        }
        rows.append(row("gateway", word(answer["link"])))
        rows.append(
            row(
                "turn",
                "\(answer["in_turn"]?.bool == true ? "listening to one" : "none"), "
                    + "speaking \(word(answer["speaking"])), question open \(word(answer["question_open"]))"))
        rows.append(row("spool", "\(word(answer["spool"])) turns wait for the line"))
        rows.append(row("book", "entry \(word(book?["seq"])), hash \(word(book?["hash"]).prefix(16))"))
        rows.append(row("sync", syncLine(sync)))
        if let free = answer["disk_free_milli"]?.integer {
            rows.append(
                row(
                    "box",
                    "disk \(free / 10) % free, clock by \(word(answer["clock"])), certificate "
                        + (answer["certificate_seconds_left"]?.integer.map { "\($0 / 86_400) days" } ?? "none")))
        }
        let problem = problem(answer)
        rows.append(
            problem.map { Terminal.coloured(row("problem", $0), .red) }
                ?? Terminal.coloured(row("problem", "none"), .green))
        return (rows.joined(separator: "\n"), true)
    }

    /// The one thing to look at first, in plain words with what to do; nil when all is well.
    static func problem(_ answer: JSONValue) -> String? {
        switch answer["mic"]?.string {
        case "lost": return "the microphone is gone; check its plug (it is tried again by itself)"
        case "muted": return "the microphone is muted: execoractl unmute, or the switch on the box"
        case "stopped", "ended": return "the microphone is not running; restart execorad"
        default: break
        }
        if answer["flat"]?.bool == true { return "the microphone gives no sound at all; check its cable" }
        if answer["book"] == .null { return "the book cannot be read: execoractl ledger doctor" }
        if let level = answer["disk"]?["level"]?.string, level != "ample" {
            return "the disk is nearly full (\(level)); make space, then it goes on by itself"
        }
        if let held = answer["held"]?.integer, held > 0 {
            return "\(held) entries wait to be confirmed: execoractl ledger held"
        }
        if let reason = answer["sync"]?["reason"]?.string { return "sync has stopped (\(reason)); call support" }
        if let seq = answer["sync"]?["parked_seq"]?.integer {
            return "the gateway refuses entry \(seq); selling goes on; call support"
        }
        if let problem = answer["problem"]?.string { return problem }
        if let link = answer["link"]?.string, link != "up" {
            return "the gateway is not reached (\(link)); entries are kept and sent later"
        }
        return nil
    }

    private static func microphone(_ answer: JSONValue) -> String {
        let muted = answer["mute"]?.array?.compactMap(\.string) ?? []
        var text = word(answer["mic"])
        if !muted.isEmpty { text += " by \(muted.joined(separator: ", "))" }
        if let level = answer["level"] {
            text += ", level \(word(level["rms"])), peak \(word(level["peak"])), floor \(word(level["floor"]))"
        }
        if let overruns = answer["capture"]?["overruns"] { text += ", overruns \(word(overruns))" }
        return text
    }

    private static func syncLine(_ sync: JSONValue?) -> String {
        guard let sync, sync != .null else { return "off: this device is not enrolled" }
        return "\(word(sync["phase"])), receipted \(word(sync["receipted_seq"])), waiting \(word(sync["pending"]))"
            + (sync["failure"]?.string.map { ", last failure: \($0)" } ?? "")
    }

    static func sync(_ answer: JSONValue) -> (text: String, isOK: Bool) {
        guard answer != .null else { return (row("sync", syncLine(nil)), false) }
        let next = answer["next_try_ms"]?.integer.map { "in \(duration(($0 + 999) / 1000))" } ?? "never"
        return (
            [
                row("phase", word(answer["phase"]) + (answer["reason"]?.string.map { " (\($0))" } ?? "")),
                row("newest entry", word(answer["head_seq"])), row("receipted", word(answer["receipted_seq"])),
                row("waiting", word(answer["pending"])), row("parked entry", word(answer["parked_seq"])),
                row("last receipt", word(answer["receipt_no"])), row("last failure", word(answer["failure"])),
                row("next round", next),
            ].joined(separator: "\n"), answer["reason"]?.string == nil
        )
    }

    // MARK: turns

    /// What the counter answered to `say`.
    static func answer(_ answer: JSONValue) -> (text: String, isOK: Bool) {
        var rows = [plain(word(answer["speech"]))]
        rows.append(row("intent", "\(word(answer["intent"])) \(word(answer["code"])), gate \(word(answer["gate"]))"))
        for entry in answer["journal"]?.array ?? [] {
            rows.append(row("journal", "entry \(word(entry["seq"])), hash \(word(entry["hash"]).prefix(16))"))
        }
        return (rows.joined(separator: "\n"), true)
    }

    static func turn(_ answer: JSONValue) -> (text: String, isOK: Bool) {
        guard answer != .null else { return ("no turn since the daemon started", true) }
        var rows = [row("turn", "\(word(answer["turn"])), opened by \(word(answer["opening"]))")]
        if let wake = answer["wake"], wake != .null {
            rows.append(
                row(
                    "wake",
                    "\(word(wake["model"])) \(thousandths(wake["score"])) over \(thousandths(wake["cutoff"]))"))
        }
        rows.append(
            row(
                "speech",
                "\(word(answer["speech_start_ms_after_wake"])) to \(word(answer["speech_end_ms_after_wake"])) ms after "
                    + "the wake, ended by \(word(answer["ended_by"]))"))
        rows.append(
            row(
                "sent",
                "\(word(answer["packets"])) packets, \(word(answer["bytes_sent"])) bytes"
                    + (answer["spooled"]?.bool == true ? ", spooled for later" : "")))
        rows.append(
            row("meaning", "\(word(answer["intent"])) \(word(answer["code"])), gate \(word(answer["gate"]))"))
        for entry in answer["journal"]?.array ?? [] {
            rows.append(row("journal", "entry \(word(entry["seq"])), hash \(word(entry["hash"]).prefix(16))"))
        }
        let times = answer["ms_after_speech"]?.members ?? []
        rows += times.map { row("", "\($0.name): \(word($0.value)) ms after speech") }
        return (rows.joined(separator: "\n"), true)
    }

    /// One event of a stream on one line.
    static func event(_ item: JSONValue) -> String {
        if let through = item["through_seq"] {
            return row("receipt", "no \(word(item["receipt_no"])) through entry \(word(through))")
        }
        guard item["turn"] != nil else { return plain(item.text) }
        let entries = item["journal"]?.array?.count ?? 0
        let sound = item["ms_after_speech"]?["first_sound"]?.integer.map { ", answered in \($0) ms" } ?? ""
        return row(
            "turn",
            "\(word(item["opening"])): \(word(item["intent"])) \(word(item["code"])), entries \(entries)\(sound)")
    }

    // MARK: money and time

    static func balances(_ answer: JSONValue) -> String {
        let rows = (answer["customers"]?.array ?? []).map { customer in
            row(rupees(customer["balance_paise"]?.integer ?? 0), word(customer["name"]))
        }
        return rows.isEmpty ? "no customers" : rows.joined(separator: "\n")
    }

    /// Paise as rupees with Indian grouping: 12345678 is ₹1,23,456.78.
    static func rupees(_ paise: Int64) -> String {
        let whole = String(paise.magnitude / 100)
        let cents = paise.magnitude % 100
        var grouped = String(whole.suffix(3))
        var rest = whole.dropLast(3)
        while !rest.isEmpty {
            grouped = rest.suffix(2) + "," + grouped
            rest = rest.dropLast(2)
        }
        return (paise < 0 ? "-" : "") + "₹" + grouped + "." + (cents < 10 ? "0" : "") + String(cents)
    }

    static func duration(_ seconds: Int64?) -> String {
        guard let seconds else { return "-" }
        if seconds < 120 { return "\(seconds) s" }
        if seconds < 7200 { return "\(seconds / 60) min" }
        return seconds < 172_800 ? "\(seconds / 3600) h" : "\(seconds / 86_400) days"
    }

    private static func thousandths(_ value: JSONValue?) -> String {
        guard let value = value?.integer else { return "-" }
        let fraction = String(value.magnitude % 1000)
        return (value < 0 ? "-" : "") + "\(value.magnitude / 1000)."
            + String(repeating: "0", count: 3 - fraction.count) + fraction
    }
}
