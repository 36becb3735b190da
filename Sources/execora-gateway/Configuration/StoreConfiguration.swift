/// Where shops are kept: `gateway.sqlite` in the state folder, or one or more PostgreSQL.
struct StoreConfiguration: Hashable, Sendable {
    /// Instances at most; each holds a run of the 4,096 buckets.
    static let instancesMax = 64

    /// Connection strings of libpq, in the order of their runs of buckets. Empty: the embedded store.
    var postgres: [String] = []
    /// Connections of each instance that take batches.
    var lanes = 2

    var places: [PostgresPlace] {
        postgres.enumerated().map { PostgresPlace(dsn: $1, index: $0, count: postgres.count) }
    }

    /// - Returns: everything wrong with it.
    mutating func read(_ form: inout ConfigurationForm) -> [String] {
        postgres = form.texts("postgres", required: true) ?? []
        lanes = Int(form.number("lanes", in: 1...16) ?? 2)
        if postgres.count > Self.instancesMax { form.complain("postgres", "at most \(Self.instancesMax) instances") }
        for dsn in postgres {
            if let mistake = PostgresPlace.mistake(in: dsn) { form.complain("postgres", mistake) }
        }
        return form.mistakes()
    }
}
