import Hummingbird
import JSONText

/// `GET /v1/epoch`: the asker's open epoch, its next entry, and the invoice series it has. For a device that begins a
/// new epoch at the owner's word.
struct EpochRoute: Sendable {
    let fleet: Fleet

    func answer(from sender: DeviceRecord) async throws -> Response {
        guard let open = try await fleet.store(of: sender.shop).epoch(of: sender) else {
            throw GatewayError.state(problem: "a device without a head", hint: "restore the store from a backup")
        }
        return .json([
            "epoch": .integer(open.epoch), "next_seq": .integer(open.nextSeq), "series": .string(sender.series),
        ])
    }
}
