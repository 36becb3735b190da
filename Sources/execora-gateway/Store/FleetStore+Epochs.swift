extension FleetStore {
    /// Closes the device's epoch where it stands and lets the next begin at its first entry, with a new invoice series:
    /// numbers of the old one may have been given that nobody remembers.
    ///
    /// - Returns: the epoch that may begin now; nil when no such device is known.
    func openEpoch(device: [UInt8], nowMilliseconds now: Int64) throws(GatewayError) -> Int64? {
        try database.transaction { () throws(GatewayError) -> Int64? in
            let shops = try database.all("SELECT shop_id FROM device WHERE device_id = ?", .blob(device)) { $0.blob(0) }
            guard let shop = shops.first else { return nil }
            try lock(shop)
            let held = try database.first(
                """
                SELECT epoch, next_seq, head FROM device_head WHERE shop_id = ? AND device_id = ?\(database.rowLock)
                """, .blob(shop), .blob(device)
            ) { (epoch: $0.integer(0), next: $0.integer(1), head: $0.blob(2)) }
            guard let held else { return nil }
            // Asked twice before the device came: the same epoch is still to begin.
            if held.next == 1, held.epoch > 1 { return held.epoch }
            try database.run(
                "INSERT INTO past_epoch(shop_id, device_id, epoch, last_seq, head, closed_ms) VALUES(?, ?, ?, ?, ?, ?)",
                .blob(shop), .blob(device), .integer(held.epoch), .integer(held.next - 1), .blob(held.head),
                .integer(now))
            try database.run(
                "UPDATE device_head SET epoch = ?, next_seq = 1, head = ? WHERE shop_id = ? AND device_id = ?",
                .integer(held.epoch + 1), .blob(.init(repeating: 0, count: 32)), .blob(shop), .blob(device))
            let count = try database.integer("SELECT counters FROM shop WHERE shop_id = ?", .blob(shop)) ?? 0
            guard count < Self.countersMax else {
                throw .state(problem: "the shop has no series left", hint: "enrol the device in another shop")
            }
            try database.run("UPDATE shop SET counters = counters + 1 WHERE shop_id = ?", .blob(shop))
            try database.run(
                "UPDATE device SET series = ? WHERE shop_id = ? AND device_id = ?", .text(Self.series(Int(count))),
                .blob(shop), .blob(device))
            return held.epoch + 1
        }
    }

    /// Where a device's chain is to go on.
    func epoch(of device: DeviceRecord) throws(GatewayError) -> (epoch: Int64, nextSeq: Int64)? {
        try database.first(
            "SELECT epoch, next_seq FROM device_head WHERE shop_id = ? AND device_id = ?", .blob(device.shop),
            .blob(device.device)
        ) { ($0.integer(0), $0.integer(1)) }
    }
}
