import CloudLink
import Glibc
import Synchronization

/// A line to the gateway for a command: it asks, waits and ends; nobody listens meanwhile.
enum CommandLink {
    /// A reply that does not come is asked for again so often, over a line that breaks.
    static let triesMax = 5

    static func line(
        _ configuration: ApplianceConfiguration, _ household: Household
    ) throws(LinkError) -> GatewayLink {
        try GatewayLink.start(
            .init(
                url: configuration.gatewayURL, trustPath: household.folder.trustPath,
                chainPath: household.folder.chainPath, keyPath: household.folder.tlsKeyPath,
                connectTimeout: .milliseconds(configuration.connectTimeoutMilliseconds))
        ) { _ in }
    }

    /// The body of a 200. Blocks until it is there.
    static func reply(_ request: LinkRequest, over link: GatewayLink) throws(LinkError) -> [UInt8] {
        var last = LinkError.cancelled
        for _ in 0..<triesMax {
            let wait = ReplyWait()
            link.request(request) { wait.arrived($0) }
            switch wait.result() {
            case .success(let response): return try response.accepted()
            case .failure(let error): last = error
            }
            sleep(1)
        }
        throw last
    }
}

/// One reply, waited for by the thread that asked.
private final class ReplyWait: Sendable {
    private let reply = Mutex<Result<LinkResponse, LinkError>?>(nil)

    func arrived(_ result: Result<LinkResponse, LinkError>) { reply.withLock { $0 = result } }

    func result() -> Result<LinkResponse, LinkError> {
        while true {
            if let result = reply.withLock({ $0 }) { return result }
            usleep(5000)
        }
    }
}
