/// Why a model is refused. The technician's to mend: another file, another version.
public enum WakeModelError: Error, Equatable, CustomStringConvertible {
    case notAModel
    case truncated
    case overLimit(String)
    case badManifest(String)
    case unknownOperator(Int32)
    case unsupported(String)

    public var description: String {
        switch self {
        case .notAModel: "not a TensorFlow Lite model (no TFL3 mark)"
        case .truncated: "the file is cut short or its offsets point outside it"
        case .overLimit(let what): "over the limit: \(what)"
        case .badManifest(let why): "the manifest is wrong: \(why)"
        case .unknownOperator(let code): "operator \(code) is not one that streaming wake models use"
        case .unsupported(let what): "not a streaming int8 model this runtime runs: \(what)"
        }
    }
}
