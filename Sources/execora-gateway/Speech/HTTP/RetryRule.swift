/// What to do after a try at an HTTP provider: take the answer, try again, or give up. Pure, so that it is tested whole.
struct RetryRule {
    static let triesMax = 3
    static let firstPause = Duration.milliseconds(300)
    /// A server that asks for longer is given up for this turn: somebody waits at the counter.
    static let pauseMax = Duration.seconds(5)

    enum Outcome: Equatable {
        case status(Int, code: String?, retryAfterSeconds: Int?)
        /// No connection, or one that broke before the answer.
        case noConnection
    }

    enum Step: Equatable {
        case take
        case again(after: Duration)
        case giveUp(SpeechError)
    }

    /// - Parameter number: 1 for the first try.
    static func step(after outcome: Outcome, try number: Int) -> Step {
        let backoff = firstPause * (number == 1 ? 1 : 3)
        switch outcome {
        case .status(200, _, _): return .take
        // A spent quota is not cured by waiting.
        case .status(429, code: let code?, _) where code.hasPrefix("insufficient_quota"):
            return .giveUp(.refused(reason: "HTTP 429 \(code)"))
        case .status(let status, let code, let seconds) where status == 429 || status >= 500:
            let pause = seconds.map { Duration.seconds($0) } ?? backoff
            guard number < triesMax, pause <= pauseMax else {
                let isBusy = status == 429 || code?.hasPrefix("rate_limit_exceeded") == true
                return .giveUp(isBusy ? .busy : .broken(reason: reason(status, code)))
            }
            return .again(after: pause)
        case .status(let status, let code, _): return .giveUp(.refused(reason: reason(status, code)))
        case .noConnection:
            return number < triesMax ? .again(after: backoff) : .giveUp(.broken(reason: "no connection"))
        }
    }

    private static func reason(_ status: Int, _ code: String?) -> String {
        "HTTP \(status)" + (code.map { " \($0)" } ?? "")
    }
}
