/// Who is who, asked for every request. Reads over a connection and a thread of its own, so that nobody's identity
/// waits for somebody's fsync; sees each COMMIT of the store, and of `revoke` in another process, at once.
actor DeviceDirectory {
    private let database: any FleetDatabase
    private let thread = StoreThread()

    nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    /// - Parameter path: of a store that `FleetStore.open` has prepared.
    init(path: String) throws(GatewayError) {
        do { database = try SQLiteDatabase(path: path, isReadOnly: true) } catch {
            thread.end()
            throw error
        }
    }

    init(_ place: PostgresPlace) { database = PostgresDatabase(place) }

    deinit { thread.end() }

    /// Who holds each certificate, in one round trip; nil where none of the shop's devices does.
    func devices(_ questions: [LookupQueue.Question]) throws(GatewayError) -> [DeviceRecord?] {
        let sql = Self.select + " WHERE c.shop_id = ? AND c.fingerprint = ?"
        func read(again: Bool) throws(GatewayError) -> [DeviceRecord?] {
            var found = [DeviceRecord?](repeating: nil, count: questions.count)
            do throws(GatewayError) {
                if let only = questions.first, questions.count == 1 || again {
                    // One statement finds by itself that the line was lost meanwhile, and asks again on a new one.
                    found[0] = try database.first(sql, .blob(only.shop), .blob(only.fingerprint), read: Self.record)
                }
                guard questions.count > 1 else { return found }
                let statements = questions.map { FleetStatement(sql, .blob($0.shop), .blob($0.fingerprint)) }
                try database.each(statements) { (index, row) throws(GatewayError) in found[index] = Self.record(row) }
            } catch {
                guard !again, questions.count > 1 else { throw error }
                return try read(again: true)
            }
            return found
        }
        return try read(again: false)
    }

    /// For a certificate that does not say its shop.
    func device(anywhere fingerprint: [UInt8]) throws(GatewayError) -> DeviceRecord? {
        try database.first(Self.select + " WHERE c.fingerprint = ?", .blob(fingerprint), read: Self.record)
    }

    func heads() throws(GatewayError) -> [DeviceHead] { try FleetStore.heads(in: database) }

    /// The store can be read.
    func stands() throws(GatewayError) -> Bool { try database.integer("SELECT 1") == 1 }

    private static let select = """
        SELECT d.shop_id, d.device_id, d.series, d.ledger_key,
            CASE WHEN d.revoked_ms IS NOT NULL OR c.revoked_ms IS NOT NULL THEN 1 ELSE 0 END
        FROM certificate c JOIN device d ON d.shop_id = c.shop_id AND d.device_id = c.device_id
        """

    private static func record(_ row: any FleetRow) -> DeviceRecord {
        DeviceRecord(
            shop: row.blob(0), device: row.blob(1), series: row.text(2), ledgerKey: row.blob(3),
            isRevoked: row.integer(4) != 0)
    }
}
