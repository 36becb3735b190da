/// Between microphone and ear on boards with a shared clock: reads the microphone's ring, takes the counter's own voice
/// out, and fills a ring of its own under the same indices.
///
/// Whole frames of 20 ms alone are passed on, so it adds no delay to an ear that listens in frames of 20 ms. The canceller
/// works only while something was played lately; else sound is passed on as it is and costs nothing.
/// Owned by the dsp thread.
public final class EchoStage {
    /// The filter goes on this far behind the last played sample: its own tail and the room's.
    private static let afterglowSamples = UInt64(EchoCanceller.tailSamples) + 8_000

    /// What is left: the ear listens here. Same absolute indices as the microphone's ring.
    public let clean: SampleRing
    private let reader: RingReader
    private let reference: EchoReference
    /// What the speaker writes to.
    public var playedReference: EchoReference { reference }
    private var canceller = EchoCanceller()
    private let heard = UnsafeMutableBufferPointer<Int16>.allocate(capacity: EchoCanceller.frameSamples)
    private let played = UnsafeMutableBufferPointer<Int16>.allocate(capacity: EchoCanceller.frameSamples)
    private let output = UnsafeMutableBufferPointer<Int16>.allocate(capacity: EchoCanceller.frameSamples)

    /// Energy of own sound before and behind the canceller, for `suppression`: decays over about a second.
    private var before = 0.0
    private var behind = 0.0
    public private(set) var framesCancelled: UInt64 = 0
    private var match = EnvelopeMatch()

    /// - Parameter reader: a cursor on the microphone's ring, this stage's own from here on.
    public init(reader: RingReader, reference: EchoReference, clean: SampleRing = SampleRing()) {
        self.reader = reader
        self.reference = reference
        self.clean = clean
    }

    deinit {
        heard.deallocate()
        played.deallocate()
        output.deallocate()
    }

    /// Forgets all sound: the microphone was muted. The dsp thread alone.
    public func wipe() {
        clean.wipe()
        canceller.reset()
        heard.update(repeating: 0)
        played.update(repeating: 0)
        output.update(repeating: 0)
    }

    /// Passes on all whole frames there are.
    public func work() {
        while reader.available >= UInt64(EchoCanceller.frameSamples) {
            switch reader.read(into: heard) {
            case .overtaken:
                // Wiped or too slow: the ear is told the same, by the same gap in the indices.
                clean.wipe()
                clean.advance(to: reader.at)
                canceller.reset()
            case .samples(let first, let count):
                if clean.end < first { clean.advance(to: first) }
                pass(first: first, count: count)
            }
        }
    }

    private func pass(first: UInt64, count: Int) {
        let samples = UnsafeBufferPointer(UnsafeMutableBufferPointer(rebasing: heard[..<count]))
        let from = first - min(first, Self.afterglowSamples)
        guard count == EchoCanceller.frameSamples, reference.hasSound(in: from..<first + UInt64(count)) else {
            clean.append(samples)
            match.reset()
            return
        }
        reference.copy(from: first, into: played)
        canceller.cancel(heard: heard.baseAddress!, played: played.baseAddress!, clean: output.baseAddress!)
        framesCancelled += 1
        measure()
        clean.append(UnsafeBufferPointer(output))
    }

    private func measure() {
        var (loud, left) = (0.0, 0.0)
        var own = 0.0
        for index in 0..<EchoCanceller.frameSamples {
            loud += Double(heard[index]) * Double(heard[index])
            left += Double(output[index]) * Double(output[index])
            own += Double(played[index]) * Double(played[index])
        }
        // Frames in which the counter is all but silent say nothing of the filter: 30 a sample is -61 dB.
        match.take(own, left)
        guard own > Double(EchoCanceller.frameSamples) * 900 else { return }
        before = before * 0.98 + loud
        behind = behind * 0.98 + left
    }

    /// Whether what is left rises and falls as the counter's own voice does: a word found in it was the counter's.
    public var isOwnVoice: Bool { match.correlation > EnvelopeMatch.sameVoice }

    /// By how much own sound is weakened lately (echo return loss enhancement) as a power ratio; 1 before any.
    public var suppression: Double { behind > 0 ? before / behind : 1 }
}
