import Glibc
import Synchronization
import Testing

@testable import AudioIO

/// A sample that tells its own index, so that a reader can check what it got.
private func told(_ index: UInt64) -> Int16 { Int16(truncatingIfNeeded: index &* 40_503 >> 3) }

private func append(_ ring: SampleRing, _ count: Int) {
    let start = ring.end
    let samples = (0..<UInt64(count)).map { told(start + $0) }
    samples.withUnsafeBufferPointer { ring.append($0) }
}

/// A small random generator with a fixed seed (xorshift64*), so that a failure can be repeated.
struct Dice {
    var state: UInt64
    mutating func next(_ below: Int) -> Int {
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        return Int((state &* 2_685_821_657_736_338_717) >> 33) % below
    }
}

@Test func `a reader gets what was written, in order, under absolute indices`() throws {
    let ring = SampleRing()
    let reader = try #require(ring.reader(from: 0))
    append(ring, 1_000)
    var buffer = [Int16](repeating: 0, count: 700)
    let first = buffer.withUnsafeMutableBufferPointer { reader.read(into: $0) }
    #expect(first == .samples(first: 0, count: 700))
    #expect(buffer == (0..<700).map { told($0) })
    let second = buffer.withUnsafeMutableBufferPointer { reader.read(into: $0) }
    #expect(second == .samples(first: 700, count: 300))
    let third = buffer.withUnsafeMutableBufferPointer { reader.read(into: $0) }
    #expect(third == .samples(first: 1_000, count: 0))
}

/// The answer to "and when it is full?".
@Test func `a full ring counts what a slow reader lost`() throws {
    let ring = SampleRing()
    let reader = try #require(ring.reader(from: 0))
    append(ring, SampleRing.capacitySamples + 5_000)
    var buffer = [Int16](repeating: 0, count: 10)
    #expect(buffer.withUnsafeMutableBufferPointer { reader.read(into: $0) } == .overtaken(lost: 5_000))
    #expect(reader.lostSamples == 5_000)
    #expect(buffer.withUnsafeMutableBufferPointer { reader.read(into: $0) } == .samples(first: 5_000, count: 10))
    #expect(buffer[0] == told(5_000))
}

/// Pre-roll: the uplink goes back to before the wake word.
@Test func `a reader may go back as far as the ring remembers`() throws {
    let ring = SampleRing()
    append(ring, 200_000)
    let reader = try #require(ring.reader())
    #expect(reader.at == 200_000)
    reader.move(to: 200_000 - 131_072)
    var buffer = [Int16](repeating: 0, count: 1)
    #expect(
        buffer.withUnsafeMutableBufferPointer { reader.read(into: $0) } == .samples(first: 68_928, count: 1))
    reader.move(to: 68_927)
    #expect(buffer.withUnsafeMutableBufferPointer { reader.read(into: $0) } == .overtaken(lost: 1))
}

/// Mute: nothing heard before it can be read after it.
@Test func `a wiped ring gives nothing of before and keeps its indices`() throws {
    let ring = SampleRing()
    let reader = try #require(ring.reader(from: 0))
    append(ring, 4_000)
    ring.wipe()
    #expect(ring.end == 4_000)
    #expect(ring.oldest == 4_000)
    var buffer = [Int16](repeating: 7, count: 100)
    #expect(buffer.withUnsafeMutableBufferPointer { reader.read(into: $0) } == .overtaken(lost: 4_000))
    #expect(buffer.allSatisfy { $0 == 7 })
    append(ring, 10)
    #expect(buffer.withUnsafeMutableBufferPointer { reader.read(into: $0) } == .samples(first: 4_000, count: 10))
}

@Test func `there are four readers, and a place that is given back can be taken again`() throws {
    let ring = SampleRing()
    var readers = (0..<SampleRing.readersMax).compactMap { _ in ring.reader() }
    #expect(readers.count == 4)
    #expect(ring.reader() == nil)
    readers.removeLast()
    #expect(ring.reader() != nil)
}

@Test func `a wait ends with the samples, with the bell, or with the time`() throws {
    let ring = SampleRing()
    let reader = try #require(ring.reader())
    #expect(!reader.wait(forSamples: 10, milliseconds: 1))
    append(ring, 10)
    #expect(reader.wait(forSamples: 10, milliseconds: 0))
    reader.bell.signal()
    #expect(!reader.wait(forSamples: 11, milliseconds: 10_000))
    let thread = AudioThread.start(name: "test") { append(ring, 5) }
    #expect(reader.wait(forSamples: 15, milliseconds: 10_000))
    pthread_join(thread, nil)
}

/// One producer at full speed, three readers with a mind of their own: every sample a reader is given is the one that
/// stands at its index, and given plus lost is all there was.
@Test func `no reader is ever given a sample that is not its own`() throws {
    let ring = SampleRing()
    let total: UInt64 = 3_000_000
    struct Share: @unchecked Sendable { let reader: RingReader }  // each reader goes to one thread
    let readers = (0..<3).compactMap { _ in ring.reader(from: 0) }.map(Share.init)
    let counts = Counts()
    let threads = readers.enumerated().map { number, share in
        AudioThread.start(name: "reader") {
            let reader = share.reader
            var dice = Dice(state: UInt64(number) + 11)
            var buffer = [Int16](repeating: 0, count: 20_000)
            var given: UInt64 = 0
            while reader.at < total {
                let size = 1 + dice.next(buffer.count)
                _ = reader.wait(forSamples: min(size, Int(total - reader.at)), milliseconds: 1_000)
                let read = buffer.withUnsafeMutableBufferPointer { all in
                    reader.read(into: UnsafeMutableBufferPointer(rebasing: all[..<size]))
                }
                if case .samples(let first, let count) = read {
                    given += UInt64(count)
                    for index in 0..<count where buffer[index] != told(first + UInt64(index)) {
                        counts.wrong.wrappingAdd(1, ordering: .relaxed)
                    }
                }
                if number == 2, dice.next(4) == 0 { usleep(2_000) }
            }
            counts.accounted.wrappingAdd(given + reader.lostSamples, ordering: .relaxed)
        }
    }
    var dice = Dice(state: 5)
    while ring.end < total { append(ring, min(1 + dice.next(6_000), Int(total - ring.end))) }
    for thread in threads { pthread_join(thread, nil) }
    #expect(counts.wrong.load(ordering: .relaxed) == 0)
    #expect(counts.accounted.load(ordering: .relaxed) == 3 * total)
}

private final class Counts: Sendable {
    let wrong = Atomic<Int>(0)
    let accounted = Atomic<UInt64>(0)
}

/// A file is read as fast as its readers follow, not faster.
@Test func `room is there only where no reader stands`() throws {
    let ring = SampleRing()
    let reader = try #require(ring.reader(from: 0))
    append(ring, SampleRing.capacitySamples - 10)
    #expect(ring.waitForRoom(samples: 10, milliseconds: 0))
    #expect(!ring.waitForRoom(samples: 11, milliseconds: 1))
    reader.move(to: 1)
    #expect(ring.waitForRoom(samples: 11, milliseconds: 0))
}
