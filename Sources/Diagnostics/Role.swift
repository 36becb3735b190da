/// What a caller may do. Each level includes those before it.
public enum Role: Int, Comparable, Sendable {
    /// Look: no audio, no text of sales, no secrets.
    case view
    /// Test, restart, set thresholds.
    case tech
    /// What yields audio, exports data or resets identity: tech, and presence at the box or a token besides.
    case service

    public static func < (left: Role, right: Role) -> Bool { left.rawValue < right.rawValue }

    public var name: String {
        switch self {
        case .view: "view"
        case .tech: "tech"
        case .service: "service"
        }
    }
}

/// One thing that can be asked. The table of these is the only place that says who may ask what.
public struct Method: Sendable {
    public var name: String
    public var role: Role
    /// Answers once and then tells what happens, until the client leaves.
    public var isStream: Bool
    /// One line for `methods`.
    public var summary: String

    public init(_ name: String, _ role: Role, isStream: Bool = false, _ summary: String) {
        self.name = name
        self.role = role
        self.isStream = isStream
        self.summary = summary
    }
}

/// Who asks, as the kernel says (SO_PEERCRED), not as the caller does.
public struct Peer: Hashable, Sendable {
    public var pid: Int32
    public var uid: UInt32
    public var gid: UInt32
    /// What the socket it came through grants.
    public var role: Role

    public init(pid: Int32, uid: UInt32, gid: UInt32, role: Role) {
        self.pid = pid
        self.uid = uid
        self.gid = gid
        self.role = role
    }
}

/// One socket of the server.
public struct SocketPlace: Sendable {
    public var path: String
    public var role: Role
    /// Set before the name exists, so nobody connects under another mode.
    public var mode: UInt32
    /// Owning group, nil to keep the process's.
    public var group: UInt32?

    public init(path: String, role: Role, mode: UInt32 = 0o660, group: UInt32? = nil) {
        self.path = path
        self.role = role
        self.mode = mode
        self.group = group
    }
}

/// What happened on the sockets, for the log. No parameters, no answers.
public enum DiagnosticsEvent: Equatable, Sendable {
    case connected(Peer)
    case called(method: String, Peer)
    case refused(method: String, Peer)
    case left(Peer, LeaveReason)

    public enum LeaveReason: String, Sendable {
        case closed, full, slow, silent
        case halfLine = "half-line"
        case longLine = "long-line"
        case stopping
    }
}
