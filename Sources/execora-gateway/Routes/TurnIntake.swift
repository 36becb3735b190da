import Conversation
import OpusCoding

/// One turn while it comes in: framing read, packets decoded as they arrive, both forms of the clip built up.
/// Bounded by the framing's maxima and by `audioSamplesMax`, whatever is sent.
struct TurnIntake: ~Copyable {
    /// All packets that the framing lets through, at 20 ms each: 32 s, 1 MB.
    static let audioSamplesMax = TurnFraming.packetsMax * TurnHello.frameSamples

    private(set) var hello: TurnHello?
    private(set) var samples: [Int16] = []
    private(set) var isEnded = false
    private(set) var isCancelled = false
    private(set) var packets = 0

    private var reader = TurnReader()
    private var decoder: OpusSpeechDecoder
    private var writer = OggOpusWriter(head: OggOpusHead(preSkip48k: 0), serial: 1)
    private var file: [UInt8] = []

    init() throws(Refusal) {
        do { decoder = try OpusSpeechDecoder.open() } catch {
            throw .unavailable("no decoder", retryAfterSeconds: 5)
        }
        file = writer.begin()
    }

    /// - Throws: a refusal at the first byte that cannot be.
    mutating func take(_ bytes: some Sequence<UInt8>) throws(Refusal) {
        let events: [TurnReader.Event]
        do { events = try reader.take(bytes) } catch {
            switch error {
            case .malformed(let part): throw .malformed("unreadable \(part)")
            case .tooLarge(let part): throw .tooLarge("\(part) over its maximum")
            }
        }
        for event in events {
            switch event {
            case .hello(let told): hello = told
            case .record(let record): try take(record)
            }
        }
    }

    private mutating func take(_ record: TurnFraming.Record) throws(Refusal) {
        isEnded = record.flags.contains(.end) || record.flags.contains(.cancel)
        isCancelled = record.flags.contains(.cancel)
        guard !record.packet.isEmpty else {
            guard isEnded else { throw .malformed("empty packet") }
            return
        }
        // The offset counts samples from the first one; the device sends without holes (an overrun is silence with a
        // flag), so the two counts agree or one side is wrong.
        guard Int(record.sampleOffset) == samples.count else { throw .malformed("sample offset") }
        let decoded: [Int16]
        do { decoded = try decoder.decode(record.packet) } catch { throw .malformed("Opus packet") }
        guard decoded.count == TurnHello.frameSamples else { throw .malformed("packet length") }
        guard samples.count + decoded.count <= Self.audioSamplesMax else { throw .tooLarge("turn") }
        do { file += try writer.add(record.packet) } catch { throw .malformed("Opus packet") }
        samples += decoded
        packets += 1
    }

    /// The clip, once the end has come.
    mutating func clip() -> SpeechClip? {
        guard let hello, isEnded else { return nil }
        return SpeechClip(
            samples: samples, oggOpus: file + writer.end(), language: hello.language, vocabulary: hello.vocabulary,
            people: hello.people, turn: hello.turn, wakePhrase: hello.wake.map { SpeechClip.phrase(ofModel: $0.model) })
    }
}
