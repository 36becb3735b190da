import Glibc
import Synchronization

/// The buttons and switches of a board, watched on a thread of their own that sleeps until one moves.
///
/// A line that goes away (a board that unloads its driver) is told once and watched no more; the others go on.
public final class ButtonPanel: Sendable {
    /// Talk button, mute switch, and two spare.
    public static let linesMax = 4

    private let lines: [Int: ButtonLine]
    private let command = WakeUp()
    private let onEvent: @Sendable (Int, ButtonLine.Event) -> Void
    private let onLost: @Sendable (Int) -> Void
    private let thread = Atomic<UInt>(0)

    /// - Parameters:
    ///   - lines: by a number of the caller's choosing; the panel's own from here on. At most `linesMax`.
    ///   - onEvent: called on the panel's thread with the number and what happened; keep it short.
    ///   - onLost: the line of that number is gone.
    public init(
        lines: [Int: ButtonLine], onEvent: @escaping @Sendable (Int, ButtonLine.Event) -> Void,
        onLost: @escaping @Sendable (Int) -> Void
    ) {
        precondition(lines.count <= Self.linesMax)
        self.lines = lines
        self.onEvent = onEvent
        self.onLost = onLost
    }

    public func start() {
        precondition(thread.load(ordering: .relaxed) == 0, "a panel is started once")
        thread.store(UInt(AudioThread.start(name: "buttons") { [self] in run() }), ordering: .relaxed)
    }

    public func stop() {
        let thread = thread.exchange(0, ordering: .relaxed)
        guard thread != 0 else { return }
        command.signal()
        pthread_join(pthread_t(thread), nil)
    }

    private func run() {
        var lines = lines
        while true {
            let numbers = lines.keys.sorted()
            var entries = [pollfd(fd: command.descriptor, events: Int16(POLLIN), revents: 0)]
            for number in numbers {
                entries.append(pollfd(fd: lines[number]!.descriptor, events: Int16(POLLIN), revents: 0))
            }
            guard poll(&entries, nfds_t(entries.count), -1) > 0 else { continue }
            if entries[0].revents != 0 { return }
            for (index, number) in numbers.enumerated() where entries[index + 1].revents != 0 {
                if let event = lines[number]!.next() {
                    onEvent(number, event)
                } else {
                    lines[number] = nil
                    onLost(number)
                }
            }
        }
    }
}

/// Hold to talk or tap to talk, told apart by time. Plain.
///
/// A press opens a turn at once. Held longer than a tap, its release ends the turn; after a tap the silence does.
public struct TalkButton: Sendable {
    public static let tapMillisecondsMax: Int64 = 400
    /// Down for so long, and nothing said, is the technician's sign that somebody stands at the box. Dictating a bill of
    /// six items takes about as long, so the ear looks whether there were words.
    public static let signMillisecondsMin: Int64 = 10_000

    public enum Action: Sendable, Equatable {
        /// Open a turn, or interrupt what sounds.
        case talk
        /// It was a tap: the turn ends as one opened by the wake word does.
        case leaveOpen
        /// Let go after holding: the turn ends now.
        case finish
        /// Let go after ten seconds: the turn ends now, or, without a word in it, it was the technician's sign.
        case finishLong
    }

    private var pressedAt: Int64?

    public init() {}

    /// - Returns: what to do; nil for an edge without its other half.
    public mutating func take(_ event: ButtonLine.Event) -> Action? {
        switch event.edge {
        case .pressed:
            guard pressedAt == nil else { return nil }
            pressedAt = event.nanoseconds
            return .talk
        case .released:
            guard let since = pressedAt else { return nil }
            pressedAt = nil
            let held = (event.nanoseconds - since) / 1_000_000
            if held >= Self.signMillisecondsMin { return .finishLong }
            return held > Self.tapMillisecondsMax ? .finish : .leaveOpen
        }
    }
}
