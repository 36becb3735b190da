import AudioIO
import CLinux
import Diagnostics
import Glibc
import JSONText
import Synchronization
import Testing

@testable import execorad

/// The board's switch and button against a whole house with a silent microphone; the lines are pipes that carry the
/// kernel's own events.
@Suite(.serialized)
struct ButtonsTests {
    private final class Board {
        let folder: String
        let house: House
        let microphone: Microphone
        private var writers: [Int32] = []
        private(set) var buttons: Buttons!

        init() throws {
            var template = Array("/tmp/execora-board-XXXXXX".utf8CString)
            try #require(mkdtemp(&template) != nil)
            folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
            var configuration = ApplianceConfiguration()
            let cache =
                getenv("EXECORA_CACHE").map { String(cString: $0) } ?? String(cString: getenv("HOME"))
                + "/.cache/execora"
            configuration.modelsFolder = getenv("EXECORA_MODELS").map { String(cString: $0) } ?? cache + "/models"
            configuration.stateFolder = folder + "/state"
            configuration.runtimeFolder = folder + "/run"
            configuration.audioBackend = .null
            configuration.hasEarcons = false
            house = try House(configuration, log: EventLog(level: .error, format: .text), output: .null)
            var hearing = MicrophoneConfiguration(backend: .null)
            hearing.priority = 0
            let house = house
            microphone = Microphone(configuration: hearing, ring: house.ring) { event in
                if case .muted = event { house.forgetSound() }
            }
            var lines: [Int: ButtonLine] = [:]
            for number in 0..<2 {
                var ends: [Int32] = [-1, -1]
                try #require(pipe(&ends) == 0)
                lines[number] = ButtonLine(descriptor: ends[0])
                writers.append(ends[1])
            }
            buttons = Buttons(lines, house, microphone)
            house.start()
            microphone.start()
            buttons?.start()
        }

        func close() {
            buttons?.stop()
            microphone.stop()
            house.stop()
            for end in writers { Glibc.close(end) }
            _ = system("rm -rf '\(folder)'")
        }

        func move(_ line: Int, _ edge: ButtonLine.Edge, atMilliseconds time: UInt64) {
            var event = gpio_v2_line_event()
            event.timestamp_ns = time * 1_000_000
            event.id = edge == .pressed ? clinux_gpio_rising() : clinux_gpio_falling()
            _ = write(writers[line], &event, MemoryLayout<gpio_v2_line_event>.size)
        }

        /// Listens until something is so; false after 20 s.
        func until(_ isSo: () -> Bool) -> Bool {
            let end = Moment.monotonicMilliseconds() + 20_000
            while !isSo(), Moment.monotonicMilliseconds() < end {
                _ = house.reader.wait(forSamples: Ear.frameSamples, milliseconds: 20)
                house.hear()
            }
            return isSo()
        }
    }

    /// F14: the switch closes the microphone and wipes what was heard; the software's own mute cannot take it back.
    @Test func `F14: the switch mutes, and no command undoes it`() throws {
        let board = try Board()
        defer { board.close() }
        #expect(board.until { board.microphone.state == .open && board.house.ring.end > 3_200 })
        board.move(1, .pressed, atMilliseconds: 10)
        #expect(board.until { board.microphone.state == .muted })
        #expect(board.microphone.muteReasons == [.hardware])
        #expect(board.house.ring.oldest == board.house.ring.end)
        board.microphone.mute(.soft)
        board.microphone.unmute(.soft)
        #expect(!board.microphone.muteReasons.isEmpty && board.microphone.state == .muted)
        // A muted ear takes no turn by the button either.
        board.move(0, .pressed, atMilliseconds: 20)
        board.move(0, .released, atMilliseconds: 30)
        board.move(1, .released, atMilliseconds: 40)
        #expect(board.until { board.microphone.state == .open })
        #expect(board.house.register.openCount == 0 && !board.house.ear.isInTurn)
    }

    /// On simulated lines: ten seconds by the kernel's own marks, and nothing said.
    @Test func `the talk button held for ten seconds in silence opens service, and the call is in the book`() throws {
        let board = try Board()
        defer { board.close() }
        let noted = Atomic<Int>(0)
        board.house.whenPresent { noted.wrappingAdd(1, ordering: .relaxed) }
        #expect(board.until { board.microphone.state == .open && board.house.ring.end > 3_200 })
        #expect(!board.house.presence.isPresent)
        // Nine seconds are a long sentence.
        board.move(0, .pressed, atMilliseconds: 1_000)
        #expect(board.until { board.house.ear.isInTurn })
        board.move(0, .released, atMilliseconds: 10_000)
        #expect(board.until { !board.house.ear.isInTurn })
        #expect(!board.house.presence.isPresent)
        board.move(0, .pressed, atMilliseconds: 20_000)
        #expect(board.until { board.house.ear.isInTurn })
        board.move(0, .released, atMilliseconds: 30_000)
        #expect(board.until { board.house.presence.isPresent })
        #expect(board.until { !board.house.ear.isInTurn } && noted.load(ordering: .relaxed) == 1)
    }

    /// `button.watch` and `gpio.read`: what a technician sees of the lines.
    @Test func `each edge goes to the technician who watches, with the line's name and the kernel's time`() throws {
        let board = try Board()
        defer { board.close() }
        #expect(board.buttons.reading == [["line": "talk", "active": .null], ["line": "mute", "active": .null]])
        let buttons = board.buttons!
        let path = board.folder + "/watch.sock"
        let server = DiagnosticsServer(
            sockets: [SocketPlace(path: path, role: .tech)],
            methods: [Method("button.watch", .tech, form: .stream, "edges")], version: "test"
        ) { call in if let stream = call.reply.watch() { buttons.watch(stream) } }
        try server.start()
        defer { server.close() }
        let seen = Mutex<[JSONValue]>([])
        let client = try DiagnosticsClient.connect(path: path)
        // The stream is open once its answer came; then the line moves.
        try client.watch("button.watch") { item in
            seen.withLock { $0.append(item) }
            return seen.withLock { $0.count } < 2
        } opened: {
            board.move(1, .pressed, atMilliseconds: 1_234)
            board.move(1, .released, atMilliseconds: 2_345)
        }
        #expect(
            seen.withLock { $0 } == [
                ["line": "mute", "edge": "pressed", "at_ms": 1_234],
                ["line": "mute", "edge": "released", "at_ms": 2_345],
            ])
    }

    @Test func `the talk button opens a turn, and letting go ends it`() throws {
        let board = try Board()
        defer { board.close() }
        #expect(board.until { board.microphone.state == .open && board.house.ring.end > 3_200 })
        board.move(0, .pressed, atMilliseconds: 1_000)
        #expect(board.until { board.house.ear.isInTurn })
        board.move(0, .released, atMilliseconds: 2_500)
        #expect(board.until { !board.house.ear.isInTurn })
        #expect(board.house.register.openCount + (board.house.register.last == nil ? 0 : 1) == 1)
    }
}
