import JSONText
import Synchronization

/// The last lines of the log, for `log.tail` and a bundle: disposable, in memory alone.
///
/// Full is normal: the oldest go, by count and by bytes. Lines hold what the log holds: no names, amounts or words.
final class LogBook: Sendable {
    static let linesMax = 2_000
    /// 256 kB; a line has about 120 bytes.
    static let bytesMax = 256 * 1024

    private struct State {
        var lines: [String] = []
        var start = 0
        var bytes = 0
        var watchers: [Int: @Sendable (String) -> Void] = [:]
        var next = 0
    }

    private let state = Mutex(State())

    func add(_ line: String) {
        let watchers = state.withLock { state in
            state.lines.append(line)
            state.bytes += line.utf8.count
            while state.lines.count - state.start > Self.linesMax || state.bytes > Self.bytesMax {
                state.bytes -= state.lines[state.start].utf8.count
                state.lines[state.start] = ""
                state.start += 1
            }
            if state.start > Self.linesMax {
                state.lines.removeFirst(state.start)
                state.start = 0
            }
            return Array(state.watchers.values)
        }
        for watcher in watchers { watcher(line) }
    }

    func last(_ count: Int) -> [String] {
        state.withLock { Array($0.lines[$0.start...].suffix(count)) }
    }

    /// Called on the thread that logs; quick, and logs nothing itself.
    func watch(_ watcher: @escaping @Sendable (String) -> Void) -> Int {
        state.withLock { state in
            state.next += 1
            state.watchers[state.next] = watcher
            return state.next
        }
    }

    func forget(_ number: Int) { state.withLock { _ = $0.watchers.removeValue(forKey: number) } }
}
