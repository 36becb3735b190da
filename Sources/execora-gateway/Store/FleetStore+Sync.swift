/// A batch whose signature, payload hash and inner chain are already verified.
struct VerifiedBatch: Sendable {
    var epoch: Int64
    var firstSeq: Int64
    /// Hash of the entry before `firstSeq`, as the batch says.
    var previousHash: [UInt8]
    /// Chain hash of each entry; at least one.
    var hashes: [[UInt8]]
    /// The bytes as they came; stored, never encoded again.
    var envelope: [UInt8]
    var trace: String

    var throughSeq: Int64 { firstSeq + Int64(hashes.count) - 1 }
    var headHash: [UInt8] { hashes[hashes.count - 1] }
}

/// A batch and who sent it.
struct BatchArrival: Sendable {
    var batch: VerifiedBatch
    var device: DeviceRecord
}

/// What became of a batch.
enum SyncOutcome: Hashable, Sendable {
    /// Stored with this receipt.
    case appended(receipt: [UInt8], entries: Int)
    /// Held already; the receipt of then, byte for byte.
    case replayed(receipt: [UInt8])
    /// Entries before the batch are missing here.
    case gap(nextSeq: Int64, head: [UInt8])
    /// Another history than the one held. The batch is in quarantine, the ledger as it was.
    case fork(nextSeq: Int64, head: [UInt8])
}

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

    /// Takes batches into the fleet's ledger, in their order: store first, judge later. All in one transaction, so that
    /// one fsync serves all who wait; each with a savepoint, so that one that fails takes nothing of the others along.
    /// Receipts are signed and stored inside it and leave only after COMMIT, so a replay gives the same bytes.
    ///
    /// - Parameter sign: the receipt as bytes, and the hash that the next receipt names as its previous one.
    /// - Returns: one result a batch. Throws when COMMIT failed: nothing is stored then.
    /// - Source: the receiver's algorithm of the sync design, C.4.
    func append(
        _ arrivals: [BatchArrival], nowMilliseconds now: Int64,
        sign: @Sendable (ReceiptContent) throws(GatewayError) -> (bytes: [UInt8], hash: [UInt8])
    ) throws(GatewayError) -> [Result<SyncOutcome, GatewayError>] {
        try database.transaction { () throws(GatewayError) in
            var results: [Result<SyncOutcome, GatewayError>] = []
            for arrival in arrivals {
                try database.script("SAVEPOINT batch")
                do throws(GatewayError) {
                    results.append(.success(try place(arrival.batch, of: arrival.device, now: now, sign: sign)))
                } catch {
                    try database.script("ROLLBACK TO batch")
                    results.append(.failure(error))
                }
                try database.script("RELEASE batch")
            }
            return results
        }
    }

    private func place(
        _ batch: VerifiedBatch, of device: DeviceRecord, now: Int64,
        sign: @Sendable (ReceiptContent) throws(GatewayError) -> (bytes: [UInt8], hash: [UInt8])
    ) throws(GatewayError) -> SyncOutcome {
        let key = (FleetDatabase.Value.blob(device.shop), FleetDatabase.Value.blob(device.device))
        guard
            let held = try database.first(
                """
                SELECT epoch, next_seq, head, receipt_no, receipt_hash FROM device_head
                WHERE shop_id = ? AND device_id = ?
                """, key.0, key.1,
                read: {
                    (
                        epoch: $0.integer(0), next: $0.integer(1), head: $0.blob(2), receipts: $0.integer(3),
                        receiptHash: $0.blob(4)
                    )
                })
        else { throw .state(problem: "a device without a head", hint: "restore gateway.sqlite") }
        let fork = SyncOutcome.fork(nextSeq: held.next, head: held.head)

        // A new epoch is opened by the owner's word, which this gateway does not take yet: until then it is another history.
        guard batch.epoch == held.epoch else { return try quarantine(batch, of: device, now: now, as: fork) }
        if batch.firstSeq > held.next { return .gap(nextSeq: held.next, head: held.head) }

        if batch.throughSeq < held.next {
            guard try hash(at: batch.throughSeq, epoch: batch.epoch, of: device) == batch.headHash,
                let receipt = try database.first(
                    """
                    SELECT receipt FROM batch WHERE shop_id = ? AND device_id = ? AND epoch = ? AND through_seq >= ?
                    ORDER BY through_seq LIMIT 1
                    """, key.0, key.1, .integer(batch.epoch), .integer(batch.throughSeq), read: { $0.blob(0) })
            else { return try quarantine(batch, of: device, now: now, as: fork) }
            return .replayed(receipt: receipt)
        }

        // The part already held must be the same: each hash covers all before it, so its last one decides.
        let overlap = Int(held.next - batch.firstSeq)
        let claimed = overlap == 0 ? batch.previousHash : batch.hashes[overlap - 1]
        guard claimed == held.head else { return try quarantine(batch, of: device, now: now, as: fork) }

        let receipt = try sign(
            ReceiptContent(
                shop: device.shop, device: device.device, epoch: batch.epoch, throughSeq: batch.throughSeq,
                headHash: batch.headHash, serverMilliseconds: now, storeID: storeID, number: held.receipts + 1,
                previousHash: held.receiptHash))
        for (index, hash) in batch.hashes.enumerated().dropFirst(overlap) {
            try database.run(
                "INSERT INTO event(shop_id, device_id, epoch, seq, hash) VALUES(?, ?, ?, ?, ?)", key.0, key.1,
                .integer(batch.epoch), .integer(batch.firstSeq + Int64(index)), .blob(hash))
        }
        try database.run(
            """
            INSERT INTO batch(shop_id, device_id, epoch, through_seq, from_seq, envelope, receipt, received_ms, trace)
            VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)
            """, key.0, key.1, .integer(batch.epoch), .integer(batch.throughSeq), .integer(held.next),
            .blob(batch.envelope), .blob(receipt.bytes), .integer(now), .text(batch.trace))
        try database.run(
            """
            UPDATE device_head SET next_seq = ?, head = ?, receipt_no = ?, receipt_hash = ?
            WHERE shop_id = ? AND device_id = ?
            """, .integer(batch.throughSeq + 1), .blob(batch.headHash), .integer(held.receipts + 1),
            .blob(receipt.hash), key.0, key.1)
        return .appended(receipt: receipt.bytes, entries: batch.hashes.count - overlap)
    }

    private func hash(at seq: Int64, epoch: Int64, of device: DeviceRecord) throws(GatewayError) -> [UInt8]? {
        try database.first(
            "SELECT hash FROM event WHERE shop_id = ? AND device_id = ? AND epoch = ? AND seq = ?",
            .blob(device.shop), .blob(device.device), .integer(epoch), .integer(seq)
        ) { $0.blob(0) }
    }

    private func quarantine(
        _ batch: VerifiedBatch, of device: DeviceRecord, now: Int64, as outcome: SyncOutcome
    ) throws(GatewayError) -> SyncOutcome {
        let kept = try database.integer(
            "SELECT count(*) FROM quarantine WHERE shop_id = ? AND device_id = ?", .blob(device.shop),
            .blob(device.device))
        if kept ?? 0 < Self.quarantineMax {
            try database.run(
                """
                INSERT INTO quarantine(shop_id, device_id, reason, envelope, received_ms, trace)
                VALUES(?, ?, 'fork', ?, ?, ?)
                """, .blob(device.shop), .blob(device.device), .blob(batch.envelope), .integer(now), .text(batch.trace))
        }
        return outcome
    }

    func quarantined() throws(GatewayError) -> Int64 { try database.integer("SELECT count(*) FROM quarantine") ?? 0 }
}
