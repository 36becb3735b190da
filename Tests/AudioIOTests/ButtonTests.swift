import CLinux
import Glibc
import Synchronization
import Testing

@testable import AudioIO

/// A line without a chip: the kernel's events through a pipe, byte for byte what a GPIO line gives.
private final class SimulatedLine {
    let line: ButtonLine
    private var writer: Int32

    init() throws {
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        line = ButtonLine(descriptor: ends[0])
        writer = ends[1]
    }

    deinit { cut() }

    func move(_ edge: ButtonLine.Edge, atMilliseconds time: UInt64) {
        var event = gpio_v2_line_event()
        event.timestamp_ns = time * 1_000_000
        event.id = edge == .pressed ? clinux_gpio_rising() : clinux_gpio_falling()
        _ = write(writer, &event, MemoryLayout<gpio_v2_line_event>.size)
    }

    func cut() {
        if writer >= 0 { close(writer) }
        writer = -1
    }
}

private final class Moves: Sendable {
    let events = Mutex<[String]>([])
    let bell = WakeUp()

    func note(_ text: String) {
        events.withLock { $0.append(text) }
        bell.signal()
    }

    func wait(for count: Int) -> [String] {
        let until = SteadyClock.milliseconds() + 20_000
        while events.withLock({ $0.count }) < count, SteadyClock.milliseconds() < until { bell.wait(milliseconds: 100) }
        return events.withLock { $0 }
    }
}

@Test func `the kernel's event is 48 bytes, as its header says`() {
    #expect(MemoryLayout<gpio_v2_line_event>.size == 48)
}

@Test func `buttons are heard in order, each with the kernel's own time`() throws {
    let (talk, mute) = (try SimulatedLine(), try SimulatedLine())
    let moves = Moves()
    let panel = ButtonPanel(lines: [0: talk.line, 1: mute.line]) { number, event in
        moves.note("\(number) \(event.edge) \(event.nanoseconds / 1_000_000)")
    } onLost: { number in
        moves.note("\(number) lost")
    }
    panel.start()
    talk.move(.pressed, atMilliseconds: 100)
    talk.move(.released, atMilliseconds: 700)
    #expect(moves.wait(for: 2) == ["0 pressed 100", "0 released 700"])
    mute.move(.pressed, atMilliseconds: 900)
    #expect(moves.wait(for: 3).last == "1 pressed 900")
    // A line that goes away is told once; the other works on.
    talk.cut()
    #expect(moves.wait(for: 4).last == "0 lost")
    mute.move(.released, atMilliseconds: 950)
    #expect(moves.wait(for: 5).last == "1 released 950")
    panel.stop()
    #expect(moves.events.withLock { $0.count } == 5)
}

/// Edges of a talk button at milliseconds, and what each means.
struct Presses: Sendable {
    var edges: [(edge: ButtonLine.Edge, at: Int64)]
    var wanted: [TalkButton.Action?]

    static let table: [Presses] = [
        // Held: the release ends the turn.
        Presses(edges: [(.pressed, 0), (.released, 401)], wanted: [.talk, .finish]),
        // Tapped: the words do.
        Presses(edges: [(.pressed, 0), (.released, 400)], wanted: [.talk, .leaveOpen]),
        // Held at the start of the daemon: a release without its press is nothing.
        Presses(edges: [(.released, 5), (.pressed, 10), (.released, 1_000)], wanted: [nil, .talk, .finish]),
        // A press that comes twice (the kernel dropped an edge) opens nothing anew.
        Presses(edges: [(.pressed, 0), (.pressed, 50), (.released, 900)], wanted: [.talk, nil, .finish]),
    ]
}

@Test(arguments: Presses.table)
func `hold to talk and tap to talk are told apart by time`(presses: Presses) {
    var button = TalkButton()
    let got = presses.edges.map { move in
        button.take(ButtonLine.Event(edge: move.edge, nanoseconds: move.at * 1_000_000))
    }
    #expect(got == presses.wanted)
}

@Test func `a chip that is not there, or is none, is told by name`() {
    func refusal(_ chip: String) -> AudioError? {
        do throws(AudioError) {
            _ = try ButtonLine.open(chip: chip, line: 3, isActiveLow: true)
            return nil
        } catch { return error }
    }
    #expect(refusal("/dev/gpiochip-none") == .missing(device: "/dev/gpiochip-none"))
    #expect(refusal("/dev/null") == .badLine(chip: "/dev/null", line: 3, code: ENOTTY))
}
