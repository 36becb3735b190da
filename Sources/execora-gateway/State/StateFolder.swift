import Glibc
import Seals

/// The gateway's private folder. `init` makes it; `serve` and the other commands read it. Files are 0600.
///
/// `ca.pem` is what devices trust and may be given away. `ca.key` signs only the issuing authority: take it offline
/// after `init`; nothing else needs it.
struct StateFolder: Sendable {
    let path: String

    var rootCertificate: String { path + "/ca.pem" }
    var rootKey: String { path + "/ca.key" }
    var issuingCertificate: String { path + "/issuing.pem" }
    var issuingKey: String { path + "/issuing.key" }
    var serverCertificate: String { path + "/server.pem" }
    var serverKey: String { path + "/server.key" }
    var receiptKeyFile: String { path + "/receipt.key" }
    var database: String { path + "/gateway.sqlite" }

    /// Names of a server certificate made without others.
    static let ownNames = ["localhost", "127.0.0.1", "::1"]

    /// Makes what is missing, touches nothing that is there; run again after a cut it goes on where it ended.
    ///
    /// - Returns: the names of the files made.
    func make(names: [String], nowMilliseconds: Int64) async throws -> [String] {
        var made: [String] = []
        func file(_ path: String, _ content: () throws -> [UInt8]) throws {
            if access(path, F_OK) == 0 { return }
            try PrivateFile.write(try content(), to: path)
            made.append(String(path.dropFirst(self.path.count + 1)))
        }
        try PrivateFile.makeFolder(path)
        if access(issuingCertificate, F_OK) != 0 {
            try file(rootKey) { Array(CertificateAuthority.newKeyPEM().utf8) }
        }
        try file(rootCertificate) {
            Array(try CertificateAuthority.root(keyPEM: text(rootKey), nowMilliseconds: nowMilliseconds).utf8)
        }
        try file(issuingKey) { Array(CertificateAuthority.newKeyPEM().utf8) }
        try file(issuingCertificate) {
            let root = try CertificateAuthority(
                certificatePEM: text(rootCertificate, secret: false), keyPEM: text(rootKey))
            return Array(try root.issuing(keyPEM: text(issuingKey), nowMilliseconds: nowMilliseconds).utf8)
        }
        try file(serverKey) { Array(CertificateAuthority.newKeyPEM().utf8) }
        try file(serverCertificate) { try newServerChain(names: names, nowMilliseconds: nowMilliseconds) }
        try file(receiptKeyFile) { try SigningKey.generate().pem() }
        let hadStore = access(database, F_OK) == 0
        _ = try await FleetStore.open(path: database)
        guard chmod(database, 0o600) == 0 else {
            throw GatewayError.file(path: database, code: errno, operation: "chmod")
        }
        if !hadStore { made.append("gateway.sqlite") }
        return made
    }

    /// Replaces the server's certificate, for new names or before it ends; the key stays.
    func renewServerCertificate(names: [String], nowMilliseconds: Int64) throws {
        try PrivateFile.write(try newServerChain(names: names, nowMilliseconds: nowMilliseconds), to: serverCertificate)
    }

    private func newServerChain(names: [String], nowMilliseconds: Int64) throws -> [UInt8] {
        let all = Self.ownNames + names.filter { !Self.ownNames.contains($0) }
        let leaf = try authority().server(keyPEM: text(serverKey), names: all, nowMilliseconds: nowMilliseconds)
        return Array((leaf + (try text(issuingCertificate, secret: false))).utf8)
    }

    func authority() throws -> CertificateAuthority {
        try CertificateAuthority(certificatePEM: text(issuingCertificate, secret: false), keyPEM: text(issuingKey))
    }

    func receiptKey() throws -> SigningKey { try SigningKey(pem: PrivateFile.read(receiptKeyFile, secret: true)) }

    /// A file of the folder as text.
    ///
    /// - Parameter secret: refuses a file that group or others may read.
    func text(_ path: String, secret: Bool = true) throws -> String {
        String(decoding: try PrivateFile.read(path, secret: secret), as: UTF8.self)
    }

    /// A server certificate with less left is told of at every start.
    static let serverCertificateWarning = Duration.seconds(30 * 86_400)

    /// How long the server's certificate is still good; negative when it has ended.
    func serverCertificateLeft(nowMilliseconds: Int64) throws -> Duration {
        let leaf = try Seals.Certificate.read(pem: PrivateFile.read(serverCertificate, secret: false))
        return .seconds(try leaf.notAfterSeconds - nowMilliseconds / 1000)
    }

    /// What is wanting, in words; empty when `serve` can use the folder.
    func problems(nowMilliseconds: Int64 = SystemClock.milliseconds()) -> [String] {
        let wanted = [
            rootCertificate, issuingCertificate, issuingKey, serverCertificate, serverKey, receiptKeyFile, database,
        ]
        let missing = wanted.filter { access($0, R_OK) != 0 }.map { $0.dropFirst(path.count + 1) }
        guard !missing.isEmpty else {
            if let left = try? serverCertificateLeft(nowMilliseconds: nowMilliseconds), left > .zero { return [] }
            return [
                "state: \(serverCertificate) has ended or cannot be read; "
                    + "run `execora-gateway init --state \(path) --new-server-certificate` with its --name options"
            ]
        }
        return [
            "state: \(path) lacks \(missing.joined(separator: ", ")); "
                + "run `execora-gateway init --state \(path)`"
        ]
    }
}
