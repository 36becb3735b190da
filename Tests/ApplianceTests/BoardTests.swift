import Glibc
import Testing

@testable import execorad

/// Board files as they are shipped, against machines made of folders.
@Suite struct BoardTests {
    static let folder = #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 } + "/board/boards"
    static let names = ["pi-i2s", "pi5-i2s", "usb-array", "wm8960"]

    /// A machine's /sys and /dev as far as a board needs them.
    private final class Machine {
        let root: String

        init() {
            var random = SystemRandomNumberGenerator()
            root = "/tmp/execora-board-" + String(random.next(), radix: 16)
        }

        deinit { _ = system("rm -rf \(root)") }

        func put(_ path: String, _ text: String = "") {
            let folder = path.split(separator: "/").dropLast().joined(separator: "/")
            precondition(FileBytes.makeFolder("\(root)/\(folder)"))
            precondition(FileBytes.keep(Array(text.utf8), at: "\(root)/\(path)"))
        }

        func card(_ id: String, captures: Bool = true) {
            put("sys/class/sound/card0/id", "vc4hdmi\n")
            put("sys/class/sound/card2/id", id + "\n")
            if captures { put("sys/class/sound/pcmC2D0c") }
            put("sys/class/sound/pcmC2D0p")
        }

        func chip(_ name: String, lines: Int) {
            put("dev/\(name)")
            put("sys/bus/gpio/devices/\(name)/ngpio", "\(lines)\n")
        }
    }

    private func configuration(_ name: String) throws -> ApplianceConfiguration {
        try ApplianceConfiguration.read(file: "\(Self.folder)/\(name)/execora.toml")
    }

    @Test(arguments: names) func `a shipped board reads, and its machine passes`(name: String) throws {
        let board = try BoardProfile.read(name, folder: Self.folder)
        let machine = Machine()
        machine.card(board.cardID)
        if !board.chip.isEmpty { machine.chip(board.chip, lines: 54) }
        if !board.led.isEmpty { machine.put(board.led.dropFirst() + "/brightness", "0") }
        #expect(board.faults(of: try configuration(name), root: machine.root) == [])
    }

    @Test(arguments: names) func `on a machine without the card the check says what to do`(name: String) throws {
        let board = try BoardProfile.read(name, folder: Self.folder)
        let faults = board.faults(of: try configuration(name), root: Machine().root)
        let first = try #require(faults.first)
        #expect(first.contains("no sound card named execora"))
        #expect(first.contains(board.overlay.isEmpty ? "plug" : "dtoverlay=\(board.overlay)"))
    }

    @Test func `a line the chip has not, a card without a microphone and a foreign device are each named`() throws {
        let board = try BoardProfile.read("pi-i2s", folder: Self.folder)
        let machine = Machine()
        machine.card(board.cardID, captures: false)
        machine.chip(board.chip, lines: 20)
        var configuration = try configuration("pi-i2s")
        configuration.captureDevice = "default"
        configuration.talkLine = -1
        configuration.gpioChip = "/dev/gpiochip4"
        configuration.echo = .hardware
        let faults = board.faults(of: configuration, root: machine.root)
        for part in [
            "no microphone side", "lines.mute is 27", "no lamp at", "audio.capture_device is \"default\"",
            "board.talk_line is -1; this board's is 17", "board.gpio_chip is \"/dev/gpiochip4\"",
            "audio.echo is hardware",
        ] {
            #expect(faults.contains { $0.contains(part) }, "\(part): \(faults)")
        }
    }

    @Test(arguments: [
        ("[card]\nid = \"x\"\ncapture = \"hw:0\"\nplayback = \"hw:CARD=x\"", "a number changes"),
        ("[board]\nnmae = \"b\"", "is no key of a board"), ("[card]\nchannels = 0", "whole number from 1"),
        ("[lines]\nbutton = 3", "lines.chip is missing"), ("[echo]\nprofile = \"magic\"", "half-duplex"),
    ]) func `a mistake in a board file is named`(text: String, part: String) {
        do {
            _ = try BoardProfile.read(text: text, name: "b")
            Issue.record("accepted")
        } catch { #expect(error.lines.contains { $0.contains(part) }, "\(error.lines)") }
    }

    @Test func `a board's name cannot climb out of its folder`() {
        #expect(throws: ConfigurationMistakes.self) { try BoardProfile.read("../etc", folder: Self.folder) }
    }
}
