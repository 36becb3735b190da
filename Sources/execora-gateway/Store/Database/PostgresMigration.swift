import Seals

/// Brings one PostgreSQL to this gateway's schema. Two that migrate at once wait for each other.
enum PostgresMigration {
    /// - Returns: from which version to which; the same twice when nothing was to be done.
    static func run(_ place: PostgresPlace) throws(GatewayError) -> (from: Int64, to: Int64) {
        let database = PostgresDatabase(place, isMigrating: true)
        // Held by the session, so that every migration has a transaction of its own; the end of the line frees it.
        try database.run("SELECT pg_advisory_lock(?)", .integer(PostgresSchema.lock))
        try database.script(PostgresSchema.meta)
        func meta(_ name: String) throws(GatewayError) -> String? {
            try database.first("SELECT encode(value, 'escape') FROM meta WHERE name = ?", .text(name)) { $0.text(0) }
        }
        func setMeta(_ name: String, _ value: [UInt8]) throws(GatewayError) {
            try database.run(
                "INSERT INTO meta(name, value) VALUES(?, ?) ON CONFLICT(name) DO UPDATE SET value = excluded.value",
                .text(name), .blob(value))
        }
        if let shard = try meta("shard"), shard != place.shard {
            throw .state(
                problem: "\(place.label) is shard \(shard), not \(place.shard)",
                hint: "name the instances in the order in which they were migrated first")
        }
        let from = try meta("version").flatMap { Int64($0) } ?? 0
        guard from <= PostgresSchema.version else {
            throw .state(
                problem: "\(place.label) has format \(from), this gateway knows \(PostgresSchema.version)",
                hint: "run the newer gateway that made it")
        }
        for version in Int(from)..<Int(PostgresSchema.version) {
            try database.transaction { () throws(GatewayError) in
                try database.script(PostgresSchema.migrations[version])
                if version == 0 {
                    try setMeta("store_id", Randomness.bytes(16))
                    try setMeta("shard", Array(place.shard.utf8))
                }
                try setMeta("version", Array(String(version + 1).utf8))
            }
        }
        return (from, PostgresSchema.version)
    }
}
