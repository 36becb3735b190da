// libFuzzer's way into the loader of wake models: any bytes are a model file, and what loads is run.
import WakeWord

private let manifest =
    Array(
        #"{"type":"micro","wake_word":"fuzz","model":"fuzz.tflite","version":2,"#.utf8)
    + Array(#""micro":{"probability_cutoff":0.5,"sliding_window_size":5,"feature_step_size":10}}"#.utf8)

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzModel(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let file = Array(UnsafeBufferPointer(start: start, count: count))
    guard let model = try? WakeModel(name: "fuzz", file: file, manifest: manifest) else { return 0 }
    let runner = ModelRunner(model)
    for frame in 0..<3 * model.stride {
        let features = (0..<FeatureFrontend.channels).map { UInt16(truncatingIfNeeded: $0 * 17 + frame * 5) }
        features.withUnsafeBufferPointer { _ = runner.take($0.baseAddress!) }
    }
    precondition((0...1).contains(model.reachableMaximum), "a model answers a probability")
    return 0
}
