/// Cuts sound into 20 ms frames and says of each how loud it is against the room. Plain; owned by the dsp thread.
public struct EnergyGate: Sendable {
    public static let frameSamples = 320
    /// A frame this far above the floor is loud.
    public static let aboveFloorTenths = 80
    /// Nothing below -60 dB of full scale is loud: a digital microphone's own silence has no floor to speak of.
    public static let leastTenths = SoundLevel.fullScaleTenths - 600

    /// One 20 ms frame.
    public struct Frame: Sendable, Equatable {
        /// Absolute index of its first sample.
        public var first: UInt64
        /// Tenths of a decibel above one step; full scale is 903.
        public var levelTenths: Int
        public var floorTenths: Int
        public var isLoud: Bool {
            levelTenths >= max(floorTenths + EnergyGate.aboveFloorTenths, EnergyGate.leastTenths)
        }
    }

    private var floor = NoiseFloor()
    private var squares: UInt64 = 0
    private var filled = 0
    private var expected: UInt64 = 0

    public init() {}

    /// Forgets all sound: after a mute, or when samples were lost.
    public mutating func reset() { self = EnergyGate() }

    /// Takes samples up to the end of the next frame.
    /// - Returns: how many were taken, and the frame that ended with them.
    public mutating func take(_ samples: UnsafeBufferPointer<Int16>, from first: UInt64) -> (taken: Int, frame: Frame?)
    {
        if first != expected {
            filled = 0
            squares = 0
        }
        let count = min(samples.count, Self.frameSamples - filled)
        for index in 0..<count {
            let value = Int32(samples[index])
            squares &+= UInt64(value &* value)
        }
        filled += count
        expected = first + UInt64(count)
        guard filled == Self.frameSamples else { return (count, nil) }
        let level = SoundLevel.tenths(sumOfSquares: squares, count: Self.frameSamples)
        let frame = Frame(
            first: expected - UInt64(Self.frameSamples), levelTenths: level,
            floorTenths: floor.filled > 0 ? floor.tenths : level)
        floor.take(tenths: level)
        squares = 0
        filled = 0
        return (count, frame)
    }
}
