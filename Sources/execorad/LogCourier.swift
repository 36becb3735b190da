import CloudLink
import LedgerSync

/// Fetches pages of the shop's log: fills LedgerSync's door with the link. On the book's desk.
final class LogCourier: ShopLogDoor {
    private let link: GatewayLink
    /// Brings the answer back to the book's desk.
    private let back: @Sendable (Int64, SyncAnswer) -> Void

    init(link: GatewayLink, back: @escaping @Sendable (Int64, SyncAnswer) -> Void) {
        self.link = link
        self.back = back
    }

    func ask(_ path: String, number: Int64) {
        let back = back
        link.request(LinkRequest(kind: .log, path: path)) { result in
            switch result {
            case .success(let response):
                back(
                    number,
                    .answered(
                        status: response.status, body: response.body,
                        retryAfterSeconds: response.retryAfterSeconds.map(Int64.init)))
            case .failure: back(number, .lost)
            }
        }
    }
}
