import Ledger
import LedgerSync
import Seals

// The log of a shop: what its counters are told, numbered, chained and signed. What the owner says is written into it
// at once. What the counters say (their batches, and who they are) enters it when one of them asks for the log: then
// the log takes in what came since, in one transaction under the shop's lock. So a batch costs nothing more when it
// arrives, a shop with one counter has in its log what the owner said and no more, and a counter that joins late gets all of it.

/// One entry as it goes down.
struct ShopLogRow: Sendable {
    /// Signed.
    var head: [UInt8]
    var body: [UInt8]
}

/// Where a shop's log stands in this store, and what signs it.
private struct LogHead {
    let shop: [UInt8]
    let now: Int64
    let key: SigningKey
    var seq: Int64
    var hash: [UInt8]
}

extension FleetStore {
    /// Batches that one question takes into the log. The rest is taken in by the next one, which comes at once.
    static let logStepMax = 64

    /// Entries behind a place, as many as make a page, without bodies that the asker has.
    ///
    /// - Parameter hash: of the asker's entry at `seq`.
    /// - Returns: nil when this log has another entry there, or none: the asker has read another log.
    func shopLog(
        for asker: DeviceRecord, after seq: Int64, hash: [UInt8], nowMilliseconds now: Int64, key: SigningKey
    ) throws(GatewayError) -> [ShopLogRow]? {
        if try isLogBehind(asker.shop) {
            try database.transaction { () throws(GatewayError) in
                var log = try lockLog(of: asker.shop, now: now, key: key)
                try takeIn(&log)
            }
        }
        if seq > 0 {
            let own = try database.first(
                "SELECT hash FROM shop_log WHERE shop_id = ? AND sseq = ?", .blob(asker.shop), .integer(seq)
            ) { $0.blob(0) }
            guard own == hash else { return nil }
        }
        var (rows, bytes): ([ShopLogRow], Int) = ([], 0)
        try database.each(
            """
            SELECT l.head, coalesce(l.body, b.envelope), l.device_id, l.kind FROM shop_log l
            LEFT JOIN batch b ON b.shop_id = l.shop_id AND b.device_id = l.device_id AND b.epoch = l.epoch
                AND b.through_seq = l.through_seq
            WHERE l.shop_id = ? AND l.sseq > ? ORDER BY l.sseq LIMIT ?
            """, [.blob(asker.shop), .integer(seq), .integer(Int64(ShopLogPage.entriesMax))]
        ) { (row) throws(GatewayError) in
            guard bytes < ShopLogPage.bytesMax else { return }
            let isOwn = row.integer(3) == ShopChange.Kind.facts && row.blob(2) == asker.device
            rows.append(ShopLogRow(head: row.blob(0), body: isOwn ? [] : row.blob(1)))
            bytes += rows[rows.count - 1].head.count + rows[rows.count - 1].body.count
        }
        return rows
    }

    /// Writes what the owner says into the shop's log.
    ///
    /// - Returns: its number there.
    func tell(
        _ change: ShopChange, to shop: [UInt8], nowMilliseconds now: Int64, key: SigningKey
    ) throws(GatewayError) -> Int64 {
        guard let (kind, body) = change.coded else { preconditionFailure("facts are not told by the owner") }
        return try database.transaction { () throws(GatewayError) in
            var log = try lockLog(of: shop, now: now, key: key)
            try add(kind, body, to: &log)
            return log.seq
        }
    }

    /// The id of a shop by its name; nil when none has it.
    func shop(named name: String) throws(GatewayError) -> [UInt8]? {
        try database.first("SELECT shop_id FROM shop WHERE name = ?", .text(name)) { $0.blob(0) }
    }

    /// The counter of a shop by its series.
    func counter(of shop: [UInt8], series: String) throws(GatewayError) -> [UInt8]? {
        try database.first(
            "SELECT device_id FROM device WHERE shop_id = ? AND series = ?", .blob(shop), .text(series)
        ) { $0.blob(0) }
    }

    // MARK: Taking in

    /// True when a counter, a key, a revocation or a batch is not in the log yet. One read for those who ask in vain.
    private func isLogBehind(_ shop: [UInt8]) throws(GatewayError) -> Bool {
        let behind = try database.integer(
            """
            SELECT count(*) FROM device d
            JOIN device_head h ON h.shop_id = d.shop_id AND h.device_id = d.device_id
            LEFT JOIN log_place p ON p.shop_id = d.shop_id AND p.device_id = d.device_id
            WHERE d.shop_id = ? AND (SELECT count(*) FROM device c WHERE c.shop_id = d.shop_id) > 1
                AND (p.device_id IS NULL OR p.ledger_key <> d.ledger_key OR p.series <> d.series
                    OR p.is_revoked <> CASE WHEN d.revoked_ms IS NULL THEN 0 ELSE 1 END
                    OR p.epoch < h.epoch OR p.epoch = h.epoch AND p.seq < h.next_seq - 1)
            """, .blob(shop))
        return behind ?? 0 > 0
    }

    private func lockLog(of shop: [UInt8], now: Int64, key: SigningKey) throws(GatewayError) -> LogHead {
        try lock(shop)
        let last = try database.first(
            "SELECT sseq, hash FROM shop_log WHERE shop_id = ? ORDER BY sseq DESC LIMIT 1", .blob(shop)
        ) { (seq: $0.integer(0), hash: $0.blob(1)) }
        return LogHead(
            shop: shop, now: now, key: key, seq: last?.seq ?? 0,
            hash: last?.hash ?? [UInt8](repeating: 0, count: SHA256.byteCount))
    }

    private struct LogCounter {
        var device: [UInt8]
        var series: String
        var ledgerKey: [UInt8]
        var isRevoked: Bool
        var headEpoch: Int64
        var headSeq: Int64
        /// What the log has said; nil where it has not named the counter.
        var told: (key: [UInt8], series: String, isRevoked: Bool, epoch: Int64, seq: Int64)?
    }

    private func takeIn(_ log: inout LogHead) throws(GatewayError) {
        let counters = try database.all(
            """
            SELECT d.device_id, d.series, d.ledger_key, CASE WHEN d.revoked_ms IS NULL THEN 0 ELSE 1 END, h.epoch,
                h.next_seq - 1, p.ledger_key, p.series, p.is_revoked, p.epoch, p.seq
            FROM device d JOIN device_head h ON h.shop_id = d.shop_id AND h.device_id = d.device_id
            LEFT JOIN log_place p ON p.shop_id = d.shop_id AND p.device_id = d.device_id
            WHERE d.shop_id = ? ORDER BY d.series
            """, .blob(log.shop)
        ) {
            LogCounter(
                device: $0.blob(0), series: $0.text(1), ledgerKey: $0.blob(2), isRevoked: $0.integer(3) == 1,
                headEpoch: $0.integer(4), headSeq: $0.integer(5),
                told: $0.isNull(6)
                    ? nil : ($0.blob(6), $0.text(7), $0.integer(8) == 1, $0.integer(9), $0.integer(10)))
        }
        var left = Self.logStepMax
        for counter in counters { try takeIn(counter, &left, to: &log) }
    }

    /// What is new of one counter: under each of its keys what that key signed, then the next key.
    private func takeIn(_ counter: LogCounter, _ left: inout Int, to log: inout LogHead) throws(GatewayError) {
        let changes = try pastKeys(of: counter.device, shop: log.shop)
        var place = (epoch: counter.told?.epoch ?? 1, seq: counter.told?.seq ?? 0)
        var key = counter.told?.key ?? changes.first?.key ?? counter.ledgerKey
        func name(handover: [UInt8]? = nil) throws(GatewayError) {
            let details = CounterDetails(
                device: counter.device, series: counter.series, ledgerKey: key, isRevoked: counter.isRevoked,
                handover: handover)
            guard let (kind, body) = ShopChange.counter(details).coded else { return }
            try add(kind, body, about: counter.device, to: &log)
        }
        if counter.told?.isRevoked != counter.isRevoked || counter.told?.series != counter.series { try name() }
        while key != counter.ledgerKey, let change = changes.first(where: { $0.key == key }) {
            place = try takeInBatches(of: counter, behind: place, until: change.until, &left, to: &log)
            guard place >= change.until else { break }
            key = change.next
            try name(handover: change.handover)
        }
        if key == counter.ledgerKey {
            place = try takeInBatches(
                of: counter, behind: place, until: (counter.headEpoch, counter.headSeq), &left, to: &log)
        }
        try database.run(
            """
            INSERT INTO log_place(shop_id, device_id, ledger_key, series, is_revoked, epoch, seq)
            VALUES(?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT(shop_id, device_id) DO UPDATE SET ledger_key = excluded.ledger_key,
                series = excluded.series, is_revoked = excluded.is_revoked, epoch = excluded.epoch, seq = excluded.seq
            """, .blob(log.shop), .blob(counter.device), .blob(key), .text(counter.series),
            .integer(counter.isRevoked ? 1 : 0),
            .integer(place.epoch), .integer(place.seq))
    }

    private func takeInBatches(
        of counter: LogCounter, behind place: (epoch: Int64, seq: Int64), until end: (epoch: Int64, seq: Int64),
        _ left: inout Int, to log: inout LogHead
    ) throws(GatewayError) -> (epoch: Int64, seq: Int64) {
        guard place < end, left > 0 else { return place }
        let asked = left
        let batches = try database.all(
            """
            SELECT epoch, through_seq, envelope FROM batch
            WHERE shop_id = ? AND device_id = ? AND (epoch > ? OR epoch = ? AND through_seq > ?)
                AND (epoch < ? OR epoch = ? AND through_seq <= ?)
            ORDER BY epoch, through_seq LIMIT ?
            """, .blob(log.shop), .blob(counter.device), .integer(place.epoch), .integer(place.epoch),
            .integer(place.seq), .integer(end.epoch), .integer(end.epoch), .integer(end.seq), .integer(Int64(asked))
        ) { (epoch: $0.integer(0), through: $0.integer(1), envelope: $0.blob(2)) }
        for batch in batches {
            try add(
                ShopChange.Kind.facts, batch.envelope, about: counter.device, batch: (batch.epoch, batch.through),
                to: &log)
        }
        left -= batches.count
        // All of it is in, and an epoch that was opened and has nothing yet is reached as well.
        if batches.count < asked { return end }
        return batches.last.map { ($0.epoch, $0.through) } ?? place
    }

    private func add(
        _ kind: Int64, _ body: [UInt8], about device: [UInt8] = ShopDelta.nobody,
        batch: (epoch: Int64, through: Int64)? = nil, to log: inout LogHead
    ) throws(GatewayError) {
        let delta = ShopDelta(
            shop: log.shop, seq: log.seq + 1, prev: log.hash, kind: kind, server: WallTime(milliseconds: log.now),
            device: device, body: body)
        let signed: (head: [UInt8], hash: [UInt8])
        do { signed = try delta.signed(by: log.key) } catch {
            throw .state(problem: "the receipt key does not sign", hint: "check receipt.key")
        }
        try database.run(
            """
            INSERT INTO shop_log(shop_id, sseq, hash, kind, head, body, device_id, epoch, through_seq)
            VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)
            """, .blob(log.shop), .integer(delta.seq), .blob(signed.hash), .integer(kind), .blob(signed.head),
            batch == nil ? .blob(body) : .null, .blob(device), .optional(batch?.epoch), .optional(batch?.through))
        (log.seq, log.hash) = (delta.seq, signed.hash)
    }
}
