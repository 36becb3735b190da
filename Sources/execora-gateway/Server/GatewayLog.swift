import Glibc
import JSONText
import Logging

/// swift-log to JSON lines on standard error: one object a line, members in the order of their names.
struct GatewayLog: LogHandler {
    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level = .info
    let write: @Sendable (String) -> Void

    static func logger(
        _ label: String = "gateway", level: Logger.Level = .info,
        write: @escaping @Sendable (String) -> Void = toStandardError
    ) -> Logger {
        var logger = Logger(label: label) { _ in GatewayLog(write: write) }
        logger.logLevel = level
        return logger
    }

    /// One write a line, so lines of several threads do not mix.
    static let toStandardError: @Sendable (String) -> Void = { line in
        let bytes = Array((line + "\n").utf8)
        _ = bytes.withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var moment = timespec()
        clock_gettime(CLOCK_REALTIME, &moment)
        var members: [JSONValue.Member] = [
            .init("ms_utc", .integer(Int64(moment.tv_sec) * 1000 + Int64(moment.tv_nsec) / 1_000_000)),
            .init("level", .string(event.level.rawValue)), .init("message", .string("\(event.message)")),
        ]
        let all = metadata.merging(event.metadata ?? [:]) { $1 }
        for (key, value) in all.sorted(by: { $0.key < $1.key }) { members.append(.init(key, .string("\(value)"))) }
        write(JSONValue.object(members).text)
    }
}
