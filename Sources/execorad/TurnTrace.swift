import JSONText
import Ledger
import Seals

/// The evidence of one turn from sound to receipt, gathered as it passes through the house.
///
/// Times are milliseconds of the monotonic clock; the JSON form counts them from the end of speech, as a person
/// waiting would. Words appear in it only where `withText` is set (service level): a log never does that.
struct TurnTrace: Sendable {
    enum Opening: String, Sendable {
        case wake
        case followUp = "follow-up"
        case button
        case typed, late
    }

    var turn: ULID
    var opening: Opening
    var wake: (model: String, scoreMilli: Int64, cutoffMilli: Int64)?
    /// Absolute sample indices at 16 kHz.
    var wakeEndSample: UInt64?
    /// From the wake word's last scored sample in the air to the turn's opening: what capture and hand-over take. Nil where
    /// samples have no time (a rehearsal, sound behind the echo canceller).
    var wakeToOpenMilliseconds: Int64?
    /// First sample that was sent.
    var firstSample: UInt64?
    var speechStartSample: UInt64?
    var speechEndSample: UInt64?
    var endReason = ""
    var startedAt: Int64 = 0
    var speechEndedAt: Int64?
    var endpointAt: Int64?
    var lastByteAt: Int64?
    var transcriptAt: Int64?
    var committedAt: Int64?
    var firstSoundAt: Int64?
    var bytesSent: Int64 = 0
    var packets: Int64 = 0
    var isSpooled = false
    var verdict = ""
    var transcripts: [(text: String, confidenceMilli: Int64, engine: String, model: String, milliseconds: Int64)] = []
    var intent: String?
    var slots: JSONValue = .null
    var code: String?
    var gate = "none"
    var confidenceMilli: Int64?
    var answer = ""
    var entries: [(epoch: Int64, seq: Int64, hash: [UInt8])] = []

    func json(withText: Bool) -> JSONValue {
        let origin = speechEndedAt ?? endpointAt ?? startedAt
        func after(_ moment: Int64?) -> JSONValue { moment.map { .integer($0 - origin) } ?? .null }
        func seconds(_ sample: UInt64?) -> JSONValue {
            guard let sample, let wakeEndSample else { return .null }
            return .integer((Int64(sample) - Int64(wakeEndSample)) / 16)
        }
        var members: [JSONValue.Member] = [
            .init("turn", .string(turn.description)), .init("opening", .string(opening.rawValue)),
            .init(
                "wake",
                wake.map {
                    ["model": .string($0.model), "score": .integer($0.scoreMilli), "cutoff": .integer($0.cutoffMilli)]
                } ?? .null),
            .init("wake_end_sample", wakeEndSample.map { .integer(Int64(clamping: $0)) } ?? .null),
            .init("wake_to_open_ms", JSONValue(wakeToOpenMilliseconds)),
            .init("first_sample", firstSample.map { .integer(Int64(clamping: $0)) } ?? .null),
            .init("speech_start_ms_after_wake", seconds(speechStartSample)),
            .init("speech_end_ms_after_wake", seconds(speechEndSample)),
            .init("ended_by", .string(endReason)),
            .init("packets", .integer(packets)), .init("bytes_sent", .integer(bytesSent)),
            .init("spooled", .bool(isSpooled)), .init("verdict", .string(verdict)),
            .init(
                "engines",
                .array(
                    transcripts.map {
                        [
                            "engine": .string($0.engine), "confidence": .integer($0.confidenceMilli),
                            "model": .string($0.model),
                            "milliseconds": .integer($0.milliseconds),
                        ]
                    })),
            .init("intent", JSONValue(intent)), .init("code", JSONValue(code)), .init("gate", .string(gate)),
            .init("confidence", JSONValue(confidenceMilli)),
            .init(
                "journal",
                .array(
                    entries.map {
                        ["epoch": .integer($0.epoch), "seq": .integer($0.seq), "hash": .string(Hex.text($0.hash))]
                    })),
            .init(
                "ms_after_speech",
                [
                    "endpoint": after(endpointAt), "last_byte": after(lastByteAt), "transcript": after(transcriptAt),
                    "committed": after(committedAt), "first_sound": after(firstSoundAt),
                ]),
        ]
        if withText {
            members.append(.init("transcripts", .array(transcripts.map { .string($0.text) })))
            members.append(.init("slots", slots))
            members.append(.init("answer", .string(answer)))
        }
        return .object(members)
    }
}
