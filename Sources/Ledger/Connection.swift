import CSQLite

/// One SQLite connection, owned by the book's thread. Raw pointers and C codes stop here.
final class Connection {
    private var handle: OpaquePointer?
    private var prepared: [String: OpaquePointer] = [:]

    init(path: String) throws(BookError) {
        let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX
        let code = sqlite3_open_v2(path, &handle, flags, nil)
        guard code == SQLITE_OK else {
            sqlite3_close_v2(handle)
            handle = nil
            throw .storage(code: code, operation: "open")
        }
        sqlite3_extended_result_codes(handle, 1)
        sqlite3_busy_timeout(handle, 5000)
    }

    deinit {
        for statement in prepared.values { sqlite3_finalize(statement) }
        sqlite3_close_v2(handle)
    }

    enum Value {
        case integer(Int64)
        case text(String)
        case blob([UInt8])
        case null

        static func optional(_ text: String?) -> Value { text.map { .text($0) } ?? .null }
        static func optional(_ bytes: [UInt8]?) -> Value { bytes.map { .blob($0) } ?? .null }
        static func optional(_ number: Int64?) -> Value { number.map { .integer($0) } ?? .null }
    }

    /// One row, read while it is current.
    struct Row {
        fileprivate let statement: OpaquePointer

        func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(statement, column) }
        func isNull(_ column: Int32) -> Bool { sqlite3_column_type(statement, column) == SQLITE_NULL }

        func text(_ column: Int32) -> String? {
            sqlite3_column_text(statement, column).map { String(cString: $0) }
        }

        func blob(_ column: Int32) -> [UInt8]? {
            guard !isNull(column) else { return nil }
            let count = Int(sqlite3_column_bytes(statement, column))
            guard count > 0, let bytes = sqlite3_column_blob(statement, column) else { return [] }
            return Array(UnsafeRawBufferPointer(start: bytes, count: count))
        }
    }

    /// Runs several statements without values.
    func script(_ sql: String) throws(BookError) {
        let code = sqlite3_exec(handle, sql, nil, nil, nil)
        guard code == SQLITE_OK else { throw error(code, "script") }
    }

    /// Runs one statement to its end, giving each row.
    func run(_ sql: String, _ values: [Value] = [], row: (Row) -> Void = { _ in }) throws(BookError) {
        let statement = try statement(sql)
        defer {
            sqlite3_reset(statement)
            sqlite3_clear_bindings(statement)
        }
        for (index, value) in values.enumerated() { try bind(value, at: Int32(index + 1), of: statement) }
        while true {
            switch sqlite3_step(statement) {
            case SQLITE_ROW: row(Row(statement: statement))
            case SQLITE_DONE: return
            case let code: throw error(code, "step")
            }
        }
    }

    /// The first column of the first row as an integer.
    func integer(_ sql: String, _ values: [Value] = []) throws(BookError) -> Int64? {
        var found: Int64?
        try run(sql, values) { if found == nil, !$0.isNull(0) { found = $0.integer(0) } }
        return found
    }

    /// Body and COMMIT together, or nothing of either.
    func transaction<Result>(_ body: () throws(BookError) -> Result) throws(BookError) -> Result {
        try script("BEGIN IMMEDIATE")
        do {
            let result = try body()
            try script("COMMIT")
            return result
        } catch {
            // After a failed COMMIT the transaction may still be open; a rollback outside of one is an error to pass over.
            _ = sqlite3_exec(handle, "ROLLBACK", nil, nil, nil)
            throw error
        }
    }

    private func statement(_ sql: String) throws(BookError) -> OpaquePointer {
        if let known = prepared[sql] { return known }
        var statement: OpaquePointer?
        let code = sqlite3_prepare_v3(handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &statement, nil)
        guard code == SQLITE_OK, let statement else { throw error(code, "prepare") }
        prepared[sql] = statement
        return statement
    }

    private func bind(_ value: Value, at index: Int32, of statement: OpaquePointer) throws(BookError) {
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
        guard code == SQLITE_OK else { throw error(code, "bind") }
    }

    private func error(_ code: Int32, _ operation: String) -> BookError {
        switch code & 0xFF {
        case SQLITE_FULL: .full
        case SQLITE_CORRUPT, SQLITE_NOTADB: .damaged("SQLite reports a damaged file")
        case SQLITE_BUSY, SQLITE_LOCKED: .unavailable("another process holds the book")
        default: .storage(code: code, operation: operation)
        }
    }
}
