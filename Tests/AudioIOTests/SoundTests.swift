import Glibc
import Testing

@testable import AudioIO

private func sine(_ hertz: Double, rate: Double, count: Int, amplitude: Double = 16_000) -> [Int16] {
    (0..<count).map { Int16((amplitude * sin(2 * Double.pi * hertz * Double($0) / rate)).rounded()) }
}

private func rms(_ samples: ArraySlice<Int16>) -> Double {
    (samples.reduce(0.0) { $0 + Double($1) * Double($1) } / Double(samples.count)).squareRoot()
}

private func decibels(_ ratio: Double) -> Double { 20 * log10(ratio) }

// The 3:1 filter ------------------------------------------------------------------------------------------------

/// The transfer function of the taps themselves, by definition (a sum of exponentials), at 48 kHz.
private func responseDecibels(_ hertz: Double) -> Double {
    var real = 0.0
    var imaginary = 0.0
    for (tap, coefficient) in ThirdBand.coefficients.enumerated() {
        let angle = 2 * Double.pi * hertz / 48_000 * Double(tap)
        real += Double(coefficient) * cos(angle)
        imaginary += Double(coefficient) * sin(angle)
    }
    return decibels((real * real + imaginary * imaginary).squareRoot() / 32_768)
}

@Test func `the third-band filter is flat to 6 kHz and closed from 8.9 kHz`() {
    for hertz in stride(from: 0.0, through: 6_000, by: 50) {
        #expect(abs(responseDecibels(hertz)) < 0.06, "\(hertz) Hz")
    }
    for hertz in stride(from: 8_900.0, through: 24_000, by: 50) {
        #expect(responseDecibels(hertz) < -55, "\(hertz) Hz")
    }
    #expect(ThirdBand.coefficients.reduce(0, +) == 32_768)
    // A loud square wave must not wrap: the sum of magnitudes bounds the accumulator.
    #expect(ThirdBand.coefficients.reduce(0) { $0 + abs($1) } < 65_536)
}

@Test(arguments: [200.0, 1_000, 3_000, 5_900])
func `48 kHz becomes 16 kHz at the same level`(hertz: Double) {
    let decimator = Decimator()
    let output = sine(hertz, rate: 48_000, count: 48_000).compactMap { decimator.take($0) }
    #expect(output.count == 16_000)
    #expect(abs(decibels(rms(output[1_000...]) / (16_000 / 2.0.squareRoot()))) < 0.1)
}

@Test(arguments: [9_000.0, 12_000, 15_000, 17_000, 23_000])
func `what 16 kHz cannot hold does not fold back`(hertz: Double) {
    let decimator = Decimator()
    let output = sine(hertz, rate: 48_000, count: 48_000).compactMap { decimator.take($0) }
    #expect(decibels(rms(output[1_000...]) / (16_000 / 2.0.squareRoot())) < -55)
}

@Test func `16 kHz becomes 48 kHz and back the same sound`() {
    let input = sine(1_234, rate: 16_000, count: 8_000)
    var interpolator = Interpolator()
    var wide: [Int16] = []
    for sample in input { interpolator.take(sample, into: &wide) }
    #expect(wide.count == 24_000)
    let decimator = Decimator()
    let output = wide.compactMap { decimator.take($0) }
    // Both filters delay by 31 samples of 48 kHz each; outputs stand on every third.
    let best = (0..<60).map { shift in
        (shift, (1_000..<7_000).reduce(0.0) { $0 + abs(Double(output[$1 + shift]) - Double(input[$1])) })
    }.min { $0.1 < $1.1 }!
    #expect(best.0 == 20)
    let error = rms(ArraySlice((1_000..<7_000).map { output[$0 + 20] &- input[$0] }))
    #expect(decibels(error / rms(input[...])) < -25)
}

// The high-pass -------------------------------------------------------------------------------------------------

/// Wanted: |H| of a second-order Butterworth high-pass, 1 / sqrt(1 + (corner / f)^4), with the bilinear transform's
/// warped frequencies.
@Test(arguments: [20.0, 40, 80, 120, 300, 1_000, 4_000])
func `the high-pass follows Butterworth's curve`(hertz: Double) {
    var filter = HighPass()
    let output = sine(hertz, rate: 16_000, count: 48_000).map { filter.take($0) }
    let warp = tan(Double.pi * 80 / 16_000) / tan(Double.pi * hertz / 16_000)
    let wanted = 1 / (1 + warp * warp * warp * warp).squareRoot()
    #expect(abs(decibels(rms(output[16_000...]) / (16_000 / 2.0.squareRoot())) - decibels(wanted)) < 0.1)
}

@Test func `a steady offset is gone within 50 ms and leaves no hiss`() {
    var filter = HighPass()
    let output = (0..<16_000).map { _ in filter.take(9_000) }
    #expect(output[800...].allSatisfy { abs(Int($0)) <= 1 })
    #expect(output[8_000...].allSatisfy { $0 == 0 })
}

@Test func `full-scale steps saturate and do not wrap`() {
    var filter = HighPass()
    var last: Int16 = 0
    for index in 0..<32_000 {
        let input: Int16 = index / 100 % 2 == 0 ? .max : .min
        last = filter.take(input)
        if index % 100 == 0 { #expect((last > 0) == (input > 0)) }
    }
}

// The meter -----------------------------------------------------------------------------------------------------

@Test func `the meter reads rms, peak and the floor between words`() {
    let meter = LevelMeter()
    let quiet = sine(500, rate: 16_000, count: 8_000, amplitude: 100)
    let loud = sine(500, rate: 16_000, count: 40_000, amplitude: 10_000)
    for sample in quiet + loud { _ = meter.take(raw: sample, filtered: sample) }
    #expect(abs(meter.reading.rms - 7_071) <= 2)
    #expect(meter.reading.peak == 10_000)
    #expect(abs(meter.reading.floor - 70) <= 1)
}

@Test func `a line flat for two seconds is told once, and its end`() {
    let meter = LevelMeter()
    var findings: [Int] = []
    for index in 0..<50_000 where meter.take(raw: 3, filtered: 0) == .flatLine { findings.append(index) }
    #expect(findings == [32_000])
    #expect(meter.isFlat)
    #expect(meter.take(raw: 90, filtered: 90) == .flatLineEnded)
    #expect(!meter.isFlat)
}

@Test func `clipping is told once until a second went by without it`() {
    let meter = LevelMeter()
    var told = 0
    for index in 0..<32_000 {
        let sample: Int16 = index % 50 == 0 ? .max : Int16(index % 7)
        if meter.take(raw: sample, filtered: sample) == .clipping { told += 1 }
    }
    #expect(told == 1)
    #expect(meter.clippedSamples == 640)
    for index in 0..<17_600 { _ = meter.take(raw: Int16(index % 7), filtered: 0) }
    for index in 0..<1_600 where meter.take(raw: index % 2 == 0 ? .max : .min, filtered: 0) == .clipping { told += 1 }
    #expect(told == 2)
}

// Policies ------------------------------------------------------------------------------------------------------

@Test func `a lost device is tried again after 0.1 s, doubling, at most every 5 s`() {
    var backoff = Backoff()
    #expect((0..<8).map { _ in backoff.next() } == [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000])
    backoff.reset()
    #expect(backoff.next() == 100)
}

@Test(arguments: [
    ([0, 1_000, 2_000, 3_000], true),  // four within ten seconds
    ([0, 1_000, 2_000], false),  // three are borne
    ([0, 4_000, 8_000, 12_000, 16_000], false),  // spread out
    ([0, 9_000, 9_500, 9_900, 10_000], true),
])
func `more than three overruns in ten seconds double the buffer`(times: [Int64], isDoubled: Bool) {
    var policy = OverrunPolicy()
    #expect(times.map { policy.overrun(atMilliseconds: $0) }.contains(true) == isDoubled)
    // Once in a life.
    #expect((0..<10).allSatisfy { !policy.overrun(atMilliseconds: 20_000 + $0) } == isDoubled)
}

// Earcons -------------------------------------------------------------------------------------------------------

@Test(arguments: Earcon.allCases)
func `a signal is short, soft, and begins and ends without a click`(earcon: Earcon) {
    let samples = earcon.samples()
    #expect(samples.count > 0 && samples.count <= Earcon.samplesMax)
    #expect(samples.allSatisfy { abs(Int($0)) <= 3_277 })
    #expect(abs(Int(samples[0])) <= 1 && abs(Int(samples[samples.count - 1])) <= 1)
    let steps = zip(samples, samples.dropFirst()).map { abs(Int($1) - Int($0)) }
    #expect(steps.max()! < 1_500)
    #expect(samples == earcon.samples())
}
