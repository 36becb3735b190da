import Glibc
import JSONText
import Synchronization

/// Where the daemon says what happened: one line an event on standard error, which journald keeps.
///
/// Messages are constant text, data goes in fields, and fields hold identifiers, codes, sizes and times only:
/// never a name, an amount, a phone number, a transcript or a key. A fault that repeats is counted and told
/// once a minute.
final class EventLog: Sendable {
    enum Level: Int, Sendable, Comparable {
        case debug = 7
        case info = 6
        case notice = 5
        case warning = 4
        case error = 3

        static func < (left: Level, right: Level) -> Bool { left.rawValue > right.rawValue }

        init?(name: String) {
            switch name {
            case "debug": self = .debug
            case "info": self = .info
            case "notice": self = .notice
            case "warning": self = .warning
            case "error": self = .error
            default: return nil
            }
        }

        var name: String {
            switch self {
            case .debug: "debug"
            case .info: "info"
            case .notice: "notice"
            case .warning: "warning"
            case .error: "error"
            }
        }
    }

    /// `text` goes to journald's own door with each field a field of its own where the daemon runs under systemd, and
    /// to standard error otherwise.
    enum Format: String, Sendable { case text, json }

    private struct Repeats {
        var lastToldMilliseconds: Int64
        var suppressed: Int64
    }

    private struct State {
        var level: Level
        var repeats: [String: Repeats] = [:]
    }

    /// A repeated warning or error is written at most once in this time, with the count of those left out.
    static let repeatMilliseconds: Int64 = 60_000
    /// Distinct messages remembered for that; messages are constants, so this is never reached in practice.
    static let repeatedMessagesMax = 256

    private let format: Format
    private let journal: JournalSocket?
    /// The last lines, for the technician.
    let book = LogBook()
    private let state: Mutex<State>

    init(level: Level, format: Format) {
        self.format = format
        journal = format == .text && getenv("JOURNAL_STREAM") != nil ? JournalSocket() : nil
        state = Mutex(State(level: level))
    }

    var level: Level { state.withLock { $0.level } }
    func set(level: Level) { state.withLock { $0.level = level } }

    func debug(_ message: StaticString, _ fields: JSONValue.Member...) { write(.debug, message, fields) }
    func info(_ message: StaticString, _ fields: JSONValue.Member...) { write(.info, message, fields) }
    func notice(_ message: StaticString, _ fields: JSONValue.Member...) { write(.notice, message, fields) }
    func warning(_ message: StaticString, _ fields: JSONValue.Member...) { write(.warning, message, fields) }
    func error(_ message: StaticString, _ fields: JSONValue.Member...) { write(.error, message, fields) }

    private func write(_ level: Level, _ message: StaticString, _ fields: [JSONValue.Member]) {
        let text = message.description
        let now = Moment.monotonicMilliseconds()
        let suppressed: Int64? = state.withLock { state in
            guard level >= state.level else { return nil }
            guard level >= .warning else { return 0 }
            if var told = state.repeats[text], now - told.lastToldMilliseconds < Self.repeatMilliseconds {
                told.suppressed += 1
                state.repeats[text] = told
                return nil
            }
            let count = state.repeats[text]?.suppressed ?? 0
            if state.repeats.count >= Self.repeatedMessagesMax { state.repeats.removeAll() }
            state.repeats[text] = Repeats(lastToldMilliseconds: now, suppressed: 0)
            return count
        }
        guard let suppressed else { return }
        var all = fields
        if suppressed > 0 { all.append(.init("repeated", .integer(suppressed))) }
        let told = text + all.map { " \($0.name)=\($0.value.string ?? $0.value.text)" }.joined()
        book.add("\(Moment.wallMilliseconds() / 1000) \(level.name) \(told)")
        if let journal, journal.send(priority: level.rawValue, message: text, fields: all) { return }
        let line: String
        switch format {
        case .json:
            line =
                JSONValue.object(
                    [
                        .init("at", .integer(Moment.wallMilliseconds())), .init("level", .string(level.name)),
                        .init("message", .string(text)),
                    ] + all
                ).text
        case .text:
            // `<N>` is what journald reads a priority from.
            line = "<\(level.rawValue)>" + told
        }
        var bytes = Array(line.utf8)
        bytes.append(0x0A)
        bytes.withUnsafeBytes { _ = Glibc.write(2, $0.baseAddress, $0.count) }
    }
}
