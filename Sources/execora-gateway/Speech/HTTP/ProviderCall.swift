import AsyncHTTPClient
import JSONText
import Ledger
import Logging
import NIOCore

/// One request to a provider over HTTP: deadline, retries, bounded answer, errors told by kind. Every vendor's adapter
/// sends through it, so that no adapter can forget one of them.
///
/// The key stands in the request's header and nowhere else; neither it nor what was said is logged, and of an error body
/// only its code is told on (the message may quote the key).
struct ProviderCall: Sendable {
    /// A transcript is a few hundred bytes; verbose ones some kB.
    static let answerBytesMax = 256 * 1024

    /// How the provider wants its key.
    enum KeyHeader: Sendable, Hashable {
        case bearer
        case token
        case named(String)
    }

    var secret: ProviderSecret?
    var keyHeader = KeyHeader.bearer
    /// All tries together. When it passes: the turn goes to the next provider.
    var answerTimeMax: Duration
    var answerBytesMax = Self.answerBytesMax
    var client: HTTPClient = .shared
    var logger: Logger

    /// - Returns: the body of the answer 200.
    /// - Throws: `SpeechError`, or `CancellationError` when nobody waits any more.
    func send(_ unsigned: HTTPClientRequest, turn: ULID) async throws -> [UInt8] {
        var request = unsigned
        if let key = try secret?.key() {
            switch keyHeader {
            case .bearer: request.headers.add(name: "authorization", value: "Bearer \(key)")
            case .token: request.headers.add(name: "authorization", value: "Token \(key)")
            case .named(let name): request.headers.add(name: name, value: key)
            }
        }
        let deadline = ContinuousClock.now + answerTimeMax
        for number in 1... {
            let (outcome, body) = try await attempt(request, by: deadline)
            switch RetryRule.step(after: outcome, try: number) {
            case .take: return body
            case .giveUp(let error): throw error
            case .again(let pause):
                guard ContinuousClock.now + pause < deadline else { throw SpeechError.timedOut }
                logger.info("a provider is asked again", metadata: ["turn": "\(turn)", "try": "\(number)"])
                try await Task.sleep(for: pause)
            }
        }
        throw SpeechError.timedOut
    }

    private func attempt(
        _ request: HTTPClientRequest, by deadline: ContinuousClock.Instant
    ) async throws -> (RetryRule.Outcome, [UInt8]) {
        let left = (deadline - .now).milliseconds
        guard left > 0 else { throw SpeechError.timedOut }
        do {
            let response = try await client.execute(request, timeout: .milliseconds(left))
            var bytes: [UInt8] = []
            for try await part in response.body {
                bytes += part.readableBytesView
                guard bytes.count <= answerBytesMax else { throw SpeechError.broken(reason: "answer too long") }
            }
            // The client's own deadline may fire late on a busy machine; ours is the clock's.
            if ContinuousClock.now >= deadline { throw SpeechError.timedOut }
            let seconds = response.headers.first(name: "retry-after").flatMap { Int($0) }.flatMap { $0 >= 0 ? $0 : nil }
            let status = Int(response.status.code)
            return (
                .status(status, code: status == 200 ? nil : Self.code(bytes), retryAfterSeconds: seconds), bytes
            )
        } catch let error as SpeechError {
            throw error
        } catch let error as CancellationError {
            throw error
        } catch let error as HTTPClientError {
            if Task.isCancelled { throw CancellationError() }
            if error == .deadlineExceeded || error == .readTimeout { throw SpeechError.timedOut }
            return (.noConnection, [])
        } catch {
            if ContinuousClock.now >= deadline { throw SpeechError.timedOut }
            return (.noConnection, [])
        }
    }

    /// The code of an error body, in the four forms that providers use (OpenAI and Sarvam, Deepgram old and new,
    /// ElevenLabs); nil when it is no short word, so that nothing that could carry a secret passes.
    static func code(_ body: [UInt8]) -> String? {
        guard let json = try? JSONValue(parsing: body) else { return nil }
        let code =
            json["error"]?["code"]?.string ?? json["err_code"]?.string ?? json["category"]?.string
            ?? json["detail"]?["status"]?.string
        guard let code, !code.isEmpty, code.utf8.count <= 48,
            code.utf8.allSatisfy({
                ($0 | 0x20 >= UInt8(ascii: "a") && $0 | 0x20 <= UInt8(ascii: "z")) || $0 == UInt8(ascii: "_")
            })
        else { return nil }
        return code
    }
}

extension HTTPClientRequest {
    /// A POST that carries one body and wants JSON back.
    static func post(_ url: String, contentType: String, _ body: [UInt8]) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: url)
        request.method = .POST
        request.headers.add(name: "content-type", value: contentType)
        request.headers.add(name: "accept", value: "application/json")
        request.body = .bytes(body, length: .known(Int64(body.count)))
        return request
    }
}
