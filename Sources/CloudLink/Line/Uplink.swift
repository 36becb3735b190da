import CCurl
import Conversation
import JSONText

/// What runs on the uplink thread: a loop around one multi handle of libcurl. Everything here is that thread's.
final class Uplink {
    private enum Job {
        case turn(TurnUpload, (Result<TurnDelivery, LinkError>) -> Void)
        case request(LinkRequest.Kind, (Result<LinkResponse, LinkError>) -> Void)
        case ping
    }

    private struct Running {
        var exchange: Exchange
        /// Nil once answered: what still runs is let run out, nobody hears of it.
        var job: Job?
        /// Monotonic milliseconds; a turn's moves with its upload.
        var deadline: Int64
        /// Set for a turn whose body still goes up.
        var upload: TurnUpload?

        var isPing: Bool { if case .ping = job { true } else { false } }
    }

    private struct Waiting {
        var request: LinkRequest
        var done: (Result<LinkResponse, LinkError>) -> Void
        var since: Int64
    }

    private let configuration: GatewayLink.Configuration
    private let clock: LinkClock
    private let inbox: Inbox
    private let tell: @Sendable (LinkEvent) -> Void
    private var random: any RandomNumberGenerator & Sendable
    private var multi: UnsafeMutableRawPointer
    private var running: [UnsafeMutableRawPointer: Running] = [:]
    private var waiting: [Waiting] = []
    private var line: LineState
    private var mustRenewConnections = false

    init(_ seed: UplinkSeed, multi: UnsafeMutableRawPointer) {
        configuration = seed.configuration
        clock = seed.clock
        inbox = seed.inbox
        tell = seed.tell
        random = seed.random
        line = LineState(configuration: seed.configuration.line, now: seed.clock.milliseconds())
        self.multi = multi
    }

    func run() {
        while true {
            switch inbox.take() {
            case .orders(let orders): for order in orders { start(order) }
            case .stop(let orders):
                end(orders)
                return
            }
            startWhatIsDue()
            for one in running.values { one.exchange.resume() }
            var count: Int32 = 0
            curl_multi_perform(multi, &count)
            finishWhatEnded()
            giveUpWhatIsLate()
            // A wake between `take` and here is kept for this poll.
            curl_multi_poll(multi, nil, 0, pollMilliseconds, nil)
        }
    }

    private func end(_ orders: [Inbox.Order]) {
        for order in orders {
            switch order {
            case .turn(let upload, _, let reply):
                upload.close()
                reply(.failure(.cancelled))
            case .request(_, let done): done(.failure(.cancelled))
            case .renewConnections: break
            }
        }
        for one in waiting { one.done(.failure(.cancelled)) }
        for easy in Array(running.keys) { abort(easy, .cancelled) }
        inbox.replace(multi: 0)
        curl_multi_cleanup(multi)
    }
}

/// Starting.
extension Uplink {
    private func start(_ order: Inbox.Order) {
        switch order {
        case .renewConnections:
            mustRenewConnections = true
            renewConnections()
        case .turn(let upload, let traceparent, let reply):
            guard !upload.isCancelled else {
                upload.close()
                reply(.failure(.cancelled))
                return
            }
            let turns = running.values.count { $0.upload != nil }
            guard turns < GatewayLink.turnsMax else {
                upload.close()
                reply(.failure(.busy))
                return
            }
            run(
                .turn(upload, reply), upload: upload,
                deadline: clock.milliseconds() + configuration.turnTimeout.milliseconds
            ) {
                () throws(LinkError) in
                try exchange(
                    "/v1/turns",
                    headers: [
                        "Content-Type: application/x-execora-turn", "traceparent: \(traceparent)",
                        "x-execora-turn: \(upload.turn)",
                    ], body: .turn(upload))
            }
        case .request(let request, let done):
            let isUnderWay =
                waiting.contains { $0.request.kind == request.kind }
                || running.values.contains {
                    if case .request(let kind, _) = $0.job { kind == request.kind } else { false }
                }
            guard !isUnderWay else { return done(.failure(.busy)) }
            waiting.append(Waiting(request: request, done: done, since: clock.milliseconds()))
        }
    }

    private func startWhatIsDue() {
        if mustRenewConnections { renewConnections() }
        let now = clock.milliseconds()
        // Speech first: a request waits until the sound is up, but not for ever, as the ledger has its share too.
        let isSpeaking = running.values.contains { $0.upload.map { $0.lastByteAt == nil } ?? false }
        let hold = GatewayLink.requestHold.milliseconds
        // A request behind a renewal is for the new connections; what runs on the old ones ends within its deadline.
        let isDue = { (one: Waiting) in !self.mustRenewConnections && (!isSpeaking || now - one.since >= hold) }
        let due = waiting.filter(isDue)
        waiting.removeAll(where: isDue)
        for one in due {
            let request = one.request
            run(.request(request.kind, one.done), deadline: now + request.timeout.milliseconds) {
                () throws(LinkError) in
                var headers = request.body == nil ? [] : ["Content-Type: \(request.contentType)"]
                if let traceparent = request.traceparent { headers.append("traceparent: \(traceparent)") }
                return try exchange(request.path, headers: headers, body: request.body.map { .bytes($0) } ?? .none)
            }
        }
        if running.isEmpty, now >= line.nextPingAt {
            run(.ping, deadline: now + GatewayLink.pingTimeout.milliseconds) { () throws(LinkError) in
                try exchange("/v1/time", headers: [], body: .none)
            }
        }
    }

    private func exchange(_ path: String, headers: [String], body: Exchange.Body) throws(LinkError) -> Exchange {
        try Exchange.open(
            url: configuration.url + path, credentials: configuration.credentials, headers: headers, body: body,
            limits: .init(
                connect: configuration.connectTimeout, unacknowledged: configuration.unacknowledgedTimeout,
                replyBytesMax: LinkResponse.bodyBytesMax))
    }

    private func run(
        _ job: Job, upload: TurnUpload? = nil, deadline: Int64, _ open: () throws(LinkError) -> Exchange
    ) {
        do throws(LinkError) {
            let exchange = try open()
            let code = curl_multi_add_handle(multi, exchange.easy)
            guard code == CURLM_OK else { throw .library(code: code.rawValue, operation: "curl_multi_add_handle") }
            running[exchange.easy] = Running(exchange: exchange, job: job, deadline: deadline, upload: upload)
        } catch {
            upload?.close()
            // A ping that cannot even begin waits like one that failed; else the loop would try without end.
            if case .ping = job { noteFailure(error) }
            conclude(job, .failure(error))
        }
    }

    /// New connections, so that a renewed certificate is shown. What runs ends on the old ones first.
    private func renewConnections() {
        guard running.isEmpty else { return }
        guard let fresh = GatewayLink.makeMulti() else { return }
        mustRenewConnections = false
        let old = multi
        multi = fresh
        inbox.replace(multi: UInt(bitPattern: fresh))
        curl_multi_cleanup(old)
        line.doubted(at: clock.milliseconds())
    }
}

/// Ending.
extension Uplink {
    private func finishWhatEnded() {
        var left: Int32 = 0
        while let message = curl_multi_info_read(multi, &left) {
            guard message.pointee.msg == CURLMSG_DONE, let easy = message.pointee.easy_handle,
                let ended = running[easy]
            else { continue }
            let result = ended.exchange.result(ccurl_message_code(message))
            take(easy, result)
        }
    }

    private func giveUpWhatIsLate() {
        let now = clock.milliseconds()
        for (easy, one) in running {
            guard let upload = one.upload else {
                if now >= one.deadline { abort(easy, .timedOut(one.exchange.isConnected ? .reply : .connecting)) }
                continue
            }
            if one.job != nil, upload.isCancelled {
                // The callback hears at once; the gateway gets a moment to hear it too.
                let job = running[easy]?.job
                running[easy]?.job = nil
                running[easy]?.deadline = now + GatewayLink.cancelTimeout.milliseconds
                if let job { conclude(job, .failure(.cancelled)) }
            } else if upload.isOverfull {
                abort(easy, .tooLarge("turn"))
            } else if now >= deadline(of: one) {
                let phase: LinkError.Phase =
                    !one.exchange.isConnected ? .connecting : upload.lastByteAt == nil ? .sending : .reply
                abort(easy, .timedOut(phase))
            }
        }
    }

    private func deadline(of one: Running) -> Int64 {
        guard one.job != nil, let from = one.upload?.replyDueFrom else { return one.deadline }
        return from + configuration.replyTimeout.milliseconds
    }

    private func abort(_ easy: UnsafeMutableRawPointer, _ error: LinkError) { take(easy, .failure(error)) }

    /// Takes an exchange out of libcurl and tells its job. An unfinished one loses its connection.
    private func take(_ easy: UnsafeMutableRawPointer, _ result: Result<LinkResponse, LinkError>) {
        guard let one = running.removeValue(forKey: easy) else { return }
        curl_multi_remove_handle(multi, easy)
        note(result, of: one)
        defer { one.upload?.close() }
        if let job = one.job { conclude(job, result) }
    }

    /// What an end says of the line.
    private func note(_ result: Result<LinkResponse, LinkError>, of one: Running) {
        let now = clock.milliseconds()
        switch result {
        case .success: if let event = line.answered(at: now) { tell(event) }
        case .failure(.cancelled): break
        // The gateway may be slow, or answer nonsense to this alone: a ping tells which.
        case .failure(.timedOut(.reply)) where !one.isPing: line.doubted(at: now)
        case .failure(.tooLarge) where !one.isPing, .failure(.malformedReply) where !one.isPing: line.doubted(at: now)
        case .failure(let error): noteFailure(error)
        }
    }

    private func noteFailure(_ error: LinkError) {
        let jitter = Double.random(in: 0..<1, using: &random)
        if let event = line.failed(error, at: clock.milliseconds(), jitter: jitter) { tell(event) }
    }

    private func conclude(_ job: Job, _ result: Result<LinkResponse, LinkError>) {
        switch job {
        case .ping: break
        case .request(_, let done): done(result)
        case .turn(let upload, let reply): reply(delivery(of: upload, result))
        }
    }

    private func delivery(
        of upload: TurnUpload, _ result: Result<LinkResponse, LinkError>
    ) -> Result<TurnDelivery, LinkError> {
        do throws(LinkError) {
            let response = try result.get()
            // Told before the turn's end: the wake was none, nothing is to be said.
            if response.status == 409, response.rejection.code == "not_awake" {
                return .success(
                    TurnDelivery(
                        reply: TurnReply(turn: upload.turn, verdict: .rejected, transcripts: [], milliseconds: 0),
                        bytesSent: upload.bytesTaken,
                        lastByteAtMilliseconds: upload.lastByteAt ?? clock.milliseconds()))
            }
            let body = try response.accepted()
            let reply: TurnReply
            do { reply = try TurnReply(json: JSONValue(parsing: body)) } catch { throw .malformedReply("turn") }
            guard reply.turn == upload.turn else { throw .malformedReply("another turn") }
            guard let lastByteAt = upload.lastByteAt else { throw .malformedReply("before the turn's end") }
            return .success(
                TurnDelivery(reply: reply, bytesSent: upload.bytesTaken, lastByteAtMilliseconds: lastByteAt))
        } catch { return .failure(error) }
    }

    /// Until the next moment anything is due by itself; libcurl shortens it by its own.
    private var pollMilliseconds: Int32 {
        let now = clock.milliseconds()
        var next = running.values.map(deadline(of:))
        if !mustRenewConnections { next += waiting.map { $0.since + GatewayLink.requestHold.milliseconds } }
        if running.isEmpty { next.append(line.nextPingAt) }
        let earliest = next.min() ?? now + 60_000
        return Int32(clamping: max(0, min(earliest - now, 60_000)))
    }
}
