import CCurl
import Conversation
import Glibc

/// One HTTP exchange: an easy handle of libcurl, what goes up on it and what came back. One thread's.
///
/// A class because libcurl keeps its address for the callbacks; whoever runs it keeps it alive until it has ended.
final class Exchange {
    enum Body {
        case none
        case bytes([UInt8])
        case turn(TurnUpload)
    }

    /// Who is trusted, and who we are; `own` is nil at enrolment only.
    struct Credentials: Sendable {
        struct Own: Sendable {
            var chainPath: String
            var keyPath: String
        }

        var trustPath: String
        var own: Own?
    }

    struct Limits: Sendable {
        var connect: Duration
        /// Unacknowledged bytes older than this mean that the line is dead, also where no reset ever comes.
        var unacknowledged: Duration
        var replyBytesMax: Int
    }

    let easy: UnsafeMutableRawPointer
    private let body: Body
    private let limits: Limits
    private var headers: UnsafeMutablePointer<curl_slist>?
    private let errorText: UnsafeMutablePointer<CChar>
    private var reply: [UInt8] = []
    private var isReplyOverMax = false
    private(set) var isPaused = false

    private init(easy: UnsafeMutableRawPointer, body: Body, limits: Limits) {
        self.easy = easy
        self.body = body
        self.limits = limits
        errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
        errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
    }

    deinit {
        curl_easy_cleanup(easy)
        curl_slist_free_all(headers)
        errorText.deallocate()
    }

    /// libcurl's own start, once a process; nothing but TLS is initialised. Before any thread uses it.
    static let isLibraryReady = curl_global_init(Int(CURL_GLOBAL_SSL)) == CURLE_OK

    /// - Parameter headers: whole lines, "name: value".
    static func open(
        url: String, credentials: Credentials, headers: [String] = [], body: Body = .none, limits: Limits
    ) throws(LinkError) -> Exchange {
        guard isLibraryReady else { throw .library(code: 0, operation: "curl_global_init") }
        guard let easy = curl_easy_init() else { throw .library(code: 0, operation: "curl_easy_init") }
        let exchange = Exchange(easy: easy, body: body, limits: limits)
        try exchange.setLine(url: url)
        try exchange.setTrust(credentials)
        try exchange.setBody()
        try exchange.setHeaders(headers)
        return exchange
    }

    private func setLine(url: String) throws(LinkError) {
        try set(CURLOPT_URL, url)
        try set(CURLOPT_PROTOCOLS_STR, "https")
        try set(CURLOPT_USERAGENT, "execora/1")
        // An empty proxy also silences the proxy variables of the environment.
        try set(CURLOPT_PROXY, "")
        try set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
        // Signals belong to the daemon; without them libcurl resolves names on a thread of its own.
        try set(CURLOPT_NOSIGNAL, 1)
        try set(CURLOPT_TCP_NODELAY, 1)
        try set(CURLOPT_TCP_KEEPALIVE, 1)
        try set(CURLOPT_CONNECTTIMEOUT_MS, Int(limits.connect.milliseconds))
        try set(CURLOPT_ERRORBUFFER, pointer: errorText)
        let own = Unmanaged.passUnretained(self).toOpaque()
        try check(ccurl_set_write_function(easy, Self.write), "write function")
        try set(CURLOPT_WRITEDATA, pointer: own)
        try check(ccurl_set_sockopt_function(easy, Self.prepareSocket), "sockopt function")
        try set(CURLOPT_SOCKOPTDATA, pointer: own)
    }

    private func setTrust(_ credentials: Credentials) throws(LinkError) {
        try set(CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_3))
        try set(CURLOPT_SSL_VERIFYPEER, 1)
        try set(CURLOPT_SSL_VERIFYHOST, 2)
        try set(CURLOPT_CAINFO, credentials.trustPath)
        // Distributions compile in a folder of public roots; ours is the only one.
        try check(ccurl_set_text(easy, CURLOPT_CAPATH, nil), "capath")
        // A resumed session would carry the certificate from before a renewal; a whole handshake costs no round more.
        try set(CURLOPT_SSL_SESSIONID_CACHE, 0)
        guard let own = credentials.own else { return }
        try set(CURLOPT_SSLCERT, own.chainPath)
        try set(CURLOPT_SSLKEY, own.keyPath)
    }

    private func setBody() throws(LinkError) {
        switch body {
        case .none: break
        case .bytes(let bytes):
            try set(CURLOPT_POST, 1)
            try check(ccurl_set_offset(easy, CURLOPT_POSTFIELDSIZE_LARGE, bytes.count), "body size")
            let code = bytes.withUnsafeBufferPointer { buffer in
                buffer.withMemoryRebound(to: CChar.self) {
                    ccurl_set_text(easy, CURLOPT_COPYPOSTFIELDS, $0.baseAddress)
                }
            }
            try check(code, "body")
        case .turn:
            let own = Unmanaged.passUnretained(self).toOpaque()
            try set(CURLOPT_POST, 1)
            try check(ccurl_set_read_function(easy, Self.read), "read function")
            try set(CURLOPT_READDATA, pointer: own)
            try check(ccurl_set_seek_function(easy, Self.seek), "seek function")
            try set(CURLOPT_SEEKDATA, pointer: own)
            try set(CURLOPT_UPLOAD_BUFFERSIZE, 16_384)
        }
    }

    private func setHeaders(_ lines: [String]) throws(LinkError) {
        var lines = lines
        // Waiting for "100 Continue" would cost a round.
        lines.append("Expect:")
        if case .turn = body { lines.append("Transfer-Encoding: chunked") }
        for line in lines {
            guard let longer = curl_slist_append(headers, line) else {
                throw .library(code: 0, operation: "curl_slist_append")
            }
            headers = longer
        }
        try check(ccurl_set_list(easy, CURLOPT_HTTPHEADER, headers), "headers")
    }

    private func set(_ option: CURLoption, _ value: Int) throws(LinkError) {
        try check(ccurl_set_long(easy, option, value), "option \(option.rawValue)")
    }

    private func set(_ option: CURLoption, _ value: String) throws(LinkError) {
        try check(ccurl_set_text(easy, option, value), "option \(option.rawValue)")
    }

    private func set(_ option: CURLoption, pointer: UnsafeMutableRawPointer) throws(LinkError) {
        try check(ccurl_set_pointer(easy, option, pointer), "option \(option.rawValue)")
    }

    private func check(_ code: CURLcode, _ operation: String) throws(LinkError) {
        guard code == CURLE_OK else { throw .library(code: Int32(code.rawValue), operation: operation) }
    }
}

/// While it runs.
extension Exchange {
    /// Goes on sending after a pause, when there is something to send.
    func resume() {
        guard isPaused, case .turn(let upload) = body, upload.hasMore else { return }
        isPaused = false
        _ = curl_easy_pause(easy, CURLPAUSE_CONT)
    }

    /// The connection stands (or an old one is used).
    var isConnected: Bool {
        var microseconds: curl_off_t = 0
        return ccurl_get_offset(easy, CURLINFO_PRETRANSFER_TIME_T, &microseconds) == CURLE_OK && microseconds > 0
    }

    /// What it came to, once libcurl says that it has ended.
    func result(_ code: CURLcode) -> Result<LinkResponse, LinkError> {
        if isReplyOverMax { return .failure(.tooLarge("reply")) }
        guard code == CURLE_OK else {
            var verified = 0
            _ = ccurl_get_long(easy, CURLINFO_SSL_VERIFYRESULT, &verified)
            return .failure(LinkError(curl: code, verifyResult: verified, text: String(cString: errorText)))
        }
        var status = 0
        var retryAfter: curl_off_t = 0
        guard ccurl_get_long(easy, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK,
            ccurl_get_offset(easy, CURLINFO_RETRY_AFTER, &retryAfter) == CURLE_OK
        else { return .failure(.library(code: 0, operation: "curl_easy_getinfo")) }
        return .success(
            LinkResponse(status: status, body: reply, retryAfterSeconds: retryAfter > 0 ? retryAfter : nil))
    }

    private static func from(_ raw: UnsafeMutableRawPointer?) -> Exchange {
        Unmanaged<Exchange>.fromOpaque(raw!).takeUnretainedValue()
    }

    private static let write: curl_write_callback = { bytes, size, count, raw in
        let exchange = from(raw)
        let length = size * count
        guard exchange.reply.count + length <= exchange.limits.replyBytesMax else {
            exchange.isReplyOverMax = true
            return 0
        }
        exchange.reply += UnsafeRawBufferPointer(start: bytes, count: length)
        return length
    }

    private static let read: curl_read_callback = { buffer, size, count, raw in
        let exchange = from(raw)
        guard case .turn(let upload) = exchange.body else { return 0 }
        switch upload.take(into: UnsafeMutableRawBufferPointer(start: buffer, count: size * count)) {
        case .bytes(let count): return count
        case .end: return 0
        case .nothing:
            exchange.isPaused = true
            return Int(CURL_READFUNC_PAUSE)
        }
    }

    /// libcurl goes back to the start when a connection kept warm turns out dead; nowhere else.
    private static let seek: curl_seek_callback = { raw, offset, origin in
        guard offset == 0, origin == SEEK_SET, case .turn(let upload) = from(raw).body else {
            return CURL_SEEKFUNC_FAIL
        }
        upload.rewind()
        return CURL_SEEKFUNC_OK
    }

    private static let prepareSocket: curl_sockopt_callback = { raw, socket, _ in
        var milliseconds = UInt32(clamping: from(raw).limits.unacknowledged.milliseconds)
        // Not granted on some kernels; keep-alive and deadlines still stand, so the answer is not looked at.
        _ = setsockopt(
            socket, Int32(IPPROTO_TCP), TCP_USER_TIMEOUT, &milliseconds, socklen_t(MemoryLayout<UInt32>.size))
        return CURL_SOCKOPT_OK
    }
}

/// Alone, without an uplink thread: enrolment.
extension Exchange {
    /// Runs it to its end; blocks.
    func perform() -> Result<LinkResponse, LinkError> {
        _ = ccurl_set_long(easy, CURLOPT_TIMEOUT_MS, 30_000)
        // The caller's thread has no signals blocked: libcurl keeps SIGPIPE off meanwhile.
        _ = ccurl_set_long(easy, CURLOPT_NOSIGNAL, 0)
        return result(curl_easy_perform(easy))
    }
}

extension Exchange.Limits {
    /// A technician waits beside it, so it may take longer than a counter would.
    static let enrolment = Exchange.Limits(
        connect: .seconds(10), unacknowledged: .seconds(10), replyBytesMax: 64 * 1024)
}
