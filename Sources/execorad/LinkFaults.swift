import CloudLink

extension LinkError {
    /// A turn that failed so is kept for later: what was spoken is not lost because of a line, a clock or a certificate.
    /// Only what the gateway will never take is given up.
    var isWorthKeeping: Bool {
        switch self {
        case .rejected(let rejection): ![400, 413, 422].contains(rejection.status)
        case .tooLarge, .cancelled, .malformedReply: false
        default: true
        }
    }

    /// A word for logs and the status: constant, nothing of the reply in it.
    var code: String {
        switch self {
        case .unreachable(let why): "unreachable-\(why.rawValue)"
        case .timedOut(let phase): "timed-out-\(phase.rawValue)"
        case .certificate(let fault): "certificate-\(fault.word)"
        case .handshake: "handshake"
        case .rejected(let rejection): "rejected-\(rejection.status)"
        case .malformedReply: "malformed-reply"
        case .tooLarge: "too-large"
        case .busy: "busy"
        case .cancelled: "cancelled"
        case .configuration: "configuration"
        case .library(let code, let operation): "library-\(operation)-\(code)"
        }
    }
}

extension LinkError.CertificateFault {
    fileprivate var word: String {
        switch self {
        case .gatewayUntrusted: "gateway-untrusted"
        case .gatewayExpired: "gateway-expired"
        case .gatewayNotYetValid: "gateway-not-yet-valid"
        case .gatewayOtherName: "gateway-other-name"
        case .gatewayOther(let code): "gateway-\(code)"
        case .deviceRefused: "device-refused"
        case .deviceUnreadable: "device-unreadable"
        case .trustUnreadable: "trust-unreadable"
        }
    }
}
