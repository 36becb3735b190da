import Hummingbird

/// Answers each request in a task of its own, which takes its stack along when it ends. A connection's task would keep
/// the largest it ever had for as long as the line is open: 8 kB of an idle line.
struct RequestTask<Inner: HTTPResponder>: HTTPResponder {
    private let inner: Inner

    init(_ inner: Inner) { self.inner = inner }

    func respond(to request: Request, context: Inner.Context) async throws -> Response {
        // Not sendable by its type, but nobody else has it: the caller waits here until the task has ended.
        nonisolated(unsafe) let context = context
        async let response = inner.respond(to: request, context: context)
        return try await response
    }
}
