/// One connection to a database that holds shops. Used by one thread at a time: a `FleetStore` or a `DeviceDirectory`.
///
/// Statements are written once for both stores: `?` for each value, blobs, texts and 64-bit numbers only.
protocol FleetDatabase: AnyObject {
    /// Names the store in receipts; made with its tables, restored with them.
    func storeID() throws(GatewayError) -> [UInt8]

    /// Behind a SELECT: holds its rows until COMMIT. Empty where a transaction holds the whole file.
    var rowLock: String { get }

    /// Runs one statement and reads its rows.
    func each(
        _ sql: String, _ values: [FleetValue], row: (any FleetRow) throws(GatewayError) -> Void
    ) throws(GatewayError)

    /// Runs statements in order, each with its rows told by the statement's index. One that fails fails all.
    func each(
        _ statements: [FleetStatement], row: (Int, any FleetRow) throws(GatewayError) -> Void
    ) throws(GatewayError)

    /// Body and COMMIT together, or nothing of either. After a failed COMMIT it is unknown which.
    func transaction<Result>(_ body: () throws(GatewayError) -> Result) throws(GatewayError) -> Result
}

enum FleetValue {
    case integer(Int64)
    case text(String)
    case blob([UInt8])
    case null

    static func optional(_ number: Int64?) -> FleetValue { number.map { .integer($0) } ?? .null }
}

struct FleetStatement {
    var sql: String
    var values: [FleetValue]

    init(_ sql: String, _ values: FleetValue...) {
        self.sql = sql
        self.values = values
    }
}

/// One row, read while it is current.
protocol FleetRow {
    func integer(_ column: Int) -> Int64
    func isNull(_ column: Int) -> Bool
    func text(_ column: Int) -> String
    func blob(_ column: Int) -> [UInt8]
}

extension FleetDatabase {
    func run(_ sql: String, _ values: FleetValue...) throws(GatewayError) {
        try each(sql, values) { (_) throws(GatewayError) in }
    }

    /// What `read` makes of each row, in order.
    func all<Item>(
        _ sql: String, _ values: FleetValue..., read: (any FleetRow) throws(GatewayError) -> Item
    ) throws(GatewayError) -> [Item] {
        var items: [Item] = []
        try each(sql, values) { (row) throws(GatewayError) in items.append(try read(row)) }
        return items
    }

    /// What `read` makes of the first row; nil when there is none.
    func first<Item>(
        _ sql: String, _ values: FleetValue..., read: (any FleetRow) throws(GatewayError) -> Item
    ) throws(GatewayError) -> Item? {
        var item: Item?
        try each(sql, values) { (row) throws(GatewayError) in if item == nil { item = try read(row) } }
        return item
    }

    func integer(_ sql: String, _ values: FleetValue...) throws(GatewayError) -> Int64? {
        var found: Int64?
        try each(sql, values) { (row) throws(GatewayError) in
            if found == nil, !row.isNull(0) { found = row.integer(0) }
        }
        return found
    }
}
