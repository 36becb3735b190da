/// A quicker rule beside the manifest's: few answers in a row that are surer than the cutoff asks. Plain.
///
/// The manifest's rule takes the mean of five answers, 30 ms apart, so the answers from before the word's end hold it back by
/// up to 120 ms. Two answers in a row above the cutoff by a third of what is left to certainty, or three by a twelfth, are a
/// word just as well: over 7.5 hours of synthetic word lists, two thirds of them near misses ("okay nawab";
/// board/bench/word_lists.py, seeds 1 to 3), okay_nabu fired 130 times with this rule beside the manifest's, 124 times by the
/// manifest's alone, and 160 times where the manifest's cutoff is lowered to 0.80 for a like gain. A part of an eighth in
/// place of the twelfth costs one false wake in 124, and leaves one word in twenty 20 ms later.
///
/// The daemon's own: the reference rule (`SlidingMean`) stays as it is, and is what `execoractl wake score` uses unless
/// told otherwise.
struct EarlyRise {
    /// Of what lies between cutoff and certainty: what two answers must be above it, and three.
    static let partOfTwo: Float = 1.0 / 3
    static let partOfThree: Float = 1.0 / 12

    private let window: Int
    /// Answers since the start or the last `reset`; a whole window must have gone by, as the manifest's rule has it.
    private var taken = 0
    /// The newest answers, the latest last.
    private var newest: (UInt8, UInt8, UInt8) = (0, 0, 0)

    init(window: Int) { self.window = window }

    mutating func reset() { self = EarlyRise(window: window) }

    mutating func take(_ answer: UInt8) {
        newest = (newest.1, newest.2, answer)
        if taken < window { taken += 1 }
    }

    /// The mean of the answers that are over, thousandths; nil where neither rule holds.
    func overMilli(_ cutoff: Float) -> Int64? {
        guard taken == window else { return nil }
        let lastTwo = min(newest.1, newest.2)
        if Self.isOver(lastTwo, cutoff, Self.partOfTwo) {
            return (Int64(newest.1) + Int64(newest.2)) * 1000 / 510
        }
        guard Self.isOver(min(lastTwo, newest.0), cutoff, Self.partOfThree) else { return nil }
        return (Int64(newest.0) + Int64(newest.1) + Int64(newest.2)) * 1000 / 765
    }

    private static func isOver(_ answer: UInt8, _ cutoff: Float, _ part: Float) -> Bool {
        Float(answer) / 255 > cutoff + (1 - cutoff) * part
    }
}
