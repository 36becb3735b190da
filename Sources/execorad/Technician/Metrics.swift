import AudioIO
import Glibc
import JSONText

/// Counters and gauges in Prometheus' text format 0.0.4, for the socket and for node_exporter's textfile collector.
///
/// Every name and label is in this file and constant: about forty series a box, whatever it hears. No name, amount,
/// phone, transcript or key can get in.
enum Metrics {
    struct Series {
        var name: String
        var kind: String
        var help: String
        var samples: [(labels: String, value: Int64)]
    }

    static let linkStates = ["up", "down", "none"]
    static let micStates: [MicrophoneState] = [.stopped, .opening, .open, .lost, .muted, .ended]

    static func series(of appliance: Appliance, status: JSONValue, diagnostics: JSONValue) -> [Series] {
        let house = appliance.house
        let counters = appliance.microphone.counters
        let state = appliance.microphone.state
        let link = house.line.word
        let linkState = link == "up" || link == "none" ? link : "down"
        func one(_ name: String, _ kind: String, _ help: String, _ value: Int64?) -> Series? {
            value.map { Series(name: "execora_" + name, kind: kind, help: help, samples: [("", $0)]) }
        }
        func u(_ value: UInt64) -> Int64 { Int64(clamping: value) }
        let sync = status["sync"]
        let space = Disk.space(of: house.configuration.stateFolder)
        let rows: [Series?] = [
            one("up_seconds", "gauge", "Since the daemon started.", status["uptime_s"]?.integer),
            Series(
                name: "execora_microphone_state", kind: "gauge", help: "1 for the state the microphone is in.",
                samples: micStates.map { ("{state=\"\(CounterDesk.word($0))\"}", $0 == state ? 1 : 0) }),
            one(
                "microphone_flat", "gauge", "1 while the microphone gives no movement at all.",
                appliance.microphone.isFlat ? 1 : 0),
            one(
                "microphone_level", "gauge", "Root mean square of the last 100 ms, full scale 32767.",
                Int64(appliance.microphone.level.rms)),
            one(
                "microphone_floor", "gauge", "What the room sounds like between words.",
                Int64(appliance.microphone.level.floor)),
            one("captured_samples_total", "counter", "Samples captured, 16 kHz.", u(counters.samples)),
            one("capture_overruns_total", "counter", "Times the card's buffer ran over.", u(counters.overruns)),
            one("capture_opens_total", "counter", "Times the card was opened.", u(counters.opens)),
            one("capture_losses_total", "counter", "Times the card was lost.", u(counters.losses)),
            one("clipped_samples_total", "counter", "Samples at the limit.", u(counters.clippedSamples)),
            one(
                "scored_samples_total", "counter", "Samples the wake model has heard.",
                u(house.ear.scored.load(ordering: .relaxed))),
            one(
                "ear_lost_samples_total", "counter", "Samples the ear was too slow for.",
                u(house.ear.overtakenSamples.load(ordering: .relaxed))),
            Series(
                name: "execora_link_state", kind: "gauge", help: "1 for the state of the line to the gateway.",
                samples: linkStates.map { ("{state=\"\($0)\"}", $0 == linkState ? 1 : 0) }),
            one(
                "spool_turns", "gauge", "Turns waiting in the spool.",
                Int64(house.post.waiting.load(ordering: .relaxed))),
            one(
                "spool_oldest_seconds", "gauge", "How long the oldest of them waits.",
                (house.post.oldestWaitMilliseconds ?? 0) / 1000),
            one("turns_open", "gauge", "Turns being heard or answered.", Int64(house.register.openCount)),
            one("book_entries", "gauge", "Number of the newest entry.", status["book"]?["seq"]?.integer),
            one("sync_pending_entries", "gauge", "Entries the gateway has not receipted.", sync?["pending"]?.integer),
            one(
                "sync_stopped", "gauge", "1 when sync has stopped for good.",
                sync.map { $0["reason"]?.string == nil ? 0 : 1 }),
            one(
                "sync_parked", "gauge", "1 while the gateway refuses an entry.",
                sync.map { $0["parked_seq"]?.integer == nil ? 0 : 1 }),
            one("disk_free_bytes", "gauge", "Free on the book's disk.", space?.freeBytes),
            one("disk_size_bytes", "gauge", "Size of the book's disk.", space?.totalBytes),
            one("disk_read_only", "gauge", "1 when the book's disk is read-only.", space.map { $0.isReadOnly ? 1 : 0 }),
            one(
                "certificate_seconds_left", "gauge", "Until the box's certificate ends.",
                status["certificate_seconds_left"]?.integer),
            one(
                "clock_offset_ms", "gauge", "Own clock minus the gateway's at the newest receipt.",
                house.receiptClock.withLock { $0.map { $0.own - $0.server } }),
            one("technician_calls_total", "counter", "Calls on the sockets.", diagnostics["calls"]?.integer),
            one("technician_refused_total", "counter", "Calls refused.", diagnostics["refused"]?.integer),
            one(
                "technician_dropped_total", "counter", "Clients dropped because they did not read.",
                diagnostics["dropped"]?.integer),
        ]
        return rows.compactMap { $0 }
    }

    static func text(_ all: [Series]) -> String {
        all.map { series in
            "# HELP \(series.name) \(series.help)\n# TYPE \(series.name) \(series.kind)\n"
                + series.samples.map { "\(series.name)\($0.labels) \($0.value)\n" }.joined()
        }.joined()
    }

    /// Writes beside and renames, so that the collector never reads half a file.
    static func write(_ text: String, to path: String) -> Bool {
        let beside = path + ".new"
        let file = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard file >= 0 else { return false }
        let bytes = Array(text.utf8)
        // The unit's umask is for the book; a metrics file is for another user to read.
        fchmod(file, 0o644)
        let isWhole = Glibc.write(file, bytes, bytes.count) == bytes.count
        close(file)
        return isWhole && rename(beside, path) == 0
    }
}
