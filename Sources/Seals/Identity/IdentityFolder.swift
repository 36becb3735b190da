import Glibc
import JSONText

/// The folder `identity/` of a device: its two keys, its certificate chain, what it trusts, who it is.
///
/// Mode 0700, files 0600. Used by one thread at a time: at enrolment, at start, at renewal.
public struct IdentityFolder: Sendable {
    public let path: String

    /// - Parameter path: the folder itself, `<state_dir>/identity`.
    public init(path: String) { self.path = path }

    public var ledgerKeyPath: String { path + "/ledger.key" }
    public var tlsKeyPath: String { path + "/tls.key" }
    /// The client chain, leaf first.
    public var chainPath: String { path + "/tls.pem" }
    /// The root the gateway's certificate must descend from.
    public var trustPath: String { path + "/ca.pem" }
    public var spoolKeyPath: String { path + "/spool.key" }
    public var bookKeyPath: String { path + "/book.key" }
    public var identityPath: String { path + "/identity.json" }
    /// A key that the gateway is about to be asked to take; gone once it is `ledger.key`.
    public var nextLedgerKeyPath: String { path + "/ledger.key.next" }
    /// How the ledger key in use follows from the first, a JSON array.
    public var handoversPath: String { path + "/handovers.json" }

    /// The ledger and TLS keys, made and stored first if they are not there: a second try at enrolling after a
    /// lost answer uses the same keys, so it is the same device.
    public func keysMadeIfMissing() throws(SealError) -> (ledger: SigningKey, tls: TLSKey) {
        try PrivateFile.makeFolder(path)
        let ledger: SigningKey
        do {
            ledger = try ledgerKey()
        } catch .missing {
            ledger = try .generate()
            try PrivateFile.write(ledger.pem(), to: ledgerKeyPath)
        }
        let tls: TLSKey
        do {
            tls = try tlsKey()
        } catch .missing {
            tls = try .generate()
            try PrivateFile.write(tls.pem(), to: tlsKeyPath)
        }
        do { _ = try spoolKey() } catch .missing {
            try PrivateFile.write(Randomness.bytes(SealedBox.keyBytes), to: spoolKeyPath)
        }
        do { _ = try storedBookKey() } catch .missing {
            try PrivateFile.write(Randomness.bytes(SealedBox.keyBytes), to: bookKeyPath)
        }
        return (ledger, tls)
    }

    public func ledgerKey() throws(SealError) -> SigningKey {
        try SigningKey(pem: PrivateFile.read(ledgerKeyPath, secret: true))
    }

    public func tlsKey() throws(SealError) -> TLSKey { try TLSKey(pem: PrivateFile.read(tlsKeyPath, secret: true)) }

    /// Seals what waits in the spool.
    public func spoolKey() throws(SealError) -> [UInt8] {
        let key = try PrivateFile.read(spoolKeyPath, secret: true)
        guard key.count == SealedBox.keyBytes else { throw .malformed("spool.key of another size") }
        return key
    }

    /// Name of the book's key among systemd's credentials (`LoadCredentialEncrypted=`).
    public static let bookKeyCredential = "execora.book-key"

    /// Seals the customers' keys in the book, first the one to seal with. A credential given by systemd, which can lie
    /// sealed to the machine's TPM, comes before the file, which whoever takes the flash can read.
    ///
    /// - Parameter credentials: `$CREDENTIALS_DIRECTORY`, nil where there is none.
    public func bookKeys(credentials: String?) throws(SealError) -> [[UInt8]] {
        var keys: [[UInt8]] = []
        if let credentials {
            // systemd gives it 0400 or, to a group of the unit's own, 0440, in a folder only the unit may enter.
            do {
                keys.append(try Self.bookKey(credentials + "/" + Self.bookKeyCredential, secret: false))
            } catch .missing {}
        }
        do { keys.append(try storedBookKey()) } catch .missing { if keys.isEmpty { throw .missing(path: bookKeyPath) } }
        return keys
    }

    private func storedBookKey() throws(SealError) -> [UInt8] { try Self.bookKey(bookKeyPath, secret: true) }

    private static func bookKey(_ path: String, secret: Bool) throws(SealError) -> [UInt8] {
        let key = try PrivateFile.read(path, secret: secret)
        guard key.count == SealedBox.keyBytes else { throw .malformed("a book key of another size") }
        return key
    }

    public func certificate() throws(SealError) -> Certificate {
        try Certificate.read(pem: PrivateFile.read(chainPath, secret: false))
    }

    /// Stores what enrolment gave. `identity.json` comes last: where it is, all is.
    public func complete(_ identity: DeviceIdentity, chain: [UInt8], trust: [UInt8]) throws(SealError) {
        guard try keys(of: identity.device) != nil else { throw .malformed("the gateway named another device") }
        _ = try Certificate.read(pem: trust)
        try PrivateFile.write(trust, to: trustPath)
        try renew(chain: chain, device: identity.device)
        try write(identity)
    }

    /// The gateway gave this device another invoice series.
    public func adopt(series: String) throws(SealError) {
        var identity = try identity()
        identity.series = series
        try write(identity)
    }

    private func write(_ identity: DeviceIdentity) throws(SealError) {
        let json = JSONValue.object([
            .init("device", .string(identity.deviceHex)), .init("shop", .string(identity.shopHex)),
            .init("series", .string(identity.series)),
            .init("receipt_key", .string(Hex.text(identity.receiptKey.bytes))),
        ])
        try PrivateFile.write(json.bytes + [0x0A], to: identityPath)
    }

    /// Replaces the client chain after checking that it is for this device's key and name.
    public func renew(chain: [UInt8], device: [UInt8]) throws(SealError) {
        let leaf = try Certificate.read(pem: chain)
        guard try tlsKey().matches(leaf) else { throw .malformed("a certificate for another key") }
        guard leaf.commonName == Hex.text(device) else { throw .malformed("a certificate for another device") }
        try PrivateFile.write(chain, to: chainPath)
    }

    /// Who this device is.
    ///
    /// - Throws: `.missing` when it was not enrolled, `.malformed` when the file or its key is not this device's.
    public func identity() throws(SealError) -> DeviceIdentity {
        let json: JSONValue
        do { json = try JSONValue(parsing: try PrivateFile.read(identityPath, secret: false)) } catch let error
            as SealError
        { throw error } catch { throw .malformed("identity.json is not JSON") }
        guard let device = json["device"]?.string.flatMap(Hex.bytes), device.count == 16,
            let shop = json["shop"]?.string.flatMap(Hex.bytes), shop.count == 16,
            let series = json["series"]?.string, !series.isEmpty,
            let receiptKey = json["receipt_key"]?.string.flatMap(Hex.bytes)
        else { throw .malformed("identity.json lacks a field") }
        guard let keys = try keys(of: device) else {
            throw .malformed("identity.json and ledger.key are of two devices")
        }
        return DeviceIdentity(
            device: device, shop: shop, series: series, receiptKey: try VerifyingKey(bytes: receiptKey), keys: keys)
    }

    // Changing the ledger key ---------------------------------------------------------------------------------------

    /// The key that is to follow, made and stored first if it is not there.
    public func nextLedgerKeyMadeIfMissing() throws(SealError) -> SigningKey {
        do { return try SigningKey(pem: PrivateFile.read(nextLedgerKeyPath, secret: true)) } catch .missing {
            let key = try SigningKey.generate()
            try PrivateFile.write(key.pem(), to: nextLedgerKeyPath)
            return key
        }
    }

    /// Puts the next key in the place of the one in use. The gateway has taken the handover; cut off anywhere, the
    /// same call again ends it.
    public func change(to next: SigningKey, by handover: KeyHandover) throws(SealError) {
        var all = try handovers()
        if all.last?.new != handover.new { all.append(handover) }
        let json = JSONValue.array(all.map(\.json))
        // First what leads to the new key, then the key: what leads one step further than the key in use is no fault.
        try PrivateFile.write(json.bytes + [0x0A], to: handoversPath)
        try PrivateFile.write(next.pem(), to: ledgerKeyPath)
        endChange()
    }

    /// Removes the next key once it is the one in use.
    public func endChange() { unlink(nextLedgerKeyPath) }

    /// The device's id: made of its first ledger key, whichever it signs with by now.
    public func deviceID() throws(SealError) -> [UInt8] {
        let key = try ledgerKey().verifyingKey
        return DeviceIdentity.deviceID(of: try handovers().first?.old ?? key)
    }

    /// How the ledger key in use follows from the first, oldest first.
    public func handovers() throws(SealError) -> [KeyHandover] {
        let bytes: [UInt8]
        do { bytes = try PrivateFile.read(handoversPath, secret: false) } catch .missing { return [] }
        guard let items = (try? JSONValue(parsing: bytes))?.array else { throw .malformed("handovers.json") }
        let all = items.compactMap { KeyHandover(json: $0) }
        guard all.count == items.count else { throw .malformed("handovers.json") }
        return all
    }

    /// The ledger keys from the first to the one in use; nil when they do not lead there from the device's id.
    private func keys(of device: [UInt8]) throws(SealError) -> [VerifyingKey]? {
        let (key, all) = (try ledgerKey().verifyingKey, try handovers())
        return KeyHandover.keys(of: device, through: all, to: key)
            ?? KeyHandover.keys(of: device, through: all.dropLast(), to: key)
    }
}
