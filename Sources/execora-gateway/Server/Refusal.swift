import Hummingbird
import JSONText

/// Why one request was not served, as the device is told: a status and `{"error": {"code", "message"}}`.
/// `code` is for the program, `message` for a person; neither holds a name, an amount, speech or a key.
struct Refusal: Error, HTTPResponseError {
    var status: HTTPResponse.Status
    var code: String
    var message: String
    /// Further members of the error object, such as `next_seq`.
    var members: [JSONValue.Member] = []
    var retryAfterSeconds: Int?

    static func malformed(_ message: String) -> Refusal {
        Refusal(status: .badRequest, code: "malformed", message: message)
    }

    static func tooLarge(_ message: String) -> Refusal {
        Refusal(status: .contentTooLarge, code: "too_large", message: message)
    }

    static func busy(_ message: String, retryAfterSeconds: Int) -> Refusal {
        Refusal(
            status: .tooManyRequests, code: "busy", message: message, retryAfterSeconds: retryAfterSeconds)
    }

    /// The sound was not the wake word: the device drops the turn without a word.
    static let notAwake = Refusal(
        status: .conflict, code: "not_awake", message: "this was not the wake word")

    static func unavailable(_ message: String, retryAfterSeconds: Int) -> Refusal {
        Refusal(
            status: .serviceUnavailable, code: "unavailable", message: message, retryAfterSeconds: retryAfterSeconds)
    }

    var response: Response {
        var headers: HTTPFields = [.contentType: "application/json"]
        if let retryAfterSeconds { headers[.retryAfter] = String(retryAfterSeconds) }
        let error = JSONValue.object([.init("code", .string(code)), .init("message", .string(message))] + members)
        return Response(
            status: status, headers: headers,
            body: .init(byteBuffer: .init(bytes: JSONValue.object([.init("error", error)]).bytes)))
    }

    func response(from request: Request, context: some RequestContext) -> Response { response }
}

extension Response {
    static func json(_ value: JSONValue) -> Response {
        json(bytes: value.bytes)
    }

    static func json(bytes: [UInt8]) -> Response {
        Response(status: .ok, headers: [.contentType: "application/json"], body: .init(byteBuffer: .init(bytes: bytes)))
    }
}

extension Request {
    /// The whole body, or a refusal once it is over `bytesMax`: nothing beyond is kept.
    func bytes(upTo bytesMax: Int) async throws -> [UInt8] {
        if let length = headers[.contentLength].flatMap(Int.init), length > bytesMax {
            throw Refusal.tooLarge("at most \(bytesMax) bytes")
        }
        var whole: [UInt8] = []
        for try await part in body {
            guard whole.count + part.readableBytes <= bytesMax else {
                throw Refusal.tooLarge("at most \(bytesMax) bytes")
            }
            whole.append(contentsOf: part.readableBytesView)
        }
        return whole
    }
}
