import Glibc

/// What stops a command or the start of the gateway. What one request did wrong is a `Refusal`.
enum GatewayError: Error, Equatable, CustomStringConvertible {
    /// SQLite's code and what was being done. Disk or file: the operator.
    case storage(code: Int32, operation: String)
    /// PostgreSQL's SQLSTATE (class 08: the line) and what was being done. The operator.
    case database(code: String, operation: String)
    /// More wait for the store than may.
    case full
    /// A file of the state folder could not be read or written.
    case file(path: String, code: Int32, operation: String)
    /// The state folder, a key or a certificate is not what it must be; `hint` says what to do.
    case state(problem: String, hint: String)
    /// Every mistake of the configuration file.
    case configuration([String])

    var description: String {
        switch self {
        case .storage(let code, let operation):
            "the fleet's database failed with SQLite code \(code) at: \(operation)"
        case .database(let code, let operation):
            "the fleet's database failed with SQLSTATE \(code) at: \(operation)"
        case .full: "too many wait for the fleet's database"
        case .file(let path, let code, let operation):
            "\(operation) \(path): \(String(cString: strerror(code)))"
        case .state(let problem, let hint): "\(problem); \(hint)"
        case .configuration(let mistakes): mistakes.joined(separator: "\n")
        }
    }
}
