/// One frontend, one or more wake models and a voice-activity model, fed with samples as they come.
///
/// Owned by the dsp thread. After `init` it neither allocates nor locks.
public final class WakeListener {
    public struct Wake: Sendable, Equatable {
        public var model: String
        /// Mean of the answers that decided, thousandths: over the model's window, or two or three where they were enough.
        public var scoreMilli: Int64
        public var cutoffMilli: Int64
        /// Absolute sample index of the first sample of the words' likely start: the end less `modelSpanSamples`.
        public var startSample: UInt64
        /// Absolute index behind the last sample that was scored.
        public var endSample: UInt64
        /// It is the word that silences the counter, not one that opens a turn.
        public var isStop: Bool
    }

    /// Wake models see about this much sound; they tell the end of a word well and its start badly.
    public static let modelSpanSamples: UInt64 = 16_000

    private final class Ear {
        let model: WakeModel
        let runner: ModelRunner
        let isStop: Bool
        var mean: SlidingMean
        var rise: EarlyRise
        /// Steps in a row whose mean was over the cutoff.
        var stepsOver = 0

        init(_ model: WakeModel, isStop: Bool = false) {
            self.model = model
            self.isStop = isStop
            runner = ModelRunner(model)
            mean = SlidingMean(window: model.window)
            rise = EarlyRise(window: model.window)
        }

        func forget() {
            mean.reset()
            rise.reset()
            stepsOver = 0
        }

        deinit { mean.free() }
    }

    private let frontend = FeatureFrontend()
    private let ears: [Ear]
    private let voice: Ear?
    private let isQuick: Bool
    private var ignoredFrames = SlidingMean.ignoredFrames

    /// Added to every wake model's cutoff, thousandths: raised while the counter itself speaks.
    public var cutoffRaiseMilli: Int64 = 0
    /// Added to the cutoff of every model but the stop word's, thousandths: a technician tries another.
    public var cutoffShiftMilli: Int64 = 0
    /// So many steps in a row must be over the cutoff: 1, and 2 while the counter itself speaks.
    public var stepsOverNeeded = 1
    /// False while the counter is deaf: the stop word is not heard either. Apart from that it is heard in open turns too.
    public var isStopArmed = true
    /// False while a turn is open: features and voice activity go on, no wake fires.
    public var isArmed = true
    /// Frames scored since the start; stands still when the ear is deaf.
    public private(set) var framesScored: UInt64 = 0

    /// - Parameters:
    ///   - stop: a wake model whose word silences the counter; nil without one.
    ///   - isQuick: `EarlyRise` beside the manifest's rule. Not while `stepsOverNeeded` is above 1: then care comes first.
    public init(wake: [WakeModel], voice: WakeModel?, stop: WakeModel? = nil, isQuick: Bool = false) {
        self.isQuick = isQuick
        ears = wake.map { Ear($0) } + (stop.map { [Ear($0, isStop: true)] } ?? [])
        self.voice = voice.map { Ear($0) }
    }

    /// Voice activity now, mean of its window in thousandths; 0 without a voice model.
    public var voiceMilli: Int64 { voice?.mean.meanMilli ?? 0 }

    /// The best wake model's mean now, thousandths.
    public var scoreMilli: Int64 {
        var best: Int64 = 0
        for index in 0..<ears.count { best = max(best, ears[index].mean.meanMilli) }
        return best
    }

    /// Forgets what the models answered until now, not what they heard: a wake needs a whole window of new answers.
    public func forgetWindows() {
        for ear in ears { ear.forget() }
    }

    public func reset() {
        frontend.reset()
        for ear in ears {
            ear.runner.reset()
            ear.forget()
        }
        if let voice {
            voice.runner.reset()
            voice.mean.reset()
        }
        ignoredFrames = SlidingMean.ignoredFrames
    }

    /// - Parameters:
    ///   - samples: 16 kHz mono, any count; not kept.
    ///   - first: absolute index of the first of them.
    /// - Returns: the wake heard within these samples, if one was. At most one: after a hit 0.74 s are passed over.
    public func take(_ samples: UnsafeBufferPointer<Int16>, from first: UInt64) -> Wake? {
        var at = 0
        var heard: Wake?
        while at < samples.count {
            let (taken, hasFrame) = frontend.take(UnsafeBufferPointer(rebasing: samples[at...]))
            at += taken
            if hasFrame, let wake = frame(endingAt: first + UInt64(at)) { heard = wake }
        }
        return heard
    }

    private func frame(endingAt end: UInt64) -> Wake? {
        framesScored &+= 1
        let features = UnsafePointer(frontend.features)
        if let voice, let answer = voice.runner.take(features) { voice.mean.take(answer) }
        var heard: Wake?
        let hasVoice = voice.map { $0.mean.isOver($0.model.cutoff) } ?? true
        // By index: an iterator over the array would hold on to it, and in a build for debugging take memory.
        for index in 0..<ears.count {
            let ear = ears[index]
            guard let answer = ear.runner.take(features) else { continue }
            ear.mean.take(answer)
            let added = cutoffRaiseMilli + (ear.isStop ? 0 : cutoffShiftMilli)
            let cutoff = min(ear.model.cutoff + Float(added) / 1000, 0.999)
            ear.rise.take(answer)
            let early = isQuick && stepsOverNeeded == 1 ? ear.rise.overMilli(cutoff) : nil
            ear.stepsOver = hasVoice && (early != nil || ear.mean.isOver(cutoff)) ? ear.stepsOver + 1 : 0
            if ear.isStop ? isStopArmed : isArmed, ignoredFrames == 0, ear.stepsOver >= stepsOverNeeded {
                heard = Wake(
                    model: ear.model.name, scoreMilli: max(early ?? 0, ear.mean.meanMilli),
                    cutoffMilli: Int64(cutoff * 1000),
                    startSample: end > Self.modelSpanSamples ? end - Self.modelSpanSamples : 0, endSample: end,
                    isStop: ear.isStop)
            }
        }
        if ignoredFrames > 0 { ignoredFrames -= 1 }
        if heard != nil {
            for ear in ears { ear.forget() }
            ignoredFrames = SlidingMean.ignoredFrames
        }
        return heard
    }
}
