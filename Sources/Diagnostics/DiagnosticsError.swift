// Diagnostics: a technician's question enters on a unix socket, a report leaves. Newline JSON-RPC 2.0, server and
// client side by side.
// One thread of its own for all clients; handlers run on it and may answer later from any thread.
// Largest it holds: 8 clients a socket, each 64 kB in and 1 MiB out (`DiagnosticsLimits`).

/// Why a socket cannot be opened.
public enum DiagnosticsError: Error, Equatable {
    /// Another process answers there: a second daemon. Stop one.
    case inUse(path: String)
    /// Something that is no socket has that name. It is left alone; the technician looks.
    case notASocket(path: String)
    /// Longer than a socket's address may be (107 bytes).
    case pathTooLong(path: String)
    /// The system refused: `errno` and the operation.
    case system(code: Int32, operation: String, path: String)
}

/// Every limit of the socket, and what happens when it is reached.
public struct DiagnosticsLimits: Sendable {
    /// A client more is told "busy" and closed.
    public var clientsMax = 8
    /// A longer line gets an error and ends the connection.
    public var lineBytesMax = 64 * 1024
    /// A longer answer is replaced by an error.
    public var answerBytesMax = 1024 * 1024
    /// What may wait for a client that does not read. Beyond it the client is dropped and counted.
    public var unsentBytesMax = 1024 * 1024
    /// Calls a client may have open. One more gets "busy".
    public var callsMax = 8
    /// A line that was begun and not ended in this time ends the connection. Default 5 s.
    public var halfLineMilliseconds: Int64 = 5000
    /// A client that says nothing, waits for nothing and watches nothing is let go. Default 10 min.
    public var silenceMilliseconds: Int64 = 600_000

    public init() {}
}
