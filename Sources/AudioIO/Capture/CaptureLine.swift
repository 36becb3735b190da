import Synchronization

/// From a device's frames to samples in the ring: channel, rate, high-pass, meter. Lives on the capture thread, one for
/// each opening of the device; nothing allocates after `init`.
final class CaptureLine {
    /// Sound lost in an overrun becomes silence, up to this: model time stays true and no reader is flooded.
    static let gapSamplesMax = 8_000
    private static let outputSamples = 2_048

    private let ring: SampleRing
    private let board: CaptureBoard
    private let channel: Int
    private let channels: Int
    private let hertz: Int
    private let decimator: Decimator?
    private var filter = HighPass()
    private let meter = LevelMeter()
    private let output: UnsafeMutablePointer<Int16>
    private var filled = 0
    private let report: (CaptureEvent) -> Void

    /// - Parameter report: called on the capture thread with findings of the meter; must neither block nor allocate.
    init(
        ring: SampleRing, board: CaptureBoard, channel: Int, parameters: CaptureParameters,
        report: @escaping (CaptureEvent) -> Void
    ) {
        precondition(parameters.hertz == 16_000 || parameters.hertz == 48_000)
        precondition(parameters.channels > 0)
        self.ring = ring
        self.board = board
        self.channel = min(channel, parameters.channels - 1)
        channels = parameters.channels
        hertz = parameters.hertz
        decimator = parameters.hertz == 48_000 ? Decimator() : nil
        output = .allocate(capacity: Self.outputSamples)
        output.initialize(repeating: 0, count: Self.outputSamples)
        self.report = report
    }

    deinit {
        output.update(repeating: 0, count: Self.outputSamples)
        output.deallocate()
    }

    /// 16-bit interleaved frames.
    func take(_ frames: UnsafePointer<Int16>, count: Int) {
        for frame in 0..<count { take(frames[frame &* channels &+ channel]) }
        flush()
    }

    /// 32-bit interleaved frames; the upper 16 bits are heard (microphones on I2S give 18 to 24 significant bits).
    func take(_ frames: UnsafePointer<Int32>, count: Int) {
        for frame in 0..<count { take(Int16(truncatingIfNeeded: frames[frame &* channels &+ channel] >> 16)) }
        flush()
    }

    private func take(_ raw: Int16) {
        let sample: Int16
        if let decimator {
            guard let third = decimator.take(raw) else { return }
            sample = third
        } else {
            sample = raw
        }
        let filtered = filter.take(sample)
        if let finding = meter.take(raw: sample, filtered: filtered) { tell(finding) }
        output[filled] = filtered
        filled += 1
        if filled == Self.outputSamples { flush() }
    }

    private func flush() {
        guard filled > 0 else { return }
        ring.append(UnsafeBufferPointer(start: output, count: filled))
        board.samples.wrappingAdd(UInt64(filled), ordering: .relaxed)
        filled = 0
        let level = meter.reading
        board.level.store(
            UInt64(level.rms) | UInt64(level.peak) << 16 | UInt64(level.floor) << 32, ordering: .relaxed)
        board.clippedSamples.store(UInt64(meter.clippedSamples), ordering: .relaxed)
    }

    private func tell(_ finding: LevelMeter.Finding) {
        let index = ring.end + UInt64(filled)
        board.isFlat.store(meter.isFlat, ordering: .relaxed)
        switch finding {
        case .flatLine: report(.flatLine(atSample: index))
        case .flatLineEnded: report(.flatLineEnded(atSample: index))
        case .clipping: report(.clipping(atSample: index))
        }
    }

    /// Puts silence where sound was lost.
    /// - Parameter nanoseconds: how long nothing was heard.
    func fillGap(nanoseconds: Int64) {
        let start = ring.end
        let lost = max(0, min(nanoseconds / 62_500, Int64(Self.gapSamplesMax)))
        let samples = Int(lost)
        ring.appendSilence(samples: samples)
        // What the filters remember is from before the gap; silence there would ring on.
        decimator?.reset()
        filter.reset()
        if samples > 0 { board.gaps.add(start: start, samples: samples) }
        board.overruns.wrappingAdd(1, ordering: .relaxed)
        board.silenceSamples.wrappingAdd(UInt64(samples), ordering: .relaxed)
        report(.overrun(atSample: start, silenceSamples: samples))
    }

    /// Ties the newest sample of the ring to the steady clock.
    func stamp(newestAtNanoseconds time: Int64) {
        ring.originNanoseconds.store(time - Int64(ring.end) * 62_500, ordering: .releasing)
    }
}
