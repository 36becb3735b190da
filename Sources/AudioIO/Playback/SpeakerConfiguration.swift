/// How a `Speaker` sounds.
public struct SpeakerConfiguration: Sendable {
    public enum Backend: Sendable, Equatable {
        /// An ALSA device by a stable name.
        case alsa(device: String)
        /// Clips are appended to a WAV file at once: for rehearsals, where nobody waits for sound.
        case file(path: String)
        /// Nothing sounds; clips take their length.
        case null
    }

    public var backend: Backend
    public var periodMilliseconds = 20
    /// Short: what is in it cannot be called back, and an interruption should be heard at once.
    public var bufferMilliseconds = 80
    /// The device is closed when nothing was played for so long.
    public var idleMilliseconds = 2_000
    /// How long the room still rings behind the last sample; the ear counts it as the counter's own voice.
    public var tailMilliseconds: Int64 = 250
    /// Loudness in thousandths of full, the cap found at calibration (the microphone must not clip).
    public var gainMilli = 1_000
    /// SCHED_FIFO priority asked for; 0 asks for none.
    public var priority: Int32 = 9

    public init(backend: Backend) { self.backend = backend }
}

/// Something to be heard: 16 kHz mono.
public struct SoundClip: Sendable {
    public enum End: Sendable, Equatable {
        case played
        case interrupted
        /// There was no device; the clip took its time unheard.
        case unheard
    }

    public var samples: [Int16]
    /// Called on the playback thread when the first sample sounds, with the steady clock's milliseconds; keep it short.
    public var onStart: (@Sendable (_ monotonicMilliseconds: Int64) -> Void)?
    /// Called on the playback thread when the last sample has sounded, or it never will; keep it short. Once for each
    /// clip that `play` took.
    public var onEnd: (@Sendable (End) -> Void)?

    public init(
        samples: [Int16], onStart: (@Sendable (Int64) -> Void)? = nil, onEnd: (@Sendable (End) -> Void)? = nil
    ) {
        self.samples = samples
        self.onStart = onStart
        self.onEnd = onEnd
    }

    public var milliseconds: Int { samples.count / 16 }
}

/// What happens to the speaker, for the log and the health report.
public enum SpeakerEvent: Sendable, Equatable {
    case opened(hertz: Int, channels: Int, bits: Int, periodFrames: Int, bufferFrames: Int)
    /// A clip could not be heard. The device is tried again with the next one.
    case failed(AudioError)
    /// The machine was too slow to keep the device fed; a hole was heard.
    case underrun
}
