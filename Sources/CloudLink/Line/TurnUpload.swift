import Conversation
import Ledger
import Synchronization

/// What became of a turn that was sent whole.
public struct TurnDelivery: Equatable, Sendable {
    public var reply: TurnReply
    /// Of the body: hello, records, packets; TLS and HTTP come on top.
    public var bytesSent: Int
    /// When the last byte of the body was handed to TLS, monotonic milliseconds of the link's clock.
    public var lastByteAtMilliseconds: Int64
}

/// The way up of one turn: packets go in from any thread while the shopkeeper speaks, the uplink thread sends them.
///
/// Holds the whole turn until its reply, so that it can be sent again when a connection kept warm turns out dead.
/// Full at `packetsMax` records or `bytesMax` bytes: the turn then fails as `tooLarge`, nothing is cut out of it.
public final class TurnUpload: Sendable {
    /// The framing's own limit of 1600 records at an average of four times what speech needs.
    public static let bytesMax = 512 * 1024
    /// 60 ms: a TLS record for each 20 ms packet costs half as much again as the sound (audio.md, Opus).
    static let recordsPerMessage = 3

    enum Taken: Equatable {
        case bytes(Int)
        case nothing
        case end
    }

    private struct State {
        var bytes: [UInt8]
        var taken = 0
        var nextSeq: UInt32 = 0
        var nextSampleOffset: UInt32 = 0
        var recordsUntold = 0
        var endedAt: Int64?
        var lastByteAt: Int64?
        var isCancelled = false
        var isOverfull = false
        var isClosed = false
    }

    public let turn: ULID
    private let state: Mutex<State>
    private let wake: @Sendable () -> Void
    private let clock: LinkClock

    init(_ hello: TurnHello, clock: LinkClock, wake: @escaping @Sendable () -> Void) {
        turn = hello.turn
        state = Mutex(State(bytes: TurnFraming.head(hello.fitting)))
        self.clock = clock
        self.wake = wake
    }

    /// Puts one packet on its way. Records are numbered from 0 without gaps.
    ///
    /// - Returns: false when it was not taken: the turn is over (sent, failed or cancelled) or full.
    @discardableResult
    public func send(_ record: TurnFraming.Record) -> Bool {
        let (isTaken, isWorthWaking) = state.withLock { state in
            guard !state.isClosed, state.endedAt == nil, !state.isOverfull else { return (false, false) }
            precondition(record.seq == state.nextSeq, "records are numbered without gaps")
            let bytes = TurnFraming.bytes(of: record)
            // One place stays free for the record that ends the turn.
            guard record.seq < UInt32(TurnFraming.packetsMax) - 1, state.bytes.count + bytes.count < Self.bytesMax
            else {
                state.isOverfull = true
                return (false, true)
            }
            state.bytes += bytes
            state.nextSeq += 1
            state.nextSampleOffset = record.sampleOffset &+ UInt32(TurnHello.frameSamples)
            state.recordsUntold += 1
            if !record.flags.isDisjoint(with: [.end, .cancel]) { state.endedAt = clock.milliseconds() }
            guard record.seq == 0 || state.endedAt != nil || state.recordsUntold >= Self.recordsPerMessage else {
                return (true, false)
            }
            state.recordsUntold = 0
            return (true, true)
        }
        if isWorthWaking { wake() }
        return isTaken
    }

    /// No more comes: the reply is what is waited for now. Adds the framing's end record if none was sent.
    public func end() { finish(with: .end) }

    /// Nothing of it is wanted: the gateway is told, the callback gets `cancelled`.
    public func cancel() { finish(with: .cancel) }

    private func finish(with flag: TurnFraming.Flags) {
        let isNews = state.withLock { state in
            guard !state.isClosed else { return false }
            let isCancelling = flag.contains(.cancel) && !state.isCancelled
            if isCancelling { state.isCancelled = true }
            guard state.endedAt == nil else { return isCancelling }
            state.bytes += TurnFraming.bytes(
                of: .init(seq: state.nextSeq, sampleOffset: state.nextSampleOffset, flags: flag, packet: []))
            state.endedAt = clock.milliseconds()
            return true
        }
        if isNews { wake() }
    }
}

/// The uplink thread's side.
extension TurnUpload {
    var isCancelled: Bool { state.withLock { $0.isCancelled } }
    var isOverfull: Bool { state.withLock { $0.isOverfull } }
    var hasMore: Bool { state.withLock { $0.taken < $0.bytes.count || $0.endedAt != nil } }
    var bytesTaken: Int { state.withLock { $0.taken } }
    /// When the last byte went, nil before.
    var lastByteAt: Int64? { state.withLock { $0.lastByteAt } }
    /// What the reply's deadline counts from, nil while the turn goes on.
    var replyDueFrom: Int64? { state.withLock { $0.lastByteAt ?? $0.endedAt } }

    func take(into buffer: UnsafeMutableRawBufferPointer) -> Taken {
        state.withLock { state in
            let count = min(buffer.count, state.bytes.count - state.taken)
            guard count > 0 else { return state.endedAt == nil ? .nothing : .end }
            state.bytes.withUnsafeBytes { all in
                buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: all[state.taken..<state.taken + count]))
            }
            state.taken += count
            if state.taken == state.bytes.count, state.endedAt != nil { state.lastByteAt = clock.milliseconds() }
            return .bytes(count)
        }
    }

    /// From the first byte again, on another connection.
    func rewind() {
        state.withLock { state in
            state.taken = 0
            state.lastByteAt = nil
        }
    }

    /// The turn is over; what is held is let go.
    func close() {
        state.withLock { state in
            state.isClosed = true
            state.bytes = []
        }
    }
}

extension TurnHello {
    /// The hello with as much vocabulary as its framing has room for: long names must not stop a turn.
    var fitting: TurnHello {
        var hello = self
        while hello.json.bytes.count > TurnFraming.helloBytesMax, !hello.vocabulary.isEmpty {
            hello.vocabulary.removeLast((hello.vocabulary.count + 3) / 4)
        }
        return hello
    }
}
