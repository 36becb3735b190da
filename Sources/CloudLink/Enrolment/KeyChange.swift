import JSONText
import Seals

/// Shows a gateway how the ledger key in use follows from the one it knows.
public enum KeyChange {
    public static let path = "/v1/ledger-key"

    /// The request that hands over from one key to the next.
    public static func request(_ handover: KeyHandover) -> LinkRequest {
        LinkRequest(kind: .keys, path: path, contentType: "application/json", body: handover.json.bytes)
    }

    /// Shows all of them, oldest first. One that the gateway is past already is passed over; the last one decides.
    ///
    /// - Parameter done: on the link's thread.
    public static func present(
        _ handovers: [KeyHandover], over link: GatewayLink,
        done: @escaping @Sendable (Result<Void, LinkError>) -> Void
    ) {
        guard let first = handovers.first else { return done(.success(())) }
        let rest = Array(handovers.dropFirst())
        link.request(request(first)) { result in
            switch result.flatMap({ response in
                Result { () throws(LinkError) in try response.accepted() }
            }) {
            case .success: present(rest, over: link, done: done)
            case .failure(.rejected(let rejection)) where rejection.code == "not_current" && !rest.isEmpty:
                present(rest, over: link, done: done)
            case .failure(let error): done(.failure(error))
            }
        }
    }
}
