// WakeWord: samples in, "woke" and voice activity out. Pure; no C, no Foundation.
// Everything here runs on the one dsp thread that owns it; after loading nothing allocates, locks or counts references.
// Largest it holds: the models' weights and rings (under 100 kB each) and one 512-point FFT.

/// Turns 30 ms windows of 16 kHz sound, 10 ms apart, into 40 log filterbank energies each, in fixed point.
///
/// Bit-exact with the TensorFlow Lite Micro "microfrontend" as ESPHome configures it, wrap-arounds included.
/// One frontend serves any number of models. Owned by one thread.
public final class FeatureFrontend {
    public static let windowSamples = 480
    public static let stepSamples = 160
    public static let channels = 40

    private static let fftPoints = 256  // complex points of a 512-point real FFT
    private static let noiseSmoothing: (even: UInt64, odd: UInt64) = (409, 983)  // Q14
    private static let minimumSignalRemaining: UInt64 = 819  // Q14

    private var filled = 0
    private let samples = UnsafeMutablePointer<Int16>.allocate(capacity: windowSamples)
    private let estimates = UnsafeMutablePointer<UInt32>.allocate(capacity: channels)
    private let real = UnsafeMutablePointer<Int16>.allocate(capacity: fftPoints)
    private let imaginary = UnsafeMutablePointer<Int16>.allocate(capacity: fftPoints)
    private let windowed = UnsafeMutablePointer<Int16>.allocate(capacity: 512)
    private let energies = UnsafeMutablePointer<UInt32>.allocate(capacity: 257)
    private let tables = Tables()

    /// The 40 features of the last whole window; valid until the next call.
    public let features = UnsafeMutablePointer<UInt16>.allocate(capacity: channels)

    public init() { reset() }

    deinit {
        samples.deallocate()
        estimates.deallocate()
        real.deallocate()
        imaginary.deallocate()
        windowed.deallocate()
        energies.deallocate()
        features.deallocate()
    }

    /// Forgets all sound and the noise estimate.
    public func reset() {
        filled = 0
        estimates.update(repeating: 0, count: Self.channels)
        features.update(repeating: 0, count: Self.channels)
    }

    /// Takes samples up to the end of the next window.
    /// - Returns: how many were taken, and whether `features` now holds a new frame.
    public func take(_ input: UnsafeBufferPointer<Int16>) -> (taken: Int, hasFrame: Bool) {
        let count = min(input.count, Self.windowSamples - filled)
        if count > 0 { (samples + filled).update(from: input.baseAddress!, count: count) }
        filled += count
        guard filled == Self.windowSamples else { return (count, false) }
        analyse()
        samples.update(from: samples + Self.stepSamples, count: Self.windowSamples - Self.stepSamples)
        filled = Self.windowSamples - Self.stepSamples
        return (count, true)
    }

    private func analyse() {
        let shift = window()
        transform()
        energyOfBins()
        let (weights, unweights) = (tables.weight, tables.unweight)
        var weighted: UInt64 = 0
        var unweighted: UInt64 = 0
        var bin = FrontendTables.firstBin
        for channel in 0...Self.channels {
            let end = Int(tables.channelEnd[channel])
            while bin < end {
                let energy = UInt64(energies[bin])
                weighted &+= UInt64(weights[bin - FrontendTables.firstBin]) &* energy
                unweighted &+= UInt64(unweights[bin - FrontendTables.firstBin]) &* energy
                bin += 1
            }
            if channel > 0 { compress(channel - 1, roundedSquareRoot(weighted) >> UInt32(shift)) }
            weighted = unweighted
            unweighted = 0
        }
    }

    /// Hann window in Q12, then as much left shift as the loudest sample allows.
    private func window() -> Int {
        var loudest: Int16 = 0
        for index in 0..<Self.windowSamples {
            let value = Int16(truncatingIfNeeded: (Int32(samples[index]) &* Int32(tables.window[index])) >> 12)
            windowed[index] = value
            // -(-32768) wraps negative here as it does in the reference, and is passed over.
            let magnitude = value < 0 ? 0 &- value : value
            if magnitude > loudest { loudest = magnitude }
        }
        let shift = loudest == 0 ? 15 : 15 - (16 - loudest.leadingZeroBitCount)
        for index in 0..<Self.windowSamples { windowed[index] = windowed[index] &<< Int16(shift) }
        (windowed + Self.windowSamples).update(repeating: 0, count: 512 - Self.windowSamples)
        return shift
    }

    /// The nearest whole square root; half goes down, and the top of 16 and of 32 bits stays where it is.
    private func roundedSquareRoot(_ value: UInt64) -> UInt32 {
        // The processor's root is off by one at most where 53 bits did not hold the value; two steps put it right.
        var root = UInt64(Double(value).squareRoot())
        if root > 0xFFFF_FFFF || root &* root > value { root &-= 1 }
        let remainder = value &- root &* root
        if remainder > 2 &* root { root &+= 1 }
        if value &- root &* root > root, root != (value >> 32 != 0 ? 0xFFFF_FFFF : 0xFFFF) { root &+= 1 }
        return UInt32(truncatingIfNeeded: root)
    }

    /// Noise reduction, per-channel gain (PCAN) and logarithm of one channel.
    private func compress(_ channel: Int, _ energy: UInt32) {
        let smoothing = channel & 1 == 0 ? Self.noiseSmoothing.even : Self.noiseSmoothing.odd
        let scaled = energy &<< 10
        let estimate = UInt32(
            truncatingIfNeeded: (UInt64(scaled) &* smoothing &+ UInt64(estimates[channel]) &* (16384 &- smoothing))
                >> 14)
        estimates[channel] = estimate
        let subtracted = (scaled &- min(estimate, scaled)) >> 10
        let floor = UInt32(truncatingIfNeeded: (UInt64(energy) &* Self.minimumSignalRemaining) >> 14)
        let signal = max(subtracted, floor)

        let ratio = UInt32(
            truncatingIfNeeded: (UInt64(signal) &* UInt64(UInt32(bitPattern: gain(estimate)))) >> 6)
        let shrunk = ratio < 8192 ? (ratio &* ratio) >> 20 : (ratio >> 6) &- 64
        features[channel] = logarithm(shrunk &<< 3)
    }

    /// Quadratic interpolation per octave.
    private func gain(_ estimate: UInt32) -> Int32 {
        if estimate <= 2 { return Int32(tables.gain[Int(estimate)]) }
        let octave = 32 - estimate.leadingZeroBitCount
        let at = 4 * octave - 6
        let fraction = Int32((octave < 11 ? estimate &<< UInt32(11 - octave) : estimate >> UInt32(octave - 11)) & 0x3FF)
        var result = (Int32(tables.gain[at + 2]) &* fraction) >> 5
        result = result &+ Int32(tables.gain[at + 1]) &<< 5
        result = result &* fraction
        result = (result &+ 1 << 14) >> 15
        return Int32(Int16(truncatingIfNeeded: result &+ Int32(tables.gain[at])))
    }

    private func logarithm(_ value: UInt32) -> UInt16 {
        guard value > 1 else { return 0 }
        let integer = UInt32(31 - value.leadingZeroBitCount)
        var fraction = value &- 1 << integer
        fraction = integer < 16 ? fraction << (16 - integer) : fraction >> (integer - 16)
        let segment = Int(fraction >> 9)
        let low = Int32(tables.log[segment])
        let high = Int32(tables.log[segment + 1])
        let within = ((high &- low) &* Int32(fraction &- UInt32(segment) << 9)) >> 16
        let log2 = UInt64(integer << 16) &+ UInt64(Int64(fraction) + Int64(low) + Int64(within))
        let natural = (45426 &* log2 &+ 32768) >> 16
        let scaled = ((natural << 6) &+ 32768) >> 16
        return UInt16(min(scaled, 0xFFFF))
    }
}

// The 512-point real FFT as kissfft does it in 16-bit fixed point: a 256-point complex FFT of even and odd
// samples in radix 4, then the real post pass.
extension FeatureFrontend {
    private static func rounded(_ value: Int32) -> Int16 { Int16(truncatingIfNeeded: (value &+ 16384) >> 15) }
    private static func quarter(_ value: Int16) -> Int16 { rounded(Int32(value) &* 8191) }
    private static func half(_ value: Int16) -> Int16 { rounded(Int32(value) &* 16383) }

    private func transform() {
        // Memory and tables as local names: what is stored cannot then be one of them, and stays in registers.
        let (real, imaginary) = (real, imaginary)
        let (twiddleReal, twiddleImaginary) = (tables.twiddleReal, tables.twiddleImaginary)
        for index in 0..<Self.fftPoints {
            let from = Int(tables.reversed[index])
            real[index] = windowed[2 * from]
            imaginary[index] = windowed[2 * from + 1]
        }
        var span = 1
        while span < Self.fftPoints {
            let stride = Self.fftPoints / (span * 4)
            // One twiddle after the other, each for every group of points that takes it.
            for offset in 0..<span {
                let twiddle = stride * offset
                let first = (Int32(twiddleReal[twiddle]), Int32(twiddleImaginary[twiddle]))
                let second = (Int32(twiddleReal[2 * twiddle]), Int32(twiddleImaginary[2 * twiddle]))
                let third = (Int32(twiddleReal[3 * twiddle]), Int32(twiddleImaginary[3 * twiddle]))
                var at = offset
                while at < Self.fftPoints {
                    Self.butterfly(real + at, imaginary + at, span, first, second, third)
                    at += span * 4
                }
            }
            span *= 4
        }
    }

    @inline(__always)
    private static func product(_ real: Int16, _ imaginary: Int16, _ twiddle: (Int32, Int32)) -> (Int16, Int16) {
        let re = Int32(quarter(real))
        let im = Int32(quarter(imaginary))
        return (
            rounded(re &* twiddle.0 &- im &* twiddle.1), rounded(re &* twiddle.1 &+ im &* twiddle.0)
        )
    }

    /// Radix 4 over the points 0, `span`, 2 and 3 times `span` of where the pointers stand.
    @inline(__always)
    private static func butterfly(
        _ real: UnsafeMutablePointer<Int16>, _ imaginary: UnsafeMutablePointer<Int16>, _ span: Int,
        _ first: (Int32, Int32), _ second: (Int32, Int32), _ third: (Int32, Int32)
    ) {
        let (ar, ai) = product(real[span], imaginary[span], first)
        let (br, bi) = product(real[2 * span], imaginary[2 * span], second)
        let (cr, ci) = product(real[3 * span], imaginary[3 * span], third)
        let re = quarter(real[0])
        let im = quarter(imaginary[0])
        let (dr, di) = (re &- br, im &- bi)
        let (er, ei) = (re &+ br, im &+ bi)
        let (sr, si) = (ar &+ cr, ai &+ ci)
        let (tr, ti) = (ar &- cr, ai &- ci)
        real[0] = er &+ sr
        imaginary[0] = ei &+ si
        real[2 * span] = er &- sr
        imaginary[2 * span] = ei &- si
        real[span] = dr &+ ti
        imaginary[span] = di &- tr
        real[3 * span] = dr &- ti
        imaginary[3 * span] = di &+ tr
    }

    /// Bins 1 to 255 of the real spectrum as energies; 0 and 256 no channel reads.
    private func energyOfBins() {
        func energy(_ re: Int32, _ im: Int32) -> UInt32 {
            let re = Int32(Int16(truncatingIfNeeded: re >> 1))
            let im = Int32(Int16(truncatingIfNeeded: im >> 1))
            return UInt32(bitPattern: re &* re &+ im &* im)
        }
        for bin in 1...128 {
            let mirror = Self.fftPoints - bin
            let pr = Self.half(real[bin])
            let pi = Self.half(imaginary[bin])
            let nr = Self.half(real[mirror])
            let ni = Self.half(0 &- imaginary[mirror])
            let (fr, fi) = (pr &+ nr, pi &+ ni)
            let (gr, gi) = (Int32(pr &- nr), Int32(pi &- ni))
            let tre = Int32(tables.superReal[bin - 1])
            let tim = Int32(tables.superImaginary[bin - 1])
            let wr = Int32(Self.rounded(gr &* tre &- gi &* tim))
            let wi = Int32(Self.rounded(gr &* tim &+ gi &* tre))
            energies[mirror] = energy(Int32(fr) &- wr, wi &- Int32(fi))
            energies[bin] = energy(Int32(fr) &+ wr, Int32(fi) &+ wi)
        }
    }
}

/// The constants as plain memory, so that no frame touches an array's reference count.
private final class Tables {
    let window = copy(FrontendTables.window)
    let twiddleReal = copy(FrontendTables.twiddleReal)
    let twiddleImaginary = copy(FrontendTables.twiddleImaginary)
    let superReal = copy(FrontendTables.superTwiddleReal)
    let superImaginary = copy(FrontendTables.superTwiddleImaginary)
    let weight = copy(FrontendTables.binWeight)
    let unweight = copy(FrontendTables.binUnweight)
    let gain = copy(FrontendTables.pcanGain)
    let log = copy(FrontendTables.log)
    /// First bin behind each channel 0 to 40.
    let channelEnd: UnsafeMutablePointer<UInt16>
    /// Base-4 digit reversal of 0 to 255.
    let reversed: UnsafeMutablePointer<UInt8>

    init() {
        let channels = FrontendTables.binChannel
        channelEnd = Self.copy(
            (0...40).map { channel in
                UInt16(FrontendTables.firstBin + (channels.lastIndex { $0 <= channel } ?? -1) + 1)
            })
        var reversed: [UInt8] = []
        for index in 0..<256 {
            let digits = [index & 3, index >> 2 & 3, index >> 4 & 3, index >> 6]
            reversed.append(UInt8(digits.reduce(0) { $0 << 2 | $1 }))
        }
        self.reversed = Self.copy(reversed)
    }

    deinit {
        window.deallocate()
        twiddleReal.deallocate()
        twiddleImaginary.deallocate()
        superReal.deallocate()
        superImaginary.deallocate()
        weight.deallocate()
        unweight.deallocate()
        gain.deallocate()
        log.deallocate()
        channelEnd.deallocate()
        reversed.deallocate()
    }

    private static func copy<Number>(_ numbers: [Number]) -> UnsafeMutablePointer<Number> {
        let memory = UnsafeMutablePointer<Number>.allocate(capacity: numbers.count)
        memory.initialize(from: numbers, count: numbers.count)
        return memory
    }
}
