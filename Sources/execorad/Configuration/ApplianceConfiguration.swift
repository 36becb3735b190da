import Glibc

/// Everything the daemon can be told, with defaults. Read once at start; a mistake anywhere refuses the whole.
struct ApplianceConfiguration: Equatable {
    enum AudioBackend: String, CaseIterable { case alsa, file, null }
    /// How the board keeps its own voice out of its ear.
    enum Echo: String, CaseIterable {
        /// The microphone does not hear the loudspeaker (a handset, a speaker in another room).
        case none
        /// Deaf while it speaks. Right for every board; the button alone interrupts.
        case halfDuplex = "half-duplex"
        /// Taken out by software: microphone and loudspeaker on one clock.
        case speex
        /// Taken out by the microphone array itself.
        case hardware
    }
    enum Hangover: String, CaseIterable { case quick, normal, dictation }

    /// Where book, spool and identity live.
    var stateFolder = "/var/lib/execora"
    /// Where the sockets are made.
    var runtimeFolder = "/run/execora"

    var audioBackend = AudioBackend.alsa
    var captureDevice = "default"
    var playbackDevice = "default"
    var captureChannel = 0
    var echo = Echo.halfDuplex
    /// Loudness in thousandths: the cap `execoractl audio calibrate` finds.
    var volumeMilli = 1_000
    /// A soft tone at the wake and at failures.
    var hasEarcons = true
    /// Silence kept after the counter has spoken, until the room is quiet again.
    var playbackTailMilliseconds = 250

    var modelsFolder = "/usr/lib/execora/models"
    var wakeModel = "okay_nabu"
    /// Cutoff in thousandths instead of the manifest's; 0 keeps the manifest's.
    var wakeCutoffMilli = 0
    /// Wakes on two or three sure answers, without waiting for the mean of all.
    var isWakeQuick = true
    /// A second wake model whose word silences the counter; empty without one.
    var stopModel = ""

    var preRollMilliseconds = 500
    var hangover = Hangover.normal
    var noSpeechMilliseconds = 4_000
    var followUpMilliseconds = 6_000

    /// Empty: the device works without a gateway; what is spoken is kept until there is one.
    var gatewayURL = ""
    var connectTimeoutMilliseconds = 1_500
    var replyTimeoutMilliseconds = 20_000
    var keepAliveSeconds = 25

    var syncCoalesceMilliseconds = 15_000
    var syncIntervalSeconds = 300

    var spoolMegabytesMax = 64
    var spoolHoursMax = 72

    var voiceProgram = "espeak-ng"
    var voiceName = "hi"
    var voiceWordsPerMinute = 150

    /// A LED's folder under /sys/class/leds, or empty where there is none (the log says what it would show).
    var ledPath = ""

    /// The chip of the lines below.
    var gpioChip = "/dev/gpiochip0"
    /// Line of the talk button and of the microphone's mute switch; -1 where there is none.
    var talkLine = -1
    var muteLine = -1
    /// Buttons to ground, with a pull-up.
    var linesAreActiveLow = true

    /// Public keys that sign technicians' tokens, one a line in hex; empty where none are.
    var technicianKeysPath = ""

    /// Shows what was said and answered in turn traces on the socket: for the bench, never for a shop.
    var showsTurnText = false
    var logLevel = EventLog.Level.info
    var logFormat = EventLog.Format.text

    /// `wake.model` of a counter that only its button opens.
    static let noModel = "none"

    var bookPath: String { stateFolder + "/book.sqlite" }
    var promptsPath: String { stateFolder + "/prompts.opus" }
    var spoolFolder: String { stateFolder + "/spool" }
    var identityFolder: String { stateFolder + "/identity" }
}

/// One key of the file: what it means, its default and range. `execorad check --keys` prints these.
struct ConfigurationKey {
    enum Kind {
        case text(WritableKeyPath<ApplianceConfiguration, String>)
        case flag(WritableKeyPath<ApplianceConfiguration, Bool>)
        case number(WritableKeyPath<ApplianceConfiguration, Int>, ClosedRange<Int>)
        /// One of several words; nil refuses.
        case choice([String], (inout ApplianceConfiguration, String) -> Bool)
    }

    var name: String
    var kind: Kind
    var meaning: String

    nonisolated(unsafe) static let all: [ConfigurationKey] = [  // immutable; key paths are not marked Sendable
        .init(name: "device.state_dir", kind: .text(\.stateFolder), meaning: "folder of book, spool and identity"),
        .init(name: "device.runtime_dir", kind: .text(\.runtimeFolder), meaning: "folder of the sockets"),
        .init(
            name: "audio.backend",
            kind: .choice(ApplianceConfiguration.AudioBackend.allCases.map(\.rawValue)) { configuration, word in
                ApplianceConfiguration.AudioBackend(rawValue: word).map { configuration.audioBackend = $0 } != nil
            }, meaning: "null runs without a sound card; file hears capture_device, a WAV file, in real time"),
        .init(name: "audio.capture_device", kind: .text(\.captureDevice), meaning: "ALSA name of the microphone"),
        .init(name: "audio.playback_device", kind: .text(\.playbackDevice), meaning: "ALSA name of the speaker"),
        .init(
            name: "audio.capture_channel", kind: .number(\.captureChannel, 0...31),
            meaning: "which channel of the microphone is heard, from 0"),
        .init(
            name: "audio.echo",
            kind: .choice(ApplianceConfiguration.Echo.allCases.map(\.rawValue)) { configuration, word in
                ApplianceConfiguration.Echo(rawValue: word).map { configuration.echo = $0 } != nil
            },
            meaning: "half-duplex: deaf while it speaks; speex: own voice taken out, one clock needed; hardware: the "
                + "array does it; none: it cannot hear itself"),
        .init(
            name: "audio.volume_milli", kind: .number(\.volumeMilli, 10...1_000),
            meaning: "loudness of the voice in thousandths; 'execoractl audio calibrate' finds the highest fit"),
        .init(name: "audio.earcons", kind: .flag(\.hasEarcons), meaning: "soft tones at wake and failure"),
        .init(
            name: "audio.playback_tail_ms", kind: .number(\.playbackTailMilliseconds, 0...2_000),
            meaning: "deaf time after the counter spoke"),
        .init(name: "wake.models_dir", kind: .text(\.modelsFolder), meaning: "folder of wake and voice models"),
        .init(
            name: "wake.model", kind: .text(\.wakeModel),
            meaning: "name of the wake model's manifest; none where only the button opens a turn"),
        .init(
            name: "wake.cutoff_milli", kind: .number(\.wakeCutoffMilli, 0...999),
            meaning: "cutoff in thousandths; 0 keeps the manifest's"),
        .init(
            name: "wake.quick", kind: .flag(\.isWakeQuick),
            meaning: "wakes 30 ms earlier, on two or three sure answers; false: the manifest's rule alone"),
        .init(
            name: "wake.stop_model", kind: .text(\.stopModel),
            meaning: "name of a second model whose word silences the counter; empty: none"),
        .init(
            name: "turn.pre_roll_ms", kind: .number(\.preRollMilliseconds, 0...2_000),
            meaning: "sound kept before the wake word"),
        .init(
            name: "turn.hangover",
            kind: .choice(ApplianceConfiguration.Hangover.allCases.map(\.rawValue)) { configuration, word in
                ApplianceConfiguration.Hangover(rawValue: word).map { configuration.hangover = $0 } != nil
            }, meaning: "silence that ends a turn: 500, 700 or 1200 ms"),
        .init(
            name: "turn.no_speech_ms", kind: .number(\.noSpeechMilliseconds, 1_000...10_000),
            meaning: "silence after the wake that cancels"),
        .init(
            name: "turn.follow_up_ms", kind: .number(\.followUpMilliseconds, 1_000...15_000),
            meaning: "how long a question waits for its answer"),
        .init(name: "cloud.url", kind: .text(\.gatewayURL), meaning: "https address of the gateway's device port"),
        .init(
            name: "cloud.connect_timeout_ms", kind: .number(\.connectTimeoutMilliseconds, 100...30_000),
            meaning: "then the turn is spooled"),
        .init(
            name: "cloud.reply_timeout_ms", kind: .number(\.replyTimeoutMilliseconds, 1_000...120_000),
            meaning: "from the last audio byte to the words"),
        .init(
            name: "cloud.keep_alive_s", kind: .number(\.keepAliveSeconds, 5...300),
            meaning: "a small request keeps the connection warm"),
        .init(
            name: "sync.coalesce_ms", kind: .number(\.syncCoalesceMilliseconds, 0...300_000),
            meaning: "entries made within this go up together"),
        .init(
            name: "sync.interval_s", kind: .number(\.syncIntervalSeconds, 5...3_600),
            meaning: "sync when nothing is new"),
        .init(name: "spool.max_mb", kind: .number(\.spoolMegabytesMax, 1...200), meaning: "oldest goes first beyond"),
        .init(name: "spool.max_hours", kind: .number(\.spoolHoursMax, 1...720), meaning: "older turns are dropped"),
        .init(name: "voice.program", kind: .text(\.voiceProgram), meaning: "espeak-ng, by name or path"),
        .init(name: "voice.name", kind: .text(\.voiceName), meaning: "espeak-ng voice"),
        .init(
            name: "voice.words_per_minute", kind: .number(\.voiceWordsPerMinute, 80...400), meaning: "speed of speech"),
        .init(name: "board.led", kind: .text(\.ledPath), meaning: "folder under /sys/class/leds; empty: log lines"),
        .init(name: "board.gpio_chip", kind: .text(\.gpioChip), meaning: "chip of the two lines below"),
        .init(
            name: "board.talk_line", kind: .number(\.talkLine, -1...1_023),
            meaning: "line of the talk button: hold to talk, or tap; -1: none"),
        .init(
            name: "board.mute_line", kind: .number(\.muteLine, -1...1_023),
            meaning: "line of the microphone's switch; active is muted; -1: none"),
        .init(
            name: "board.lines_active_low", kind: .flag(\.linesAreActiveLow),
            meaning: "buttons to ground with a pull-up"),
        .init(
            name: "diagnostics.technician_keys", kind: .text(\.technicianKeysPath),
            meaning: "file of the public keys that sign technicians' tokens; empty: presence at the box alone"),
        .init(
            name: "diagnostics.turn_text", kind: .flag(\.showsTurnText),
            meaning: "words in turn traces: for the bench, never for a shop"),
        .init(
            name: "diagnostics.log_level",
            kind: .choice(["debug", "info", "notice", "warning", "error"]) { configuration, word in
                EventLog.Level(name: word).map { configuration.logLevel = $0 } != nil
            }, meaning: "least level written"),
        .init(
            name: "diagnostics.log_format",
            kind: .choice(["text", "json"]) { configuration, word in
                EventLog.Format(rawValue: word).map { configuration.logFormat = $0 } != nil
            }, meaning: "text for journald, json for machines"),
    ]
}

/// Every mistake in a configuration, together.
struct ConfigurationMistakes: Error, Equatable {
    var lines: [String]
}

extension ApplianceConfiguration {
    static func read(file path: String) throws(ConfigurationMistakes) -> ApplianceConfiguration {
        guard let bytes = FileBytes.read(path, bytesMax: TOMLReader.fileBytesMax) else {
            throw ConfigurationMistakes(
                lines: [
                    "\(path): cannot be read (\(String(cString: strerror(errno)))); give a readable file with --config"
                ])
        }
        return try read(
            text: String(decoding: bytes, as: UTF8.self), file: path.split(separator: "/").last.map(String.init) ?? path
        )
    }

    static func read(text: String, file: String) throws(ConfigurationMistakes) -> ApplianceConfiguration {
        let reader = TOMLReader(text: text, file: file)
        var mistakes = reader.mistakes
        var configuration = ApplianceConfiguration()
        for entry in reader.entries {
            guard let key = ConfigurationKey.all.first(where: { $0.name == entry.name }) else {
                let near = nearest(to: entry.name).map { "; did you mean \($0)?" } ?? ""
                mistakes.append("\(entry.place): unknown key \(entry.name)\(near)")
                continue
            }
            if let mistake = configuration.set(key, to: entry.value) {
                mistakes.append("\(entry.place): \(entry.name) \(mistake)")
            }
        }
        mistakes += configuration.contradictions
        guard mistakes.isEmpty else { throw ConfigurationMistakes(lines: mistakes) }
        return configuration
    }

    /// - Returns: what is wrong with the value, or nil.
    mutating func set(_ key: ConfigurationKey, to value: ConfigurationEntry.Value) -> String? {
        switch (key.kind, value) {
        case (.text(let path), .text(let text)):
            self[keyPath: path] = text
            return nil
        case (.flag(let path), .flag(let flag)):
            self[keyPath: path] = flag
            return nil
        case (.number(let path, let range), .integer(let number)):
            guard let told = Int(exactly: number), range.contains(told) else {
                return "is \(number); it must be \(range.lowerBound) to \(range.upperBound)"
            }
            self[keyPath: path] = told
            return nil
        case (.choice(let words, let choose), .text(let word)):
            return choose(&self, word) ? nil : "is \"\(word)\"; it must be one of \(words.joined(separator: ", "))"
        case (.text, _), (.choice, _): return "must be a string in double quotes"
        case (.flag, _): return "must be true or false"
        case (.number, _): return "must be a whole number"
        }
    }

    /// What is wrong with values that are fine one by one.
    private var contradictions: [String] {
        var mistakes: [String] = []
        if stateFolder.isEmpty { mistakes.append("device.state_dir is empty") }
        if runtimeFolder.isEmpty { mistakes.append("device.runtime_dir is empty") }
        // `sockaddr_un` holds 107 bytes and a zero.
        if runtimeFolder.utf8.count > 90 {
            mistakes.append("device.runtime_dir is longer than 90 bytes, too long for a socket")
        }
        if wakeModel.isEmpty { mistakes.append("wake.model is empty") }
        if !gatewayURL.isEmpty, !gatewayURL.hasPrefix("https://") {
            mistakes.append("cloud.url must begin with https://")
        }
        if !ledPath.isEmpty, !ledPath.hasPrefix("/") { mistakes.append("board.led must be a full path") }
        if wakeModel == Self.noModel, talkLine < 0 {
            mistakes.append("wake.model is none and board.talk_line is not set; nothing could open a turn")
        }
        if talkLine >= 0 || muteLine >= 0, !gpioChip.hasPrefix("/dev/") {
            mistakes.append("board.gpio_chip must name the lines' chip, /dev/gpiochip0")
        }
        if talkLine >= 0, talkLine == muteLine { mistakes.append("board.talk_line and board.mute_line are one line") }
        if audioBackend == .file, echo == .speex { mistakes.append("audio.echo speex needs a sound card") }
        return mistakes
    }

    /// A known key within two edits of a mistyped one, or with the same last part.
    private static func nearest(to name: String) -> String? {
        let last = name.split(separator: ".").last
        return ConfigurationKey.all.map(\.name).filter {
            editDistance(Array($0.utf8), Array(name.utf8)) <= 2 || $0.split(separator: ".").last == last
        }.min { editDistance(Array($0.utf8), Array(name.utf8)) < editDistance(Array($1.utf8), Array(name.utf8)) }
    }

    private static func editDistance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var row = Array(0...right.count)
        for (index, byte) in left.enumerated() {
            var diagonal = row[0]
            row[0] = index + 1
            for at in right.indices {
                let above = row[at + 1]
                row[at + 1] = min(above + 1, row[at] + 1, diagonal + (byte == right[at] ? 0 : 1))
                diagonal = above
            }
        }
        return row[right.count]
    }
}
