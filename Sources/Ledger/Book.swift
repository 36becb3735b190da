// Ledger: a command enters, a committed fact leaves: journal line and all projections in one transaction.
// One owner, one thread (the book's own writer queue); SQLite is opened here and nowhere else.
//
//   Nouns/    what a shop talks about: money, quantities, people, goods, bills, time
//   Journal/  an event as bytes: canonical CBOR, hash chain, accounts, numbers of invoices
//   Store/    the book on SQLite: plan a command, write event and projections, read, verify, back up
//
// Largest: an event of 8 kB, a bill of 200 lines, 2 MB of SQLite's cache, the details of all customers and products in
// memory. The file grows by about 300 bytes an entry, 55 MB a year at 500 a day; when the disk is full the sale is
// refused (`.full`), nothing is lost, and the next one goes through when there is space.

/// Everything that can change the book. A command is refused whole or committed whole.
public enum Command: Hashable, Sendable {
    case openShop(ShopDetails)
    case setLanguage(String)
    case setRules(ShopRules)
    /// First event of a new epoch: the book was restored and what came after `after` may be lost. The series of the
    /// counter gives no more numbers.
    case resume(after: ChainHead, retired: String)
    /// The shopkeeper says which day it is, where no clock can vouch for it: bills of the days after may open the
    /// financial year (see `LedgerStore.confirmedDays`).
    case confirmDate(CivilDay)

    case createCustomer(CustomerDetails, opening: Paise)
    /// Replaces all details by these.
    case updateCustomer(CustomerID, CustomerDetails)
    case addAlias(CustomerID, String)
    case removeAlias(CustomerID, String)
    case mergeCustomer(CustomerID, into: CustomerID)
    case unmergeCustomer(CustomerID)
    /// Destroys the personal data, of all that were merged with this customer too; amounts stay.
    case eraseCustomer(CustomerID)

    case createProduct(ProductDetails, stock: MilliQuantity)
    case updateProduct(ProductID, ProductDetails)
    /// Positive arrives, negative leaves (loss, own use). May go below zero.
    case moveStock(ProductID, MilliQuantity, reason: String)
    /// Goods of a batch arrive. More of the same batch adds to it.
    case receiveBatch(ProductID, MilliQuantity, Batch)

    /// Udhaar without items.
    case giveCredit(CustomerID, Paise, note: String?)
    /// A payment, split by mode where there are several. Settles oldest first; the rest is an advance.
    case receivePayment(CustomerID, [PaymentSplit])

    /// Stores or replaces a draft (one a customer, one walk-in). Posts nothing.
    case saveDraft(Draft)
    case dropDraft(ULID)
    /// Numbers and posts the bill, moves stock, removes the draft, in one transaction.
    case commitBill(Bill, draft: ULID?)
    case cancelInvoice(number: String)
    /// Takes back some of a bill's goods at the price charged: a credit note with a number of its own.
    case creditNote(CreditNote)
    /// Reverses any own money or stock event, at most once.
    case reverse(event: ULID, reason: String)

    /// Keeps a money entry without posting it, until it is settled or made void; it counts nowhere.
    case hold(HeldEntry)
    /// Posts what is held, as of now.
    case settle(hold: ULID)
    case void(hold: ULID, reason: String)

    case saveReminder(Reminder)
    case cancelReminder(ULID)
    /// A reminder was due: it comes again at `next`, or is done.
    case fireReminder(ULID, due: WallTime, next: WallTime?)
    case send(OutgoingMessage)
    case closeDay(CivilDay, cashCounted: Paise)

    /// Somebody tested, changed or took something at the technician's socket. Posts nothing; proves it afterwards.
    case recordCall(TechnicianCall)
}

/// Where a command comes from: evidence, never truth. Kept in the event.
public struct Evidence: Hashable, Sendable {
    /// The turn that was spoken, when it was.
    public var turn: ULID?
    /// SHA-256 of the transcript, not the transcript.
    public var transcriptHash: [UInt8]?
    /// Confidence in thousandths.
    public var confidenceMilli: Int64?
    /// "voice" (as heard, nobody confirmed), "yes", "keypad", "technician", "import", "owner", "clock".
    public var confirmedBy: String

    public init(
        turn: ULID? = nil, transcriptHash: [UInt8]? = nil, confidenceMilli: Int64? = nil, confirmedBy: String
    ) {
        self.turn = turn
        self.transcriptHash = transcriptHash
        self.confidenceMilli = confidenceMilli
        self.confirmedBy = confirmedBy
    }
}

/// A committed fact: it is on flash when this value exists.
public struct Committed: Hashable, Sendable {
    public var event: ULID
    public var epoch: Int64
    public var seq: Int64
    public var hash: [UInt8]
    public var outcome: Outcome
    /// True when this command had been committed before: the stored answer is given again and nothing was written.
    public var isReplay: Bool

    public enum Outcome: Hashable, Sendable {
        case done
        case customer(CustomerID)
        case product(ProductID)
        /// The balance after, of the customer concerned.
        case balance(Paise)
        case invoice(number: String, total: Paise, balance: Paise?)
        case cancelled(number: String, total: Paise, balance: Paise?)
        case credited(number: String, total: Paise, balance: Paise?)
        /// Nothing was posted: it waits to be confirmed, and is void at that moment if nobody does.
        case held(until: WallTime)
    }

    public init(event: ULID, epoch: Int64, seq: Int64, hash: [UInt8], outcome: Outcome, isReplay: Bool) {
        self.event = event
        self.epoch = epoch
        self.seq = seq
        self.hash = hash
        self.outcome = outcome
        self.isReplay = isReplay
    }
}

/// What can go wrong with the book, shaped by what the caller will do.
public enum BookError: Error, Equatable {
    /// Say so and ask again: the command is wrong in itself.
    case refused(Refusal)
    /// Say "no space" and refuse the sale aloud; retry when space returns.
    case full
    /// A write or sync failed: stop taking money, reopen, verify.
    case storage(code: Int32, operation: String)
    /// The stored bytes are not what was written: quarantine and rebuild.
    case damaged(String)
    /// Another process holds the book, or it was written by a newer version.
    case unavailable(String)

    public enum Refusal: Error, Equatable, Sendable {
        case amountOutOfRange
        case unknownCustomer, unknownProduct, unknownInvoice, unknownReminder, unknownEvent, unknownDraft
        case unknownHold
        case duplicateName
        case emptyBill
        case alreadyReversed
        case notReversible
        /// More of a bill's line comes back than was sold and not yet returned.
        case overReturned
        case erasedCustomer
        case clockUntrusted
        /// The command is longer than an event may be (8 kB).
        case tooLarge
        /// The same command id came with another command.
        case identityReused
    }
}

/// The face of the book. `LedgerStore` is the one on SQLite; it also opens in memory for `replay`.
public protocol Book: AnyObject {
    func shop() throws(BookError) -> ShopDetails
    func customers() throws(BookError) -> [Customer]
    func products() throws(BookError) -> [Product]
    func balance(of customer: CustomerID) throws(BookError) -> Paise
    /// Not older than four hours before `now`, oldest first.
    func drafts(now: WallTime) throws(BookError) -> [Draft]
    /// Newest first. Nil for all customers.
    func invoices(of customer: CustomerID?, limit: Int) throws(BookError) -> [Invoice]
    /// Newest first. Nil for all customers.
    func payments(of customer: CustomerID?, limit: Int) throws(BookError) -> [Payment]
    /// Pending ones, earliest first.
    func reminders() throws(BookError) -> [Reminder]
    func outgoing() throws(BookError) -> [OutgoingMessage]
    func summary(of day: CivilDay) throws(BookError) -> DailySummary
    /// The day the shopkeeper must confirm before a bill can have a number; nil when none has to be.
    func dateToConfirm(at: WallTime) throws(BookError) -> CivilDay?
    /// The newest own event that can still be reversed.
    func lastReversible() throws(BookError) -> (event: ULID, command: String, customer: CustomerID?, amount: Paise)?

    /// Commits one command. `id` is made and stored by the caller before anything is said; the same id with the
    /// same command gives the stored answer, for ever.
    func perform(_ command: Command, id: ULID, evidence: Evidence, at: WallTime) throws(BookError) -> Committed

    /// Small durable state of the conversation (open question, active customer), FULL like the rest. All of it is
    /// forgotten when a customer is erased, as it may name them.
    func remember(_ key: String, _ bytes: [UInt8]?) throws(BookError)
    func recall(_ key: String) throws(BookError) -> [UInt8]?
}
