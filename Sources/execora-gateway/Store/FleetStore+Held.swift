import LedgerSync
import Seals

extension FleetStore {
    /// Batches looked at for one page. A page holds fewer when they are long.
    static let heldMax = 256

    /// What is held of a device's epoch behind an entry, in order.
    func held(of device: DeviceRecord, epoch: Int64, after seq: Int64) throws(GatewayError) -> [HeldBatches.Held] {
        var (held, bytes): ([HeldBatches.Held], Int) = ([], 0)
        try database.each(
            """
            SELECT envelope, receipt FROM batch
            WHERE shop_id = ? AND device_id = ? AND epoch = ? AND through_seq > ? ORDER BY through_seq LIMIT ?
            """,
            [
                .blob(device.shop), .blob(device.device), .integer(epoch), .integer(seq),
                .integer(Int64(Self.heldMax)),
            ]
        ) { (row) throws(GatewayError) in
            // What would be behind the page's end is not carried further.
            guard bytes < HeldBatches.pageBytesMax else { return }
            held.append(.init(envelope: row.blob(0), receipt: row.blob(1)))
            bytes += held[held.count - 1].envelope.count
        }
        return held
    }

    func entriesHeld() throws(GatewayError) -> Int64 {
        try database.integer("SELECT CAST(coalesce(sum(through_seq - from_seq + 1), 0) AS bigint) FROM batch") ?? 0
    }

    /// Makes a device known again from its certificate, as it was enrolled: into a store that was lost. Its journal
    /// comes with its next batch, from the first entry on. A device that is known is left as it is.
    ///
    /// - Returns: false when the shop has another device under this series.
    func readmit(_ shown: ShownCertificate, nowMilliseconds now: Int64) throws(GatewayError) -> Bool {
        let subject = shown.subject
        return try database.transaction { () throws(GatewayError) in
            // The operator's own name for the shop is lost; its id stands in until it is named again.
            try database.run(
                "INSERT INTO shop(shop_id, name, created_ms) VALUES(?, ?, ?) ON CONFLICT DO NOTHING",
                .blob(subject.shop), .text("readmitted \(Hex.text(subject.shop))"), .integer(now))
            try lock(subject.shop)
            let holder = try database.first(
                "SELECT device_id FROM device WHERE shop_id = ? AND series = ?", .blob(subject.shop),
                .text(subject.series)
            ) { $0.blob(0) }
            if let holder, holder != subject.device { return false }
            if holder == nil {
                try add(
                    subject.device, to: subject.shop, series: subject.series, ledgerKey: subject.ledgerKey, now: now)
                // The next new counter must not be given a series that is in use.
                if let index = Self.index(ofSeries: subject.series) {
                    try database.run(
                        "UPDATE shop SET counters = ? WHERE shop_id = ? AND counters < ?", .integer(Int64(index) + 1),
                        .blob(subject.shop), .integer(Int64(index) + 1))
                }
            }
            try database.run(
                """
                INSERT INTO certificate(fingerprint, shop_id, device_id, serial, not_after_ms) VALUES(?, ?, ?, ?, ?)
                ON CONFLICT DO NOTHING
                """, .blob(shown.fingerprint), .blob(subject.shop), .blob(subject.device), .blob(shown.serial),
                .integer(shown.notAfterMilliseconds))
            return true
        }
    }

    /// The reverse of `series`: 0 for A01.
    static func index(ofSeries series: String) -> Int? {
        let letters = Array(series.utf8)
        guard letters.count == 3, (65...90).contains(letters[0]), let number = Int(series.dropFirst()),
            (1...99).contains(number)
        else { return nil }
        return Int(letters[0] - 65) * 99 + number - 1
    }
}
