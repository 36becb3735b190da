import CloudLink
import Glibc
import LedgerSync
import Seals

/// Makes a lost or old book whole again from the gateway's copy of this device's own journal. The daemon must not be
/// running: one process writes the book.
enum RestoreCommand {
    static func run(_ configuration: ApplianceConfiguration) -> Int32 {
        do {
            let household = try Household.open(configuration)
            guard let identity = household.identity else {
                complain("execorad: this device is not enrolled; enrol it with its own keys first")
                return 1
            }
            let book = try household.openBook(configuration, wallQuality: { ClockTrust().quality })
            let before = try book.head().seq
            let link = try CommandLink.line(configuration, household)
            defer { link.stop() }
            let restorer = BookRestorer(
                book: book, identity: identity, keys: identity.keys)
            while true {
                let page = try CommandLink.reply(LinkRequest(kind: .sync, path: try restorer.path()), over: link)
                if page.isEmpty { break }
                if try restorer.take(page) == 0 { break }
            }
            let head = try book.head()
            let report = try book.verify()
            guard report.valid else {
                complain("execorad: the book does not verify after the restore: \(report.reason ?? "")")
                return 1
            }
            print("restored: \(head.seq - before) entries, the book is at \(head.seq), head \(Hex.text(head.hash))")
            return 0
        } catch {
            complain("execorad: not restored: \(error)")
            return 1
        }
    }

    /// Prints the gateway's newest checkpoint with the proof of this device's head.
    static func checkpoint(_ configuration: ApplianceConfiguration) -> Int32 {
        do {
            let household = try Household.open(configuration)
            let link = try CommandLink.line(configuration, household)
            defer { link.stop() }
            let answer = try CommandLink.reply(LinkRequest(kind: .sync, path: "/v1/checkpoint"), over: link)
            print(String(decoding: answer, as: UTF8.self))
            return 0
        } catch {
            complain("execorad: no checkpoint: \(error)")
            return 1
        }
    }
}
