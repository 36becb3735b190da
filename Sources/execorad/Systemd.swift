import Glibc

/// Tells systemd how the daemon is (`sd_notify`, its datagram protocol; no library needed for three words).
struct Systemd: Sendable {
    private let address: String?
    /// How often the watchdog wants to hear, milliseconds; nil when it is not on for this process.
    let watchdogMilliseconds: Int64?

    init() {
        address = Self.variable("NOTIFY_SOCKET")
        let isOurs = Self.variable("WATCHDOG_PID").map { $0 == String(getpid()) } ?? true
        watchdogMilliseconds = isOurs ? Self.variable("WATCHDOG_USEC").flatMap { Int64($0) }.map { $0 / 1000 } : nil
    }

    func ready() { tell("READY=1") }
    /// Starting goes on and is not stuck: systemd waits that much longer for READY, counted from now.
    func extendStart(seconds: Int64) { tell("EXTEND_TIMEOUT_USEC=\(seconds * 1_000_000)") }
    func stopping() { tell("STOPPING=1") }
    func alive() { tell("WATCHDOG=1") }
    func status(_ line: String) { tell("STATUS=\(line)") }

    private func tell(_ message: String) {
        guard let address, !address.isEmpty, address.utf8.count < 108 else { return }
        let file = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard file >= 0 else { return }
        defer { close(file) }
        var name = sockaddr_un()
        name.sun_family = sa_family_t(AF_UNIX)
        var path = Array(address.utf8)
        // '@' stands for the abstract namespace.
        if path[0] == UInt8(ascii: "@") { path[0] = 0 }
        withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: path) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + path.count)
        let bytes = Array(message.utf8)
        _ = withUnsafePointer(to: &name) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(file, bytes, bytes.count, Int32(MSG_NOSIGNAL), $0, length)
            }
        }
    }

    private static func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
}

extension Systemd {
    /// Sockets systemd made for this process, by the name their unit gives (`FileDescriptorName=`): sd_listen_fds(3).
    static func listeningDescriptors() -> [String: Int32] {
        guard variable("LISTEN_PID").flatMap({ Int32($0) }) == getpid(),
            let count = variable("LISTEN_FDS").flatMap({ Int32($0) }), (1...16).contains(count)
        else { return [:] }
        let names = (variable("LISTEN_FDNAMES") ?? "").split(separator: ":", omittingEmptySubsequences: false)
        var found: [String: Int32] = [:]
        for index in 0..<count where Int(index) < names.count {
            // 3 is the first: SD_LISTEN_FDS_START.
            found[String(names[Int(index)])] = 3 + index
        }
        return found
    }
}
