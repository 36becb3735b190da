import Testing

@testable import WakeWord

/// The quicker rule of the daemon: what it fires on, and that the reference rule is left as it is.
struct EarlyRiseTests {
    /// At a cutoff of 0.85 two answers must be above 0.90 (229.5), three above 0.8625 (219.9).
    @Test(arguments: [
        ([230, 230], true), ([229, 255], false), ([255, 229], false), ([230, 229, 230], true), ([230, 0, 230], false),
        ([220, 220, 220], true), ([219, 255, 220], false), ([220, 220], false), ([220, 229, 220, 0], false),
    ])
    func `two answers a third surer than the cutoff, or three a twelfth`(answers: [Int], fires: Bool) {
        var rise = EarlyRise(window: 5)
        for _ in 0..<5 { rise.take(0) }
        for answer in answers { rise.take(UInt8(answer)) }
        #expect((rise.overMilli(0.85) != nil) == fires)
    }

    @Test func `the score is the mean of the answers that decided`() {
        var rise = EarlyRise(window: 1)
        for answer in [0, 230, 255] as [UInt8] { rise.take(answer) }
        #expect(rise.overMilli(0.85) == 950)
        rise.reset()
        for answer in [220, 221, 222] as [UInt8] { rise.take(answer) }
        #expect(rise.overMilli(0.85) == 866)
    }

    /// Own last words are answered late: behind a reset a whole window has to go by, as it does for the manifest's rule.
    @Test func `behind a reset nothing fires before a whole window`() {
        var rise = EarlyRise(window: 5)
        for place in 1...5 {
            rise.take(255)
            #expect((rise.overMilli(0.85) != nil) == (place == 5))
        }
        rise.reset()
        rise.take(255)
        rise.take(255)
        #expect(rise.overMilli(0.85) == nil)
    }

    private func ends(_ clip: String, _ model: WakeModel, isQuick: Bool, steps: Int = 1) throws -> [UInt64] {
        let listener = WakeListener(wake: [model], voice: nil, isQuick: isQuick)
        listener.stepsOverNeeded = steps
        let samples = try Given.samples(clip)
        var ends: [UInt64] = []
        samples.withUnsafeBufferPointer { all in
            for start in stride(from: 0, to: all.count - 319, by: 320) {
                let block = UnsafeBufferPointer(rebasing: all[start..<start + 320])
                if let wake = listener.take(block, from: UInt64(start)) {
                    ends.append(wake.endSample)
                    #expect(wake.scoreMilli >= wake.cutoffMilli)
                }
            }
        }
        return ends
    }

    /// The reference's own list (`detect_steps`): the steps of three frames at which ESPHome's rule fires.
    @Test(arguments: [
        ("kw_clean", "alexa", [41]), ("kw_clean", "hey_jarvis", [100]), ("kw_clean", "hey_mycroft", []),
        ("kw_clean", "okay_nabu", [152]), ("kw_pink", "alexa", []), ("kw_pink", "hey_jarvis", []),
        ("kw_pink", "hey_mycroft", [49, 74]), ("kw_pink", "okay_nabu", []), ("kw_clipped", "alexa", [41]),
        ("kw_clipped", "hey_mycroft", []), ("kw_clipped", "okay_nabu", [84]), ("hindi_shop", "okay_nabu", []),
        ("edge", "okay_nabu", []), ("edge", "alexa", []),
    ])
    func `the manifest's rule fires at the reference's steps`(clip: String, name: String, steps: [Int]) throws {
        let ends = try ends(clip, Given.model(name), isQuick: false)
        #expect(ends == steps.map { UInt64(480 + 160 * (3 * $0 + 2)) })
    }

    /// On the golden clips: as often, never later, and where two steps in a row are asked for exactly the reference.
    @Test(arguments: ["alexa", "hey_jarvis", "hey_mycroft", "okay_nabu"], ["kw_clean", "kw_pink", "kw_clipped"])
    func `it hears what the manifest's rule hears, and no later`(name: String, clip: String) throws {
        let model = try Given.model(name)
        let (usual, quick) = (try ends(clip, model, isQuick: false), try ends(clip, model, isQuick: true))
        #expect(usual.count == quick.count)
        #expect(zip(usual, quick).allSatisfy { $1 <= $0 && $0 - $1 <= 150 * 16 })
        #expect(try ends(clip, model, isQuick: true, steps: 2) == ends(clip, model, isQuick: false, steps: 2))
    }

    @Test func `on the clip of the words it is earlier`() throws {
        let model = try Given.model("alexa")
        let (usual, quick) = (try ends("kw_clean", model, isQuick: false), try ends("kw_clean", model, isQuick: true))
        #expect(!usual.isEmpty)
        #expect(zip(usual, quick).contains { $1 < $0 })
    }
}
