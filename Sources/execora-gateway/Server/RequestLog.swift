import Conversation
import Hummingbird
import JSONText
import Ledger
import Logging
import NIOCore
import NIOHTTP1

protocol NotedContext: RequestContext {
    var note: RequestNote { get }
}
extension DeviceContext: NotedContext {}
extension OpenContext: NotedContext {}

/// Outermost of a port: writes one line a request, counts it, echoes `traceparent` and `x-execora-turn`, and turns
/// every error into its answer.
struct RequestLog<Context: NotedContext>: RouterMiddleware {
    let port: String
    let metrics: GatewayMetrics
    let logger: Logger
    let clock = ContinuousClock()

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        let start = clock.now
        let trace = CorrelationHeader.traceparent(request)
        let turn = CorrelationHeader.turn(request)
        var response: Response
        var code: String?
        do {
            response = try await next(request, context)
        } catch let refusal as Refusal {
            code = refusal.code
            response = refusal.response
        } catch let error as HTTPError where error.status == .notFound || error.status == .methodNotAllowed {
            code = "not_found"
            response = Refusal(status: error.status, code: "not_found", message: "no such door").response
        } catch let error as GatewayError {
            code = "storage"
            logger.error("request failed", metadata: ["reason": "\(error)"])
            response = Refusal.unavailable("the gateway cannot store now", retryAfterSeconds: 30).response
        } catch let error as HTTPParserError {
            // Hummingbird answers it and closes the line.
            tell(request, context, status: 400, code: "not_http", since: start)
            throw error
        } catch  where error is CancellationError || error is ChannelError || error is IOError {
            // The line broke while the body came: nobody reads this answer.
            code = "broken_off"
            response = Refusal.malformed("the request broke off").response
        } catch {
            // A fault of ours. Its type alone: the text of an unknown error may hold anything.
            code = "internal"
            logger.error("request failed", metadata: ["reason": "\(type(of: error))"])
            response =
                Refusal(status: .internalServerError, code: "internal", message: "a fault of the gateway").response
        }
        if let trace { response.headers[CorrelationHeader.traceparentName] = trace }
        if let turn { response.headers[CorrelationHeader.turnName] = turn.description }
        tell(request, context, status: response.status.code, code: code, since: start)
        return response
    }

    private func tell(
        _ request: Request, _ context: Context, status: Int, code: String?, since start: ContinuousClock.Instant
    ) {
        // A path that is no route is not repeated: it may hold anything.
        let route = code == "not_found" ? "other" : request.uri.path
        metrics.count(
            "execora_requests_total", labels: [("port", port), ("route", route), ("status", String(status))])
        var line: Logger.Metadata = [
            "port": "\(port)", "route": "\(route)", "status": "\(status)",
            "ms": "\((clock.now - start).milliseconds)",
        ]
        if let code { line["code"] = "\(code)" }
        if let trace = CorrelationHeader.traceparent(request) { line["trace"] = "\(trace)" }
        if let turn = CorrelationHeader.turn(request) { line["turn"] = "\(turn)" }
        for field in context.note.all { line[field.name] = "\(field.value.string ?? field.value.text)" }
        logger.info("request", metadata: line)
    }
}

/// The two headers that carry one turn or batch through both programs' logs. Anything that is not in their exact form
/// is neither logged nor echoed.
enum CorrelationHeader {
    static let traceparentName = HTTPFields.Element.Name("traceparent")!
    static let turnName = HTTPFields.Element.Name("x-execora-turn")!

    /// W3C Trace Context, version 00: 55 characters, hex in lower case with hyphens in their places.
    static func traceparent(_ request: Request) -> String? {
        guard let text = request.headers[traceparentName], text.utf8.count == 55 else { return nil }
        for (index, byte) in text.utf8.enumerated() {
            let isHyphen = index == 2 || index == 35 || index == 52
            guard isHyphen ? byte == UInt8(ascii: "-") : hexDigits.contains(byte) else { return nil }
        }
        return text
    }

    private static let hexDigits = Array("0123456789abcdef".utf8)

    static func turn(_ request: Request) -> ULID? { request.headers[turnName].flatMap { ULID($0) } }
}

extension Duration {
    var milliseconds: Int64 { components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000 }
}
