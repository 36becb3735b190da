import JSONText
import Ledger
import Seals

/// Keeps the device's certificate young: a new one at two thirds of its life, over the line it is used on.
public struct Renewal: Sendable {
    private let folder: IdentityFolder
    private let device: [UInt8]

    /// - Parameter device: the 16 bytes of its identity.
    public init(folder: IdentityFolder, device: [UInt8]) {
        self.folder = folder
        self.device = device
    }

    /// True from two thirds of the certificate's life on; also when the certificate cannot be read.
    public func isDue(at now: WallTime) -> Bool {
        do { return try folder.certificate().renewAfterSeconds * 1000 <= now.rawValue } catch { return true }
    }

    /// Asks the gateway for a new certificate for the same key, stores it and proves it on a new connection; should
    /// the gateway refuse it there, the old one comes back.
    ///
    /// - Parameter done: exactly once, on the uplink thread, after the proof. It writes a small file there first.
    public func renew(over link: GatewayLink, done: @escaping @Sendable (Result<Void, EnrolmentError>) -> Void) {
        let body: JSONValue
        let old: [UInt8]
        do throws(SealError) {
            let request = try folder.tlsKey().certificateRequest(commonName: Hex.text(device))
            body = ["csr": .string(String(decoding: request, as: UTF8.self))]
            old = try PrivateFile.read(folder.chainPath, secret: false)
        } catch { return done(.failure(.identity(error))) }
        let request = LinkRequest(
            kind: .renew, path: "/v1/renew", contentType: "application/json", body: body.bytes)
        link.request(request) { [self, weak link] answer in
            do throws(EnrolmentError) { try store(answer) } catch { return done(.failure(error)) }
            guard let link else { return done(.failure(.link(.cancelled))) }
            prove(over: link, old: old, done)
        }
    }

    private func store(_ answer: Result<LinkResponse, LinkError>) throws(EnrolmentError) {
        let bytes: [UInt8]
        do throws(LinkError) { bytes = try answer.get().accepted() } catch { throw .link(error) }
        guard let chain = (try? JSONValue(parsing: bytes))?["certificate"]?.string else { throw .answer("certificate") }
        do throws(SealError) { try folder.renew(chain: Array(chain.utf8), device: device) } catch {
            if case .malformed(let what) = error { throw .answer(what) }
            throw .identity(error)
        }
    }

    private func prove(
        over link: GatewayLink, old: [UInt8], _ done: @escaping @Sendable (Result<Void, EnrolmentError>) -> Void
    ) {
        link.renewConnections()
        link.request(LinkRequest(kind: .time, path: "/v1/time")) { [self, weak link] answer in
            guard case .failure(let error) = answer else { return done(.success(())) }
            // A line that broke says nothing against the certificate; a refusal does.
            if case .certificate(.deviceRefused) = error {
                do throws(SealError) { try folder.renew(chain: old, device: device) } catch {
                    return done(.failure(.identity(error)))
                }
                link?.renewConnections()
            }
            done(.failure(.link(error)))
        }
    }
}
