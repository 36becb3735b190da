/// Level of the filtered sound in 100 ms windows, and what is wrong with the raw one: flat or clipping.
///
/// Plain: samples in, findings out. Owned by the capture thread; nothing allocates after `init`.
final class LevelMeter {
    static let windowSamples = 1_600
    /// 3 s of windows for the floor.
    private static let windows = 30
    /// A line flatter than one step for so long is no microphone in a room.
    static let flatSamples = 32_000
    private static let clippedPerWindowMax = windowSamples / 100
    private static let quietWindowsAfterClipping = 10

    /// What a window's end shows; nil when nothing changed.
    enum Finding { case flatLine, flatLineEnded, clipping }

    private var squares: UInt64 = 0
    private var peak: Int32 = 0
    private var filled = 0
    private var clippedInWindow = 0
    private var windowsSinceClipping = quietWindowsAfterClipping

    private var flatFor = 0
    private var last: Int16 = 0
    private(set) var isFlat = false

    private let recent: UnsafeMutablePointer<UInt16>
    private let sorted: UnsafeMutablePointer<UInt16>
    private var recentCount = 0
    private var recentAt = 0

    private(set) var reading = LevelReading(rms: 0, peak: 0, floor: 0)
    private(set) var clippedSamples = 0

    init() {
        recent = .allocate(capacity: Self.windows)
        sorted = .allocate(capacity: Self.windows)
        recent.initialize(repeating: 0, count: Self.windows)
        sorted.initialize(repeating: 0, count: Self.windows)
    }

    deinit {
        recent.deallocate()
        sorted.deallocate()
    }

    func reset() {
        squares = 0
        peak = 0
        filled = 0
        clippedInWindow = 0
        windowsSinceClipping = Self.quietWindowsAfterClipping
        flatFor = 0
        isFlat = false
        recentCount = 0
        recentAt = 0
        reading = LevelReading(rms: 0, peak: 0, floor: 0)
    }

    /// - Parameters:
    ///   - raw: the sample as the device gave it, for flat and clipping.
    ///   - filtered: the same behind the high-pass, for the level.
    func take(raw: Int16, filtered: Int16) -> Finding? {
        var finding: Finding?
        if abs(Int32(raw) - Int32(last)) <= 1 {
            flatFor += 1
            if flatFor == Self.flatSamples {
                isFlat = true
                finding = .flatLine
            }
        } else {
            if isFlat { finding = .flatLineEnded }
            flatFor = 0
            isFlat = false
            last = raw
        }
        if raw == .max || raw == .min {
            clippedInWindow += 1
            clippedSamples += 1
        }
        let value = Int32(filtered)
        squares &+= UInt64(value * value)
        peak = max(peak, abs(value))
        filled += 1
        if filled == Self.windowSamples, closeWindow(), finding == nil { finding = .clipping }
        return finding
    }

    /// - Returns: whether clipping began.
    private func closeWindow() -> Bool {
        let rms = UInt16(clamping: Int((Double(squares) / Double(Self.windowSamples)).squareRoot()))
        recent[recentAt] = rms
        recentAt = recentAt + 1 == Self.windows ? 0 : recentAt + 1
        recentCount = min(recentCount + 1, Self.windows)
        reading = LevelReading(rms: Int(rms), peak: Int(peak), floor: Int(tenthPercentile()))

        let clips = clippedInWindow > Self.clippedPerWindowMax
        let begins = clips && windowsSinceClipping >= Self.quietWindowsAfterClipping
        windowsSinceClipping = clips ? 0 : windowsSinceClipping + 1
        squares = 0
        peak = 0
        filled = 0
        clippedInWindow = 0
        return begins
    }

    /// Insertion sort of at most 30 numbers, ten times a second.
    private func tenthPercentile() -> UInt16 {
        for index in 0..<recentCount {
            let value = recent[index]
            var place = index
            while place > 0, sorted[place - 1] > value {
                sorted[place] = sorted[place - 1]
                place -= 1
            }
            sorted[place] = value
        }
        return sorted[(recentCount - 1) / 10]
    }
}
