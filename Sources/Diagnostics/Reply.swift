import JSONText
import Synchronization

/// One call, as the handler gets it.
public struct Call: Sendable {
    public var method: String
    /// An object.
    public var parameters: JSONValue
    public var peer: Peer
    /// The file a `file` method writes to; nil for every other form.
    public var file: ClientFile?
    /// Answer here, now or later, from any thread.
    public var reply: Reply
}

/// The one answer a call gets. Any thread; the first answer counts. Let go without an answer, it answers "failed",
/// so that a client never waits for a call that was forgotten.
public final class Reply: Sendable {
    private let id: JSONValue?
    private let session: Int
    private let mailbox: Mailbox
    private let gate: SessionGate
    private let method: String
    private let isStream: Bool
    private let answerBytesMax: Int
    private let peer: Peer
    private let isAnswered = Atomic<Bool>(false)

    init(
        id: JSONValue?, session: Int, method: Method, mailbox: Mailbox, gate: SessionGate, answerBytesMax: Int,
        peer: Peer
    ) {
        self.peer = peer
        self.id = id
        self.session = session
        self.method = method.name
        isStream = method.isStream
        self.mailbox = mailbox
        self.gate = gate
        self.answerBytesMax = answerBytesMax
    }

    deinit {
        if !isAnswered.load(ordering: .relaxed) { fail(.failed("no answer was given")) }
    }

    public func succeed(_ result: JSONValue) {
        guard takeTurn() else { return }
        precondition(!isStream, "a stream is answered by watch() or fail()")
        report(isOK: true)
        post(id.map { RPCLine.result(result, id: $0) } ?? [], opensStream: false)
    }

    public func fail(_ fault: CallFault) {
        guard takeTurn() else { return }
        report(isOK: false)
        post(id.map { RPCLine.fault(fault, id: $0) } ?? [], opensStream: false)
    }

    /// Opens the stream of a stream method. Nil when the call was answered before.
    public func watch() -> Subscription? {
        guard takeTurn() else { return nil }
        precondition(isStream, "not a stream")
        report(isOK: true)
        post(id.map { RPCLine.result(.object([.init("watching", .string(method))]), id: $0) } ?? [], opensStream: true)
        return Subscription(session: session, method: method, mailbox: mailbox, gate: gate)
    }

    /// Told on the server's thread, whether or not the client is still there: the journal wants the result.
    private func report(isOK: Bool) { mailbox.report(.answered(method: method, peer, isOK: isOK)) }

    private func takeTurn() -> Bool { !isAnswered.exchange(true, ordering: .relaxed) }

    private func post(_ line: [UInt8], opensStream: Bool) {
        var line = line
        if line.count > answerBytesMax, let id { line = RPCLine.fault(.failed("the answer is too long"), id: id) }
        mailbox.post(
            .answer(session: session, line: line, endsStream: isStream && !opensStream), gate: gate)
    }
}

/// A stream to one client. Any thread; `push` never blocks on the client.
public final class Subscription: Sendable {
    private let session: Int
    private let method: String
    private let mailbox: Mailbox
    private let gate: SessionGate

    init(session: Int, method: String, mailbox: Mailbox, gate: SessionGate) {
        self.session = session
        self.method = method
        self.mailbox = mailbox
        self.gate = gate
    }

    /// False once the client left or was dropped: forget the subscription then.
    public var isOpen: Bool { gate.isOpen.load(ordering: .acquiring) }

    /// - Parameter item: an object; becomes the notification's params.
    /// - Returns: false when the client is gone.
    @discardableResult
    public func push(_ item: JSONValue) -> Bool {
        guard isOpen else { return false }
        mailbox.post(.push(session: session, line: RPCLine.notification(method, item), isLast: false), gate: gate)
        return isOpen
    }

    /// The last item of a job: `"done": true` is put before what is told, and the client may open its next stream.
    public func finish(_ result: JSONValue) {
        let item = JSONValue.object([.init("done", true), .init("result", result)])
        mailbox.post(.push(session: session, line: RPCLine.notification(method, item), isLast: true), gate: gate)
    }
}

/// Whether a client is still there; shared by its session and everything that answers it.
final class SessionGate: Sendable {
    let isOpen = Atomic<Bool>(true)
}

/// What other threads have for the server's thread. Bounded: what does not fit marks its client as slow.
final class Mailbox: Sendable {
    enum Letter: Sendable {
        case answer(session: Int, line: [UInt8], endsStream: Bool)
        case push(session: Int, line: [UInt8], isLast: Bool)
        case slow(session: Int)
        case event(DiagnosticsEvent)
    }

    private struct State {
        var letters: [Letter] = []
        var bytes = 0
    }

    /// Of all clients together, between two turns of the server's thread.
    static let bytesMax = 4 * 1024 * 1024

    private let state = Mutex(State())
    private let wake: @Sendable () -> Void

    /// - Parameter wake: makes the server's thread look here.
    init(wake: @escaping @Sendable () -> Void) { self.wake = wake }

    func post(_ letter: Letter, gate: SessionGate) {
        guard gate.isOpen.load(ordering: .acquiring) else { return }
        let (session, bytes) =
            switch letter {
            case .answer(let session, let line, _), .push(let session, let line, _): (session, line.count)
            case .slow(let session): (session, 0)
            case .event: (0, 0)
            }
        let isFirst = state.withLock { state in
            if state.bytes + bytes > Self.bytesMax {
                gate.isOpen.store(false, ordering: .releasing)
                state.letters.append(.slow(session: session))
            } else {
                state.letters.append(letter)
                state.bytes += bytes
            }
            return state.letters.count == 1
        }
        if isFirst { wake() }
    }

    /// One a call, so bounded by the calls that may be open.
    func report(_ event: DiagnosticsEvent) {
        let isFirst = state.withLock { state in
            state.letters.append(.event(event))
            return state.letters.count == 1
        }
        if isFirst { wake() }
    }

    func take() -> [Letter] {
        state.withLock { state in
            let letters = state.letters
            state = State()
            return letters
        }
    }
}
