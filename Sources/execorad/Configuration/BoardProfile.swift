import Glibc

/// What a board is: its card, its lines, its echo and its loudest prompt. One folder a board under
/// /usr/lib/execora/boards; `execorad check --board NAME` compares it with the machine.
struct BoardProfile: Equatable {
    static let standardFolder = "/usr/lib/execora/boards"
    /// How the box's own voice is kept out of its ear.
    enum Echo: String, CaseIterable {
        /// The card takes it out.
        case dsp
        /// The ear is closed while the box speaks.
        case halfDuplex = "half-duplex"
    }

    var name = ""
    /// Device-tree overlay; empty where the card needs none.
    var overlay = ""
    var cardID = ""
    var capture = ""
    var playback = ""
    var channels = 1
    var channel = 0
    /// Name under /dev; empty where the board has no lines.
    var chip = ""
    /// Offsets on the chip; -1 for none.
    var button = -1
    var mute = -1
    var led = ""
    var echo = Echo.halfDuplex
    var capPercent = 100

    static func read(_ name: String, folder: String = standardFolder) throws(ConfigurationMistakes) -> BoardProfile {
        let isPlain =
            !name.isEmpty
            && name.utf8.allSatisfy { byte in
                byte == UInt8(ascii: "-") || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            }
        guard isPlain else { throw ConfigurationMistakes(lines: ["'\(name)' is no board's name"]) }
        let path = "\(folder)/\(name)/board.toml"
        guard let bytes = FileBytes.read(path, bytesMax: TOMLReader.fileBytesMax) else {
            throw ConfigurationMistakes(lines: ["\(path) cannot be read (\(String(cString: strerror(errno))))"])
        }
        return try read(text: String(decoding: bytes, as: UTF8.self), name: name)
    }

    static func read(text: String, name: String) throws(ConfigurationMistakes) -> BoardProfile {
        let reader = TOMLReader(text: text, file: "board.toml")
        var mistakes = reader.mistakes
        var board = BoardProfile()
        for entry in reader.entries {
            if let mistake = board.set(entry.name, entry.value) {
                mistakes.append("\(entry.place): \(entry.name) \(mistake)")
            }
        }
        if board.name != name { mistakes.append("board.name is \"\(board.name)\" in the folder \(name)") }
        if board.cardID.isEmpty { mistakes.append("card.id is missing") }
        if board.channel >= board.channels {
            mistakes.append("card.channel is \(board.channel) of \(board.channels) channels")
        }
        for device in [board.capture, board.playback] where device != "execora_out" {
            // "plughw:CARD=execora,DEV=0": searched by its parts, not as text, which would cost a regex engine (1 MB).
            let parts = device.split { $0 == ":" || $0 == "," }
            guard !parts.contains("CARD=\(board.cardID)") else { continue }
            mistakes.append("\"\(device)\" does not name the card by its id; a number changes from start to start")
        }
        if board.chip.isEmpty, board.button >= 0 || board.mute >= 0 { mistakes.append("lines.chip is missing") }
        if board.button >= 0, board.button == board.mute { mistakes.append("button and mute are the same line") }
        guard mistakes.isEmpty else { throw ConfigurationMistakes(lines: mistakes) }
        return board
    }

    private mutating func set(_ name: String, _ value: ConfigurationEntry.Value) -> String? {
        func text(_ path: WritableKeyPath<BoardProfile, String>) -> String? {
            guard case .text(let text) = value else { return "must be a string in double quotes" }
            self[keyPath: path] = text
            return nil
        }
        func number(_ path: WritableKeyPath<BoardProfile, Int>, _ range: ClosedRange<Int>) -> String? {
            guard case .integer(let number) = value, let told = Int(exactly: number), range.contains(told) else {
                return "must be a whole number from \(range.lowerBound) to \(range.upperBound)"
            }
            self[keyPath: path] = told
            return nil
        }
        switch name {
        case "board.name": return text(\.name)
        case "board.overlay": return text(\.overlay)
        case "card.id": return text(\.cardID)
        case "card.capture": return text(\.capture)
        case "card.playback": return text(\.playback)
        case "card.channels": return number(\.channels, 1...8)
        case "card.channel": return number(\.channel, 0...7)
        case "lines.chip": return text(\.chip)
        case "lines.button": return number(\.button, -1...63)
        case "lines.mute": return number(\.mute, -1...63)
        case "lines.led": return text(\.led)
        case "volume.cap_percent": return number(\.capPercent, 10...100)
        case "echo.profile":
            guard case .text(let word) = value, let echo = Echo(rawValue: word) else {
                return "must be one of \(Echo.allCases.map(\.rawValue).joined(separator: ", "))"
            }
            self.echo = echo
            return nil
        default: return "is no key of a board"
        }
    }

    /// What this machine lacks for the board, each with what to do.
    ///
    /// - Parameter root: "" on a box; a folder that stands for it in tests.
    func faults(of configuration: ApplianceConfiguration, root: String = "") -> [String] {
        var faults: [String] = []
        let cards = (0..<32).filter { Self.line("\(root)/sys/class/sound/card\($0)/id") == cardID }
        if let card = cards.first {
            let has = { (kind: String) in
                (0..<8).contains { (device: Int) in
                    access("\(root)/sys/class/sound/pcmC\(card)D\(device)\(kind)", F_OK) == 0
                }
            }
            if !has("c") { faults.append("the card \(cardID) has no microphone side") }
            if !has("p") { faults.append("the card \(cardID) has no speaker side") }
        } else {
            faults.append(
                "there is no sound card named \(cardID)"
                    + (overlay.isEmpty
                        ? "; check its plug, and that the udev rule 70-execora is installed"
                        : "; put dtoverlay=\(overlay) into /boot/firmware/config.txt and start anew"))
        }
        if button >= 0 || mute >= 0, access("\(root)/dev/\(chip)", R_OK | W_OK) != 0 {
            faults.append(
                "/dev/\(chip) cannot be used (\(String(cString: strerror(errno)))); check lines.chip and the udev rule")
        } else if !chip.isEmpty,
            let lines = Self.line("\(root)/sys/bus/gpio/devices/\(chip)/ngpio").flatMap({ Int($0) })
        {
            for (name, line) in [("button", button), ("mute", mute)] where line >= lines {
                faults.append("lines.\(name) is \(line) and \(chip) has \(lines) lines")
            }
        }
        if !led.isEmpty, access(root + led + "/brightness", F_OK) != 0 { faults.append("there is no lamp at \(led)") }
        if configuration.captureDevice != capture {
            faults.append("audio.capture_device is \"\(configuration.captureDevice)\"; this board's is \"\(capture)\"")
        }
        if configuration.playbackDevice != playback {
            faults.append(
                "audio.playback_device is \"\(configuration.playbackDevice)\"; this board's is \"\(playback)\"")
        }
        for (key, told, own) in [
            ("board.talk_line", configuration.talkLine, button), ("board.mute_line", configuration.muteLine, mute),
        ] where told != own {
            faults.append("\(key) is \(told); this board's is \(own)")
        }
        if button >= 0 || mute >= 0, configuration.gpioChip != "/dev/\(chip)" {
            faults.append("board.gpio_chip is \"\(configuration.gpioChip)\"; this board's is \"/dev/\(chip)\"")
        }
        // The other way round is only careful.
        if echo == .halfDuplex, configuration.echo == .hardware {
            faults.append("audio.echo is hardware, and this board does not take its own voice out")
        }
        return faults
    }

    private static func line(_ path: String) -> String? {
        FileBytes.read(path, bytesMax: 256).map { String(decoding: $0.prefix { $0 != 0x0A }, as: UTF8.self) }
    }
}
