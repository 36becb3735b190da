import JSONText
import Ledger
import Seals

/// The door the shop's log comes down through. The daemon fills it with its link.
public protocol ShopLogDoor: AnyObject {
    /// Asks for a page with GET and returns at once. The answer goes to `ShopLogRunner.answered` with the same number,
    /// on the book's thread, at most once.
    func ask(_ path: String, number: Int64)
}

/// What the shop's log brought, for the log and the technician: places, counts and words, nothing private.
public enum ShopLogEvent: Equatable, Sendable {
    case taken(through: Int64, entries: Int, ownEntries: Int)
    /// The catalogue or the owner asked for something this book cannot do.
    case refused([String])
    /// An entry cannot be taken; the log waits before it. Selling goes on.
    case stopped(String)
    /// The gateway has another log, so it lost days of its store: this one was let go and is read again.
    case startedAnew
    /// The next try comes after so long.
    case failed(String, retryMilliseconds: Int64)
}

/// Reads the shop's log down into the book: asks behind the place where it stands, checks, applies, asks again while
/// there is more.
///
/// Belongs to the book's thread, as `SyncRunner` does.
public final class ShopLogRunner {
    /// A look where nothing is expected, and where another counter sells.
    public static let idleMilliseconds: Int64 = 300_000
    public static let severalCountersMilliseconds: Int64 = 15_000
    /// An answer that does not come is given up after this.
    static let answerMilliseconds: Int64 = 45_000
    static let backoffFirstMilliseconds: Int64 = 1000
    static let backoffMaxMilliseconds: Int64 = 900_000

    private let book: any ShopLogBook
    private let door: any ShopLogDoor
    private let identity: DeviceIdentity
    private let tell: (ShopLogEvent) -> Void
    private var jitter: JitterSource
    private var failures = 0
    private var number: Int64 = 0
    private var inFlight: Int64?
    /// By the monotonic clock.
    public private(set) var dueMilliseconds: Int64

    public init(
        book: any ShopLogBook, door: any ShopLogDoor, identity: DeviceIdentity, seed: UInt64, now: SyncMoment,
        tell: @escaping (ShopLogEvent) -> Void
    ) {
        self.book = book
        self.door = door
        self.identity = identity
        self.tell = tell
        jitter = JitterSource(seed: seed)
        dueMilliseconds = now.monotonicMilliseconds + jitter.upTo(5000)
    }

    /// The line came up, or somebody asks for a look now.
    public func hurry(now: SyncMoment) {
        if inFlight == nil { dueMilliseconds = min(dueMilliseconds, now.monotonicMilliseconds) }
    }

    /// Makes the look that is due, if one is.
    public func run(now: SyncMoment) {
        guard now.monotonicMilliseconds >= dueMilliseconds else { return }
        if inFlight != nil {
            inFlight = nil
            return fail("no answer", now)
        }
        do throws(BookError) {
            let place = try book.shopLogPlace()
            number += 1
            inFlight = number
            dueMilliseconds = now.monotonicMilliseconds + Self.answerMilliseconds
            door.ask("/v1/shop-log?after=\(place.seq)&hash=\(Hex.text(place.hash))", number: number)
        } catch { fail("book: \(error)", now) }
    }

    public func answered(_ answer: SyncAnswer, to asked: Int64, now: SyncMoment) {
        guard inFlight == asked else { return }
        inFlight = nil
        guard case .answered(let status, let body, let retryAfter) = answer else { return fail("line", now) }
        do throws(BookError) {
            switch status {
            case 200: try take(body, now)
            case 409 where SyncRefusal(body).code == "shop_log":
                try book.forgetShopLog()
                tell(.startedAnew)
                dueMilliseconds = now.monotonicMilliseconds
            default: fail("answer \(status)", retryAfterSeconds: retryAfter, now)
            }
        } catch { fail("book: \(error)", now) }
    }

    private func take(_ page: [UInt8], _ now: SyncMoment) throws(BookError) {
        guard !page.isEmpty else { return rest(now) }
        var reader = ShopLogReader(identity: identity, counters: try book.counters())
        let entries: [ShopLogEntry]
        do throws(SyncError) { entries = try reader.read(page) } catch { return fail("page: \(error.code)", now) }
        let report = try book.takeShopLog(entries, at: now.wall)
        if report.taken > 0 {
            tell(
                .taken(
                    through: try book.shopLogPlace().seq, entries: report.taken, ownEntries: report.ownEntries))
        }
        if !report.refused.isEmpty { tell(.refused(report.refused)) }
        if let reason = report.stopped {
            tell(.stopped(reason))
            return fail("entry", now)
        }
        // A page that was not empty may have another behind it.
        failures = 0
        dueMilliseconds = now.monotonicMilliseconds
    }

    private func rest(_ now: SyncMoment) {
        failures = 0
        var wait = Self.idleMilliseconds
        if let counters = try? book.counters(), counters.count(where: { !$0.details.isRevoked }) > 1 {
            wait = Self.severalCountersMilliseconds
        }
        if let told = try? book.shopPollSeconds() { wait = told * 1000 }
        let spread = wait / 5
        dueMilliseconds = now.monotonicMilliseconds + wait - spread + jitter.upTo(2 * spread)
    }

    private func fail(_ why: String, retryAfterSeconds: Int64? = nil, _ now: SyncMoment) {
        failures += 1
        let ceiling = min(Self.backoffMaxMilliseconds, Self.backoffFirstMilliseconds << Int64(min(failures - 1, 20)))
        var wait = max(1, jitter.upTo(ceiling))
        // An hour at most, whatever is asked: the log is never given up.
        if let seconds = retryAfterSeconds { wait = max(wait, min(max(0, seconds), 3600) * 1000) }
        dueMilliseconds = now.monotonicMilliseconds + wait
        tell(.failed(why, retryMilliseconds: wait))
    }

    /// For the status: how far, and how old what is known of each counter is.
    public func report() throws(BookError) -> JSONValue {
        let counters = try book.counters()
        return .object([
            .init("log_seq", .integer(try book.shopLogPlace().seq)),
            .init(
                "counters",
                .array(
                    counters.map { counter in
                        .object([
                            .init("series", .string(counter.details.series)),
                            .init("is_own", .bool(counter.details.device == identity.device)),
                            .init("revoked", .bool(counter.details.isRevoked)),
                            .init("epoch", .integer(counter.epoch)), .init("seq", .integer(counter.seq)),
                            .init("as_of_ms", JSONValue(counter.asOf?.rawValue)),
                        ])
                    })),
        ])
    }
}
