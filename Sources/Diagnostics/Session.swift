import Glibc
import JSONText

/// One client of the server. The server's thread alone.
final class Session {
    let number: Int
    let descriptor: Int32
    let peer: Peer
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
        lines = LineAssembler(bytesMax: limits.lineBytesMax)
        lastHeard = now
    }

    deinit {
        gate.isOpen.store(false, ordering: .releasing)
        Glibc.close(descriptor)
    }

    var unsentBytes: Int { out.count - outStart }
    var isDone: Bool { leaving != nil && unsentBytes == 0 }

    func queue(_ line: [UInt8]) { out += line }

    func leave(_ reason: DiagnosticsEvent.LeaveReason) { if leaving == nil { leaving = reason } }

    func callOpened(isStream: Bool) {
        openCalls += 1
        if isStream { hasStream = true }
    }

    func callAnswered(endsStream: Bool) {
        openCalls -= 1
        if endsStream { hasStream = false }
    }

    /// - Returns: false when the client closed or the connection broke.
    func read(now: Int64) -> Bool {
        var chunk = [UInt8](repeating: 0, count: 16 * 1024)
        let count = recv(descriptor, &chunk, chunk.count, 0)
        if count < 0 { return errno == EAGAIN || errno == EINTR }
        guard count > 0 else { return false }
        lines.append(chunk[..<count])
        lastHeard = now
        return true
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
