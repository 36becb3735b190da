import Ledger
import Seals

/// What the daemon needs before it can keep a book: its keys, and who it is once it was enrolled.
struct Household {
    var ledgerKey: SigningKey
    /// Nil before enrolment: the book works, nothing can be sent.
    var identity: DeviceIdentity?
    var folder: IdentityFolder

    static func open(_ configuration: ApplianceConfiguration) throws(SealError) -> Household {
        // What cannot be made is told by the first file that is to stand in it.
        _ = FileBytes.makeFolder(configuration.stateFolder)
        let folder = IdentityFolder(path: configuration.identityFolder)
        let ledgerKey = try folder.keysMadeIfMissing().ledger
        let identity: DeviceIdentity?
        do { identity = try folder.identity() } catch .missing { identity = nil }
        return Household(ledgerKey: ledgerKey, identity: identity, folder: folder)
    }

    /// Seals customers' keys in the book, where the board keeps a secret of its own (`LoadCredentialEncrypted=`): 32
    /// bytes, made at provisioning. Without it their keys lie bare in the 0700 state folder.
    private func bookKey() throws(BookError) -> [UInt8]? {
        guard let key = Systemd.credential("execora.book-key") else { return nil }
        guard key.count == SealedBox.keyBytes else {
            throw .unavailable(
                "the credential execora.book-key is \(key.count) bytes and must be \(SealedBox.keyBytes)")
        }
        return key
    }

    /// The book of this device. One process at a time.
    func openBook(_ configuration: ApplianceConfiguration) throws(BookError) -> LedgerStore {
        let ledger = LedgerConfiguration(
            deviceID: DeviceIdentity.deviceID(of: ledgerKey.verifyingKey),
            shopID: identity?.shop ?? [UInt8](repeating: 0, count: 16), series: identity?.series ?? "A01",
            bootID: BootID.bytes, monotonicMilliseconds: Moment.bootMilliseconds,
            wrappingKey: try bookKey())
        return try LedgerStore.open(path: configuration.bookPath, configuration: ledger)
    }
}
