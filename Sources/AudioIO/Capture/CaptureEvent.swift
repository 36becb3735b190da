/// What happens to the ear, for the log and the health report. `atSample` is an index of the ring.
public enum CaptureEvent: Sendable, Equatable {
    /// Sound comes. `atSample`: where the first of it stands; above 0 after a mute or a loss.
    case opened(CaptureParameters, atSample: UInt64)
    /// The device could not be opened; the next try is in so many milliseconds.
    case openFailed(AudioError, retryMilliseconds: Int)
    /// The open device failed and was closed; it will be opened again.
    case lost(AudioError, atSample: UInt64)
    /// The device's buffer ran over; so much silence stands in the ring where sound was lost.
    case overrun(atSample: UInt64, silenceSamples: Int)
    /// Overruns came so often that the device's buffer was doubled, once.
    case bufferDoubled(milliseconds: Int)
    /// Two seconds without the smallest movement: muted by a switch, or unplugged behind the device.
    case flatLine(atSample: UInt64)
    /// Movement again after a flat line.
    case flatLineEnded(atSample: UInt64)
    /// More than 1 % of a 100 ms window stood at the limit. Told once until a second without it went by.
    case clipping(atSample: UInt64)
    /// The device is closed and the ring wiped.
    case muted(atSample: UInt64)
    /// The file is at its end; no more samples will come.
    case ended(atSample: UInt64)
}

/// What the ear is doing.
public enum MicrophoneState: UInt8, Sendable {
    case stopped, opening, open, lost, muted, ended
}

/// Who muted the ear. Each takes only its own mute back: a soft one can never undo the switch.
public enum MuteReason: UInt8, Sendable, CaseIterable {
    case hardware = 1
    case soft = 2
}

/// Running totals since the start.
public struct CaptureCounters: Sendable, Equatable {
    public var samples: UInt64 = 0
    public var overruns: UInt64 = 0
    /// Samples of silence that stand for lost sound.
    public var silenceSamples: UInt64 = 0
    public var opens: UInt64 = 0
    public var losses: UInt64 = 0
    public var clippedSamples: UInt64 = 0
    /// Events nobody could be told because 64 were waiting.
    public var eventsDropped: UInt64 = 0
    /// Times the capture thread woke.
    public var wakeUps: UInt64 = 0
}

/// How loud it is, on the filtered sound; linear, full scale 32767.
public struct LevelReading: Sendable, Equatable {
    /// Root mean square of the last 100 ms.
    public var rms: Int
    /// Largest magnitude of the last 100 ms.
    public var peak: Int
    /// Tenth percentile of `rms` over the last 3 s: what the room sounds like between words.
    public var floor: Int
}
