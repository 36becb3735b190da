import CCurl

extension LinkError {
    /// What libcurl's code means here.
    ///
    /// - Parameters:
    ///   - verifyResult: OpenSSL's X509_V_ERR code for the gateway's certificate, 0 when it was content.
    ///   - text: libcurl's error text. It is the only place where a TLS alert is named: the refusal of our own
    ///     certificate arrives after the handshake in TLS 1.3, as a failed read.
    init(curl code: CURLcode, verifyResult: Int, text: String) {
        switch code {
        case CURLE_COULDNT_RESOLVE_HOST: self = .unreachable(.name)
        case CURLE_COULDNT_CONNECT: self = .unreachable(.refused)
        case CURLE_OPERATION_TIMEDOUT: self = .timedOut(.connecting)
        case CURLE_PEER_FAILED_VERIFICATION: self = .certificate(Self.gatewayFault(verifyResult))
        case CURLE_SSL_CACERT_BADFILE: self = .certificate(.trustUnreadable)
        case CURLE_SSL_CERTPROBLEM: self = .certificate(.deviceUnreadable)
        case CURLE_SSL_CONNECT_ERROR:
            if let alert = Self.certificateAlert(in: text) {
                self = .certificate(.deviceRefused(alert))
            } else if let reason = Self.reason(in: text) {
                self = .handshake(reason)
            } else {
                // The gateway went away amid the handshake: OpenSSL has no reason of its own then.
                self = .unreachable(.closed)
            }
        case CURLE_SEND_ERROR, CURLE_RECV_ERROR, CURLE_GOT_NOTHING, CURLE_PARTIAL_FILE, CURLE_SEND_FAIL_REWIND:
            if let alert = Self.certificateAlert(in: text) {
                self = .certificate(.deviceRefused(alert))
            } else {
                self = .unreachable(.closed)
            }
        case CURLE_WEIRD_SERVER_REPLY, CURLE_UNSUPPORTED_PROTOCOL, CURLE_HTTP2, CURLE_BAD_CONTENT_ENCODING:
            self = .malformedReply("not HTTP/1.1")
        case CURLE_URL_MALFORMAT: self = .configuration("the gateway's address is no URL")
        default: self = .library(code: Int32(code.rawValue), operation: "exchange")
        }
    }

    /// Numbers: X509_V_ERR_* of OpenSSL's x509_vfy.h, stable since 0.9.
    private static func gatewayFault(_ verifyResult: Int) -> CertificateFault {
        switch verifyResult {
        // libcurl itself compares the name, after OpenSSL was content; it leaves 1 there (0 in later versions).
        case 0, 1, 62: .gatewayOtherName
        case 9: .gatewayNotYetValid
        case 10: .gatewayExpired
        case 2, 7, 18, 19, 20, 21, 24, 30, 31: .gatewayUntrusted
        default: .gatewayOther(code: verifyResult)
        }
    }

    /// Alerts by which a server refuses a client's certificate (RFC 8446, 6.2), as OpenSSL spells them.
    private static let certificateAlerts = [
        "certificate required", "unknown ca", "bad certificate", "certificate revoked", "certificate expired",
        "certificate unknown", "unsupported certificate", "access denied", "decrypt error",
    ]

    private static func certificateAlert(in text: String) -> String? {
        certificateAlerts.first { has("alert " + $0, in: text) }
    }

    /// "error:0A00042E:SSL routines::tlsv1 alert protocol version" -> what is behind the last colon.
    private static func reason(in text: String) -> String? {
        guard has("error:", in: text), let colon = text.utf8.lastIndex(of: UInt8(ascii: ":")) else { return nil }
        let reason = text[text.utf8.index(after: colon)...]
        // "unexpected eof while reading" is a line that broke, not an opinion on TLS.
        return reason.isEmpty || has("unexpected eof", in: text) ? nil : String(reason)
    }

    private static func has(_ part: String, in text: String) -> Bool {
        let (part, text) = (Array(part.utf8), Array(text.utf8))
        guard text.count >= part.count else { return false }
        return (0...text.count - part.count).contains { text[$0..<$0 + part.count].elementsEqual(part) }
    }
}
