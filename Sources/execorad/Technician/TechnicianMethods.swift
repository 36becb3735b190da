import Diagnostics
import Ledger

extension CounterDesk {
    /// Everything a technician can ask. What needs a part this box does not have says so in `lacks`.
    static func methods(_ configuration: ApplianceConfiguration) -> [Method] {
        let hasLines = configuration.talkLine >= 0 || configuration.muteLine >= 0
        let noGPIO = hasLines ? nil : "no button line is part of this box's set-up"
        let noUpdates = "no update system (RAUC) is part of this image"
        return [
            Method("status", .view, "one screen: microphone, line, queue, book, top problem"),
            Method("health", .view, "well or not, and the top problem in plain words"),
            Method("metrics", .view, "all counters and gauges in Prometheus text"),

            Method("audio.devices", .view, "the sound cards the kernel knows"),
            Method("audio.params", .view, "real period and buffer, overruns, drift, how often it was opened"),
            Method(
                "audio.meter", .view, form: .stream, "level, peak, floor, clipping, ten times a second; numbers only"),
            Method(
                "audio.tone", .tech, "a short tone from the speaker",
                [.init("earcon", "wake, done, error, late", isRequired: false)]),
            Method("audio.prompt", .tech, "says a fixed sentence"),
            Method(
                "audio.loopback", .tech, form: .job,
                "sweep out, record in: delay, level, against the baseline; no sound is kept"),
            Method("audio.calibrate", .tech, form: .job, "the same, and keeps the result as the baseline"),
            Method(
                "audio.record", .service, form: .file, "what the microphone hears, as WAV, after saying so",
                [.init("seconds", "1 to 10")]),
            Method("wake.watch", .view, form: .stream, "score, cutoff and gate, ten times a second"),
            Method(
                "wake.history", .view, "the last wake-ups with what came of them",
                [.init("count", "1 to 200", isRequired: false)]),
            Method("vad.watch", .tech, form: .stream, "voice score and turn, ten times a second"),
            Method("mute.set", .tech, "close or open the microphone", [.init("on", "flag")]),

            Method(
                "led.test", .tech, "shows each state of the lamp for a second",
                lacks: configuration.ledPath.isEmpty ? "no lamp is set in the configuration (board.led)" : nil),
            Method(
                "button.watch", .tech, form: .stream,
                "each press of a button or switch, debounced by the kernel, with its time", lacks: noGPIO),
            Method("gpio.read", .tech, "each line and how it stands now", lacks: noGPIO),

            Method("turn.last", .view, "the trace of the last turn"),
            Method("turn.trace", .tech, "the traces of the last turns", [.init("count", "1 to 50", isRequired: false)]),
            Method("turn.watch", .view, form: .stream, "each turn's trace and each receipt, as they come"),
            Method("say", .tech, "a transcript, as if it had been heard", [.init("text", "text")]),

            Method(
                "net.check", .view, form: .job,
                "link, route, name, port, round trips, clock, TLS: the first step that fails, named"),
            Method("tls.show", .view, "the box's certificate: subject, days, fingerprint"),
            Method(
                "tls.rotate", .service, "asks the gateway for a new certificate now",
                lacks: configuration.gatewayURL.isEmpty ? "no gateway is set" : nil),
            Method("time.show", .view, "the clock, its quality and its floor"),
            Method("queue.show", .view, "turns waiting in the spool"),
            Method("queue.flush", .tech, "sends what waits now"),
            Method("sync.show", .view, "what the gateway has receipted"),

            Method("ledger.head", .view, "epoch, number and hash of the newest entry"),
            Method("ledger.balances", .tech, "what each customer owes"),
            Method("ledger.verify", .view, "checks the whole book"),
            Method("ledger.doctor", .view, "facts of the book's file"),
            Method("ledger.backup", .tech, "copies the book beside itself and verifies the copy"),
            Method("ledger.rebuild", .tech, "makes all projections anew from the journal; the counter waits"),
            Method(
                "ledger.restore", .tech, "mends a damaged book from a backup and its own tail; the counter waits",
                [.init("from", "text", isRequired: false)]),

            Method("alias.list", .tech, "names learned from a yes"),
            Method(
                "alias.remove", .tech, "takes a learned name back",
                [.init("customer", "number"), .init("alias", "text")]),

            Method("storage.show", .view, "room, writes since boot, wear where the card tells it"),
            Method("update.show", .view, "the two halves of the system and their state", lacks: noUpdates),
            Method("update.check", .tech, "looks for an update", lacks: noUpdates),
            Method("update.rollback", .service, "goes back to the other half", lacks: noUpdates),

            Method(
                "log.tail", .view, form: .stream, "the last lines and each new one",
                [.init("count", "0 to 2000", isRequired: false)]),
            Method(
                "log.level", .tech, "debug, info, notice, warning or error; back after 30 min", [.init("level", "text")]
            ),
            Method("config.get", .view, "every key with its value"),
            Method(
                "config.set", .tech,
                "\(LiveSettings.keys.joined(separator: " or ")) while running; goes back after 60 s unless confirmed",
                [.init("key", "text"), .init("value", "number or text")]),
            Method(
                "config.confirm", .tech, "keeps what config.set changed, until the daemon ends", [.init("key", "text")]),
            Method(
                "selftest.run", .tech, form: .job,
                "looks at everything in order; a report with a number, and a spoken summary"),
            Method(
                "bundle.export", .tech, form: .file,
                "a tar of status, configuration, log, turns and self-test without anything private"),
            Method("daemon.restart", .tech, "ends the daemon so that systemd starts it anew"),
            Method("identity.reset", .service, "forgets certificate and TLS key; the book and its key stay"),
        ] + BookJob.all.map { Method("ledger.\($0.name)", .tech, $0.summary) }
    }
}
