import CloudLink
import Glibc
import Ledger
import LedgerSync
import Seals

/// Makes a lost, old or damaged book whole again: from its backups where it is damaged, then from the gateway's copy of
/// this device's own journal. The daemon must not be running: one process writes the book.
enum RestoreCommand {
    static func run(_ configuration: ApplianceConfiguration) -> Int32 {
        do {
            let household = try Household.open(configuration)
            guard let identity = household.identity else {
                complain("execorad: this device is not enrolled; enrol it with its own keys first")
                return 1
            }
            let link = try CommandLink.line(configuration, household)
            defer { link.stop() }
            func fetch(into book: LedgerStore) throws {
                let restorer = BookRestorer(book: book, identity: identity, keys: identity.keys)
                while true {
                    let page = try CommandLink.reply(LinkRequest(kind: .sync, path: try restorer.path()), over: link)
                    if page.isEmpty { break }
                    if try restorer.take(page) == 0 { break }
                }
            }
            let book: LedgerStore
            do { book = try household.openBook(configuration, wallQuality: { ClockTrust().quality }) } catch let error
                as BookError
            {
                guard case .damaged = error else { throw error }
                // The newest backup first: it has the names, which the gateway was never told.
                try mend(configuration, household, fetch)
                book = try household.openBook(configuration, wallQuality: { ClockTrust().quality })
            }
            let before = try book.head().seq
            try fetch(into: book)
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

    private static func mend(
        _ configuration: ApplianceConfiguration, _ household: Household, _ fetch: @escaping (LedgerStore) throws -> Void
    ) throws {
        var random = SystemRandomNumberGenerator()
        let now = WallTime(milliseconds: Moment.wallMilliseconds())
        let report = try Restore(book: configuration.bookPath, wrappingKeys: try household.bookKeys()).run(
            from: nil, acceptsLoss: false, at: now, id: ULID(at: now, using: &random)
        ) { (store) throws(BookError) in
            do { try fetch(store) } catch { throw .unavailable("the gateway's copy: \(error)") }
        }
        print(
            "the book was damaged (it lies in \(report.quarantine)): \(report.entries) entries from \(report.backup), "
                + "\(report.salvaged) from the damaged journal, \(report.fetched) from the gateway; "
                + "\(report.notesLost) names or notes are lost")
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
