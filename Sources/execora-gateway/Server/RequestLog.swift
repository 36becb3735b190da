import Conversation
import Hummingbird
import JSONText
import Ledger
import Logging

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
        } catch {
            // The line broke while the body came: nobody reads this answer.
            code = "broken_off"
            response = Refusal.malformed("the request broke off").response
        }
        if let trace { response.headers[CorrelationHeader.traceparentName] = trace }
        if let turn { response.headers[CorrelationHeader.turnName] = turn.description }
        let took = (clock.now - start).milliseconds
        // A path that is no route is not repeated: it may hold anything.
        let route = code == "not_found" ? "other" : request.uri.path
        metrics.count(
            "execora_requests_total",
            labels: [("port", port), ("route", route), ("status", String(response.status.code))])
        var line: Logger.Metadata = [
            "port": "\(port)", "route": "\(route)", "status": "\(response.status.code)", "ms": "\(took)",
        ]
        if let code { line["code"] = "\(code)" }
        if let trace { line["trace"] = "\(trace)" }
        if let turn { line["turn"] = "\(turn)" }
        for field in context.note.all { line[field.name] = "\(field.value.string ?? field.value.text)" }
        logger.info("request", metadata: line)
        return response
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
