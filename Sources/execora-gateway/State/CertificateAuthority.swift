import Crypto
import FoundationEssentials
import NIOCore
import X509

/// Makes the private authority's certificates: a root that may be kept offline once `init` has run, an issuing
/// authority under it, the server's certificate and the devices'. ECDSA P-256 throughout (BoringSSL does not offer
/// Ed25519 for TLS by default). Serial numbers are 20 random bytes.
struct CertificateAuthority: Sendable {
    /// Devices renew at two thirds of this.
    static let deviceLife = Duration.seconds(30 * 86_400)
    static let serverLife = Duration.seconds(398 * 86_400)
    static let authorityLife = Duration.seconds(20 * 365 * 86_400)
    /// A counter's clock may be behind; a certificate is valid from an hour before it was made.
    static let backdating = Duration.seconds(3600)

    let certificate: X509.Certificate
    private let key: X509.Certificate.PrivateKey

    init(certificatePEM: String, keyPEM: String) throws {
        certificate = try X509.Certificate(pemEncoded: certificatePEM)
        key = try X509.Certificate.PrivateKey(pemEncoded: keyPEM)
        guard key.publicKey == certificate.publicKey else {
            throw GatewayError.state(
                problem: "a certificate authority's key is not its certificate's",
                hint: "put back the files that init made, or init a new state folder")
        }
    }

    static func newKeyPEM() -> String { P256.Signing.PrivateKey().pemRepresentation + "\n" }

    /// A certificate signed by its own key.
    static func root(keyPEM: String, nowMilliseconds: Int64) throws -> String {
        let key = try X509.Certificate.PrivateKey(pemEncoded: keyPEM)
        let name = try DistinguishedName { CommonName("Execora device authority") }
        return try make(
            publicKey: key.publicKey, subject: name, issuer: name, signer: key, nowMilliseconds: nowMilliseconds,
            life: authorityLife,
            extensions: .init {
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 1))
                Critical(KeyUsage(keyCertSign: true, cRLSign: true))
                SubjectKeyIdentifier(hash: key.publicKey)
            })
    }

    /// The authority that signs from day to day, so that the root's key can be taken away.
    func issuing(keyPEM: String, nowMilliseconds: Int64) throws -> String {
        let key = try X509.Certificate.PrivateKey(pemEncoded: keyPEM)
        return try sign(
            key.publicKey, subject: try DistinguishedName { CommonName("Execora issuing authority") },
            nowMilliseconds: nowMilliseconds, life: Self.authorityLife,
            extensions: .init {
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 0))
                Critical(KeyUsage(keyCertSign: true, cRLSign: true))
                SubjectKeyIdentifier(hash: key.publicKey)
                try AuthorityKeyIdentifier(keyIdentifier: authorityIdentifier)
            })
    }

    /// - Parameter names: host names and addresses, IPv4 or IPv6; they become the subject alternative names.
    func server(keyPEM: String, names: [String], nowMilliseconds: Int64, life: Duration = serverLife) throws -> String {
        let key = try X509.Certificate.PrivateKey(pemEncoded: keyPEM)
        let alternatives = names.map { name in
            Self.addressBytes(name).map { GeneralName.ipAddress(.init(contentBytes: $0[...])) } ?? .dnsName(name)
        }
        return try sign(
            key.publicKey, subject: try DistinguishedName { CommonName(names.first ?? "localhost") },
            nowMilliseconds: nowMilliseconds, life: life,
            extensions: .init {
                Critical(BasicConstraints.notCertificateAuthority)
                Critical(KeyUsage(digitalSignature: true))
                try ExtendedKeyUsage([.serverAuth])
                SubjectAlternativeNames(alternatives)
                try AuthorityKeyIdentifier(keyIdentifier: authorityIdentifier)
            })
    }

    /// What a device gets: the leaf, its chain in PEM, and what the store keeps of it.
    struct Issued: Sendable {
        var chainPEM: String
        var fingerprintBytes: [UInt8]
        var serial: [UInt8]
        var notAfterMilliseconds: Int64
    }

    /// The key of a certificate request; nothing else of the request is used.
    ///
    /// - Throws: `Refusal` (400) when it is no PKCS#10 of a P-256 key, signed by that key.
    static func deviceKey(request pem: String) throws(Refusal) -> P256.Signing.PublicKey {
        guard let request = try? CertificateSigningRequest(pemEncoded: pem),
            let key = P256.Signing.PublicKey(request.publicKey),
            request.publicKey.isValidSignature(request.signature, for: request)
        else { throw .malformed("the certificate request is not a signed PKCS#10 of a P-256 key") }
        return key
    }

    /// A client certificate. The subject is the gateway's word, never the request's.
    func device(
        key: P256.Signing.PublicKey, subject: CertificateSubject, nowMilliseconds: Int64, life: Duration = deviceLife
    ) throws(GatewayError) -> Issued {
        do {
            let leaf = try sign(
                .init(key), subject: try subject.name,
                nowMilliseconds: nowMilliseconds, life: life,
                extensions: .init {
                    Critical(BasicConstraints.notCertificateAuthority)
                    Critical(KeyUsage(digitalSignature: true))
                    try ExtendedKeyUsage([.clientAuth])
                    SubjectAlternativeNames([.uniformResourceIdentifier(subject.ledgerKeyURI)])
                    try AuthorityKeyIdentifier(keyIdentifier: authorityIdentifier)
                })
            let made = try X509.Certificate(pemEncoded: leaf)
            return Issued(
                chainPEM: leaf + (try certificate.serializeAsPEM().pemString + "\n"),
                fingerprintBytes: Fingerprint.of(der: try made.serializeAsPEM().derBytes),
                serial: Array(made.serialNumber.bytes),
                notAfterMilliseconds: Int64(made.notValidAfter.timeIntervalSince1970 * 1000))
        } catch {
            throw .state(
                problem: "a certificate could not be made: \(error)", hint: "check issuing.key and issuing.pem")
        }
    }

    private var authorityIdentifier: ArraySlice<UInt8>? {
        get throws { try certificate.extensions.subjectKeyIdentifier?.keyIdentifier }
    }

    private func sign(
        _ publicKey: X509.Certificate.PublicKey, subject: DistinguishedName, nowMilliseconds: Int64, life: Duration,
        extensions: X509.Certificate.Extensions
    ) throws -> String {
        try Self.make(
            publicKey: publicKey, subject: subject, issuer: certificate.subject, signer: key,
            nowMilliseconds: nowMilliseconds, life: life, extensions: extensions)
    }

    private static func make(
        publicKey: X509.Certificate.PublicKey, subject: DistinguishedName, issuer: DistinguishedName,
        signer: X509.Certificate.PrivateKey, nowMilliseconds: Int64, life: Duration,
        extensions: X509.Certificate.Extensions
    ) throws -> String {
        let now = Date(timeIntervalSince1970: Double(nowMilliseconds / 1000))
        let made = try X509.Certificate(
            version: .v3, serialNumber: .init(), publicKey: publicKey,
            notValidBefore: now - Double(backdating.components.seconds),
            notValidAfter: now + Double(life.components.seconds),
            issuer: issuer, subject: subject, signatureAlgorithm: .ecdsaWithSHA256, extensions: extensions,
            issuerPrivateKey: signer)
        return try made.serializeAsPEM().pemString + "\n"
    }

    /// The 4 or 16 bytes of an address in text, nil for a name.
    private static func addressBytes(_ text: String) -> [UInt8]? {
        (try? SocketAddress(ipAddress: text, port: 0)).map { address in
            switch address {
            case .v4(let four): withUnsafeBytes(of: four.address.sin_addr) { Array($0) }
            case .v6(let six): withUnsafeBytes(of: six.address.sin6_addr) { Array($0) }
            case .unixDomainSocket: []
            }
        }
    }
}
