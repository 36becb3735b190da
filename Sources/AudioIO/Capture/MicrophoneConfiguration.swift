/// How a `Microphone` hears. The defaults are the appliance's; a board profile changes device and channel.
public struct MicrophoneConfiguration: Sendable {
    public enum Backend: Sendable, Equatable {
        /// An ALSA device by a stable name: `hw:CARD=mic,DEV=0`, or a `pcm.NAME` of asound.conf. Never `default`.
        case alsa(device: String)
        /// A WAV file, 16-bit, 16 or 48 kHz, 1 to 8 channels.
        case file(path: String, pace: Pace)
        /// Silence in real time, for machines without sound.
        case null
    }

    /// How fast a file is heard.
    public enum Pace: Sendable, Equatable {
        /// A second of sound takes a second.
        case realTime
        /// As fast as the ring's readers follow; no reader is ever overtaken.
        case asRead
    }

    public var backend: Backend
    /// Which channel of a device with several is heard, from 0; one that is not there becomes the last.
    public var channel = 0
    /// The device's period. 20 ms; smaller only costs wake-ups.
    public var periodMilliseconds = 20
    /// The device's buffer: what a stalled machine may sleep over without losing sound. It adds no delay.
    public var bufferMilliseconds = 320
    /// How much sound is waited for between two wake-ups of the capture thread. 40 ms halves the wake-ups of 20.
    public var wakeMilliseconds = 40
    /// SCHED_FIFO priority asked for; 0 asks for none.
    public var priority: Int32 = 10
    /// Silence that follows a file, so that the last words of it find their end.
    public var silenceAfterFileMilliseconds = 0
    /// Accidents for a rehearsal with the file backend, in the order of their samples.
    public var accidents: [Accident] = []

    /// Something that goes wrong at a place in the file.
    public struct Accident: Sendable, Equatable {
        public enum Kind: Sendable, Equatable {
            /// The buffer ran over: so many samples of the file are lost.
            case overrun(samples: Int)
            /// The device is gone for so many samples of the file, then found again.
            case unplugged(samples: Int)
            /// The device stays open and gives nothing, until it is opened again: what drivers do after a bus error.
            case standstill
            /// From here on the device's clock runs fast (above 0) or slow by so many millionths.
            case drift(millionths: Int)
        }
        /// Sample of the file, in its own rate.
        public var atSample: Int
        public var kind: Kind

        public init(atSample: Int, kind: Kind) {
            self.atSample = atSample
            self.kind = kind
        }
    }

    public init(backend: Backend) { self.backend = backend }
}

/// What a device really gives, after it was asked.
public struct CaptureParameters: Sendable, Equatable {
    public var hertz: Int
    public var channels: Int
    /// Bits of a sample in memory: 16 or 32.
    public var bits: Int
    public var periodFrames: Int
    public var bufferFrames: Int
    /// Whether SCHED_FIFO was granted.
    public var isRealTime: Bool
}
