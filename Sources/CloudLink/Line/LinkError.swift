/// Why the gateway did not answer, or not as it should. The caller retries (`isWorthRetrying`), spools, or shows `hint`.
public enum LinkError: Error, Equatable, Sendable {
    case unreachable(Unreachable)
    case timedOut(Phase)
    case certificate(CertificateFault)
    /// TLS could not be agreed on (below 1.3, no common cipher): OpenSSL's reason.
    case handshake(String)
    /// The gateway answered, and refused.
    case rejected(Rejection)
    /// The gateway answered something that is no answer; says what of it.
    case malformedReply(String)
    /// Over a maximum of this room; says what. Nothing of it was or will be delivered.
    case tooLarge(String)
    /// One of its kind is under way already, or too many turns are.
    case busy
    /// Given up by the caller, or the link was stopped.
    case cancelled
    /// A setting that cannot be; says which.
    case configuration(String)
    /// libcurl refused: its code and the operation. For the technician.
    case library(code: Int32, operation: String)

    public enum Unreachable: String, Equatable, Sendable {
        /// The gateway's name has no address: no network, no DNS, or a misspelt name.
        case name
        /// Nobody listens there.
        case refused
        /// The line broke, or the gateway closed it.
        case closed
    }

    public enum Phase: String, Equatable, Sendable {
        case connecting, sending, reply
    }

    public struct Rejection: Equatable, Sendable {
        public var status: Int
        /// The gateway's own code, such as "revoked"; empty when it gave none.
        public var code: String
        public var message: String
        /// Seconds the gateway asks to wait, from Retry-After.
        public var retryAfterSeconds: Int?

        public init(status: Int, code: String, message: String, retryAfterSeconds: Int? = nil) {
            self.status = status
            self.code = code
            self.message = message
            self.retryAfterSeconds = retryAfterSeconds
        }
    }

    /// Which side's certificate is at fault, and how.
    public enum CertificateFault: Equatable, Sendable {
        /// The gateway's does not descend from our root.
        case gatewayUntrusted
        case gatewayExpired
        /// Most often this device's own clock is behind.
        case gatewayNotYetValid
        /// It is for another host name than the one we called.
        case gatewayOtherName
        /// The gateway's, for another reason: OpenSSL's X509_V_ERR code.
        case gatewayOther(code: Int)
        /// The gateway refuses ours: the TLS alert it sent.
        case deviceRefused(String)
        /// Our own chain or key cannot be read.
        case deviceUnreadable
        /// Our own root cannot be read.
        case trustUnreadable
    }
}

extension LinkError {
    /// True when the same may succeed later without anybody's help.
    public var isWorthRetrying: Bool {
        switch self {
        case .unreachable, .timedOut, .busy: true
        case .certificate(.gatewayNotYetValid): true
        case .rejected(let rejection): rejection.status == 429 || rejection.status >= 500
        default: false
        }
    }

    /// What a person can do about it. Constant text: neither addresses nor names.
    public var hint: String {
        switch self {
        case .unreachable(.name):
            "The gateway's name has no address. Check the network cable or Wi-Fi, then [cloud] url."
        case .unreachable(.refused):
            "Nobody listens at the gateway's address. Check [cloud] url and that the gateway runs."
        case .unreachable(.closed):
            "The line to the gateway broke and is tried again by itself. If it always breaks at once, see the gateway's log: it may refuse this device."
        case .timedOut(.connecting):
            "The gateway did not answer the call in time. Check the network; it is tried again."
        case .timedOut(.sending): "Sound could not be sent in time. The line is slow or broken."
        case .timedOut(.reply): "The gateway took the request and did not reply in time. See the gateway's log."
        case .certificate(let fault): fault.hint
        case .handshake: "No TLS 1.3 with the gateway. Check that [cloud] url is the gateway and no proxy is between."
        case .rejected(let rejection) where rejection.status == 401 || rejection.status == 403:
            "The gateway refuses this device. It may be revoked; ask the operator, enrol again if told so."
        case .rejected(let rejection) where rejection.status == 429 || rejection.status >= 500:
            "The gateway is busy or unwell. It is tried again by itself."
        case .rejected: "The gateway refuses the request. Device and gateway may be of different versions."
        case .malformedReply: "The reply is not of a gateway of this version. Check [cloud] url and both versions."
        case .tooLarge: "A message is over its maximum size."
        case .busy: "The same is being done already."
        case .cancelled: "It was given up."
        case .configuration(let what): "The setting cannot be used: \(what)."
        case .library: "The network library refused. Report the code to the maker."
        }
    }
}

extension LinkError.CertificateFault {
    public var hint: String {
        switch self {
        case .gatewayUntrusted:
            "The gateway's certificate is not of our root. Wrong gateway, or wrong ca.pem: enrol again."
        case .gatewayExpired: "The gateway's certificate has expired, or this device's clock is ahead. Check the date."
        case .gatewayNotYetValid:
            "The gateway's certificate is not valid yet: this device's clock is behind. Check the date."
        case .gatewayOtherName: "The gateway's certificate is for another name. Check the host in [cloud] url."
        case .gatewayOther: "The gateway's certificate cannot be verified."
        case .deviceRefused:
            "The gateway refuses this device's certificate: expired, revoked or of another gateway. Enrol again."
        case .deviceUnreadable:
            "The device's certificate or key cannot be read. Check the identity folder, or enrol again."
        case .trustUnreadable: "The root certificate ca.pem cannot be read. Check the identity folder, or enrol again."
        }
    }
}
