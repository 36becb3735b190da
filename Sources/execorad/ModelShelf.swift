import WakeWord

/// The wake and voice models of the image, each with its manifest.
struct ModelShelf {
    enum Fault: Error, CustomStringConvertible {
        case missing(String)
        case refused(String, WakeModelError)

        var description: String {
            switch self {
            case .missing(let path): "the model file \(path) is missing; set wake.models_dir, or fetch the models again"
            case .refused(let path, let why):
                "the model \(path) is damaged or foreign (\(why)); fetch the models again, or set wake.model to another"
            }
        }
    }

    static let manifestBytesMax = 64 * 1024
    static let modelBytesMax = 1024 * 1024

    var folder: String

    func model(_ name: String) throws(Fault) -> WakeModel {
        let manifestPath = "\(folder)/\(name).json"
        guard let manifest = FileBytes.read(manifestPath, bytesMax: Self.manifestBytesMax) else {
            throw .missing(manifestPath)
        }
        let path: String
        do { path = "\(folder)/\(try WakeModel.fileName(inManifest: manifest))" } catch {
            throw .refused(manifestPath, error)
        }
        guard let file = FileBytes.read(path, bytesMax: Self.modelBytesMax) else { throw .missing(path) }
        do { return try WakeModel(name: name, file: file, manifest: manifest) } catch { throw .refused(path, error) }
    }
}
