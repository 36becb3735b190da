import CSQLite

/// One SQLite connection to `gateway.sqlite`. Raw pointers and C codes stop here. Used by one thread at a time.
final class SQLiteDatabase: FleetDatabase {
    private var handle: OpaquePointer?
    private var prepared: [String: OpaquePointer] = [:]

    /// - Parameter isReadOnly: for commands that only look while `serve` is running.
    init(path: String, isReadOnly: Bool = false) throws(GatewayError) {
        let flags = (isReadOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE)
        let code = sqlite3_open_v2(path, &handle, flags | SQLITE_OPEN_NOMUTEX, nil)
        guard code == SQLITE_OK else {
            sqlite3_close_v2(handle)
            handle = nil
            throw .storage(code: code, operation: "open \(path)")
        }
        sqlite3_extended_result_codes(handle, 1)
        sqlite3_busy_timeout(handle, 5000)
        guard !isReadOnly else { return }
        // A receipt promises that the entries are on disk, so FULL, and checked: some builds start lower.
        try script(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF")
        guard try integer("PRAGMA synchronous") == 2 else {
            throw .storage(code: SQLITE_ERROR, operation: "synchronous=FULL was not taken")
        }
    }

    deinit {
        for statement in prepared.values { sqlite3_finalize(statement) }
        sqlite3_close_v2(handle)
    }

    /// A transaction holds the whole file.
    var rowLock: String { "" }

    func storeID() throws(GatewayError) -> [UInt8] {
        guard let id = try first("SELECT value FROM meta WHERE name = 'store_id'", read: { $0.blob(0) }), id.count == 16
        else { throw .state(problem: "gateway.sqlite has no store id", hint: "restore it from a backup") }
        return id
    }

    private struct Row: FleetRow {
        let statement: OpaquePointer

        func integer(_ column: Int) -> Int64 { sqlite3_column_int64(statement, Int32(column)) }
        func isNull(_ column: Int) -> Bool { sqlite3_column_type(statement, Int32(column)) == SQLITE_NULL }
        func text(_ column: Int) -> String {
            sqlite3_column_text(statement, Int32(column)).map { String(cString: $0) } ?? ""
        }

        func blob(_ column: Int) -> [UInt8] {
            let count = Int(sqlite3_column_bytes(statement, Int32(column)))
            guard count > 0, let bytes = sqlite3_column_blob(statement, Int32(column)) else { return [] }
            return Array(UnsafeRawBufferPointer(start: bytes, count: count))
        }
    }

    /// Runs several statements without values.
    func script(_ sql: String) throws(GatewayError) {
        let code = sqlite3_exec(handle, sql, nil, nil, nil)
        guard code == SQLITE_OK else { throw .storage(code: code, operation: "script") }
    }

    /// Body and COMMIT together, or nothing of either. IMMEDIATE: the write lock is taken before anything is read.
    func transaction<Result>(_ body: () throws(GatewayError) -> Result) throws(GatewayError) -> Result {
        try script("BEGIN IMMEDIATE")
        do {
            let result = try body()
            try script("COMMIT")
            return result
        } catch {
            // After a failed COMMIT the transaction may still be open; a rollback outside of one is passed over.
            _ = sqlite3_exec(handle, "ROLLBACK", nil, nil, nil)
            throw error
        }
    }

    func each(
        _ statements: [FleetStatement], row: (Int, any FleetRow) throws(GatewayError) -> Void
    ) throws(GatewayError) {
        for (index, statement) in statements.enumerated() {
            try each(statement.sql, statement.values) { (one) throws(GatewayError) in try row(index, one) }
        }
    }

    func each(
        _ sql: String, _ values: [FleetValue], row: (any FleetRow) throws(GatewayError) -> Void
    ) throws(GatewayError) {
        let statement = try statement(sql)
        defer {
            sqlite3_reset(statement)
            sqlite3_clear_bindings(statement)
        }
        for (index, value) in values.enumerated() { try bind(value, at: Int32(index + 1), of: statement) }
        while true {
            switch sqlite3_step(statement) {
            case SQLITE_ROW: try row(Row(statement: statement))
            case SQLITE_DONE: return
            case let code: throw .storage(code: code, operation: "step")
            }
        }
    }

    private func statement(_ sql: String) throws(GatewayError) -> OpaquePointer {
        if let known = prepared[sql] { return known }
        var statement: OpaquePointer?
        let code = sqlite3_prepare_v3(handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &statement, nil)
        guard code == SQLITE_OK, let statement else { throw .storage(code: code, operation: "prepare") }
        prepared[sql] = statement
        return statement
    }

    private func bind(_ value: FleetValue, at index: Int32, of statement: OpaquePointer) throws(GatewayError) {
        // SQLITE_TRANSIENT: SQLite copies what it is given.
        let copy = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
        let code: Int32 =
            switch value {
            case .integer(let number): sqlite3_bind_int64(statement, index, number)
            case .text(let text): sqlite3_bind_text(statement, index, text, -1, copy)
            case .blob(let bytes):
                bytes.isEmpty
                    ? sqlite3_bind_zeroblob(statement, index, 0)
                    : sqlite3_bind_blob(statement, index, bytes, Int32(bytes.count), copy)
            case .null: sqlite3_bind_null(statement, index)
            }
        guard code == SQLITE_OK else { throw .storage(code: code, operation: "bind") }
    }
}
