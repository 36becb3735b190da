import Hummingbird

/// `GET /v1/checkpoint`: the newest checkpoint with the proof of the asker's own head in it.
struct CheckpointRoute: Sendable {
    let folder: CheckpointFolder

    func answer(from sender: DeviceRecord) throws -> Response {
        guard let proof = try folder.proof(shop: sender.shop, device: sender.device) else {
            throw Refusal(
                status: .notFound, code: "no_checkpoint", message: "no checkpoint was made since this device came")
        }
        return .json(proof)
    }
}
