import Conversation
import Flash
import Glibc
import WakeWord

/// Looks once more, with a larger cutoff, at the sound that a device took for its wake word. A device on a counter must be
/// quick and cheap; here a false wake is found out before anything is recognised, and the counter stays quiet.
///
/// Any thread; models are immutable after the start, each look has a listener of its own (about a third of a millisecond
/// of computing).
final class WakeVerifier: Sendable {
    struct Configuration: Hashable, Sendable {
        /// The folder of board/models/fetch-wake-models.
        var models: String
        /// Mean over the model's window that must be reached, thousandths.
        var cutoffMilli: Int64
    }

    /// Device cutoffs are 850 for the models of the image.
    static let cutoffDefaultMilli: Int64 = 900
    /// Sound behind the device's end of the word that is waited for: the model's window, and a late device's slack.
    static let afterEndSamples = 1_600
    /// Ends further in than this are not looked for: no pre-roll is so long, the word is not where the hello says.
    static let endSamplesMax = 5 * 16_000
    static let modelBytesMax = 1 << 20

    private let models: [String: WakeModel]
    let cutoffMilli: Int64

    /// - Throws: `SpeechError.refused` when the folder holds no model that can be read.
    init(_ configuration: Configuration) throws {
        var models: [String: WakeModel] = [:]
        for name in Self.manifests(in: configuration.models) where name != "vad" {
            let place = configuration.models + "/" + name + ".json"
            let manifest = try AudioFile.contents(place)
            let file = try AudioFile.contents(configuration.models + "/" + WakeModel.fileName(inManifest: manifest))
            guard file.count <= Self.modelBytesMax else {
                throw SpeechError.refused(reason: "\(place): model too large")
            }
            models[name] = try WakeModel(name: name, file: file, manifest: manifest)
        }
        guard !models.isEmpty else { throw SpeechError.refused(reason: "\(configuration.models) holds no wake model") }
        self.models = models
        cutoffMilli = configuration.cutoffMilli
    }

    private static func manifests(in folder: String) -> [String] {
        let names = (try? Flash.names(in: folder)) ?? []
        return names.filter { $0.hasSuffix(".json") }.map { String($0.dropLast(5)) }
    }

    /// Samples of the turn that must have come before `verdict` can be asked; nil when there is nothing to verify: no
    /// wake, a model not known here, or a place that cannot be.
    func samplesNeeded(for hello: TurnHello) -> Int? {
        guard let wake = hello.wake, models[wake.model] != nil, wake.endSampleIndex > hello.firstSampleIndex else {
            return nil
        }
        let end = wake.endSampleIndex - hello.firstSampleIndex
        return end <= UInt64(Self.endSamplesMax) ? Int(end) + Self.afterEndSamples : nil
    }

    /// The best mean of the model over the turn's beginning, thousandths.
    func score(_ samples: [Int16], model name: String) -> Int64 {
        guard let model = models[name] else { return 0 }
        let listener = WakeListener(wake: [model], voice: nil)
        // Disarmed it only measures: a hit would reset the mean.
        listener.isArmed = false
        var best: Int64 = 0
        samples.withUnsafeBufferPointer { all in
            for start in stride(from: 0, to: all.count, by: FeatureFrontend.stepSamples) {
                let part = UnsafeBufferPointer(
                    rebasing: all[start..<min(start + FeatureFrontend.stepSamples, all.count)])
                _ = listener.take(part, from: UInt64(start))
                best = max(best, listener.scoreMilli)
            }
        }
        return best
    }

    /// True when the sound is the wake word by our cutoff too.
    func confirms(_ samples: ArraySlice<Int16>, _ wake: TurnHello.Wake) -> Bool {
        score(Array(samples), model: wake.model) >= cutoffMilli
    }
}
