import Glibc
import JSONText

/// journald's own door: one datagram an event, so that fields are fields (`journalctl EXECORA_TURN=...`). Format:
/// systemd's "Native Journal Protocol": `NAME=value\n`, or for values with a line end `NAME\n`, the length in 8 bytes
/// little-endian, the value, `\n`.
struct JournalSocket: Sendable {
    static let standardPath = "/run/systemd/journal/socket"
    /// A larger event would have to go by file; ours have a few hundred bytes.
    static let datagramBytesMax = 60 * 1024

    private let descriptor: Int32

    /// Nil when no journald listens there.
    init?(path: String = JournalSocket.standardPath) {
        guard path.utf8.count < 108 else { return nil }
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard code == 0 else {
            close(descriptor)
            return nil
        }
    }

    /// - Returns: false when journald did not take it; the caller writes to standard error then.
    func send(priority: Int, message: String, fields: [JSONValue.Member]) -> Bool {
        var bytes: [UInt8] = []
        Self.add("PRIORITY", String(priority), to: &bytes)
        Self.add("SYSLOG_IDENTIFIER", "execorad", to: &bytes)
        Self.add("MESSAGE", message, to: &bytes)
        for field in fields {
            Self.add("EXECORA_" + Self.name(field.name), field.value.string ?? field.value.text, to: &bytes)
        }
        guard bytes.count <= Self.datagramBytesMax else { return false }
        return bytes.withUnsafeBytes {
            Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
        } == bytes.count
    }

    /// Upper case, digits and `_`; anything else becomes `_`.
    static func name(_ key: String) -> String {
        String(
            decoding: key.utf8.map { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"): byte - 32
                case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): byte
                default: UInt8(ascii: "_")
                }
            }, as: UTF8.self)
    }

    static func add(_ name: String, _ value: String, to bytes: inout [UInt8]) {
        bytes += Array(name.utf8)
        if value.utf8.contains(0x0A) {
            bytes.append(0x0A)
            let length = UInt64(value.utf8.count)
            bytes += (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) }
        } else {
            bytes.append(UInt8(ascii: "="))
        }
        bytes += Array(value.utf8)
        bytes.append(0x0A)
    }
}
