import Glibc
import Synchronization

/// The last 8.19 s of sound: one producer, up to four readers, each sample under an absolute index from 0 that
/// never goes back.
///
/// Full is its normal state: the oldest samples go, and a reader that was too slow is told how much it lost.
/// No locks. The producer announces the range it is about to overwrite, writes, then publishes; a reader copies and
/// then looks whether its range was announced meanwhile (a sequence lock as in H.-J. Boehm, "Can seqlocks get along
/// with programming language memory models?", MSPC 2012).
public final class SampleRing: @unchecked Sendable {
    // @unchecked: `memory` is written by the producer alone; readers check `reserved` and `wiped` behind each copy.

    /// 8.192 s at 16 kHz: an utterance outlives a TLS reconnect, and "what did it hear" can look back.
    public static let capacitySamples = 131_072
    /// dsp, uplink, a technician's recording, and one spare. When all are taken `reader` returns nil.
    public static let readersMax = 4

    private static let capacity = UInt64(capacitySamples)
    /// A slot without a reader, or a reader that waits for nothing.
    private static let none = UInt64.max

    private let memory: UnsafeMutablePointer<Int16>
    private let written = Atomic<UInt64>(0)
    private let reserved = Atomic<UInt64>(0)
    private let wiped = Atomic<UInt64>(0)
    private let wantsRoom = Atomic<Bool>(false)
    private let room = WakeUp()

    /// Steady-clock nanoseconds (CLOCK_MONOTONIC) at which sample 0 was, or would have been, in the air. Set by the
    /// producer with each block, so that it follows a device whose clock drifts. Any thread may read it.
    public let originNanoseconds = Atomic<Int64>(0)

    // Per reader: where it stands, the end it waits for, its bell.
    private let cursors: UnsafeMutablePointer<Atomic<UInt64>>
    private let wanted: UnsafeMutablePointer<Atomic<UInt64>>
    private let bells: [WakeUp]

    /// Whether the memory is held in RAM (`mlock`). Without that right sound might reach swap: told in the status.
    public let isLockedInMemory: Bool

    public init() {
        memory = .allocate(capacity: Self.capacitySamples)
        memory.initialize(repeating: 0, count: Self.capacitySamples)
        isLockedInMemory = mlock(memory, Self.capacitySamples * 2) == 0
        cursors = .allocate(capacity: Self.readersMax)
        wanted = .allocate(capacity: Self.readersMax)
        for slot in 0..<Self.readersMax {
            (cursors + slot).initialize(to: Atomic(Self.none))
            (wanted + slot).initialize(to: Atomic(Self.none))
        }
        bells = (0..<Self.readersMax).map { _ in WakeUp() }
    }

    deinit {
        memory.update(repeating: 0, count: Self.capacitySamples)
        if isLockedInMemory { munlock(memory, Self.capacitySamples * 2) }
        memory.deallocate()
        cursors.deinitialize(count: Self.readersMax).deallocate()
        wanted.deinitialize(count: Self.readersMax).deallocate()
    }

    /// Index behind the newest sample. Any thread.
    public var end: UInt64 { written.load(ordering: .acquiring) }

    /// Index of the oldest sample that can still be read. Any thread.
    public var oldest: UInt64 {
        let reserved = reserved.load(ordering: .acquiring)
        return max(reserved > Self.capacity ? reserved - Self.capacity : 0, wiped.load(ordering: .acquiring))
    }

    // The producer's side -------------------------------------------------------------------------------------

    /// Adds samples behind the newest and rings for the readers that waited for them. The producer's thread alone.
    public func append(_ samples: UnsafeBufferPointer<Int16>) {
        var rest = samples[...]
        while !rest.isEmpty {
            let part = UnsafeBufferPointer(rebasing: rest.prefix(Self.capacitySamples / 2))
            write(count: part.count) { memory, offset, count in
                memory.update(from: part.baseAddress! + offset, count: count)
            }
            rest = rest.dropFirst(part.count)
        }
    }

    /// Adds silence. The producer's thread alone.
    public func appendSilence(samples count: Int) {
        var rest = count
        while rest > 0 {
            let part = min(rest, Self.capacitySamples / 2)
            write(count: part) { memory, _, count in memory.update(repeating: 0, count: count) }
            rest -= part
        }
    }

    /// Goes forward to an index as if silence had been added, without the time that takes. The producer's thread alone.
    func advance(to index: UInt64) {
        let start = written.load(ordering: .relaxed)
        guard index > start else { return }
        if index - start <= Self.capacity / 2 {
            appendSilence(samples: Int(index - start))
            return
        }
        // Readers find everything overtaken while the memory is cleared, then silence up to the new end.
        reserved.store(index + Self.capacity, ordering: .relaxed)
        atomicMemoryFence(ordering: .releasing)
        memory.update(repeating: 0, count: Self.capacitySamples)
        written.store(index, ordering: .sequentiallyConsistent)
        reserved.store(index, ordering: .sequentiallyConsistent)
    }

    private func write(count: Int, _ body: (UnsafeMutablePointer<Int16>, Int, Int) -> Void) {
        let start = written.load(ordering: .relaxed)
        let end = start + UInt64(count)
        reserved.store(end, ordering: .relaxed)
        atomicMemoryFence(ordering: .releasing)
        let at = Int(start % Self.capacity)
        let first = min(count, Self.capacitySamples - at)
        body(memory + at, 0, first)
        if first < count { body(memory, first, count - first) }
        // Sequentially consistent: a reader sets `wanted` and then looks at `written`; here it is the other way round.
        written.store(end, ordering: .sequentiallyConsistent)
        for slot in 0..<Self.readersMax
        where wanted[slot].load(ordering: .sequentiallyConsistent) <= end {
            wanted[slot].store(Self.none, ordering: .relaxed)
            bells[slot].signal()
        }
    }

    /// Zeroes every sample; what was heard until now can no longer be read. Indices go on. The producer's thread alone,
    /// or any thread while there is no producer.
    public func wipe() {
        wiped.store(written.load(ordering: .relaxed), ordering: .sequentiallyConsistent)
        atomicMemoryFence(ordering: .releasing)
        memory.update(repeating: 0, count: Self.capacitySamples)
    }

    /// Waits until `count` samples can be added without overtaking any reader: for a producer that can wait (a file).
    /// - Returns: false when the time went by first.
    func waitForRoom(samples count: Int, milliseconds: Int) -> Bool {
        if hasRoom(count) { return true }
        wantsRoom.store(true, ordering: .sequentiallyConsistent)
        if !hasRoom(count) { room.wait(milliseconds: milliseconds) }
        wantsRoom.store(false, ordering: .relaxed)
        return hasRoom(count)
    }

    private func hasRoom(_ count: Int) -> Bool {
        let end = written.load(ordering: .relaxed) + UInt64(count)
        for slot in 0..<Self.readersMax {
            let cursor = cursors[slot].load(ordering: .sequentiallyConsistent)
            if cursor != Self.none, end > cursor, end - cursor > Self.capacity { return false }
        }
        return true
    }

    // The readers' side ---------------------------------------------------------------------------------------

    /// What a copy gave.
    public enum Copy: Equatable, Sendable {
        /// That many samples were copied; 0 when none has come yet.
        case samples(Int)
        /// The range is gone, overwritten or wiped; the oldest sample left stands at this index. Nothing was copied.
        case overtaken(oldest: UInt64)
    }

    /// Copies what there is from `index` on, at most as many as fit. Any thread.
    public func copy(from index: UInt64, into buffer: UnsafeMutableBufferPointer<Int16>) -> Copy {
        let end = written.load(ordering: .acquiring)
        if index < oldest { return .overtaken(oldest: oldest) }
        guard index < end, let base = buffer.baseAddress else { return .samples(0) }
        let count = Int(min(UInt64(buffer.count), end - index))
        let at = Int(index % Self.capacity)
        let first = min(count, Self.capacitySamples - at)
        base.update(from: memory + at, count: first)
        if first < count { (base + first).update(from: memory, count: count - first) }
        atomicMemoryFence(ordering: .acquiring)
        let safe = oldest
        return index < safe ? .overtaken(oldest: safe) : .samples(count)
    }

    /// A cursor of its own for one thread, standing at `index` or, without one, behind the newest sample.
    /// - Returns: nil when `readersMax` readers exist already.
    public func reader(from index: UInt64? = nil) -> RingReader? {
        let start = index ?? end
        for slot in 0..<Self.readersMax {
            let (isMine, _) = cursors[slot].compareExchange(
                expected: Self.none, desired: start, ordering: .sequentiallyConsistent)
            if isMine { return RingReader(ring: self, slot: slot, at: start) }
        }
        return nil
    }

    func release(slot: Int) {
        wanted[slot].store(Self.none, ordering: .relaxed)
        bells[slot].drain()
        cursors[slot].store(Self.none, ordering: .sequentiallyConsistent)
        if wantsRoom.load(ordering: .sequentiallyConsistent) { room.signal() }
    }

    func moved(slot: Int, to index: UInt64) {
        cursors[slot].store(index, ordering: .sequentiallyConsistent)
        if wantsRoom.load(ordering: .sequentiallyConsistent) { room.signal() }
    }

    func bell(slot: Int) -> WakeUp { bells[slot] }

    func waitForEnd(_ index: UInt64, slot: Int, milliseconds: Int) -> Bool {
        wanted[slot].store(index, ordering: .sequentiallyConsistent)
        if written.load(ordering: .sequentiallyConsistent) < index { bells[slot].wait(milliseconds: milliseconds) }
        wanted[slot].store(Self.none, ordering: .relaxed)
        return end >= index
    }
}
