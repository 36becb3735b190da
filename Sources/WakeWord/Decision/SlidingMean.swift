/// The decision rule of microWakeWord: the mean of the last answers over a cutoff, strictly.
///
/// Source: ESPHome 2024.10 `micro_wake_word`: after start or a hit, 74 feature frames are passed over.
struct SlidingMean {
    static let ignoredFrames = 74

    private let window: Int
    private let answers: UnsafeMutablePointer<UInt8>
    private var at = 0
    private(set) var sum = 0

    init(window: Int) {
        self.window = window
        answers = .allocate(capacity: window)
        answers.initialize(repeating: 0, count: window)
    }

    func free() { answers.deallocate() }

    mutating func take(_ answer: UInt8) {
        sum += Int(answer) - Int(answers[at])
        answers[at] = answer
        at = at + 1 == window ? 0 : at + 1
    }

    mutating func reset() {
        answers.update(repeating: 0, count: window)
        sum = 0
        at = 0
    }

    /// Mean of the window as a probability in thousandths.
    var meanMilli: Int64 { Int64(sum) * 1000 / Int64(255 * window) }

    func isOver(_ cutoff: Float) -> Bool { Float(sum) / Float(255 * window) > cutoff }
}
