import CSQLite

/// One SQLite connection, owned by the book's thread. Raw pointers and C codes stop here.
final class Connection {
    enum Access {
        /// Reads and writes; the file is made when missing.
        case write
        /// Reads beside a writer; nothing but the shared index file is touched.
        case read
        /// Reads a file nobody writes; not a byte is touched.
        case immutable
    }

    private var handle: OpaquePointer?
    private var prepared: [String: OpaquePointer] = [:]
    /// A write or sync failed on this connection: what is in memory and what is on flash may differ.
    private(set) var failure: BookError?

    init(path: String, access: Access = .write) throws(BookError) {
        let (name, flags): (String, Int32) =
            switch access {
            case .write: (path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE)
            case .read: (path, SQLITE_OPEN_READONLY)
            case .immutable: ("file:\(Self.escaped(path))?immutable=1", SQLITE_OPEN_READONLY | SQLITE_OPEN_URI)
            }
        let code = sqlite3_open_v2(name, &handle, flags | SQLITE_OPEN_NOMUTEX, nil)
        guard code == SQLITE_OK else {
            sqlite3_close_v2(handle)
            handle = nil
            throw code == SQLITE_CANTOPEN
                ? .unavailable("no book can be opened there") : .storage(code: code, operation: "open")
        }
        sqlite3_extended_result_codes(handle, 1)
        sqlite3_busy_timeout(handle, 5000)
    }

    deinit { close() }

    /// Ends the connection; every later call fails.
    func close() {
        for statement in prepared.values { sqlite3_finalize(statement) }
        prepared = [:]
        sqlite3_close_v2(handle)
        handle = nil
    }

    /// Nothing more is written here: what was found on opening anew was not in order.
    func fail(_ error: BookError) { failure = failure ?? error }

    enum Value: Hashable {
        case integer(Int64)
        case text(String)
        case blob([UInt8])
        case null

        static func optional(_ number: Int64?) -> Value { number.map { .integer($0) } ?? .null }

        /// The same as `Row.hash` does with a column.
        func feed(_ hasher: inout Hasher) {
            switch self {
            case .integer(let number): hasher.combine(number)
            case .text(let text):
                var text = text
                text.withUTF8 { Self.feed(UnsafeRawBufferPointer($0), &hasher) }
            case .blob(let bytes): bytes.withUnsafeBytes { Self.feed($0, &hasher) }
            case .null: hasher.combine(Int8(-1))
            }
        }

        fileprivate static func feed(_ bytes: UnsafeRawBufferPointer, _ hasher: inout Hasher) {
            hasher.combine(Int32(bytes.count))
            hasher.combine(bytes: bytes)
        }
    }

    /// One row, read while it is current.
    struct Row {
        fileprivate let statement: OpaquePointer

        var columnCount: Int32 { sqlite3_column_count(statement) }
        func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(statement, column) }
        func isNull(_ column: Int32) -> Bool { sqlite3_column_type(statement, column) == SQLITE_NULL }

        func text(_ column: Int32) -> String {
            guard let bytes = sqlite3_column_text(statement, column) else { return "" }
            let count = Int(sqlite3_column_bytes(statement, column))
            return String(decoding: UnsafeBufferPointer(start: bytes, count: count), as: UTF8.self)
        }

        func blob(_ column: Int32) -> [UInt8] {
            guard let bytes = sqlite3_column_blob(statement, column) else { return [] }
            return Array(
                UnsafeRawBufferPointer(start: bytes, count: Int(sqlite3_column_bytes(statement, column))))
        }

        var values: [Value] {
            (0..<columnCount).map { column in
                switch sqlite3_column_type(statement, column) {
                case SQLITE_INTEGER: .integer(integer(column))
                case SQLITE_TEXT: .text(text(column))
                case SQLITE_NULL: .null
                default: .blob(blob(column))
                }
            }
        }

        /// Different rows of one table have, but for chance, different hashes; they differ from process to process.
        var hash: Int {
            var hasher = Hasher()
            for column in 0..<columnCount {
                switch sqlite3_column_type(statement, column) {
                case SQLITE_INTEGER: hasher.combine(integer(column))
                case SQLITE_NULL: hasher.combine(Int8(-1))
                default:
                    let start = sqlite3_column_blob(statement, column)
                    let count = start == nil ? 0 : Int(sqlite3_column_bytes(statement, column))
                    Value.feed(UnsafeRawBufferPointer(start: start, count: count), &hasher)
                }
            }
            return hasher.finalize()
        }

        func optionalInteger(_ column: Int32) -> Int64? { isNull(column) ? nil : integer(column) }

        /// The row's values one after the other in a form where different rows differ: kind, length, bytes.
        func appendValues(to bytes: inout [UInt8]) {
            for column in 0..<columnCount {
                let kind = sqlite3_column_type(statement, column)
                bytes.append(UInt8(truncatingIfNeeded: kind))
                if kind == SQLITE_INTEGER {
                    withUnsafeBytes(of: integer(column)) { bytes.append(contentsOf: $0) }
                } else {
                    let start = sqlite3_column_blob(statement, column)
                    let count = Int(sqlite3_column_bytes(statement, column))
                    withUnsafeBytes(of: count) { bytes.append(contentsOf: $0) }
                    bytes.append(contentsOf: UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : count))
                }
            }
        }
    }

    /// Runs several statements without values.
    func script(_ sql: String) throws(BookError) {
        let code = sqlite3_exec(handle, sql, nil, nil, nil)
        guard code == SQLITE_OK else { throw error(code, "script") }
    }

    /// Runs one statement to its end, giving each row.
    func run(_ sql: String, _ values: [Value] = [], row: (Row) -> Void = { _ in }) throws(BookError) {
        try scan(sql, values) {
            row($0)
            return true
        }
    }

    /// Runs one statement, giving each row until the reader says false. Statements run inside the reader must have
    /// another text: one text is one statement.
    func scan(_ sql: String, _ values: [Value] = [], row: (Row) throws(BookError) -> Bool) throws(BookError) {
        let statement = try statement(sql)
        defer {
            sqlite3_reset(statement)
            sqlite3_clear_bindings(statement)
        }
        for (index, value) in values.enumerated() { try bind(value, at: Int32(index + 1), of: statement) }
        while true {
            switch sqlite3_step(statement) {
            case SQLITE_ROW: guard try row(Row(statement: statement)) else { return }
            case SQLITE_DONE: return
            case let code: throw error(code, "step")
            }
        }
    }

    /// The first column of the first row as an integer.
    func integer(_ sql: String, _ values: [Value] = []) throws(BookError) -> Int64? {
        var found: Int64?
        try run(sql, values) { if found == nil { found = $0.optionalInteger(0) } }
        return found
    }

    func text(_ sql: String) throws(BookError) -> String? {
        var found: String?
        try run(sql) { if found == nil, !$0.isNull(0) { found = $0.text(0) } }
        return found
    }

    func blob(_ sql: String, _ values: [Value] = []) throws(BookError) -> [UInt8]? {
        var found: [UInt8]?
        try run(sql, values) { if found == nil, !$0.isNull(0) { found = $0.blob(0) } }
        return found
    }

    var changes: Int { Int(sqlite3_changes(handle)) }

    /// Body and COMMIT together, or nothing of either.
    func transaction<Result>(_ body: () throws(BookError) -> Result) throws(BookError) -> Result {
        try run("BEGIN IMMEDIATE")
        do {
            let result = try body()
            try run("COMMIT")
            return result
        } catch {
            // After some errors SQLite has rolled back by itself; a second rollback is then an error to pass over.
            _ = sqlite3_exec(handle, "ROLLBACK", nil, nil, nil)
            throw error
        }
    }

    /// A commit whose sync failed lies whole in the log, behind the last good one: whoever reads the log anew would find
    /// what was refused. A small commit is written over its beginning, so that what follows no longer fits. It need not
    /// be synced: it says nothing. Where even that fails, `reopen` finds the entry and takes it out.
    func coverFailedCommit() {
        _ = sqlite3_exec(
            handle,
            """
            PRAGMA synchronous = OFF; BEGIN IMMEDIATE;
            INSERT OR REPLACE INTO state VALUES('log.covered', randomblob(8)); COMMIT;
            """, nil, nil, nil)
        _ = sqlite3_exec(handle, "ROLLBACK", nil, nil, nil)
        _ = sqlite3_exec(handle, "PRAGMA synchronous = FULL", nil, nil, nil)
    }

    /// Copies the log into the file and empties the log. False when a reader held it back.
    func checkpoint() throws(BookError) -> Bool {
        let code = sqlite3_wal_checkpoint_v2(handle, nil, SQLITE_CHECKPOINT_TRUNCATE, nil, nil)
        if code & 0xFF == SQLITE_BUSY { return false }
        guard code == SQLITE_OK else { throw error(code, "checkpoint") }
        return true
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
        let code: Int32
        switch value {
        case .integer(let number): code = sqlite3_bind_int64(statement, index, number)
        case .text(var text):
            code = text.withUTF8 { bytes in
                bytes.withMemoryRebound(to: CChar.self) {
                    // A null pointer would be NULL, not the empty text.
                    sqlite3_bind_text(statement, index, $0.baseAddress ?? emptyText, Int32($0.count), copy)
                }
            }
        case .blob(let bytes):
            code =
                bytes.isEmpty
                ? sqlite3_bind_zeroblob(statement, index, 0)
                : sqlite3_bind_blob(statement, index, bytes, Int32(bytes.count), copy)
        case .null: code = sqlite3_bind_null(statement, index)
        }
        guard code == SQLITE_OK else { throw error(code, "bind") }
    }

    private func error(_ code: Int32, _ operation: String) -> BookError {
        let known: BookError =
            switch code & 0xFF {
            case SQLITE_FULL: .full
            case SQLITE_CORRUPT, SQLITE_NOTADB: .damaged("SQLite finds the file damaged (\(code))")
            // A row that should be new was there, or a value of another kind: the tables contradict the journal.
            case SQLITE_CONSTRAINT, SQLITE_MISMATCH: .damaged("a table contradicts the journal (\(code))")
            case SQLITE_BUSY, SQLITE_LOCKED: .unavailable("another process holds the book")
            default: .storage(code: code, operation: operation)
            }
        switch code & 0xFF {
        case SQLITE_IOERR, SQLITE_CORRUPT, SQLITE_NOTADB: failure = known
        default: break
        }
        return known
    }

    /// Percent-encodes what has a meaning in a `file:` name.
    private static func escaped(_ path: String) -> String {
        var out = ""
        for scalar in path.unicodeScalars {
            switch scalar {
            case "%": out += "%25"
            case "?": out += "%3f"
            case "#": out += "%23"
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out
    }
}

/// Somewhere to point for a text of no bytes. Immutable.
nonisolated(unsafe) private let emptyText: UnsafePointer<CChar> = UnsafePointer(
    UnsafeMutablePointer<CChar>.allocate(capacity: 1))
