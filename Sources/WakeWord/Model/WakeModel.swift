import JSONText

/// A wake or voice-activity model, verified at load and immutable after. Any thread.
public struct WakeModel: Sendable {
    /// Short name: the manifest file's name without its ending.
    public var name: String
    /// What is said, "Okay Nabu"; empty for voice activity.
    public var phrase: String
    /// Fires when the mean of the last `window` answers is over this, 0 < cutoff <= 1.
    public var cutoff: Float
    public var window: Int
    /// Highest probability the model can give; a cutoff above it never fires.
    public var reachableMaximum: Float { Float(program.reachableMaximum) / 255 }
    public var multiplyAccumulatesPerStep: Int { program.multiplyAccumulates }
    public var stride: Int { program.stride }
    public var arenaBytes: Int { program.arenaBytes }
    public var weightBytes: Int { program.weights.count }
    public var operatorCount: Int { program.operatorNames.count }

    let program: ModelProgram

    /// - Parameters:
    ///   - file: the `.tflite` bytes, untrusted.
    ///   - manifest: the JSON beside it (ESPHome form, version 2), untrusted.
    public init(name: String, file: [UInt8], manifest: [UInt8]) throws(WakeModelError) {
        let json: JSONValue
        do { json = try JSONValue(parsing: manifest) } catch { throw .badManifest("\(error)") }
        guard let micro = json["micro"] else { throw .badManifest("no \"micro\"") }
        guard json["version"]?.integer == 2 else { throw .badManifest("version is not 2") }
        if let step = micro["feature_step_size"] {
            guard step.integer == 10 || step.integer == 20 else {
                throw .badManifest("feature_step_size is not 10 or 20")
            }
        }
        guard let window = micro["sliding_window_size"]?.integer, (1...64).contains(window) else {
            throw .badManifest("sliding_window_size is not 1 to 64")
        }
        guard let cutoff = micro["probability_cutoff"]?.number, cutoff > 0, cutoff <= 1 else {
            throw .badManifest("probability_cutoff is not above 0 and up to 1")
        }
        self.name = name
        phrase = json["wake_word"]?.string ?? ""
        self.cutoff = Float(cutoff)
        self.window = Int(window)
        program = try ModelProgram(ModelGraph(file: file))
    }

    /// The name of the `.tflite` a manifest goes with.
    public static func fileName(inManifest manifest: [UInt8]) throws(WakeModelError) -> String {
        let json: JSONValue
        do { json = try JSONValue(parsing: manifest) } catch { throw .badManifest("\(error)") }
        guard let name = json["model"]?.string, !name.isEmpty, !name.contains("/") else {
            throw .badManifest("no \"model\", or one with a folder in it")
        }
        return name
    }
}
