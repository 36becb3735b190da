import Seals

/// The fleet's ledger: shops, devices, codes, certificates, heads, batches, receipts. One file, one writer, its own
/// thread. Other processes (`enrol-token`, `revoke`, `heads`) may open the file beside it; SQLite's lock is between.
actor FleetStore {
    let database: FleetDatabase
    /// Names this store in receipts; a new one is made with a new file, never with a restored one.
    nonisolated let storeID: [UInt8]
    private let thread: StoreThread

    nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    /// - Throws: `GatewayError.storage`, or `.state` when the file was made by a newer gateway.
    static func open(path: String) async throws -> FleetStore {
        try await FleetStore(path: path)
    }

    private init(path: String) async throws {
        thread = StoreThread()
        do {
            database = try FleetDatabase(path: path)
            storeID = try Self.prepare(database)
        } catch {
            thread.end()
            throw error
        }
    }

    deinit { thread.end() }

    private static func prepare(_ database: FleetDatabase) throws(GatewayError) -> [UInt8] {
        try database.transaction { () throws(GatewayError) in
            let version = try database.integer("PRAGMA user_version") ?? 0
            guard version <= FleetSchema.version else {
                throw .state(
                    problem: "gateway.sqlite has format \(version), this gateway knows \(FleetSchema.version)",
                    hint: "run the newer gateway that made it")
            }
            if version < FleetSchema.version {
                try database.script(FleetSchema.script)
                try database.script("PRAGMA user_version = \(FleetSchema.version)")
                try database.run(
                    "INSERT INTO meta(key, value) VALUES('store_id', ?)", .blob(Randomness.bytes(16)))
            }
            guard let id = try database.first("SELECT value FROM meta WHERE key = 'store_id'", read: { $0.blob(0) }),
                id.count == 16
            else { throw .state(problem: "gateway.sqlite has no store id", hint: "restore it from a backup") }
            return id
        }
    }
}
