import Glibc
import JSONText

/// Reads and writes the socket of the service with a deadline on every step, and hears the bell meanwhile.
/// Blocking; used by the thread of `WhisperSpeech` alone. Owns neither descriptor.
struct WhisperLink {
    let socket: Int32
    let bell: SpeechBell

    enum Event: Equatable {
        case ready, rung, late
    }

    /// Sleeps until the socket can be read (or written), the bell rings, or the time has come; nil waits for ever.
    func wait(toWrite: Bool = false, until deadline: ContinuousClock.Instant?) -> Event {
        while true {
            var timeoutMilliseconds: Int32 = -1
            if let deadline {
                let left = deadline - .now
                guard left > .zero else { return .late }
                timeoutMilliseconds = Int32(clamping: left.milliseconds + 1)
            }
            var watched = [
                pollfd(fd: bell.ear, events: Int16(POLLIN), revents: 0),
                pollfd(fd: socket, events: Int16(toWrite ? POLLOUT : POLLIN), revents: 0),
            ]
            let count = poll(&watched, UInt(socket < 0 ? 1 : 2), timeoutMilliseconds)
            if count < 0 && errno != EINTR { return .late }
            if count <= 0 { continue }
            if watched[0].revents != 0 {
                bell.quiet()
                return .rung
            }
            return .ready
        }
    }

    func send(_ bytes: [UInt8], by deadline: ContinuousClock.Instant, watch: Watch) throws(SpeechError) {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(
                    socket, $0.baseAddress! + sent, $0.count - sent,
                    Int32(MSG_NOSIGNAL | MSG_DONTWAIT))
            }
            if count >= 0 {
                sent += count
                continue
            }
            guard errno == EAGAIN || errno == EINTR else { throw .broken(reason: "the speech service ended") }
            try waitWatching(toWrite: true, by: deadline, watch)
        }
    }

    /// One answer: length, then a JSON object.
    func answer(by deadline: ContinuousClock.Instant, watch: Watch) throws(SpeechError) -> JSONValue {
        let head = try read(4, by: deadline, watch)
        guard let length = WhisperFraming.answerLength(head[...]) else { throw .broken(reason: "answer too long") }
        let body = try read(length, by: deadline, watch)
        do { return try JSONValue(parsing: body) } catch { throw .broken(reason: "answer that is no JSON") }
    }

    /// What else to look after while waiting: `look` is called when the bell rang or `nextLook` has come, and throws to
    /// give up.
    struct Watch {
        var nextLook: () -> ContinuousClock.Instant?
        var look: () throws(SpeechError) -> Void
    }

    private func waitWatching(
        toWrite: Bool = false, by deadline: ContinuousClock.Instant, _ watch: Watch
    ) throws(SpeechError) {
        while true {
            switch wait(toWrite: toWrite, until: min(deadline, watch.nextLook() ?? deadline)) {
            case .ready: return
            case .rung: try watch.look()
            case .late:
                if ContinuousClock.now >= deadline { throw .timedOut }
                try watch.look()
            }
        }
    }

    private func read(_ count: Int, by deadline: ContinuousClock.Instant, _ watch: Watch) throws(SpeechError) -> [UInt8]
    {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: min(count, 4096))
        while bytes.count < count {
            try waitWatching(by: deadline, watch)
            let got = recv(socket, &chunk, min(chunk.count, count - bytes.count), Int32(MSG_DONTWAIT))
            if got < 0 && (errno == EAGAIN || errno == EINTR) { continue }
            guard got > 0 else { throw .broken(reason: "the speech service ended") }
            bytes += chunk[..<got]
        }
        return bytes
    }
}

/// Wakes a thread that sleeps in `poll`: a socket pair that never blocks. Ringing a bell that still rings changes
/// nothing.
final class SpeechBell: Sendable {
    let ear: Int32
    private let clapper: Int32

    init() {
        var ends: [Int32] = [-1, -1]
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        precondition(socketpair(AF_UNIX, kind, 0, &ends) == 0, "no sockets for the bell")
        (ear, clapper) = (ends[0], ends[1])
    }

    deinit {
        close(ear)
        close(clapper)
    }

    func ring() {
        var byte: UInt8 = 1
        _ = send(clapper, &byte, 1, Int32(MSG_NOSIGNAL))
    }

    func quiet() {
        var bytes = [UInt8](repeating: 0, count: 64)
        while recv(ear, &bytes, bytes.count, 0) == bytes.count {}
    }
}
