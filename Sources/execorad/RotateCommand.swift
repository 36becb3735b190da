import CloudLink
import Glibc
import Ledger
import Seals

/// Changes this device's ledger key: the gateway takes the new one at the word of both. The daemon must not be
/// running. Cut off anywhere, a second run ends what the first began.
enum RotateCommand {
    static func run(_ configuration: ApplianceConfiguration) -> Int32 {
        do {
            let household = try Household.open(configuration)
            guard let identity = household.identity else {
                complain("execorad: this device is not enrolled")
                return 1
            }
            let book = try household.openBook(configuration, wallQuality: { ClockTrust().quality })
            let cursor = try book.cursor()
            guard try household.folder.handovers().count < KeyHandover.countMax else {
                complain("execorad: the key was changed \(KeyHandover.countMax) times; enrol the device with new keys")
                return 1
            }
            let next = try household.folder.nextLedgerKeyMadeIfMissing()
            if next.verifyingKey == household.ledgerKey.verifyingKey {
                household.folder.endChange()
                print("the change of before is ended; the ledger key is the new one")
                return 0
            }
            let handover = try KeyHandover(
                device: identity.device, from: household.ledgerKey, to: next, epoch: max(1, cursor.epoch),
                fromSeq: cursor.seq + 1)
            let link = try CommandLink.line(configuration, household)
            defer { link.stop() }
            _ = try CommandLink.reply(KeyChange.request(handover), over: link)
            try household.folder.change(to: next, by: handover)
            print("the ledger key is changed; entries are signed by it from \(handover.fromSeq) on")
            return 0
        } catch LinkError.rejected(let rejection) where rejection.code == "behind" {
            complain(
                "execorad: the gateway has entries whose receipt is not here; let the daemon sync, then change the key")
            return 1
        } catch {
            complain("execorad: the key was not changed: \(error)")
            return 1
        }
    }
}
