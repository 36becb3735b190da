import LedgerSync
import Seals

/// What a receipt says; signed by the caller of `append`.
struct ReceiptContent: Hashable, Sendable {
    var shop: [UInt8]
    var device: [UInt8]
    var epoch: Int64
    var throughSeq: Int64
    var headHash: [UInt8]
    var serverMilliseconds: Int64
    var storeID: [UInt8]
    var number: Int64
    var previousHash: [UInt8]
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
            var group = SyncGroup(heads: try lockHeads(of: arrivals), storeID: storeID, now: now)
            var results: [Result<SyncOutcome, GatewayError>] = []
            for arrival in arrivals {
                // One that fails takes nothing of the others along: until it succeeds it has written nothing.
                do throws(GatewayError) {
                    results.append(.success(try place(arrival.batch, of: arrival.device, in: &group, sign: sign)))
                } catch {
                    results.append(.failure(error))
                }
            }
            try flush(&group)
            return results
        }
    }

    /// The work of one transaction: heads as they will stand, and what is still to be written.
    private struct SyncGroup {
        var heads: [DeviceKey: HeldHead]
        let storeID: [UInt8]
        let now: Int64
        var writes: [FleetStatement] = []
    }

    private struct DeviceKey: Hashable {
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
        _ batch: VerifiedBatch, of device: DeviceRecord, in group: inout SyncGroup, sign: Sign
    ) throws(GatewayError) -> SyncOutcome {
        let key = DeviceKey(shop: device.shop, device: device.device)
        guard let held = group.heads[key] else {
            throw .state(problem: "a device without a head", hint: "restore the store from a backup")
        }
        switch SyncVerdict.of(batch, at: held) {
        case .gap: return .gap(nextSeq: held.nextSeq, head: held.hash)
        case .fork: return try quarantine(batch, of: device, held, &group)
        case .replay:
            // What was written in this very group is looked at as well.
            try flush(&group)
            guard let receipt = try receipt(for: batch, of: device) else {
                return try quarantine(batch, of: device, held, &group)
            }
            return .replayed(receipt: receipt)
        case .append(let overlap):
            let receipt = try sign(
                ReceiptContent(
                    shop: device.shop, device: device.device, epoch: batch.epoch, throughSeq: batch.throughSeq,
                    headHash: batch.headHash, serverMilliseconds: group.now, storeID: group.storeID,
                    number: held.receipts + 1, previousHash: held.receiptHash))
            group.writes.append(
                FleetStatement(
                    """
                    INSERT INTO batch(
                        shop_id, device_id, epoch, through_seq, from_seq, envelope, receipt, received_ms, trace)
                    VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)
                    """, .blob(device.shop), .blob(device.device), .integer(batch.epoch), .integer(batch.throughSeq),
                    .integer(held.nextSeq), .blob(batch.envelope), .blob(receipt.bytes), .integer(group.now),
                    .text(batch.trace)))
            group.writes.append(
                FleetStatement(
                    """
                    UPDATE device_head SET next_seq = ?, head = ?, receipt_no = ?, receipt_hash = ?
                    WHERE shop_id = ? AND device_id = ?
                    """, .integer(batch.throughSeq + 1), .blob(batch.headHash), .integer(held.receipts + 1),
                    .blob(receipt.hash), .blob(device.shop), .blob(device.device)))
            group.heads[key] = HeldHead(
                epoch: batch.epoch, nextSeq: batch.throughSeq + 1, hash: batch.headHash, receipts: held.receipts + 1,
                receiptHash: receipt.hash)
            return .appended(receipt: receipt.bytes, entries: batch.hashes.count - overlap)
        }
    }

    private func flush(_ group: inout SyncGroup) throws(GatewayError) {
        guard !group.writes.isEmpty else { return }
        try database.each(group.writes) { (_, _) throws(GatewayError) in }
        group.writes = []
    }

    /// The newest stored receipt of a batch's epoch, when what is held at the batch's last entry is the same; nil when
    /// it is something else.
    ///
    /// The newest and not the batch's own: a device that is behind it is an old copy of itself, and learns so here, at
    /// the first contact. One that only lost an answer sent its newest batch, and gets that one's receipt.
    private func receipt(for batch: VerifiedBatch, of device: DeviceRecord) throws(GatewayError) -> [UInt8]? {
        let envelope = try database.first(
            """
            SELECT envelope FROM batch
            WHERE shop_id = ? AND device_id = ? AND epoch = ? AND through_seq >= ? ORDER BY through_seq LIMIT 1
            """, .blob(device.shop), .blob(device.device), .integer(batch.epoch), .integer(batch.throughSeq)
        ) { $0.blob(0) }
        guard let envelope else { return nil }
        // Hashes are not stored beside the envelopes: an envelope gives them again, and replays are rare.
        let entries: [SyncBatch.Entry]
        do { entries = try SyncBatch.stored(envelope).entries } catch {
            throw .state(problem: "a stored batch is damaged", hint: "restore the store from a backup")
        }
        guard entries.first(where: { $0.seq == batch.throughSeq })?.hash == batch.headHash else { return nil }
        return try database.first(
            """
            SELECT receipt FROM batch
            WHERE shop_id = ? AND device_id = ? AND epoch = ? ORDER BY through_seq DESC LIMIT 1
            """, .blob(device.shop), .blob(device.device), .integer(batch.epoch)
        ) { $0.blob(0) }
    }

    private func quarantine(
        _ batch: VerifiedBatch, of device: DeviceRecord, _ held: HeldHead, _ group: inout SyncGroup
    ) throws(GatewayError) -> SyncOutcome {
        try flush(&group)
        let kept = try database.integer(
            "SELECT count(*) FROM quarantine WHERE shop_id = ? AND device_id = ?", .blob(device.shop),
            .blob(device.device))
        if kept ?? 0 < Self.quarantineMax {
            // The same batch sent again is kept once.
            try database.run(
                """
                INSERT INTO quarantine(shop_id, device_id, envelope_hash, reason, envelope, received_ms, trace)
                VALUES(?, ?, ?, 'fork', ?, ?, ?) ON CONFLICT DO NOTHING
                """, .blob(device.shop), .blob(device.device), .blob(SHA256.digest(batch.envelope)),
                .blob(batch.envelope), .integer(group.now), .text(batch.trace))
        }
        return .fork(epoch: held.epoch, nextSeq: held.nextSeq, head: held.hash)
    }

    func quarantined() throws(GatewayError) -> Int64 { try database.integer("SELECT count(*) FROM quarantine") ?? 0 }
}
