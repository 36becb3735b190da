import JSONText

/// A small request beside the turns: a batch of the ledger, a renewal, the time.
public struct LinkRequest: Sendable {
    /// At most one of each kind is under way; a second one is `busy`.
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        case sync, log, renew, time, report, keys
    }

    /// Sync's raw maximum of 256 kB and its envelope (sync.md, C.3).
    public static let bodyBytesMax = 256 * 1024 + 4_096

    public var kind: Kind
    /// Begins with a slash, such as "/v1/sync".
    public var path: String
    public var contentType: String
    /// Nil makes it a GET, anything else a POST.
    public var body: [UInt8]?
    /// W3C Trace Context of the batch; nil sends none.
    public var traceparent: String?
    /// From its start to its whole reply.
    public var timeout: Duration

    public init(
        kind: Kind, path: String, contentType: String = "application/octet-stream", body: [UInt8]? = nil,
        traceparent: String? = nil, timeout: Duration = .seconds(30)
    ) {
        self.kind = kind
        self.path = path
        self.contentType = contentType
        self.body = body
        self.traceparent = traceparent
        self.timeout = timeout
    }
}

/// What came back, whatever its status: a 409 carries facts the caller needs.
public struct LinkResponse: Equatable, Sendable {
    /// Larger replies are cut off as `tooLarge`.
    public static let bodyBytesMax = 1 << 20

    public var status: Int
    public var body: [UInt8]
    /// Seconds the gateway asks to wait before the next, from Retry-After.
    public var retryAfterSeconds: Int?

    public init(status: Int, body: [UInt8], retryAfterSeconds: Int? = nil) {
        self.status = status
        self.body = body
        self.retryAfterSeconds = retryAfterSeconds
    }

    /// The body of a 200; anything else as the refusal it is.
    public func accepted() throws(LinkError) -> [UInt8] {
        guard status == 200 else { throw .rejected(rejection) }
        return body
    }

    var rejection: LinkError.Rejection {
        let error = (try? JSONValue(parsing: body))?["error"]
        return LinkError.Rejection(
            status: status, code: error?["code"]?.string ?? "", message: error?["message"]?.string ?? "",
            retryAfterSeconds: retryAfterSeconds)
    }
}
