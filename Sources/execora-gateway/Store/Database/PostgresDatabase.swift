import CPQ
import Glibc
import Seals

/// One connection to a PostgreSQL that `migrate` has prepared. Connects when first used and again when the line was
/// lost, so a database that comes back needs no restart here. Raw pointers and codes stop here.
final class PostgresDatabase: FleetDatabase {
    /// The server ends a statement after this: a lock that never comes must not hold a thread for ever.
    static let statementMilliseconds = 15_000
    /// After a failed connect the next call fails at once for this long, so that a dead instance holds up nobody.
    static let reconnectMilliseconds: Int64 = 500

    let place: PostgresPlace
    private var connection: OpaquePointer?
    private var prepared: [String: String] = [:]
    private var knownStoreID: [UInt8] = []
    private var isInTransaction = false
    private var failedMilliseconds: Int64?
    private let isMigrating: Bool

    init(_ place: PostgresPlace, isMigrating: Bool = false) {
        self.place = place
        self.isMigrating = isMigrating
    }

    deinit { PQfinish(connection) }

    var rowLock: String { " FOR UPDATE" }

    func storeID() throws(GatewayError) -> [UInt8] {
        try connect()
        return knownStoreID
    }

    /// Runs statements without values in one go.
    func script(_ sql: String) throws(GatewayError) {
        try connect()
        try command(sql)
    }

    func each(
        _ sql: String, _ values: [FleetValue], row: (any FleetRow) throws(GatewayError) -> Void
    ) throws(GatewayError) {
        try connect()
        do throws(GatewayError) { try execute(sql, values, row) } catch {
            // A database that was started anew shows on the old line only when it is used.
            guard !isInTransaction, PQstatus(connection) != CONNECTION_OK else { throw error }
            try connect()
            try execute(sql, values, row)
        }
    }

    private func execute(
        _ sql: String, _ values: [FleetValue], _ row: (any FleetRow) throws(GatewayError) -> Void
    ) throws(GatewayError) {
        let name = try prepare(sql)
        let result = PostgresValues(values).withPointers { PQexecPrepared(connection, name, $0, $1, $2, $3, 1) }
        defer { PQclear(result) }
        try check(result, "execute")
        try read(result, row)
    }

    func each(
        _ statements: [FleetStatement], row: (Int, any FleetRow) throws(GatewayError) -> Void
    ) throws(GatewayError) {
        try connect()
        var names: [String] = []
        for statement in statements { names.append(try prepare(statement.sql)) }
        // All leave before the first answer is read: one round trip for all. What comes back meanwhile is a few
        // dozen bytes a statement, so neither side fills its socket while the other does not read.
        guard PQenterPipelineMode(connection) == 1 else { throw fault("pipeline") }
        for (statement, name) in zip(statements, names) {
            let sent = PostgresValues(statement.values).withPointers {
                PQsendQueryPrepared(connection, name, $0, $1, $2, $3, 1)
            }
            guard sent == 1 else { throw lost("send") }
        }
        guard PQpipelineSync(connection) == 1 else { throw lost("sync") }
        var failure: GatewayError?
        for index in statements.indices {
            guard let result = PQgetResult(connection) else { throw lost("result") }
            do throws(GatewayError) {
                try check(result, "execute")
                if failure == nil { try read(result) { (one) throws(GatewayError) in try row(index, one) } }
            } catch { failure = failure ?? error }
            PQclear(result)
            // The end of one statement's results.
            while let more = PQgetResult(connection) { PQclear(more) }
        }
        guard let end = PQgetResult(connection) else { throw lost("end of pipeline") }
        let isSynced = PQresultStatus(end) == PGRES_PIPELINE_SYNC
        PQclear(end)
        guard isSynced, PQexitPipelineMode(connection) == 1 else { throw lost("end of pipeline") }
        if let failure { throw failure }
    }

    func transaction<Result>(_ body: () throws(GatewayError) -> Result) throws(GatewayError) -> Result {
        try connect()
        do throws(GatewayError) { try command("BEGIN") } catch {
            guard PQstatus(connection) != CONNECTION_OK else { throw error }
            try connect()
            try command("BEGIN")
        }
        isInTransaction = true
        do {
            let result = try body()
            try command("COMMIT")
            isInTransaction = false
            return result
        } catch {
            isInTransaction = false
            if PQstatus(connection) == CONNECTION_OK { PQclear(PQexec(connection, "ROLLBACK")) }
            throw error
        }
    }

    // MARK: The line

    private func connect() throws(GatewayError) {
        if connection != nil, PQstatus(connection) == CONNECTION_OK { return }
        // What was begun on the lost line is gone; only a new transaction may use a new line.
        if isInTransaction { throw .database(code: "08006", operation: "transaction lost its line") }
        let now = Self.monotonicMilliseconds()
        if let failedMilliseconds, now - failedMilliseconds < Self.reconnectMilliseconds {
            throw .database(code: "08001", operation: "connect to \(place.label)")
        }
        PQfinish(connection)
        prepared = [:]
        connection = PQconnectdb(place.conninfo)
        guard PQstatus(connection) == CONNECTION_OK else {
            failedMilliseconds = now
            throw .database(code: "08001", operation: "connect to \(place.label)")
        }
        failedMilliseconds = nil
        do throws(GatewayError) { try begin() } catch {
            PQfinish(connection)
            connection = nil
            throw error
        }
    }

    /// A receipt promises that the entries are on disk: a database that does not flush is refused.
    private func begin() throws(GatewayError) {
        // A duplicate table name is a notice; it is nobody's to read here.
        PQsetNoticeProcessor(connection, { _, _ in }, nil)
        try command(
            "SET synchronous_commit = on; SET statement_timeout = \(isMigrating ? 0 : Self.statementMilliseconds)")
        guard try text("SHOW fsync") == "on" else {
            throw .state(problem: "\(place.label) runs with fsync off", hint: "set fsync = on; receipts rest on it")
        }
        if isMigrating { return }
        guard try text("SELECT coalesce(to_regclass('meta')::text, '')") == "meta" else {
            throw .state(problem: "\(place.label) has no tables", hint: "run execora-gateway migrate")
        }
        let version = try text("SELECT encode(value, 'escape') FROM meta WHERE name = 'version'")
        guard version == String(PostgresSchema.version) else {
            throw .state(
                problem: "\(place.label) has format \(version), this gateway knows \(PostgresSchema.version)",
                hint: "run execora-gateway migrate, or the newer gateway")
        }
        let stored = try text("SELECT encode(value, 'escape') FROM meta WHERE name = 'shard'")
        guard stored == place.shard else {
            throw .state(
                problem: "\(place.label) is shard \(stored), not \(place.shard)",
                hint: "name the instances in the order in which they were migrated")
        }
        guard let id = Hex.bytes(try text("SELECT encode(value, 'hex') FROM meta WHERE name = 'store_id'")),
            id.count == 16
        else { throw .state(problem: "\(place.label) has no store id", hint: "restore it from a backup") }
        knownStoreID = id
    }

    private func command(_ sql: String) throws(GatewayError) {
        let result = PQexec(connection, sql)
        defer { PQclear(result) }
        try check(result, "command")
    }

    /// The first field of the first row; empty when there is none.
    private func text(_ sql: String) throws(GatewayError) -> String {
        let result = PQexec(connection, sql)
        defer { PQclear(result) }
        try check(result, "command")
        return PQntuples(result) > 0 ? String(cString: PQgetvalue(result, 0, 0)) : ""
    }

    private func prepare(_ sql: String) throws(GatewayError) -> String {
        if let name = prepared[sql] { return name }
        let name = "s\(prepared.count)"
        var (numbered, count) = ("", 0)
        for character in sql {
            if character == "?" {
                count += 1
                numbered += "$\(count)"
            } else {
                numbered.append(character)
            }
        }
        let result = PQprepare(connection, name, numbered, 0, nil)
        defer { PQclear(result) }
        try check(result, "prepare")
        prepared[sql] = name
        return name
    }

    private func read(
        _ result: OpaquePointer?, _ row: (any FleetRow) throws(GatewayError) -> Void
    ) throws(GatewayError) {
        for index in 0..<PQntuples(result) { try row(PostgresRow(result: result, index: index)) }
    }

    private func check(_ result: OpaquePointer?, _ operation: String) throws(GatewayError) {
        switch PQresultStatus(result) {
        case PGRES_COMMAND_OK, PGRES_TUPLES_OK: return
        default:
            // PG_DIAG_SQLSTATE is the letter C.
            let state = PQresultErrorField(result, Int32(UInt8(ascii: "C"))).map { String(cString: $0) }
            throw .database(code: state ?? "08006", operation: "\(operation) at \(place.label)")
        }
    }

    private func fault(_ operation: String) -> GatewayError {
        .database(code: "08006", operation: "\(operation) at \(place.label)")
    }

    /// The line is in a state nobody knows: it is given up.
    private func lost(_ operation: String) -> GatewayError {
        PQfinish(connection)
        connection = nil
        return fault(operation)
    }

    private static func monotonicMilliseconds() -> Int64 {
        var moment = timespec()
        clock_gettime(CLOCK_MONOTONIC, &moment)
        return Int64(moment.tv_sec) * 1000 + Int64(moment.tv_nsec) / 1_000_000
    }
}

private struct PostgresRow: FleetRow {
    let result: OpaquePointer?
    let index: Int32

    /// Numbers come as 2, 4 or 8 bytes, big-endian.
    func integer(_ column: Int) -> Int64 {
        let bytes = blob(column)
        guard let first = bytes.first else { return 0 }
        return bytes.dropFirst().reduce(Int64(Int8(bitPattern: first))) { $0 << 8 | Int64($1) }
    }

    func isNull(_ column: Int) -> Bool { PQgetisnull(result, index, Int32(column)) == 1 }
    func text(_ column: Int) -> String { String(decoding: blob(column), as: UTF8.self) }

    func blob(_ column: Int) -> [UInt8] {
        let count = Int(PQgetlength(result, index, Int32(column)))
        guard count > 0, let bytes = PQgetvalue(result, index, Int32(column)) else { return [] }
        return Array(UnsafeRawBufferPointer(start: bytes, count: count))
    }
}

/// Values in PostgreSQL's binary form, one behind another in one piece of memory.
private struct PostgresValues {
    private var bytes: [UInt8] = []
    private var places: [(start: Int, count: Int)?] = []

    init(_ values: [FleetValue]) {
        for value in values {
            let start = bytes.count
            switch value {
            case .integer(let number): withUnsafeBytes(of: number.bigEndian) { bytes += $0 }
            case .text(let text): bytes += text.utf8
            case .blob(let blob): bytes += blob
            case .null:
                places.append(nil)
                continue
            }
            places.append((start, bytes.count - start))
        }
        // An empty value still needs an address.
        bytes.append(0)
    }

    func withPointers<Result>(
        _ body: (
            Int32, UnsafePointer<UnsafePointer<CChar>?>, UnsafePointer<Int32>, UnsafePointer<Int32>
        ) -> Result
    ) -> Result {
        bytes.withUnsafeBytes { memory in
            let base = memory.baseAddress!.assumingMemoryBound(to: CChar.self)
            let pointers = places.map { place in place.map { base + $0.start } }
            let lengths = places.map { Int32($0?.count ?? 0) }
            let formats = [Int32](repeating: 1, count: places.count)
            return body(Int32(places.count), pointers, lengths, formats)
        }
    }
}
