import JSONText

/// What goes wrong with a call, with JSON-RPC 2.0's numbers and four of our own.
public struct CallFault: Error, Hashable, Sendable {
    public var code: Int64
    public var message: String

    public init(code: Int64, message: String) {
        self.code = code
        self.message = message
    }

    public static func badParameters(_ why: String) -> CallFault { CallFault(code: -32_602, message: why) }
    public static func failed(_ why: String) -> CallFault { CallFault(code: -32_603, message: why) }
    /// The caller's socket or presence does not allow it. `execoractl` ends with 3.
    public static let notAllowedCode: Int64 = -32_001
    /// Too much at once; try again.
    public static let busyCode: Int64 = -32_002
    /// The thing is known and cannot be done now (muted, no book). `execoractl` ends with 1.
    public static let refusedCode: Int64 = -32_003
    public static let unknownMethodCode: Int64 = -32_601
    public static func notAllowed(_ why: String) -> CallFault { CallFault(code: notAllowedCode, message: why) }
    public static func busy(_ why: String) -> CallFault { CallFault(code: busyCode, message: why) }
    public static func refused(_ why: String) -> CallFault { CallFault(code: refusedCode, message: why) }

    static let notJSON = CallFault(code: -32_700, message: "not JSON")
    static func notARequest(_ why: String) -> CallFault { CallFault(code: -32_600, message: why) }
}

/// One line from a client, read. Pure.
struct RPCRequest {
    /// Longer names and ids are no call of ours.
    static let nameBytesMax = 64

    /// Number, string or null; nil for a notification, which gets no answer.
    var id: JSONValue?
    var method: String
    /// An object; empty when none was sent.
    var parameters: JSONValue

    /// - Throws: the fault and the id it is to be answered to, null where none could be read.
    init(_ line: [UInt8]) throws(RPCReadFault) {
        let json: JSONValue
        do { json = try JSONValue(parsing: line) } catch { throw RPCReadFault(id: .null, fault: .notJSON) }
        guard case .object = json else {
            throw RPCReadFault(id: .null, fault: .notARequest("a call is one object; batches are not taken"))
        }
        switch json["id"] {
        case nil: id = nil
        case .some(.null): id = .null
        case .some(.integer(let number)): id = .integer(number)
        case .some(.string(let text)) where text.utf8.count <= Self.nameBytesMax: id = .string(text)
        default: throw RPCReadFault(id: .null, fault: .notARequest("an id is a whole number or a short string"))
        }
        let answerID = id ?? .null
        guard json["jsonrpc"] == "2.0" else {
            throw RPCReadFault(id: answerID, fault: .notARequest(#""jsonrpc" is not "2.0""#))
        }
        guard let method = json["method"]?.string, !method.isEmpty, method.utf8.count <= Self.nameBytesMax else {
            throw RPCReadFault(id: answerID, fault: .notARequest("no method"))
        }
        self.method = method
        switch json["params"] {
        case nil: parameters = .object([])
        case .some(.object(let members)): parameters = .object(members)
        default: throw RPCReadFault(id: answerID, fault: .badParameters("params is one object of named values"))
        }
    }
}

struct RPCReadFault: Error {
    var id: JSONValue
    var fault: CallFault
}

/// Lines the server writes.
enum RPCLine {
    static func result(_ value: JSONValue, id: JSONValue) -> [UInt8] {
        line([.init("jsonrpc", "2.0"), .init("id", id), .init("result", value)])
    }

    static func fault(_ fault: CallFault, id: JSONValue) -> [UInt8] {
        let error = JSONValue.object([.init("code", .integer(fault.code)), .init("message", .string(fault.message))])
        return line([.init("jsonrpc", "2.0"), .init("id", id), .init("error", error)])
    }

    static func notification(_ method: String, _ parameters: JSONValue) -> [UInt8] {
        line([.init("jsonrpc", "2.0"), .init("method", .string(method)), .init("params", parameters)])
    }

    static func line(_ members: [JSONValue.Member]) -> [UInt8] { JSONValue.object(members).bytes + [0x0A] }
}
