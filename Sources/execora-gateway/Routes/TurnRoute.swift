import Conversation
import Hummingbird
import JSONText
import Logging
import NIOCore
import Seals

/// `POST /v1/turns`: Opus up while the shopkeeper still speaks, words down.
struct TurnRoute: Sendable {
    static let contentType = "application/x-execora-turn"
    /// Longest that a transcript is waited for; then the verdict is `failed`. Under the 20 s that a device waits for
    /// its reply, so that it hears `failed` instead of nothing.
    static let transcriptTimeMax = Duration.seconds(18)

    let speech: any SpeechToText
    /// A second reader of what was heard; nil when none is configured.
    var opinion: ChatOpinion?
    let desk: TurnDesk
    /// Looks again at what the device took for its wake word; nil takes its word for it.
    var verifier: WakeVerifier?
    /// Keeps the sound of turns; nil keeps none.
    var archive: Archive?
    var quota = TurnQuota(TurnQuota.Limits())
    let metrics: GatewayMetrics
    let logger: Logger
    let clock = ContinuousClock()

    func answer(_ request: Request, context: DeviceContext) async throws -> Response {
        guard request.headers[.contentType] == Self.contentType else {
            throw Refusal(
                status: .unsupportedMediaType, code: "content_type", message: "a turn is \(Self.contentType)")
        }
        var intake = try TurnIntake()
        var ticket: UInt64?
        var isVerified = verifier == nil
        let device = context.sender.device
        let shop = ShopHash.of(context.sender.shop)
        if let seconds = quota.audioWait(device: device, shop: shop, at: clock.now) {
            metrics.count("execora_quota_refusals_total", labels: [("kind", "audio")])
            throw Refusal.busy("the day's audio is used up", retryAfterSeconds: seconds)
        }
        defer {
            if let ticket { desk.leave(device: device, ticket: ticket) }
            // What was sent counts, whatever became of it.
            quota.heard(seconds: Double(intake.packets) / 50, device: device, shop: shop, at: clock.now)
        }

        for try await part in request.body {
            try intake.take(part.readableBytesView)
            if ticket == nil, let hello = intake.hello {
                if let named = CorrelationHeader.turn(request), named != hello.turn {
                    throw Refusal.malformed("header and hello name two turns")
                }
                context.note.add("turn", .string(hello.turn.description))
                ticket = desk.enter(
                    device: device, turn: hello.turn, isLate: hello.isLate, channel: context.channel)
                if ticket == nil {
                    throw Refusal.busy("another turn of this device is in flight", retryAfterSeconds: 2)
                }
            }
            if !isVerified, let verdict = verified(intake) {
                isVerified = true
                // Told while the shopkeeper may still speak: the rest need not come.
                if !verdict, !intake.isEnded { throw Refusal.notAwake }
            }
            if intake.isEnded { break }
        }
        let lastByte = clock.now
        guard let hello = intake.hello, var clip = intake.clip() else { throw Refusal.malformed("turn without an end") }
        clip.shopHash = shop
        context.note.add("packets", .integer(Int64(intake.packets)))

        var reply = TurnReply(
            turn: hello.turn, verdict: hello.isLate ? .late : .heard, transcripts: [], milliseconds: 0)
        // A short turn may end before the sound behind its wake word was enough; then what came is judged.
        let isRefused = verified(intake, isWhole: true) == false
        if intake.isCancelled || isRefused {
            reply.verdict = .rejected
        } else {
            archive?.keep(clip)
            do {
                reply.transcripts = Array(try await transcripts(of: clip).prefix(TurnReply.transcriptsMax))
                reply.opinions = try await opinions(on: reply.transcripts, clip)
            } catch SpeechError.busy {
                throw Refusal.unavailable("speech recognition is busy or starting", retryAfterSeconds: 2)
            } catch {
                reply.verdict = .failed
                // The reason holds no speech (SpeechError); other errors are named by their type alone.
                let reason = (error as? SpeechError).map { "\($0)" } ?? "\(type(of: error))"
                logger.warning("no transcript", metadata: ["turn": "\(hello.turn)", "reason": "\(reason)"])
            }
        }
        reply.milliseconds = (clock.now - lastByte).milliseconds
        context.note.add("verdict", .string(reply.verdict.rawValue))
        context.note.add("transcript_ms", .integer(reply.milliseconds))
        metrics.count("execora_turns_total", labels: [("verdict", reply.verdict.rawValue)])
        metrics.count("execora_turn_audio_milliseconds_total", by: Int64(intake.packets) * 20)
        metrics.observe("execora_turn_transcript_milliseconds", milliseconds: reply.milliseconds)
        return .json(reply.json)
    }

    /// Nil while too little has come, or where there is nothing to verify.
    private func verified(_ intake: borrowing TurnIntake, isWhole: Bool = false) -> Bool? {
        guard let verifier, let hello = intake.hello, let wake = hello.wake, !intake.isCancelled,
            let needed = verifier.samplesNeeded(for: hello), isWhole || intake.samples.count >= needed
        else { return nil }
        let isWake = verifier.confirms(intake.samples.prefix(needed), wake)
        if !isWhole || !isWake { metrics.count("execora_wakes_total", labels: [("verified", isWake ? "yes" : "no")]) }
        return isWake
    }

    private func transcripts(of clip: SpeechClip) async throws -> [TurnReply.Transcript] {
        try await withThrowingTaskGroup(of: [TurnReply.Transcript].self) { group in
            group.addTask { try await speech.transcribe(clip) }
            group.addTask {
                try await Task.sleep(for: Self.transcriptTimeMax)
                throw SpeechError.timedOut
            }
            defer { group.cancelAll() }
            return try await group.next()!
        }
    }

    /// The language model's word, where one is configured, there is doubt, and the shop has tokens left.
    private func opinions(on heard: [TurnReply.Transcript], _ clip: SpeechClip) async throws -> [TurnOpinion] {
        guard let opinion, opinion.isWanted(for: heard) else { return [] }
        guard quota.mayAskModel(shop: clip.shopHash, at: clock.now) else {
            metrics.count("execora_quota_refusals_total", labels: [("kind", "tokens")])
            return []
        }
        guard let answer = try await opinion.opinion(on: heard, clip) else { return [] }
        quota.tokens(answer.tokens, shop: clip.shopHash, at: clock.now)
        return answer.opinion.map { [$0] } ?? []
    }
}

/// Stands for a shop where its name may not: metrics and vendors' labels.
enum ShopHash {
    static func of(_ shop: [UInt8]) -> String { String(Hex.text(SHA256.digest(shop)).prefix(8)) }
}
