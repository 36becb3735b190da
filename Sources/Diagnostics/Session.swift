import Glibc
import JSONText

/// One client of the server. The server's thread alone.
final class Session {
    let number: Int
    let descriptor: Int32
    private(set) var peer: Peer
    /// What the socket grants; `peer.role` may be above it for a while.
    let socketRole: Role
    /// Until when a shown token counts, server's clock.
    private var serviceUntil: Int64 = 0
    /// Files that came and that no call has taken yet, at most one: more are closed at once.
    private(set) var files: [ClientFile] = []
    let gate = SessionGate()
    private(set) var lines: LineAssembler
    private var out: [UInt8] = []
    private var outStart = 0
    private(set) var openCalls = 0
    /// A stream was asked for or is open.
    private(set) var hasStream = false
    /// Nothing more is read; what is unsent goes out, then the connection ends, for this reason.
    private(set) var leaving: DiagnosticsEvent.LeaveReason?
    private var lineBegan: Int64?
    private var lastHeard: Int64

    init(number: Int, descriptor: Int32, peer: Peer, limits: DiagnosticsLimits, now: Int64) {
        self.number = number
        self.descriptor = descriptor
        self.peer = peer
        socketRole = peer.role
        lines = LineAssembler(bytesMax: limits.lineBytesMax)
        lastHeard = now
    }

    deinit {
        gate.isOpen.store(false, ordering: .releasing)
        Glibc.close(descriptor)
    }

    var unsentBytes: Int { out.count - outStart }
    var isDone: Bool { leaving != nil && unsentBytes == 0 }

    /// What the client is still to be sent.
    var unsent: ArraySlice<UInt8> { out[outStart...] }

    func queue(_ line: [UInt8]) { out += line }

    func leave(_ reason: DiagnosticsEvent.LeaveReason) { if leaving == nil { leaving = reason } }

    func callOpened(isStream: Bool) {
        openCalls += 1
        if isStream { hasStream = true }
    }

    func streamEnded() { hasStream = false }

    func callAnswered(endsStream: Bool) {
        openCalls -= 1
        if endsStream { hasStream = false }
    }

    /// - Returns: false when the client closed or the connection broke.
    func read(now: Int64) -> Bool {
        var chunk = [UInt8](repeating: 0, count: 16 * 1024)
        let (count, arrived) = ClientFile.receive(descriptor, into: &chunk)
        if count < 0 { return errno == EAGAIN || errno == EINTR }
        guard count > 0 else { return false }
        took(chunk[..<count], arrived, now: now)
        return true
    }

    /// Bytes came, and files with them.
    func took(_ bytes: some Collection<UInt8>, _ arrived: [ClientFile], now: Int64) {
        files = Array((files + arrived).suffix(1))
        lines.append(bytes)
        lastHeard = now
    }

    func takeFile() -> ClientFile? { files.popLast() }

    func rise(_ grant: ServiceGrant, until: Int64) {
        peer.grant = grant
        serviceUntil = until
    }

    /// Looks again at what this client may do.
    func weigh(isPresent: Bool, now: Int64) {
        let rises = socketRole >= .tech && (isPresent || now < serviceUntil)
        peer.role = rises ? .service : socketRole
        if now >= serviceUntil { peer.grant = nil }
    }

    func nextLine(now: Int64) throws(LineTooLong) -> [UInt8]? {
        if let line = try lines.next() {
            // What follows is a line of its own, with a time of its own.
            lineBegan = lines.isInLine ? now : nil
            return line
        }
        lineBegan = lines.isInLine ? lineBegan ?? now : nil
        return nil
    }

    /// - Returns: false when the connection broke.
    func write() -> Bool {
        while unsentBytes > 0 {
            let count = out[outStart...].withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count < 0 {
                if errno == EINTR { continue }
                return errno == EAGAIN
            }
            outStart += count
        }
        out.removeAll(keepingCapacity: out.capacity <= 64 * 1024)
        outStart = 0
        return true
    }

    /// When this client is to be let go, and why, if nothing happens before.
    func deadline(_ limits: DiagnosticsLimits) -> (at: Int64, reason: DiagnosticsEvent.LeaveReason)? {
        if leaving != nil { return (lastHeard + limits.halfLineMilliseconds, .closed) }
        if let lineBegan { return (lineBegan + limits.halfLineMilliseconds, .halfLine) }
        return hasStream || openCalls > 0 ? nil : (lastHeard + limits.silenceMilliseconds, .silent)
    }
}
