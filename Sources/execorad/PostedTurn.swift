import CloudLink
import Conversation
import Synchronization

/// A turn on its way: every record is kept until the gateway has answered, so that nothing spoken is lost when the
/// line breaks in the middle. At most `TurnFraming.packetsMax` packets of about 60 bytes.
final class PostedTurn: OutgoingTurn, Sendable {
    private struct State {
        var packets: [[UInt8]] = []
        var upload: TurnUpload?
        var isEnded = false
        /// The line failed, or there never was one: the spool takes it at the end.
        var isOnPaper = true
        var isSettled = false
        /// The line failed once: it is not taken up again within a turn.
        var hasFailed = false
    }

    let hello: TurnHello
    private let keep: @Sendable (PostedTurn) -> Void
    private let state = Mutex(State())

    init(hello: TurnHello, keep: @escaping @Sendable (PostedTurn) -> Void) {
        self.hello = hello
        self.keep = keep
    }

    var content: (TurnHello, [[UInt8]]) { state.withLock { (hello, $0.packets) } }

    func take(_ upload: TurnUpload) {
        state.withLock { state in
            // The answer, or the failure, may have been there first.
            guard !state.isSettled, !state.hasFailed else { return }
            state.upload = upload
            state.isOnPaper = false
        }
    }

    func send(_ record: TurnFraming.Record) {
        let isEnd = record.flags.contains(.end)
        let (upload, isOnPaper) = state.withLock { state -> (TurnUpload?, Bool) in
            if !isEnd, state.packets.count < TurnFraming.packetsMax { state.packets.append(record.packet) }
            if isEnd { state.isEnded = true }
            return (state.upload, state.isOnPaper)
        }
        upload?.send(record)
        guard isEnd else { return }
        upload?.end()
        if isOnPaper { keep(self) }
    }

    func cancel() {
        let upload = state.withLock { state in
            state.isSettled = true
            state.isOnPaper = false
            return state.upload
        }
        upload?.cancel()
    }

    /// The line broke: the spool gets it, at once when it is whole, else at its end.
    func lineFailed() {
        let isWhole = state.withLock { state in
            guard !state.isSettled else { return false }
            state.upload = nil
            state.hasFailed = true
            state.isOnPaper = true
            return state.isEnded
        }
        if isWhole { keep(self) }
    }

    func settle() {
        state.withLock { state in
            state.isSettled = true
            state.upload = nil
            state.packets = []
        }
    }
}
