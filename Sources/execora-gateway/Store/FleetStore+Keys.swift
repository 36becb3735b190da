import JSONText
import Seals

/// A ledger key that was changed for another.
struct PastKey: Sendable {
    var key: [UInt8]
    /// The last entry held when it was changed: what it signed.
    var until: (epoch: Int64, seq: Int64)
    var next: [UInt8]
    /// JSON, signed by both.
    var handover: [UInt8]
}

extension FleetStore {
    enum Handover: Sendable {
        /// The device signs with the new key from now on; the same handover again says so again.
        case taken
        /// The device's key here is another than the handover's old one.
        case notCurrent
        /// The handover names a place that is behind what is held.
        case behind(nextSeq: Int64)
        /// The new key was this device's before, or it changed its key too often.
        case refused
    }

    /// Puts a device's new ledger key in the place of the old one, which is kept with the entries it signed: they stay
    /// provable.
    func handOver(
        _ handover: KeyHandover, of device: DeviceRecord, nowMilliseconds now: Int64
    ) throws(GatewayError) -> Handover {
        try database.transaction { () throws(GatewayError) -> Handover in
            // No batch is placed while the key changes.
            let head = try database.first(
                """
                SELECT epoch, next_seq FROM device_head WHERE shop_id = ? AND device_id = ?\(database.rowLock)
                """, .blob(device.shop), .blob(device.device)
            ) { (epoch: $0.integer(0), next: $0.integer(1)) }
            let current = try database.first(
                "SELECT ledger_key FROM device WHERE shop_id = ? AND device_id = ?", .blob(device.shop),
                .blob(device.device)
            ) { $0.blob(0) }
            guard let head, let current else { return .notCurrent }
            if current == handover.new.bytes { return .taken }
            guard current == handover.old.bytes else { return .notCurrent }
            let past = try pastKeys(of: device.device, shop: device.shop)
            guard past.count < KeyHandover.countMax, !past.contains(where: { $0.key == handover.new.bytes }) else {
                return .refused
            }
            guard (handover.epoch, handover.fromSeq) >= (head.epoch, head.next) else {
                return .behind(nextSeq: head.next)
            }
            try database.run(
                """
                INSERT INTO past_key(shop_id, device_id, ledger_key, until_epoch, until_seq, handover, taken_ms)
                VALUES(?, ?, ?, ?, ?, ?, ?)
                """, .blob(device.shop), .blob(device.device), .blob(current), .integer(head.epoch),
                .integer(head.next - 1), .text(handover.json.text), .integer(now))
            try database.run(
                "UPDATE device SET ledger_key = ? WHERE shop_id = ? AND device_id = ?", .blob(handover.new.bytes),
                .blob(device.shop), .blob(device.device))
            return .taken
        }
    }

    /// The keys a device had before, oldest first.
    func pastKeys(of device: [UInt8], shop: [UInt8]) throws(GatewayError) -> [PastKey] {
        try database.all(
            """
            SELECT ledger_key, until_epoch, until_seq, handover FROM past_key WHERE shop_id = ? AND device_id = ?
            ORDER BY until_epoch, until_seq, taken_ms
            """, .blob(shop), .blob(device)
        ) { (row) throws(GatewayError) in
            let text = Array(row.text(3).utf8)
            guard let json = try? JSONValue(parsing: text), let handover = KeyHandover(json: json) else {
                throw .state(problem: "a key's handover is damaged", hint: "restore the store from a backup")
            }
            return PastKey(
                key: row.blob(0), until: (row.integer(1), row.integer(2)), next: handover.new.bytes, handover: text)
        }
    }
}
