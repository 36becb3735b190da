import Glibc
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

    /// Keys over the customers' keys; systemd's credential first, where the unit has one.
    func bookKeys() throws(SealError) -> [[UInt8]] {
        try folder.bookKeys(credentials: getenv("CREDENTIALS_DIRECTORY").map { String(cString: $0) })
    }

    /// The book of this device. One process at a time.
    ///
    /// - Parameter wallQuality: how far the wall clock can be believed at the moment it is asked, 0 to 4.
    func openBook(_ configuration: ApplianceConfiguration, wallQuality: @escaping () -> Int64) throws -> LedgerStore {
        let keys = try bookKeys()
        let ledger = LedgerConfiguration(
            deviceID: try folder.deviceID(),
            shopID: identity?.shop ?? [UInt8](repeating: 0, count: 16), series: identity?.series ?? "A01",
            bootID: BootID.bytes, monotonicMilliseconds: Moment.bootMilliseconds, wallQuality: wallQuality,
            wrappingKey: keys.first, formerWrappingKeys: Array(keys.dropFirst()))
        return try LedgerStore.open(path: configuration.bookPath, configuration: ledger)
    }
}
