import Seals
import X509

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Who a device certificate is for, in the authority's own words: device (CN), shop (O), invoice series (OU), and the
/// ledger's public key as an alternative name. So a store that was lost can be filled again from what devices show.
struct CertificateSubject: Hashable, Sendable {
    var device: [UInt8]
    var shop: [UInt8]
    var series: String
    var ledgerKey: [UInt8]

    static let uriPrefix = "urn:execora:ledger-key:"

    init(device: [UInt8], shop: [UInt8], series: String, ledgerKey: [UInt8]) {
        self.device = device
        self.shop = shop
        self.series = series
        self.ledgerKey = ledgerKey
    }

    init(_ record: DeviceRecord) {
        self.init(device: record.device, shop: record.shop, series: record.series, ledgerKey: record.ledgerKey)
    }

    /// Of a certificate that our authority signed; nil when it says less, as those of earlier gateways do.
    init?(der: [UInt8]) {
        guard let certificate = try? X509.Certificate(derEncoded: der),
            let names = try? certificate.extensions.subjectAlternativeNames
        else { return nil }
        let keys = names.compactMap { name -> [UInt8]? in
            guard case .uniformResourceIdentifier(let uri) = name, uri.hasPrefix(Self.uriPrefix) else { return nil }
            return Hex.bytes(String(uri.dropFirst(Self.uriPrefix.count)))
        }
        guard let device = Self.text(in: certificate, { $0.type == .RDNAttributeType.commonName }).flatMap(Hex.bytes),
            let shop = Self.text(in: certificate, { $0.type == .RDNAttributeType.organizationName }).flatMap(Hex.bytes),
            let series = Self.text(in: certificate, { $0.type == .RDNAttributeType.organizationalUnitName }),
            device.count == 16, shop.count == 16, let ledgerKey = keys.first, ledgerKey.count == 32
        else { return nil }
        self.init(device: device, shop: shop, series: series, ledgerKey: ledgerKey)
    }

    /// The shop alone: which store to ask.
    static func shop(der: [UInt8]) -> [UInt8]? {
        guard let certificate = try? X509.Certificate(derEncoded: der),
            let shop = text(in: certificate, { $0.type == .RDNAttributeType.organizationName }).flatMap(Hex.bytes),
            shop.count == 16
        else { return nil }
        return shop
    }

    var name: DistinguishedName {
        get throws {
            try DistinguishedName {
                OrganizationName(Hex.text(shop))
                OrganizationalUnitName(series)
                CommonName(Hex.text(device))
            }
        }
    }

    var ledgerKeyURI: String { Self.uriPrefix + Hex.text(ledgerKey) }

    private static func text(
        in certificate: X509.Certificate, _ isWanted: (RelativeDistinguishedName.Attribute) -> Bool
    ) -> String? {
        for relative in certificate.subject {
            for attribute in relative where isWanted(attribute) { return String(attribute.value) }
        }
        return nil
    }
}

/// A client certificate that our authority signed, as a device shows it.
struct ShownCertificate: Hashable, Sendable {
    var subject: CertificateSubject
    var fingerprint: [UInt8]
    var serial: [UInt8]
    var notAfterMilliseconds: Int64

    init?(der: [UInt8]) {
        guard let subject = CertificateSubject(der: der), let certificate = try? X509.Certificate(derEncoded: der)
        else {
            return nil
        }
        self.subject = subject
        fingerprint = Fingerprint.of(der: der)
        serial = Array(certificate.serialNumber.bytes)
        notAfterMilliseconds = Int64(certificate.notValidAfter.timeIntervalSince1970 * 1000)
    }
}
