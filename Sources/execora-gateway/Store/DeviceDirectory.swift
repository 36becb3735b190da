/// Who is who, asked for every request. Reads over a connection and a thread of its own, so that nobody's identity
/// waits for somebody's fsync; sees each COMMIT of the store, and of `revoke` in another process, at once.
actor DeviceDirectory {
    private let database: FleetDatabase
    private let thread = StoreThread()

    nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    /// - Parameter path: of a store that `FleetStore.open` has prepared.
    init(path: String) throws(GatewayError) {
        do { database = try FleetDatabase(path: path, isReadOnly: true) } catch {
            thread.end()
            throw error
        }
    }

    deinit { thread.end() }

    /// Who holds the certificate; nil when none of this store's devices does.
    func device(fingerprint: [UInt8]) throws(GatewayError) -> DeviceRecord? {
        try database.first(
            """
            SELECT d.shop_id, d.device_id, d.series, d.ledger_key, d.revoked_ms IS NOT NULL OR c.revoked_ms IS NOT NULL
            FROM certificate c JOIN device d ON d.shop_id = c.shop_id AND d.device_id = c.device_id
            WHERE c.fingerprint = ?
            """, .blob(fingerprint)
        ) {
            DeviceRecord(
                shop: $0.blob(0), device: $0.blob(1), series: $0.text(2), ledgerKey: $0.blob(3),
                isRevoked: $0.integer(4) != 0)
        }
    }
}
