import Synchronization

/// What the capture thread shows to others: every value is one atomic, written by it alone unless said otherwise.
final class CaptureBoard: Sendable {
    let state = Atomic<UInt8>(MicrophoneState.stopped.rawValue)
    let isFlat = Atomic<Bool>(false)

    let samples = Atomic<UInt64>(0)
    let overruns = Atomic<UInt64>(0)
    let silenceSamples = Atomic<UInt64>(0)
    let opens = Atomic<UInt64>(0)
    let losses = Atomic<UInt64>(0)
    let clippedSamples = Atomic<UInt64>(0)
    let eventsDropped = Atomic<UInt64>(0)
    let wakeUps = Atomic<UInt64>(0)

    /// rms | peak << 16 | floor << 32.
    let level = Atomic<UInt64>(0)
    let gaps = GapLog()
}

/// Where silence stands for lost sound: the newest 32 gaps. Written by the capture thread, read by any.
///
/// Full is normal: the oldest gap goes. A gap is at most 8,000 samples and the ring holds 131,072, so older ones than
/// 32 matter only on a device that is beyond use.
final class GapLog: @unchecked Sendable {
    // @unchecked: the memory holds atomics only.
    static let gapsMax = 32
    private static let lengthBits: UInt64 = 16

    private let gaps: UnsafeMutablePointer<Atomic<UInt64>>
    private let count = Atomic<Int>(0)

    init() {
        gaps = .allocate(capacity: Self.gapsMax)
        for index in 0..<Self.gapsMax { (gaps + index).initialize(to: Atomic(0)) }
    }

    deinit { gaps.deinitialize(count: Self.gapsMax).deallocate() }

    /// One word a gap, start above length, so that no reader sees half of one.
    func add(start: UInt64, samples: Int) {
        let at = count.load(ordering: .relaxed)
        gaps[at % Self.gapsMax].store(
            start << Self.lengthBits | UInt64(min(samples, 0xFFFF)), ordering: .releasing)
        count.store(at + 1, ordering: .releasing)
    }

    /// Samples of silence inside the range.
    func samples(in range: Range<UInt64>) -> Int {
        var sum: UInt64 = 0
        for index in 0..<min(count.load(ordering: .acquiring), Self.gapsMax) {
            let gap = gaps[index].load(ordering: .acquiring)
            let start = gap >> Self.lengthBits
            let end = start + gap & (1 << Self.lengthBits - 1)
            let from = max(start, range.lowerBound)
            let to = min(end, range.upperBound)
            if to > from { sum += to - from }
        }
        return Int(sum)
    }
}
