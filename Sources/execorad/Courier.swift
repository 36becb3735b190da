import CloudLink
import Ledger
import LedgerSync

/// Takes batches of the journal to the gateway: fills LedgerSync's one door with the link. On the book's desk.
final class Courier: SyncDoor {
    private let link: GatewayLink
    /// Brings the answer back to the book's desk.
    private let back: @Sendable (ULID, SyncAnswer) -> Void

    init(link: GatewayLink, back: @escaping @Sendable (ULID, SyncAnswer) -> Void) {
        self.link = link
        self.back = back
    }

    func send(_ batch: OutgoingBatch) {
        let back = back
        let id = batch.id
        link.request(
            LinkRequest(
                kind: .sync, path: "/v1/sync", contentType: OutgoingBatch.contentType, body: batch.bytes,
                traceparent: batch.traceparent)
        ) { result in
            switch result {
            case .success(let response):
                back(
                    id,
                    .answered(
                        status: response.status, body: response.body,
                        retryAfterSeconds: response.retryAfterSeconds.map(Int64.init)))
            case .failure: back(id, .lost)
            }
        }
    }
}
