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
    /// One named value a call takes.
    public struct Parameter: Sendable {
        public var name: String
        /// "text", "number", "flag", with the range where there is one.
        public var kind: String
        public var isRequired: Bool

        public init(_ name: String, _ kind: String, isRequired: Bool = true) {
            self.name = name
            self.kind = kind
            self.isRequired = isRequired
        }
    }

    public enum Form: String, Sendable {
        /// One answer.
        case call
        /// Answers once and then tells what happens, until the client leaves.
        case stream
        /// As a stream, and ends by itself: the last notification carries `"done": true` and the result.
        case job
        /// Writes bytes to the file the client sends along with the call (SCM_RIGHTS), then answers.
        case file
    }

    public var name: String
    public var role: Role
    public var form: Form
    public var parameters: [Parameter]
    /// One line for `methods`.
    public var summary: String
    /// The part of the box that is not there and without which this cannot be done, in plain words. Nil where all is there.
    public var lacks: String?

    var isStream: Bool { form == .stream || form == .job }

    public init(
        _ name: String, _ role: Role, form: Form = .call, _ summary: String, _ parameters: [Parameter] = [],
        lacks: String? = nil
    ) {
        self.name = name
        self.role = role
        self.form = form
        self.parameters = parameters
        self.summary = summary
        self.lacks = lacks
    }
}

/// What a technician's token gives.
public struct ServiceGrant: Hashable, Sendable {
    /// Who holds it, as it says.
    public var holder: String
    /// Tells it from every other token without showing it.
    public var mark: String
    /// For how long from now on.
    public var milliseconds: Int64

    public init(holder: String, mark: String, milliseconds: Int64) {
        self.holder = holder
        self.mark = mark
        self.milliseconds = milliseconds
    }
}

/// How a caller on the technician's socket rises to `service`: by standing at the box, or by a token. Called on the
/// server's thread; quick. Both are asked again at each call: service ends by itself.
public struct ServiceDoor: Sendable {
    /// True while somebody has proved to be at the box (the button held) not long ago.
    public var isPresent: @Sendable () -> Bool
    /// Looks at a technician's token: what it gives, or why it is refused.
    public var token: @Sendable (String) -> Result<ServiceGrant, CallFault>
    /// How somebody without the right gets it at this box, for the refusal: "show a token".
    public var advice: String

    public init(
        advice: String = "show a token", isPresent: @escaping @Sendable () -> Bool,
        token: @escaping @Sendable (String) -> Result<ServiceGrant, CallFault>
    ) {
        self.advice = advice
        self.isPresent = isPresent
        self.token = token
    }

    /// Nobody rises.
    public static let shut = ServiceDoor(
        isPresent: { false }, token: { _ in .failure(.notAllowed("this box knows no technician's key")) })
}

/// Who asks, as the kernel says (SO_PEERCRED), not as the caller does.
public struct Peer: Hashable, Sendable {
    public var pid: Int32
    public var uid: UInt32
    public var gid: UInt32
    /// What the socket it came through grants, or `service` where the caller rose to it.
    public var role: Role
    /// The token that was shown on this connection and still counts.
    public var grant: ServiceGrant?

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
    /// A socket that listens already, made by systemd with its own mode and group: used as it is, and its name is left
    /// behind at the end. Nil: the server makes the socket.
    public var descriptor: Int32?

    public init(
        path: String, role: Role, mode: UInt32 = 0o660, group: UInt32? = nil, descriptor: Int32? = nil
    ) {
        self.path = path
        self.role = role
        self.mode = mode
        self.group = group
        self.descriptor = descriptor
    }
}

/// What happened on the sockets, for the log. No parameters, no answers.
public enum DiagnosticsEvent: Equatable, Sendable {
    case connected(Peer)
    case called(method: String, Peer)
    case refused(method: String, Peer)
    /// The answer to a call that went to the handler; a stream is answered when it opens.
    case answered(method: String, Peer, isOK: Bool)
    case left(Peer, LeaveReason)

    public enum LeaveReason: String, Sendable {
        case closed, full, slow, silent
        case halfLine = "half-line"
        case longLine = "long-line"
        case stopping
    }
}
