/// One thread's place in a `SampleRing`. Not shared; gives its place back when released.
public final class RingReader {
    private let ring: SampleRing
    private let slot: Int

    /// Absolute index of the next sample this reader will get.
    public private(set) var at: UInt64
    /// Samples this reader never got because it came too late, or because they were wiped.
    public private(set) var lostSamples: UInt64 = 0

    init(ring: SampleRing, slot: Int, at index: UInt64) {
        self.ring = ring
        self.slot = slot
        at = index
    }

    deinit { ring.release(slot: slot) }

    /// Samples that can be read now.
    public var available: UInt64 {
        let end = ring.end
        return end > at ? end - at : 0
    }

    /// Rung by the ring; another thread may ring it too, to get this reader's thread out of `wait`.
    public var bell: WakeUp { ring.bell(slot: slot) }

    /// Waits until `count` samples can be read. One wake-up of the thread, however often the producer writes meanwhile.
    /// - Returns: whether they can. False after the time, or when someone else rang `bell`.
    public func wait(forSamples count: Int, milliseconds: Int) -> Bool {
        if available >= UInt64(count) { return true }
        return ring.waitForEnd(at + UInt64(count), slot: slot, milliseconds: milliseconds)
    }

    /// What a read gave.
    public enum Read: Equatable, Sendable {
        /// `count` samples were copied, the first of them at index `first`; count 0 when none has come yet.
        case samples(first: UInt64, count: Int)
        /// This reader was too slow, or the ring was wiped: so many samples are gone; the next read goes on behind them.
        case overtaken(lost: UInt64)
    }

    /// Copies the next samples, at most as many as fit.
    public func read(into buffer: UnsafeMutableBufferPointer<Int16>) -> Read {
        switch ring.copy(from: at, into: buffer) {
        case .samples(let count):
            let first = at
            if count > 0 { move(to: at + UInt64(count)) }
            return .samples(first: first, count: count)
        case .overtaken(let oldest):
            let lost = oldest - at
            lostSamples += lost
            move(to: oldest)
            return .overtaken(lost: lost)
        }
    }

    /// Goes back (pre-roll) or forward. A place that is already gone shows at the next read.
    public func move(to index: UInt64) {
        at = index
        ring.moved(slot: slot, to: index)
    }
}
