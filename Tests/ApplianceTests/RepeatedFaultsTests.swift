import Testing

@testable import execorad

/// F12: overrun lines filled a flash card. An hour of five overruns a second is sixty lines.
@Test func `F12: a fault that repeats is told once a minute, with its count`() {
    var faults = RepeatedFaults()
    var told: [Int] = []
    for now in stride(from: Int64(0), to: 3_600_000, by: 200) {
        if let times = faults.note(.overrun, atMilliseconds: now) { told.append(times) }
    }
    #expect(told.count == 60)
    #expect(told.first == 1 && told.dropFirst().allSatisfy { $0 == 300 })
}

@Test func `a fault of another kind, or one that was over, is news`() {
    var faults = RepeatedFaults()
    #expect(faults.note(.overrun, atMilliseconds: 0) == 1)
    #expect(faults.note(.clipping, atMilliseconds: 1) == 1)
    #expect(faults.note(.openFailed, atMilliseconds: 2) == 1)
    #expect(faults.note(.openFailed, atMilliseconds: 3) == nil)
    faults.forget(.openFailed)
    #expect(faults.note(.openFailed, atMilliseconds: 4) == 1)
}
