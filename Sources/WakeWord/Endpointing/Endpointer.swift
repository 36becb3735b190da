/// Finds where the shopkeeper's words begin and end, from loudness and the voice-activity model together. Plain: sound in,
/// decisions out; owned by the dsp thread and fed with every sample, turns open or not, so that it knows the room.
///
/// Loudness is exact in time and takes noise for speech; the model knows speech and is late (0.46 s at the start, 0.65 s
/// at the end). So loudness sets the marks, and the model takes back what it does not confirm:
/// - speech begins with 3 loud frames of 5, scored from the wake word's end on, sound that is already there included;
/// - a frame counts as speech when it is loud against the room and not far below the speaker's own level;
/// - when the room stays loud and the model says "no voice", the model's word ends the turn, and the time it is late
///   counts as silence already spent.
public struct Endpointer: Sendable {
    static let frameMilliseconds = 20
    static let startFrames = 5
    static let startLoudFrames = 3
    /// A frame so far below the speaker's level is somebody else, or the room.
    static let belowSpeakerTenths = 120
    static let voiceOnMilli: Int64 = 500
    static let voiceOffMilli: Int64 = 300
    /// How late the model's word is.
    static let voiceReleaseMilliseconds = 650
    /// Noise that no voice confirmed for so long was no speech; the model's onset takes up to 620 ms (p90).
    static let confirmMilliseconds = 1_200
    /// What the model says right behind the wake word is still about the wake word.
    static let voiceOfWakeMilliseconds = 700
    /// Loud again after so long a pause is a new stretch; the model needs its onset time before it can deny that.
    static let newStretchMilliseconds = 200
    static let onsetMilliseconds = 1_000
    /// The model must say "no voice" for so long before it overrules a loud room.
    static let voiceGoneMilliseconds = 500
    /// Past the soft cap so short a pause ends the turn.
    static let softCapPauseMilliseconds = 200
    /// Frames kept to be scored again when a turn opens in the past.
    static let historyFrames = 150

    private struct Heard {
        var frame: EnergyGate.Frame
        var voiceMilli: Int64
    }

    private struct Turn {
        var profile: EndpointProfile
        var openedAt: UInt64
        var floorTenths: Int
        /// Loud or not, newest in the lowest bit.
        var recentLoud = 0
        var recentCount = 0
        var speechStart: UInt64?
        var lastSpeechEnd: UInt64 = 0
        /// Where the stretch of speech began that goes on now.
        var stretchStart: UInt64 = 0
        var speechFrames = 0
        /// Level of the speaker: rises at once, falls by 0.1 dB a frame of speech.
        var speakerTenths = 0
        var hadVoice = false
        var voiceOffSince: UInt64?
    }

    private var gate = EnergyGate()
    /// The last frames, a ring once it is full.
    private var history: [Heard] = []
    private var oldest = 0
    private var turn: Turn?
    private var masked: Range<UInt64> = 0..<0
    private let hasVoiceModel: Bool

    /// The last frame's level and the room's floor, tenths of a decibel above one step of the converter.
    public private(set) var levelTenths = 0
    public private(set) var floorTenths = 0

    /// - Parameter hasVoiceModel: false when no voice-activity model is loaded; loudness then decides alone.
    public init(hasVoiceModel: Bool = true) {
        self.hasVoiceModel = hasVoiceModel
        history.reserveCapacity(Self.historyFrames)
    }

    public var isOpen: Bool { turn != nil }
    /// Absolute index where the open turn's speech began; nil before it did.
    public var speechStart: UInt64? { turn?.speechStart }

    /// Forgets the room and closes the turn: after a mute, or when sound was lost.
    public mutating func reset() {
        turn = nil
        gate.reset()
        history.removeAll(keepingCapacity: true)
        oldest = 0
        (levelTenths, floorTenths) = (0, 0)
        masked = 0..<0
    }

    /// Opens a turn.
    /// - Parameter sample: where scoring begins: the wake word's end, which may lie up to 3 s back.
    /// - Returns: an end that the sound until now already gave; practically never.
    @discardableResult
    public mutating func open(_ profile: EndpointProfile, at sample: UInt64) -> Endpoint? {
        turn = Turn(profile: profile, openedAt: sample, floorTenths: floorTenths)
        for offset in 0..<history.count {
            let heard = history[(oldest + offset) % history.count]
            if heard.frame.first >= sample, let end = judge(heard) { return end }
        }
        return nil
    }

    /// Closes the turn without a decision: a button, the server, an interruption.
    public mutating func close() { turn = nil }

    /// Another set of times for the open turn: the server's words are stable, or numbers are being dictated.
    public mutating func change(to profile: EndpointProfile) { turn?.profile = profile }

    /// The counter's own tone stands here: these samples are neither speech nor silence.
    public mutating func mask(_ range: Range<UInt64>) { masked = range }

    /// - Parameters:
    ///   - samples: 16 kHz mono, any count; not kept.
    ///   - first: absolute index of the first of them.
    ///   - voiceMilli: the voice-activity model's mean behind these samples (`WakeListener.voiceMilli`).
    /// - Returns: the open turn's end when it was found within these samples; the turn is closed then.
    public mutating func take(
        _ samples: UnsafeBufferPointer<Int16>, from first: UInt64, voiceMilli: Int64
    ) -> Endpoint? {
        var at = 0
        while at < samples.count {
            let (taken, frame) = gate.take(UnsafeBufferPointer(rebasing: samples[at...]), from: first + UInt64(at))
            at += taken
            guard let frame else { continue }
            levelTenths = frame.levelTenths
            floorTenths = frame.floorTenths
            let heard = Heard(frame: frame, voiceMilli: voiceMilli)
            remember(heard)
            if let end = judge(heard) { return end }
        }
        return nil
    }

    private mutating func remember(_ heard: Heard) {
        if history.count < Self.historyFrames {
            history.append(heard)
        } else {
            history[oldest] = heard
            oldest = (oldest + 1) % Self.historyFrames
        }
    }

    private static func samples(_ milliseconds: Int) -> UInt64 { UInt64(milliseconds * 16) }

    private mutating func judge(_ heard: Heard) -> Endpoint? {
        guard var turn else { return nil }
        let frame = heard.frame
        let end = frame.first + UInt64(EnergyGate.frameSamples)
        // The room may turn out quieter than it seemed; louder, only the model can tell from speech.
        turn.floorTenths = min(turn.floorTenths, frame.floorTenths)
        follow(voiceMilli: heard.voiceMilli, at: end, &turn)
        if !masked.contains(frame.first) { follow(frame, &turn) }

        let reason = decide(at: end, &turn)
        guard let reason else {
            self.turn = turn
            return nil
        }
        self.turn = nil
        let spoke = turn.speechStart != nil && reason != .noSpeech
        return Endpoint(
            reason: reason, speechStart: spoke ? turn.speechStart : nil, speechEnd: spoke ? turn.lastSpeechEnd : nil,
            endSample: end)
    }

    private func follow(voiceMilli: Int64, at end: UInt64, _ turn: inout Turn) {
        if voiceMilli >= Self.voiceOnMilli {
            if end - min(end, turn.openedAt) >= Self.samples(Self.voiceOfWakeMilliseconds) { turn.hadVoice = true }
            turn.voiceOffSince = nil
        } else if voiceMilli < Self.voiceOffMilli, turn.voiceOffSince == nil {
            turn.voiceOffSince = end
        }
    }

    private func follow(_ frame: EnergyGate.Frame, _ turn: inout Turn) {
        let loudTenths = max(turn.floorTenths + EnergyGate.aboveFloorTenths, EnergyGate.leastTenths)
        let isSpeech =
            frame.levelTenths >= loudTenths && frame.levelTenths >= turn.speakerTenths - Self.belowSpeakerTenths
        turn.recentLoud = (turn.recentLoud << 1 | (isSpeech ? 1 : 0)) & (1 << Self.startFrames - 1)
        turn.recentCount = min(turn.recentCount + 1, Self.startFrames)
        guard isSpeech else { return }
        turn.speakerTenths = max(frame.levelTenths, turn.speakerTenths - 1)
        turn.speechFrames += 1
        if turn.speechStart == nil, turn.recentLoud.nonzeroBitCount >= Self.startLoudFrames {
            // The first loud one of the five.
            let back = UInt64(Int.bitWidth - 1 - turn.recentLoud.leadingZeroBitCount)
            turn.speechStart = frame.first - min(frame.first, back * UInt64(EnergyGate.frameSamples))
            turn.speechFrames = turn.recentLoud.nonzeroBitCount
        }
        if turn.lastSpeechEnd + Self.samples(Self.newStretchMilliseconds) <= frame.first {
            turn.stretchStart = frame.first
        }
        turn.lastSpeechEnd = frame.first + UInt64(EnergyGate.frameSamples)
    }

    private func decide(at end: UInt64, _ turn: inout Turn) -> Endpoint.Reason? {
        let age = end - min(end, turn.openedAt)
        if age >= Self.samples(turn.profile.hardCapMilliseconds) {
            return turn.speechStart == nil ? .noSpeech : .hardCap
        }
        if let start = turn.speechStart {
            let quiet = end - min(end, turn.lastSpeechEnd)
            if quiet >= Self.samples(turn.profile.hangoverMilliseconds) {
                if turn.speechFrames * Self.frameMilliseconds >= turn.profile.leastSpeechMilliseconds {
                    return .silence
                }
                // A cough: wait on for words.
                forget(&turn)
            } else if hasVoiceModel, quiet < Self.samples(Self.newStretchMilliseconds), let off = turn.voiceOffSince,
                end - off >= Self.samples(Self.voiceGoneMilliseconds)
            {
                if turn.hadVoice, end - turn.stretchStart >= Self.samples(Self.onsetMilliseconds) {
                    // The room stays loud, yet nobody speaks any more. The model's lateness is silence already spent.
                    let spoken = off - min(off, Self.samples(Self.voiceReleaseMilliseconds))
                    if spoken > start, end - spoken >= Self.samples(turn.profile.hangoverMilliseconds) {
                        turn.lastSpeechEnd = min(turn.lastSpeechEnd, spoken)
                        return .silence
                    }
                } else if !turn.hadVoice, end - start >= Self.samples(Self.confirmMilliseconds) {
                    forget(&turn)
                }
            }
            if turn.speechStart != nil, age >= Self.samples(turn.profile.softCapMilliseconds),
                quiet >= Self.samples(Self.softCapPauseMilliseconds)
            {
                return .softCap
            }
        }
        if turn.speechStart == nil, age >= Self.samples(turn.profile.noSpeechMilliseconds) { return .noSpeech }
        return nil
    }

    private func forget(_ turn: inout Turn) {
        turn.speechStart = nil
        turn.speechFrames = 0
        turn.recentLoud = 0
        turn.speakerTenths = 0
        turn.hadVoice = false
    }
}
