import CloudLink
import Glibc
import JSONText
import Ledger
import Seals

/// Follows the owner's word: the gateway was told to close this device's chain (`execora-gateway new-epoch`), and the
/// book begins the next one, under the series the gateway gives it. The daemon must not be running. Cut off anywhere, a
/// second run ends what the first began.
enum NewEpochCommand {
    static func run(_ configuration: ApplianceConfiguration) -> Int32 {
        do {
            let household = try Household.open(configuration)
            guard let identity = household.identity else {
                complain("execorad: this device is not enrolled")
                return 1
            }
            let link = try CommandLink.line(configuration, household)
            defer { link.stop() }
            let answer = try CommandLink.reply(LinkRequest(kind: .report, path: "/v1/epoch"), over: link)
            guard let open = OpenEpoch(answer) else {
                complain("execorad: the gateway's answer is none; is it older than this device?")
                return 1
            }
            switch try follow(open, household, configuration) {
            case .began(let after):
                print("epoch \(open.epoch) begins behind entry \(after); bills are numbered in \(open.series)")
            case .adopted: print("the book stands in epoch \(open.epoch); bills are numbered in \(open.series)")
            case .stands: print("nothing to do: the gateway has opened no epoch behind \(open.epoch)")
            case .other(let own):
                complain("execorad: the gateway has epoch \(open.epoch), the book \(own): ask the operator")
                return 1
            }
            // What the certificate says of the series follows with the next renewal.
            if identity.series != open.series { try household.folder.adopt(series: open.series) }
            return 0
        } catch {
            complain("execorad: no new epoch: \(error)")
            return 1
        }
    }

    private enum Outcome {
        case began(after: Int64)
        case adopted
        case stands
        case other(own: Int64)
    }

    private static func follow(
        _ open: OpenEpoch, _ household: Household, _ configuration: ApplianceConfiguration
    ) throws -> Outcome {
        // A run that was cut may have left the book a step ahead of the identity.
        var household = household
        if access(configuration.bookPath, F_OK) == 0 {
            household.identity?.series = try LedgerStore.series(of: configuration.bookPath)
        }
        let book = try household.openBook(configuration, wallQuality: { ClockTrust().quality })
        let head = try book.head()
        var random = SystemRandomNumberGenerator()
        let now = WallTime(milliseconds: Moment.wallMilliseconds())
        if open.epoch == head.epoch + 1, open.nextSeq == 1 {
            try book.beginEpoch(series: open.series, at: now, id: ULID(at: now, using: &random))
            return .began(after: head.seq)
        }
        guard open.epoch == head.epoch else { return .other(own: head.epoch) }
        if book.series == open.series { return .stands }
        try book.adoptSeries(open.series)
        return .adopted
    }
}

/// What the gateway says of this device's chain.
private struct OpenEpoch {
    var epoch: Int64
    var nextSeq: Int64
    var series: String

    init?(_ answer: [UInt8]) {
        guard let json = try? JSONValue(parsing: answer), let epoch = json["epoch"]?.integer, epoch >= 1,
            let nextSeq = json["next_seq"]?.integer, let series = json["series"]?.string,
            InvoiceNumber.isSeries(series)
        else { return nil }
        (self.epoch, self.nextSeq, self.series) = (epoch, nextSeq, series)
    }
}
