import Seals

/// Another counter of the shop as this book knows it.
public struct CounterStanding: Hashable, Sendable {
    public var details: CounterDetails
    /// How far its entries are here.
    public var epoch: Int64
    public var seq: Int64
    /// When the gateway told of the newest of them, by its clock; nil before the first. What its sums are as of.
    public var asOf: WallTime?

    public init(details: CounterDetails, epoch: Int64, seq: Int64, asOf: WallTime?) {
        self.details = details
        self.epoch = epoch
        self.seq = seq
        self.asOf = asOf
    }
}

/// What became of a run of log entries.
public struct ShopLogReport: Hashable, Sendable {
    /// Entries applied; the place has moved by as many.
    public var taken = 0
    /// Own entries made by them: the catalogue, the rules, a merge of two own customers.
    public var ownEntries = 0
    /// Things this book did not take, by a word: a product without a price, a customer who is not here.
    public var refused: [String] = []
    /// The next entry does not fit what is here; it and all behind it wait.
    public var stopped: String?

    public init() {}
}

// The shop's log comes down: each entry and the place behind it in one transaction. It never changes an own entry.

extension LedgerStore {
    public func shopLogPlace() throws(BookError) -> ShopLogPlace {
        var place = ShopLogPlace.start
        guard try hasShopTables() else { return place }
        try connection.run("SELECT seq, hash FROM shop_place") {
            place = ShopLogPlace(seq: $0.integer(0), hash: $0.blob(1))
        }
        return place
    }

    /// All counters the log has told of, this one among them, by series.
    public func counters() throws(BookError) -> [CounterStanding] {
        var counters: [CounterStanding] = []
        guard try hasShopTables() else { return counters }
        try connection.run(
            "SELECT device, series, ledger_key, is_revoked, epoch, seq, as_of FROM counter ORDER BY series"
        ) {
            let asOf = $0.integer(6)
            counters.append(
                CounterStanding(
                    details: CounterDetails(
                        device: $0.blob(0), series: $0.text(1), ledgerKey: $0.blob(2), isRevoked: $0.integer(3) == 1),
                    epoch: $0.integer(4), seq: $0.integer(5), asOf: asOf == 0 ? nil : WallTime(milliseconds: asOf)))
        }
        return counters
    }

    /// How often the owner wants the log to be looked at; nil where nothing was said.
    public func shopPollSeconds() throws(BookError) -> Int64? {
        guard try hasShopTables() else { return nil }
        return try connection.integer("SELECT value FROM shop_setting WHERE name = 'poll_seconds'")
    }

    /// Applies entries in order, behind the place. The first that does not follow ends the run; those before it stand.
    ///
    /// - Parameter at: the time of own entries made by them.
    public func takeShopLog(_ entries: [ShopLogEntry], at: WallTime) throws(BookError) -> ShopLogReport {
        try checkWritable()
        var report = ShopLogReport()
        let before = memory
        do {
            try connection.transaction { () throws(BookError) in
                try connection.script(ShopTables.all)
                var place = try shopLogPlace()
                for entry in entries {
                    guard entry.seq == place.seq + 1, entry.prev == place.hash else {
                        report.stopped = "entry \(entry.seq) does not follow entry \(place.seq)"
                        break
                    }
                    if let reason = try take(entry, at: at, &report) {
                        report.stopped = reason
                        break
                    }
                    place = ShopLogPlace(seq: entry.seq, hash: entry.hash)
                    report.taken += 1
                }
                try connection.run(
                    "INSERT OR REPLACE INTO shop_place VALUES(1,?,?)", [.integer(place.seq), .blob(place.hash)])
                try loadKin()
            }
        } catch {
            memory = before
            throw error
        }
        return report
    }

    /// Lets go of everything the log has told: the gateway has another log (it lost days of its store), and tells it
    /// from the first entry. Own entries stay.
    public func forgetShopLog() throws(BookError) {
        try checkWritable()
        guard try hasShopTables() else { return }
        try connection.transaction { () throws(BookError) in try connection.script(ShopTables.empty) }
        try loadKin()
    }

    func hasShopTables() throws(BookError) -> Bool {
        if memory.hasShopTables { return true }
        memory.hasShopTables = try connection.integer("SELECT 1 FROM sqlite_schema WHERE name = 'shop_place'") != nil
        return memory.hasShopTables
    }

    // MARK: One entry

    /// - Returns: why it cannot be taken now; nil when it was.
    private func take(_ entry: ShopLogEntry, at: WallTime, _ report: inout ShopLogReport) throws(BookError) -> String? {
        /// Own entries an entry of the log asks for, each named by the log's entry, so that none is made twice.
        var asked = 0
        func make(_ command: Command) throws(BookError) {
            asked += 1
            let name = SHA256.digest(
                Array("execora/shop-log/v1\0".utf8), entry.hash, [UInt8(truncatingIfNeeded: asked)])
            guard let id = ULID(bytes: name.prefix(16)) else { preconditionFailure("a digest of less than 16 bytes") }
            do throws(BookError) {
                let done = try write(Request(command, id: id, evidence: Evidence(confirmedBy: "owner"), at: at))
                if !done.isReplay { report.ownEntries += 1 }
            } catch {
                guard case .refused(let why) = error else { throw error }
                report.refused.append("own entry of kind \(command.code): \(why)")
            }
        }
        switch entry.change {
        case .ownFacts: break
        case .unknown(let kind): report.refused.append("kind \(kind) is not known here")
        case .counter(let counter): try take(counter)
        case .facts(let facts): return try take(facts, told: entry.server)
        case .catalogue(let items):
            for item in items { if let command = self.command(for: item) { try make(command) } }
        case .merge(let one, let other):
            switch (isOwn(one), isOwn(other)) {
            case (true, true): try make(.mergeCustomer(one.customer, into: other.customer))
            // Two of one other counter: that counter makes the entry, and it comes with its facts.
            case (false, false) where one.device == other.device: break
            default:
                try connection.run(
                    "INSERT OR REPLACE INTO shared_merge VALUES(?,?,1,?,?,0)",
                    [
                        .blob(one.device), .integer(one.customer.rawValue), .blob(other.device),
                        .integer(other.customer.rawValue),
                    ])
            }
        case .unmerge(let one):
            if isOwn(one), memory.mergedInto[one.customer] != nil { try make(.unmergeCustomer(one.customer)) }
            try connection.run(
                "DELETE FROM shared_merge WHERE device = ? AND customer = ? AND by_owner = 1",
                [.blob(one.device), .integer(one.customer.rawValue)])
        case .settings(let settings):
            guard settings.areValid else {
                report.refused.append("settings out of range")
                break
            }
            if let language = settings.language, try shop().language != language { try make(.setLanguage(language)) }
            if let rules = settings.rules, rules != memory.rules { try make(.setRules(rules)) }
            if let seconds = settings.pollSeconds {
                try connection.run("INSERT OR REPLACE INTO shop_setting VALUES('poll_seconds', ?)", [.integer(seconds)])
            }
        }
        return nil
    }

    private func isOwn(_ one: SharedCustomer) -> Bool { one.device == configuration.deviceID }

    /// What makes the book sell a product as the catalogue has it; nil when it does. Names a counter gave it stay.
    private func command(for item: CatalogueItem) -> Command? {
        let names = [item.details.name, item.was].compactMap { $0 }
        guard
            let (id, known) = names.lazy.compactMap({ name in self.memory.goods.first { $0.value.name == name } }).first
        else { return .createProduct(item.details, stock: .zero) }
        var details = item.details
        details.aliases += known.aliases.filter { !details.aliases.contains($0) }
        return details == known ? nil : .updateProduct(id, details)
    }

    private func take(_ counter: CounterDetails) throws(BookError) {
        try connection.run(
            """
            INSERT INTO counter(device, series, ledger_key, is_revoked, epoch, seq, head, as_of)
            VALUES(?1, ?2, ?3, ?4, 1, 0, ?5, 0)
            ON CONFLICT(device) DO UPDATE SET series = ?2, ledger_key = ?3, is_revoked = ?4
            """,
            [
                .blob(counter.device), .text(counter.series), .blob(counter.ledgerKey),
                .integer(counter.isRevoked ? 1 : 0), .blob(ChainLink.start),
            ])
    }
}
