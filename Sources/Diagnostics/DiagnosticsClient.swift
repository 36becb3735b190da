import Glibc
import JSONText

/// Why a question has no answer.
public enum DiagnosticsClientError: Error, Equatable {
    /// No daemon there, or no right to its socket: `errno`.
    case unreachable(path: String, code: Int32)
    case timedOut
    /// The daemon ended the connection.
    case closed
    /// What came is not this protocol.
    case garbled(String)
    /// The daemon answered with a fault.
    case fault(CallFault)
}

/// Asks a daemon, blocking. One thread's.
public final class DiagnosticsClient {
    /// The longest answer that is taken: the server's longest, with room.
    static let lineBytesMax = 2 * 1024 * 1024

    private let descriptor: Int32
    private var lines = LineAssembler(bytesMax: lineBytesMax)
    private var lastID: Int64 = 0
    /// What the daemon said of itself: api, version, role, limits.
    public private(set) var hello: JSONValue = .null

    private init(descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    /// Connects and reads the greeting.
    public static func connect(
        path: String, timeoutMilliseconds: Int64 = 5000
    ) throws(DiagnosticsClientError) -> DiagnosticsClient {
        guard path.utf8.count <= 107 else { throw .unreachable(path: path, code: ENAMETOOLONG) }
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw .unreachable(path: path, code: errno) }
        let client = DiagnosticsClient(descriptor: descriptor)
        guard UnixAddress.with(path, { Glibc.connect(descriptor, $0, $1) }) == 0 else {
            throw .unreachable(path: path, code: errno)
        }
        let first = try client.read(before: now() + timeoutMilliseconds)
        if let fault = Self.fault(first) { throw .fault(fault) }
        guard let hello = first["hello"] else { throw .garbled("no greeting") }
        client.hello = hello
        return client
    }

    /// Asks and waits for the answer.
    ///
    /// - Parameter file: open for writing, for a method that writes to one; stays the caller's.
    public func call(
        _ method: String, _ parameters: JSONValue = .object([]), file: Int32? = nil,
        timeoutMilliseconds: Int64 = 10_000
    ) throws(DiagnosticsClientError) -> JSONValue {
        lastID += 1
        let id = JSONValue.integer(lastID)
        try send(
            RPCLine.line([
                .init("jsonrpc", "2.0"), .init("id", id), .init("method", .string(method)), .init("params", parameters),
            ]), file: file)
        let deadline = Self.now() + timeoutMilliseconds
        while true {
            let answer = try read(before: deadline)
            guard answer["id"] == id || answer["id"] == .null else { continue }
            if let fault = Self.fault(answer) { throw .fault(fault) }
            guard let result = answer["result"] else { throw .garbled("neither result nor error") }
            return result
        }
    }

    /// Opens a stream and hands on each item until `item` answers false or the daemon ends.
    ///
    /// - Parameter opened: called once the daemon says that it watches; nothing after this is missed.
    public func watch(
        _ method: String, _ parameters: JSONValue = .object([]), item: (JSONValue) -> Bool, opened: () -> Void = {}
    ) throws(DiagnosticsClientError) {
        _ = try call(method, parameters)
        opened()
        while true {
            let told = try read(before: nil)
            guard told["method"]?.string == method, let parameters = told["params"] else { continue }
            if !item(parameters) { return }
        }
    }

    /// Starts a job, hands on its progress and gives its result.
    public func job(
        _ method: String, _ parameters: JSONValue = .object([]), silenceMilliseconds: Int64 = 120_000,
        progress: (JSONValue) -> Void
    ) throws(DiagnosticsClientError) -> JSONValue {
        _ = try call(method, parameters)
        while true {
            let told = try read(before: Self.now() + silenceMilliseconds)
            guard told["method"]?.string == method, let item = told["params"] else { continue }
            if item["done"] == .bool(true) { return item["result"] ?? .null }
            progress(item)
        }
    }

    private static func fault(_ line: JSONValue) -> CallFault? {
        guard let error = line["error"] else { return nil }
        return CallFault(code: error["code"]?.integer ?? 0, message: error["message"]?.string ?? "")
    }

    private func send(_ line: [UInt8], file: Int32? = nil) throws(DiagnosticsClientError) {
        var sent = 0
        while sent < line.count {
            let count =
                if sent == 0, let file {
                    ClientFile.send(line[...], with: file, over: descriptor)
                } else {
                    line[sent...].withUnsafeBytes {
                        Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                    }
                }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw .closed }
            sent += count
        }
    }

    /// The next line as JSON; without a deadline it waits for ever.
    private func read(before deadline: Int64?) throws(DiagnosticsClientError) -> JSONValue {
        while true {
            let line: [UInt8]?
            do { line = try lines.next() } catch { throw .garbled("a line without an end") }
            if let line {
                do { return try JSONValue(parsing: line) } catch { throw .garbled("not JSON: \(error)") }
            }
            var polled = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let wait = deadline.map { Int32(clamping: max(0, $0 - Self.now())) } ?? -1
            let ready = poll(&polled, 1, wait)
            if ready < 0, errno == EINTR { continue }
            guard ready > 0 else { throw .timedOut }
            var chunk = [UInt8](repeating: 0, count: 16 * 1024)
            let count = recv(descriptor, &chunk, chunk.count, 0)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw .closed }
            lines.append(chunk[..<count])
        }
    }

    private static func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}
