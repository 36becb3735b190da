import AudioIO
import Diagnostics
import JSONText
import Synchronization

/// The talk button and the microphone's switch of a board, wired to ear and microphone.
final class Buttons: Sendable {
    private enum Line {
        static let talk = 0
        static let mute = 1

        static func word(_ number: Int) -> String { number == mute ? "mute" : "talk" }
    }

    private let panel: ButtonPanel
    private let lines: [Int: ButtonLine]
    private let watchers: Watchers

    /// Opens the lines the configuration names and watches them.
    /// - Returns: nil where there are none. A line that cannot be had is told, and the rest works.
    static func start(for appliance: Appliance) -> Buttons? {
        let configuration = appliance.house.configuration
        let log = appliance.house.log
        var lines: [Int: ButtonLine] = [:]
        for (number, line) in [(Line.talk, configuration.talkLine), (Line.mute, configuration.muteLine)] where line >= 0
        {
            do throws(AudioError) {
                lines[number] = try ButtonLine.open(
                    chip: configuration.gpioChip, line: line, isActiveLow: configuration.linesAreActiveLow)
            } catch {
                log.error("a button cannot be used", .init("why", .string("\(error)")))
            }
        }
        guard !lines.isEmpty else { return nil }
        // A switch may have been thrown before the daemon was there to see it.
        let isMuted = lines[Line.mute]?.isActive ?? false
        let buttons = Buttons(lines, appliance.house, appliance.microphone)
        if isMuted { appliance.microphone.mute(.hardware) }
        buttons.start()
        return buttons
    }

    init(_ lines: [Int: ButtonLine], _ house: House, _ microphone: Microphone) {
        let talk = Mutex(TalkButton())
        let watchers = Watchers()
        self.lines = lines
        self.watchers = watchers
        panel = ButtonPanel(lines: lines) { number, event in
            watchers.push([
                "line": .string(Line.word(number)), "edge": .string(event.edge == .pressed ? "pressed" : "released"),
                "at_ms": .integer(event.nanoseconds / 1_000_000),
            ])
            if number == Line.mute {
                if event.edge == .pressed { microphone.mute(.hardware) } else { microphone.unmute(.hardware) }
                return
            }
            switch talk.withLock({ $0.take(event) }) {
            case .talk:
                // A closed ear cannot take a turn; the person is told, not left to talk to a wall.
                if microphone.state == .open { house.order(.talk) } else { house.mouth.sound(.error) }
            case .leaveOpen: house.order(.leaveOpen)
            case .finish: house.order(.finish)
            case .finishLong: house.order(.finishLong)
            case nil: break
            }
        } onLost: { [log = house.log] number in
            log.error("a button's line is gone", .init("button", .string(Line.word(number))))
        }
    }

    func start() { panel.start() }
    func stop() { panel.stop() }

    /// Each edge from now on goes to this technician. Any thread.
    func watch(_ subscription: Subscription) { watchers.add(subscription) }

    /// Each line and how it stands now; null where that cannot be asked. Any thread.
    var reading: [JSONValue] {
        lines.keys.sorted().map {
            ["line": .string(Line.word($0)), "active": lines[$0]?.isActive.map { .bool($0) } ?? .null]
        }
    }
}
