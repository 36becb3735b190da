import Seals

/// Shops of one database: codes, devices, certificates, heads, batches, receipts. One connection, one writer, its own
/// thread. Other processes may use the same database beside it; its locks are between.
actor FleetStore {
    let database: any FleetDatabase
    private let thread: StoreThread

    nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    /// The embedded store; makes the file and its tables when they are not there.
    ///
    /// - Throws: `GatewayError.storage`, or `.state` when the file was made by a newer gateway.
    static func open(path: String) async throws -> FleetStore {
        try await FleetStore { () throws(GatewayError) in
            let database = try SQLiteDatabase(path: path)
            try prepare(database)
            return database
        }
    }

    /// A PostgreSQL that `migrate` has prepared. Connects at the first use: an instance that is down keeps the others
    /// from nothing.
    static func open(_ place: PostgresPlace) async throws -> FleetStore {
        try await FleetStore { () throws(GatewayError) in PostgresDatabase(place) }
    }

    private init(opening: @Sendable () throws(GatewayError) -> sending any FleetDatabase) async throws {
        thread = StoreThread()
        do { database = try opening() } catch {
            thread.end()
            throw error
        }
    }

    deinit { thread.end() }

    /// Names this store in receipts; a new one is made with a new database, never with a restored one.
    func storeID() throws(GatewayError) -> [UInt8] { try database.storeID() }

    private static func prepare(_ database: SQLiteDatabase) throws(GatewayError) {
        try database.transaction { () throws(GatewayError) in
            let version = try database.integer("PRAGMA user_version") ?? 0
            guard version <= SQLiteSchema.version else {
                throw .state(
                    problem: "gateway.sqlite has format \(version), this gateway knows \(SQLiteSchema.version)",
                    hint: "run the newer gateway that made it")
            }
            for step in Int(version)..<Int(SQLiteSchema.version) {
                try database.script(SQLiteSchema.migrations[step])
                try database.script("PRAGMA user_version = \(step + 1)")
                if step == 0 {
                    try database.run("INSERT INTO meta(key, value) VALUES('store_id', ?)", .blob(Randomness.bytes(16)))
                }
            }
            _ = try database.storeID()
        }
    }
}
