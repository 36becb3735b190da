import Seals

/// The book on SQLite: one file, one writer, one thread. Whoever opens it owns it; nothing here is for two threads.
///
/// A command is planned (read and checked), written as one event with all its projections in one transaction at
/// `synchronous=FULL`, and only then answered. After a failed write or sync nothing more is taken (`.storage`) until
/// the book is opened anew: an fsync that failed once may lie the next time.
public final class LedgerStore: Book {
    enum Mode {
        case own
        /// Reads a file it does not own; every writing call is refused.
        case inspect
    }

    /// Another one after `reopen` alone.
    var connection: Connection
    let configuration: LedgerConfiguration
    let mode: Mode
    let path: String?
    private let lock: BookLock?

    /// The open epoch of this device.
    var epoch: Int64 { memory.newest.epoch }
    /// What is kept of the file in memory; changed only by a commit, and put back when the commit fails.
    var memory: Memory

    /// Under customer 0 lies the shop's own key.
    static let shopPerson = CustomerID(rawValue: 0)

    init(
        connection: Connection, configuration: LedgerConfiguration, mode: Mode, path: String?, lock: BookLock?
    ) throws(BookError) {
        self.connection = connection
        self.configuration = configuration
        self.mode = mode
        self.path = path
        self.lock = lock
        memory = Memory(newest: try Self.newestEvent(connection))
    }

    /// Fills the memory from the file.
    func load() throws(BookError) {
        try loadPeople()
        try loadGoods()
        memory.rules = try rules()
    }

    // MARK: Writing

    public func perform(_ command: Command, id: ULID, evidence: Evidence, at: WallTime) throws(BookError) -> Committed {
        try performAll([Request(command, id: id, evidence: evidence, at: at)])[0]
    }

    /// One command with its id and evidence.
    public struct Request {
        public var command: Command
        public var id: ULID
        public var evidence: Evidence
        public var at: WallTime

        public init(_ command: Command, id: ULID, evidence: Evidence, at: WallTime) {
            self.command = command
            self.id = id
            self.evidence = evidence
            self.at = at
        }
    }

    /// Commits several commands in one transaction, all or none: an import, a seed. One sync for all.
    public func performAll(_ requests: [Request]) throws(BookError) -> [Committed] {
        try checkWritable()
        let before = memory
        var done: [Committed] = []
        do {
            try connection.transaction { () throws(BookError) in
                for request in requests { done.append(try write(request)) }
            }
        } catch {
            memory = before
            // Not where SQLite finds the file damaged: nothing more is written there.
            if case .storage = connection.failure { connection.coverFailedCommit() }
            throw error
        }
        if !memory.forgotten.isEmpty { scrub() }
        return done
    }

    func write(_ request: Request) throws(BookError) -> Committed {
        if let known = try committed(request.id) { return try answerAgain(request.command, known) }
        let (command, settles) = try whatToWrite(request)
        var plan = try plan(command, at: request.at)
        let secret = try secret(of: command, owner: plan.owner)
        plan.owner = secret?.owner
        let entry = JournalEntry(
            id: request.id, type: command.code, arguments: command.arguments(commitment: secret?.memo.commitment),
            evidence: request.evidence, at: request.at, wallQuality: configuration.wallQuality(),
            monotonicMilliseconds: configuration.monotonicMilliseconds(),
            bootID: memory.hasNamedBoot ? nil : configuration.bootID, day: CivilTime(request.at).day,
            postings: plan.postings, moves: plan.moves, outcome: plan.outcome, pricing: plan.pricing,
            reverses: plan.reverses, totals: plan.totals, settles: settles)
        precondition(entry.isBalanced, "a plan does not balance")
        let body = entry.encoded
        guard body.count <= JournalEntry.bodyBytesMax else { throw .refused(.tooLarge) }
        let seq = memory.newest.seq + 1
        let place = Place(epoch: epoch, seq: seq)
        let hash = ChainLink.hash(
            device: configuration.deviceID, epoch: epoch, seq: seq, prev: memory.newest.hash, body: body)
        try connection.run("INSERT INTO event VALUES(?,?,?)", [.integer(place.rawValue), .blob(body), .blob(hash)])
        try Projector(tables: connection, journal: connection).apply(entry, at: place)
        try keep(secret, of: entry, at: place)
        memory.newest = ChainHead(epoch: epoch, seq: seq, hash: hash)
        memory.hasNamedBoot = true
        fold(entry, secret?.memo.data)
        return Committed(
            event: request.id, epoch: epoch, seq: seq, hash: hash, outcome: plan.outcome, isReplay: false)
    }

    /// The stored answer, when the command is the one that was stored.
    private func answerAgain(
        _ command: Command, _ known: (place: Place, entry: JournalEntry, hash: [UInt8])
    ) throws(BookError) -> Committed {
        if case .settle(let hold) = command {
            guard known.entry.settles == hold else { throw .refused(.identityReused) }
            return Self.replay(known)
        }
        var command = command
        // What was said was held then: it is the same command though it was written as another.
        if known.entry.type == Command.Code.hold, let held = HeldEntry(command) { command = .hold(held) }
        var commitment: [UInt8]?
        if let personal = command.personal {
            if let memo = try memo(at: known.place, event: known.entry.id) {
                commitment = Memo(salt: memo.salt, data: personal).commitment
            } else {
                // The person was erased, and the salt with them: what can still be compared is compared.
                commitment = known.entry.arguments.lazy.compactMap(\.bytes).first { $0.count == SHA256.byteCount }
            }
        }
        guard known.entry.type == command.code, known.entry.arguments == command.arguments(commitment: commitment)
        else { throw .refused(.identityReused) }
        return Self.replay(known)
    }

    private static func replay(_ known: (place: Place, entry: JournalEntry, hash: [UInt8])) -> Committed {
        Committed(
            event: known.entry.id, epoch: known.place.epoch, seq: known.place.seq, hash: known.hash,
            outcome: known.entry.outcome, isReplay: true)
    }

    func checkWritable() throws(BookError) {
        if let failure = connection.failure { throw failure }
        guard mode == .own else { throw .unavailable("the book is open for reading only") }
    }

    // MARK: Small state

    public func remember(_ key: String, _ bytes: [UInt8]?) throws(BookError) {
        try checkWritable()
        if let bytes {
            try connection.run("INSERT OR REPLACE INTO state VALUES(?,?)", [.text(key), .blob(bytes)])
        } else {
            try connection.run("DELETE FROM state WHERE key = ?", [.text(key)])
        }
    }

    public func recall(_ key: String) throws(BookError) -> [UInt8]? {
        try connection.blob("SELECT value FROM state WHERE key = ?", [.text(key)])
    }

    // MARK: Events

    func committed(_ id: ULID) throws(BookError) -> (place: Place, entry: JournalEntry, hash: [UInt8])? {
        guard let number = try connection.integer("SELECT place FROM request WHERE id = ?", [.blob(id.bytes)]) else {
            return nil
        }
        let place = Place(rawValue: number)
        return (place, try entry(at: place), try hash(at: place))
    }

    func entry(at place: Place) throws(BookError) -> JournalEntry {
        guard let body = try connection.blob("SELECT body FROM event WHERE place = ?", [.integer(place.rawValue)])
        else { throw .damaged("an event is missing") }
        do { return try JournalEntry(decoding: body) } catch { throw .damaged("an event cannot be read: \(error)") }
    }

    func hash(at place: Place) throws(BookError) -> [UInt8] {
        try connection.blob("SELECT hash FROM event WHERE place = ?", [.integer(place.rawValue)]) ?? []
    }

    static func newestEvent(_ connection: Connection) throws(BookError) -> ChainHead {
        var head = ChainHead(epoch: 1, seq: 0, hash: ChainLink.start)
        try connection.run("SELECT place, hash FROM event ORDER BY place DESC LIMIT 1") {
            let place = Place(rawValue: $0.integer(0))
            head = ChainHead(epoch: place.epoch, seq: place.seq, hash: $0.blob(1))
        }
        return head
    }
}
