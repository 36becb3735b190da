/// Where one PostgreSQL is, and which of how many it is.
struct PostgresPlace: Hashable, Sendable {
    /// libpq's connection string. A password stands in a file that it names by `passfile`, never in it.
    var dsn: String
    var index: Int
    var count: Int

    /// How the instance calls itself in `meta`: its place in the map of buckets.
    var shard: String { "v1:\(index)/\(count)" }

    /// For logs and complaints: never the string itself.
    var label: String { "postgres[\(index)]" }

    /// A dead host is noticed: while connecting after 5 s, on an open line after 15 s.
    var conninfo: String {
        dsn + " connect_timeout=5 keepalives_idle=5 keepalives_interval=5 keepalives_count=2 tcp_user_timeout=15000"
            + " application_name=execora-gateway client_encoding=UTF8"
    }

    /// What is wrong with a connection string; nil when it can be tried.
    static func mistake(in dsn: String) -> String? {
        if dsn.isEmpty || dsn.utf8.count > 1000 { return "must be a connection string of at most 1,000 bytes" }
        if dsn.contains("://") { return "must be of the form key=value key=value" }
        if dsn.lowercased().contains("password") { return "must not hold a password; name a passfile" }
        return nil
    }
}
