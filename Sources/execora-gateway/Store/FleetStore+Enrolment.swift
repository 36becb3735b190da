import Seals

extension FleetStore {
    /// Counters of one shop: A01 ... A99, B01 ... Z99. When full: no code is made for the shop any more.
    static let countersMax = 26 * 99
    /// Codes of one shop that are neither used nor expired. When full: the next one is refused until one expires.
    static let openCodesMax = 100

    /// The id of a shop that is made under a name. By the name alone, so that a fleet of several stores puts it, and
    /// finds it, in one of them without asking the others.
    static func shopID(named name: String) -> [UInt8] {
        Array(SHA256.digest(Array("execora/shop/v1\0".utf8), Array(name.utf8)).prefix(16))
    }

    /// Makes a one-time code for a shop, and the shop when its name is new.
    func newCode(shop name: String, life: Duration, nowMilliseconds now: Int64) throws(GatewayError) -> (
        code: EnrolCode, shop: [UInt8]
    ) {
        let code = EnrolCode()
        let shop = try database.transaction { () throws(GatewayError) in
            // Shops of earlier gateways have ids that do not follow from their names.
            let known = try database.first("SELECT shop_id FROM shop WHERE name = ?", .text(name)) { $0.blob(0) }
            let shop = known ?? Self.shopID(named: name)
            try database.run(
                "INSERT INTO shop(shop_id, name, created_ms) VALUES(?, ?, ?) ON CONFLICT DO NOTHING",
                .blob(shop), .text(name), .integer(now))
            try lock(shop)
            // A readmitted shop gets its name back.
            if known == nil { try database.run("UPDATE shop SET name = ? WHERE shop_id = ?", .text(name), .blob(shop)) }
            try database.run(
                "DELETE FROM enrol_code WHERE shop_id = ? AND expires_ms < ?", .blob(shop),
                .integer(now - 7 * 86_400_000))
            let open = try database.integer(
                "SELECT count(*) FROM enrol_code WHERE shop_id = ? AND used_ms IS NULL AND expires_ms >= ?",
                .blob(shop), .integer(now))
            guard open ?? 0 < Self.openCodesMax else {
                throw .state(problem: "the shop has \(Self.openCodesMax) open codes", hint: "wait until one expires")
            }
            try database.run(
                "INSERT INTO enrol_code(code_hash, shop_id, expires_ms) VALUES(?, ?, ?)", .blob(code.hash),
                .blob(shop), .integer(now + life.components.seconds * 1000))
            return shop
        }
        return (code, shop)
    }

    /// What changes a shop as a whole (codes, counters, its log) is done by one at a time.
    func lock(_ shop: [UInt8]) throws(GatewayError) {
        try database.run("SELECT counters FROM shop WHERE shop_id = ?\(database.rowLock)", .blob(shop))
    }

    enum Enrolment: Sendable {
        case enrolled(answer: [UInt8])
        /// Unknown, used or expired: the three are not told apart to the outside.
        case codeRefused
        /// The device was revoked, or belongs to another shop.
        case deviceRefused
        case shopFull
    }

    /// Uses up a code. `issue` makes the certificate and the answer once shop and series are known; both are stored
    /// in the same transaction, so an answer lost on the way is given again to the same two keys, byte for byte.
    ///
    /// A device that is known to the shop (its certificate ran out while it was away) keeps its series and its chain.
    func enrol(
        codeHash: [UInt8], requestHash: [UInt8], device: [UInt8], ledgerKey: [UInt8], nowMilliseconds now: Int64,
        issue:
            @Sendable (_ shop: [UInt8], _ device: [UInt8], _ series: String) throws(GatewayError) -> (
                CertificateAuthority.Issued, [UInt8]
            )
    ) throws(GatewayError) -> Enrolment {
        try database.transaction { () throws(GatewayError) -> Enrolment in
            let code = try database.first(
                """
                SELECT shop_id, expires_ms, used_ms, request_hash, answer FROM enrol_code
                WHERE code_hash = ?\(database.rowLock)
                """, .blob(codeHash)
            ) {
                (
                    shop: $0.blob(0), expires: $0.integer(1), isUsed: !$0.isNull(2), request: $0.blob(3),
                    answer: $0.blob(4)
                )
            }
            guard let code, code.expires >= now else { return .codeRefused }
            if code.isUsed { return code.request == requestHash ? .enrolled(answer: code.answer) : .codeRefused }
            try lock(code.shop)
            // A device that has changed its ledger key is still the one that its first key made.
            let device =
                try database.first(
                    "SELECT device_id FROM device WHERE shop_id = ? AND ledger_key = ?", .blob(code.shop),
                    .blob(ledgerKey)
                ) { $0.blob(0) } ?? device
            let known = try database.first(
                "SELECT shop_id, series, revoked_ms, ledger_key FROM device WHERE device_id = ?", .blob(device)
            ) { (shop: $0.blob(0), series: $0.text(1), isRevoked: !$0.isNull(2), key: $0.blob(3)) }
            let series: String
            if let known {
                // Whoever holds a key that was changed is not the device any more.
                guard known.shop == code.shop, !known.isRevoked, known.key == ledgerKey else { return .deviceRefused }
                series = known.series
            } else {
                let count = try database.integer("SELECT counters FROM shop WHERE shop_id = ?", .blob(code.shop)) ?? 0
                guard count < Self.countersMax else { return .shopFull }
                series = Self.series(Int(count))
                try add(device, to: code.shop, series: series, ledgerKey: ledgerKey, now: now)
            }
            let (issued, answer) = try issue(code.shop, device, series)
            try keep(issued, shop: code.shop, device: device)
            try database.run(
                "UPDATE enrol_code SET used_ms = ?, request_hash = ?, answer = ? WHERE shop_id = ? AND code_hash = ?",
                .integer(now), .blob(requestHash), .blob(answer), .blob(code.shop), .blob(codeHash))
            return .enrolled(answer: answer)
        }
    }

    /// Makes devices known whose certificates were signed without a code: for `load` alone.
    func admit(
        _ all: [(subject: CertificateSubject, issued: CertificateAuthority.Issued)], nowMilliseconds now: Int64
    ) throws(GatewayError) {
        try database.transaction { () throws(GatewayError) in
            for (subject, issued) in all {
                try database.run(
                    "INSERT INTO shop(shop_id, name, created_ms) VALUES(?, ?, ?) ON CONFLICT DO NOTHING",
                    .blob(subject.shop), .text("load \(Hex.text(subject.shop))"), .integer(now))
                try add(
                    subject.device, to: subject.shop, series: subject.series, ledgerKey: subject.ledgerKey, now: now)
                try keep(issued, shop: subject.shop, device: subject.device)
            }
        }
    }

    func add(
        _ device: [UInt8], to shop: [UInt8], series: String, ledgerKey: [UInt8], now: Int64
    ) throws(GatewayError) {
        try database.run("UPDATE shop SET counters = counters + 1 WHERE shop_id = ?", .blob(shop))
        try database.run(
            "INSERT INTO device(shop_id, device_id, series, ledger_key, enrolled_ms) VALUES(?, ?, ?, ?, ?)",
            .blob(shop), .blob(device), .text(series), .blob(ledgerKey), .integer(now))
        try database.run(
            """
            INSERT INTO device_head(shop_id, device_id, epoch, next_seq, head, receipt_no, receipt_hash)
            VALUES(?, ?, 1, 1, ?, 0, ?)
            """, .blob(shop), .blob(device), .blob(.init(repeating: 0, count: 32)),
            .blob(.init(repeating: 0, count: 32)))
    }

    /// A01 for 0, A99 for 98, B01 for 99.
    static func series(_ index: Int) -> String {
        let number = index % 99 + 1
        return String(UnicodeScalar(UInt8(ascii: "A") + UInt8(index / 99))) + (number < 10 ? "0" : "") + String(number)
    }

    /// Certificates of one device that still run. When full: no renewal until one ends.
    static let certificatesMax = 16

    /// - Returns: false when the device has too many certificates that still run.
    func renew(
        _ issued: CertificateAuthority.Issued, of device: DeviceRecord, nowMilliseconds now: Int64
    ) throws(GatewayError) -> Bool {
        try database.transaction { () throws(GatewayError) in
            let running = try database.integer(
                "SELECT count(*) FROM certificate WHERE shop_id = ? AND device_id = ? AND not_after_ms >= ?",
                .blob(device.shop), .blob(device.device), .integer(now))
            guard running ?? 0 < Self.certificatesMax else { return false }
            try keep(issued, shop: device.shop, device: device.device)
            return true
        }
    }

    /// Remembers a certificate given out.
    private func keep(
        _ issued: CertificateAuthority.Issued, shop: [UInt8], device: [UInt8]
    ) throws(GatewayError) {
        try database.run(
            "INSERT INTO certificate(fingerprint, shop_id, device_id, serial, not_after_ms) VALUES(?, ?, ?, ?, ?)",
            .blob(issued.fingerprintBytes), .blob(shop), .blob(device), .blob(issued.serial),
            .integer(issued.notAfterMilliseconds))
    }

    /// Refuses the device from its next request on. Its series is retired with it: numbers are never given twice.
    ///
    /// - Returns: false when no such device is known.
    func revoke(device: [UInt8], nowMilliseconds now: Int64) throws(GatewayError) -> Bool {
        try database.transaction { () throws(GatewayError) in
            // By the id alone: who revokes has it from `heads` and may not know the shop.
            let shops = try database.all("SELECT shop_id FROM device WHERE device_id = ?", .blob(device)) { $0.blob(0) }
            for shop in shops {
                try database.run(
                    "UPDATE device SET revoked_ms = ? WHERE shop_id = ? AND device_id = ? AND revoked_ms IS NULL",
                    .integer(now), .blob(shop), .blob(device))
            }
            return !shops.isEmpty
        }
    }

    func heads() throws(GatewayError) -> [DeviceHead] { try Self.heads(in: database) }

    static func heads(in database: any FleetDatabase) throws(GatewayError) -> [DeviceHead] {
        try database.all("SELECT shop_id, device_id, epoch, next_seq - 1, head FROM device_head") {
            DeviceHead(shop: $0.blob(0), device: $0.blob(1), epoch: $0.integer(2), seq: $0.integer(3), hash: $0.blob(4))
        }
    }
}
