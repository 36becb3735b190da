import Hummingbird
import LedgerSync

/// `GET /v1/entries?epoch=N&after=SEQ`: what is held of the asker's own journal, batch by batch as it was signed, each
/// with its receipt; empty behind the last. For a device whose book was lost or is an old copy.
struct EntriesRoute: Sendable {
    let fleet: Fleet

    func answer(_ request: Request, from sender: DeviceRecord) async throws -> Response {
        let parameters = request.uri.queryParameters
        guard let epoch = parameters.get("epoch").flatMap({ Int64($0) }), epoch >= 1,
            let after = parameters.get("after").flatMap({ Int64($0) }), after >= 0
        else { throw Refusal.malformed("epoch is 1 or more, after is 0 or more") }
        let held = try await fleet.store(of: sender.shop).held(of: sender, epoch: epoch, after: after)
        return Response(
            status: .ok, headers: [.contentType: "application/x-execora-entries"],
            body: .init(byteBuffer: .init(bytes: HeldBatches.page(held))))
    }
}
