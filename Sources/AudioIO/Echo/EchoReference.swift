import Synchronization

/// What the counter itself played, on the microphone's time base: sample `n` here left the loudspeaker when sample `n`
/// of the microphone's ring was in the air.
///
/// Written by the playback thread, read by the dsp thread; no locks. Silence wherever nothing was played. It holds as
/// much as the microphone's ring; what is older reads as silence.
public final class EchoReference: Sendable {
    /// The reference goes this far ahead of the echo, 32 ms: the filter can model a late echo, never an early one, and the
    /// marks of a sound server are off by up to 20 ms (measured on the virtual counter: 16 ms).
    public static let leadSamples: Int64 = 512
    /// Parts of one clip follow each other sample by sample, whatever their marks say, as long as these are within 40 ms: a
    /// hole or a doubled sample would cost the filter what it learned. Beyond, the device has lost sound.
    static let jitterSamples: Int64 = 640

    private let ring = SampleRing()
    private let microphone: SampleRing
    private let anchors = Atomic<UInt64>(0)

    /// - Parameter microphone: the ring whose time base this follows.
    public init(microphone: SampleRing) { self.microphone = microphone }

    /// Times a clip's place had to be set anew: once a clip, more when clocks drift apart.
    public var anchorCount: UInt64 { anchors.load(ordering: .relaxed) }

    /// Adds samples that sound from a time on. The playback thread alone.
    /// - Parameter continues: they follow the last ones on a device that never stopped; false for the first of a clip.
    public func played(_ samples: UnsafeBufferPointer<Int16>, atNanoseconds time: Int64, continues: Bool) {
        let index = (time - microphone.originNanoseconds.load(ordering: .acquiring)) / 62_500 - Self.leadSamples
        let end = Int64(ring.end)
        guard index > 0, !samples.isEmpty else { return }
        // Earlier than the last part's end: its first samples are late, the rest is placed right.
        guard !continues || abs(index - end) > Self.jitterSamples else {
            ring.append(samples)
            return
        }
        anchors.wrappingAdd(1, ordering: .relaxed)
        if index > end {
            ring.advance(to: UInt64(index))
            ring.append(samples)
        } else if end - index < samples.count {
            ring.append(UnsafeBufferPointer(rebasing: samples[Int(end - index)...]))
        }
    }

    /// Index behind the newest sample played. Any thread.
    var end: UInt64 { ring.end }

    /// Whether anything was played within these samples. Any thread.
    public func hasSound(in range: Range<UInt64>) -> Bool {
        let end = ring.end
        return range.lowerBound < end && range.upperBound > ring.oldest
    }

    /// Copies the reference of `buffer.count` samples from `index` on; silence where nothing was played. Any thread.
    public func copy(from index: UInt64, into buffer: UnsafeMutableBufferPointer<Int16>) {
        switch ring.copy(from: index, into: buffer) {
        case .samples(let count):
            for at in count..<buffer.count { buffer[at] = 0 }
        case .overtaken: buffer.update(repeating: 0)
        }
    }
}
