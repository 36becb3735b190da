import LedgerSync
import Seals

/// A batch and who sent it.
struct BatchArrival: Sendable {
    var batch: VerifiedBatch
    var device: DeviceRecord
}

extension FleetStore {
    /// Forked batches kept of one device. When full: the answer stays the same, the batch is not kept.
    static let quarantineMax = 32

    typealias Sign = @Sendable (ReceiptContent) throws(GatewayError) -> (bytes: [UInt8], hash: [UInt8])

    /// Takes batches into the fleet's ledger, in their order: store first, judge later. All in one transaction, so
    /// that one fsync serves all who wait: heads are locked and read in one round trip, judged here, written in
    /// another. Receipts are signed and stored inside it and leave only after COMMIT, so a replay gives the same bytes.
    ///
    /// - Parameter sign: the receipt as bytes, and the hash that the next receipt names as its previous one.
    /// - Returns: one result a batch. Throws when the database failed: what is stored then is learnt by sending again.
    func append(
        _ arrivals: [BatchArrival], nowMilliseconds now: Int64, sign: Sign
    ) throws(GatewayError) -> [Result<SyncOutcome, GatewayError>] {
        let storeID = try database.storeID()
        return try database.transaction { () throws(GatewayError) in
            let group = SyncGroup(heads: try lockHeads(of: arrivals), storeID: storeID, now: now)
            var results: [Result<SyncOutcome, GatewayError>] = []
            for arrival in arrivals {
                // One that fails takes nothing of the others along: until it succeeds it has written nothing.
                do throws(GatewayError) {
                    results.append(.success(try place(arrival.batch, of: arrival.device, in: group, sign: sign)))
                } catch {
                    results.append(.failure(error))
                }
            }
            try group.flush(to: database)
            return results
        }
    }

    /// The work of one transaction: heads as they will stand, and what is still to be written.
    fileprivate final class SyncGroup {
        var heads: [DeviceKey: HeldHead]
        let storeID: [UInt8]
        let now: Int64
        var writes: [FleetStatement] = []

        init(heads: [DeviceKey: HeldHead], storeID: [UInt8], now: Int64) {
            (self.heads, self.storeID, self.now) = (heads, storeID, now)
        }

        func flush(to database: any FleetDatabase) throws(GatewayError) {
            guard !writes.isEmpty else { return }
            try database.each(writes) { (_, _) throws(GatewayError) in }
            writes = []
        }
    }

    fileprivate struct DeviceKey: Hashable {
        var shop: [UInt8]
        var device: [UInt8]
    }

    /// In the order of their keys, so that two gateways that lock the same heads wait and do not deadlock.
    private func lockHeads(of arrivals: [BatchArrival]) throws(GatewayError) -> [DeviceKey: HeldHead] {
        let keys = Set(arrivals.map { DeviceKey(shop: $0.device.shop, device: $0.device.device) }).sorted {
            $0.shop == $1.shop
                ? $0.device.lexicographicallyPrecedes($1.device) : $0.shop.lexicographicallyPrecedes($1.shop)
        }
        let sql = """
            SELECT epoch, next_seq, head, receipt_no, receipt_hash FROM device_head
            WHERE shop_id = ? AND device_id = ?\(database.rowLock)
            """
        var heads: [DeviceKey: HeldHead] = [:]
        try database.each(keys.map { FleetStatement(sql, .blob($0.shop), .blob($0.device)) }) {
            (index, row) throws(GatewayError) in
            heads[keys[index]] = HeldHead(
                epoch: row.integer(0), nextSeq: row.integer(1), hash: row.blob(2), receipts: row.integer(3),
                receiptHash: row.blob(4))
        }
        return heads
    }

    private func place(
        _ batch: VerifiedBatch, of device: DeviceRecord, in group: SyncGroup, sign: Sign
    ) throws(GatewayError) -> SyncOutcome {
        let key = DeviceKey(shop: device.shop, device: device.device)
        guard var held = group.heads[key] else {
            throw .state(problem: "a device without a head", hint: "restore the store from a backup")
        }
        var shelf = FleetShelf(database: database, device: device, group: group)
        let receiver = SyncReceiver(
            shop: device.shop, device: device.device, storeID: group.storeID, nowMilliseconds: group.now)
        let outcome = try receiver.take(batch, at: &held, on: &shelf, sign: sign)
        group.heads[key] = held
        return outcome
    }

    func quarantined() throws(GatewayError) -> Int64 { try database.integer("SELECT count(*) FROM quarantine") ?? 0 }
}

/// What the store keeps of one device, within the transaction of a group.
private struct FleetShelf: SyncShelf {
    let database: any FleetDatabase
    let device: DeviceRecord
    let group: FleetStore.SyncGroup

    func hash(epoch: Int64, seq: Int64) throws(GatewayError) -> [UInt8]? {
        // What was written in this very group is looked at as well.
        try group.flush(to: database)
        let envelope = try database.first(
            """
            SELECT envelope FROM batch
            WHERE shop_id = ? AND device_id = ? AND epoch = ? AND through_seq >= ? ORDER BY through_seq LIMIT 1
            """, .blob(device.shop), .blob(device.device), .integer(epoch), .integer(seq)
        ) { $0.blob(0) }
        guard let envelope else { return nil }
        // Hashes are not stored beside the envelopes: an envelope gives them again, and replays are rare.
        do { return try SyncBatch.stored(envelope).entries.first { $0.seq == seq }?.hash } catch {
            throw .state(problem: "a stored batch is damaged", hint: "restore the store from a backup")
        }
    }

    func newestReceipt(epoch: Int64) throws(GatewayError) -> [UInt8]? {
        try database.first(
            """
            SELECT receipt FROM batch
            WHERE shop_id = ? AND device_id = ? AND epoch = ? ORDER BY through_seq DESC LIMIT 1
            """, .blob(device.shop), .blob(device.device), .integer(epoch)
        ) { $0.blob(0) }
    }

    func keep(_ batch: VerifiedBatch, from seq: Int64, receipt: [UInt8], head: HeldHead) throws(GatewayError) {
        group.writes.append(
            FleetStatement(
                """
                INSERT INTO batch(
                    shop_id, device_id, epoch, through_seq, from_seq, envelope, receipt, received_ms, trace)
                VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)
                """, .blob(device.shop), .blob(device.device), .integer(batch.epoch), .integer(batch.throughSeq),
                .integer(seq), .blob(batch.envelope), .blob(receipt), .integer(group.now), .text(batch.trace)))
        group.writes.append(
            FleetStatement(
                """
                UPDATE device_head SET next_seq = ?, head = ?, receipt_no = ?, receipt_hash = ?
                WHERE shop_id = ? AND device_id = ?
                """, .integer(head.nextSeq), .blob(head.hash), .integer(head.receipts), .blob(head.receiptHash),
                .blob(device.shop), .blob(device.device)))
    }

    func quarantine(_ batch: VerifiedBatch) throws(GatewayError) {
        try group.flush(to: database)
        let kept = try database.integer(
            "SELECT count(*) FROM quarantine WHERE shop_id = ? AND device_id = ?", .blob(device.shop),
            .blob(device.device))
        guard kept ?? 0 < FleetStore.quarantineMax else { return }
        // The same batch sent again is kept once.
        try database.run(
            """
            INSERT INTO quarantine(shop_id, device_id, envelope_hash, reason, envelope, received_ms, trace)
            VALUES(?, ?, ?, 'fork', ?, ?, ?) ON CONFLICT DO NOTHING
            """, .blob(device.shop), .blob(device.device), .blob(SHA256.digest(batch.envelope)), .blob(batch.envelope),
            .integer(group.now), .text(batch.trace))
    }
}
