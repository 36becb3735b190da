import Diagnostics
import Glibc
import JSONText

/// One call of a command that asks the daemon: what was given behind its word.
struct SocketCall {
    /// Where systemd puts the sockets; a technician's first, then the one anybody in the view group may use.
    static let defaultSockets = ["/run/execora/control.sock", "/run/execora/view.sock"]

    static let options = """
          --socket PATH  the daemon's socket (default: \(defaultSockets.joined(separator: ", then ")))
          --json         the answer as the daemon gives it, on one line
          --watch        again every two seconds
          --token TOKEN  a technician's token, for what needs service
          --quiet        a self-test that says nothing aloud
        exit codes: 0 ok, 1 a check failed or refused, 2 bad call or no daemon, 3 not allowed
        """

    var words: [String] = []
    var sockets = defaultSockets
    var isJSON = false
    /// Asks again every two seconds until it is ended.
    var repeats = false
    /// Nothing is said aloud by a self-test.
    var isQuiet = false
    /// A technician's token, shown first.
    var token: String?
    var wantsHelp = false

    /// Nil when an option is unknown or lacks its value.
    init?(_ arguments: [String]) {
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            switch argument {
            case "--json": isJSON = true
            case "--watch": repeats = true
            case "--quiet": isQuiet = true
            case "--token":
                guard let text = rest.popFirst(), !text.isEmpty else { return nil }
                token = text
            case "--help", "-h": wantsHelp = true
            case "--socket":
                guard let path = rest.popFirst(), !path.isEmpty else { return nil }
                sockets = [path]
            case "--":
                words += rest
                rest = []
            default:
                guard !argument.hasPrefix("--") else { return nil }
                words.append(argument)
            }
        }
    }

    /// The first socket that can be reached, with the token shown where there is one.
    func connect() throws(DiagnosticsClientError) -> DiagnosticsClient {
        let client = try reach()
        if let token { _ = try client.call("service.begin", ["token": .string(token)]) }
        return client
    }

    private func reach() throws(DiagnosticsClientError) -> DiagnosticsClient {
        var first: DiagnosticsClientError?
        for path in sockets {
            do throws(DiagnosticsClientError) {
                return try DiagnosticsClient.connect(path: path)
            } catch {
                guard case .unreachable(_, let code) = error else { throw error }
                // A right that lacks says more than a socket that is not there.
                if first == nil || code == EACCES { first = error }
            }
        }
        throw first ?? .closed
    }

    /// Asks, prints the answer for people or as it is, and gives the exit code.
    ///
    /// - Parameter screen: the text for people and whether what it shows is in order.
    func ask(
        _ method: String, _ parameters: JSONValue = .object([]), timeoutMilliseconds: Int64 = 15_000,
        screen: (JSONValue) -> (text: String, isOK: Bool)
    ) -> Int32 {
        do throws(DiagnosticsClientError) {
            let answer = try connect().call(method, parameters, timeoutMilliseconds: timeoutMilliseconds)
            let (text, isOK) = screen(answer)
            Self.say(isJSON ? answer.text : text)
            return isOK ? 0 : 1
        } catch {
            return Self.complain(error)
        }
    }

    /// Once, or with `--watch` until something goes wrong or it is ended.
    func repeated(_ once: () -> Int32) -> Int32 {
        while repeats {
            if !isJSON { Terminal.wipe() }
            let code = once()
            // A finding is what one watches for; only silence ends it.
            if code > 1 { return code }
            sleep(2)
        }
        return once()
    }

    /// Prints each item of a stream until the daemon ends or nobody reads any more.
    ///
    /// - Parameter redraws: on a terminal each item replaces the one before.
    func watch(
        _ method: String, _ parameters: JSONValue = .object([]), redraws: Bool = false, screen: (JSONValue) -> String
    ) -> Int32 {
        do throws(DiagnosticsClientError) {
            try connect().watch(method, parameters) { item in
                if isJSON { return Self.say(item.text) }
                return redraws ? Terminal.redraw(screen(item)) : Self.say(screen(item))
            }
            return 0
        } catch {
            return Self.complain(error)
        }
    }

    /// One line at once, so that whoever reads a pipe sees it now.
    ///
    /// - Returns: false when nobody reads.
    @discardableResult
    static func say(_ text: String) -> Bool {
        let bytes = Array((text + "\n").utf8)
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { write(1, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            written += count
        }
        return true
    }

    static func complain(_ error: DiagnosticsClientError) -> Int32 {
        let (why, code): (String, Int32) =
            switch error {
            case .unreachable(let path, EACCES):
                ("no right to \(path): be in the group execora-tech (or execora-view to look)", 3)
            case .unreachable(let path, ENOENT): ("no daemon at \(path): is execorad running?", 2)
            case .unreachable(let path, ECONNREFUSED): ("no daemon listens at \(path): it was killed or is starting", 2)
            case .unreachable(let path, let code): ("cannot reach \(path): \(String(cString: strerror(code)))", 2)
            case .timedOut: ("the daemon did not answer in time", 2)
            case .closed: ("the daemon ended the connection", 2)
            case .garbled(let what): ("what answers is not execorad: \(what)", 2)
            case .fault(let fault): (Screen.plain(fault.message), exitCode(fault))
            }
        let bytes = Array((Screen.wrapped("execoractl: \(why)") + "\n").utf8)
        _ = write(2, bytes, bytes.count)
        return code
    }

    private static func exitCode(_ fault: CallFault) -> Int32 {
        switch fault.code {
        case CallFault.notAllowedCode: 3
        case CallFault.refusedCode, -32_603: 1
        default: 2
        }
    }
}
